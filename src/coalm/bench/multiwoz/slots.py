"""The thirty slots of MultiWOZ 2.4, described in this project's own words.

Names are the data's. Descriptions are short on purpose: the list stands in every prompt,
and on a CPU each token of it costs time. Only what a value looks like is said, and for
closed slots which values there are.
"""

from collections.abc import Mapping

from coalm.corpora.states import Slot

AREAS = ("centre", "north", "south", "east", "west")
PRICES = ("cheap", "moderate", "expensive")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
YES_NO = ("yes", "no")
STARS = ("0", "1", "2", "3", "4", "5")
ATTRACTIONS = (
    "architecture",
    "boat",
    "church",
    "cinema",
    "college",
    "concert hall",
    "entertainment",
    "museum",
    "multiple sports",
    "nightclub",
    "park",
    "swimming pool",
    "theatre",
)
"""What the gold states call an attraction's type; too many for every prompt to list."""

SLOTS: tuple[Slot, ...] = (
    Slot("attraction-area", "part of town", AREAS),
    Slot("attraction-name", "its name"),
    Slot("attraction-type", "museum, college, architecture, boat, park, swimming pool ..."),
    Slot("hotel-area", "part of town", AREAS),
    Slot("hotel-book day", "weekday of arrival"),
    Slot("hotel-book people", "guests"),
    Slot("hotel-book stay", "nights"),
    Slot("hotel-internet", "has wifi", YES_NO),
    Slot("hotel-name", "its name"),
    Slot("hotel-parking", "has parking", YES_NO),
    Slot("hotel-pricerange", "price", PRICES),
    Slot("hotel-stars", "0 to 5"),
    Slot("hotel-type", "kind", ("hotel", "guest house")),
    Slot("restaurant-area", "part of town", AREAS),
    Slot("restaurant-book day", "weekday"),
    Slot("restaurant-book people", "guests"),
    Slot("restaurant-book time", "hh:mm"),
    Slot("restaurant-food", "cuisine"),
    Slot("restaurant-name", "its name"),
    Slot("restaurant-pricerange", "price", PRICES),
    Slot("taxi-arriveby", "hh:mm"),
    Slot("taxi-departure", "from where"),
    Slot("taxi-destination", "to where"),
    Slot("taxi-leaveat", "hh:mm"),
    Slot("train-arriveby", "hh:mm"),
    Slot("train-book people", "tickets"),
    Slot("train-day", "weekday"),
    Slot("train-departure", "from which station"),
    Slot("train-destination", "to which station"),
    Slot("train-leaveat", "hh:mm"),
)
"""Every slot that the benchmark scores; hospital and police never occur in the test goals."""

NAMES: frozenset[str] = frozenset(slot.name for slot in SLOTS)
CLOSED: Mapping[str, frozenset[str]] = {
    **{slot.name: frozenset(slot.values) for slot in SLOTS if slot.values},
    **{slot.name: frozenset(DAYS) for slot in SLOTS if slot.name.endswith("day")},
    "hotel-stars": frozenset(STARS),
    "attraction-type": frozenset(ATTRACTIONS),
}
"""What the closed slots can be. Weekdays, stars and types go without saying in the prompt."""
