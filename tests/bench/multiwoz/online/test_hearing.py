"""What a simulated user hears, on sentences and on MultiWOZ's annotated system turns."""

from collections import Counter

import pytest

from coalm import sources
from coalm.bench.multiwoz.online.hearing import SLOTS, heard
from coalm.bench.multiwoz.upstream import dialogues

ACTS = {
    "Leave": "leave_at", "Arrive": "arrive_by", "Depart": "departure", "Dest": "destination",
    "Day": "day", "People": "people", "Time": "time", "Stay": "stay", "Area": "area",
    "Food": "food", "Price": "pricerange", "Stars": "stars", "Type": "type",
    "Parking": "parking", "Internet": "internet", "Name": "name",
}  # fmt: skip
NONE = ("NoOffer", "NoBook")


@pytest.mark.parametrize(
    ("domain", "text", "asked"),
    [
        ("restaurant", "What area and price range would you like?", {"area", "pricerange"}),
        ("restaurant", "For how many people, on which day?", {"people", "day"}),
        ("restaurant", "What time would you like the table?", {"time"}),
        ("hotel", "How many nights will you stay, and from what day?", {"stay", "day"}),
        ("hotel", "Do you need parking or wifi?", {"parking", "internet"}),
        ("hotel", "Would you prefer a hotel or a guesthouse?", {"type"}),
        ("attraction", "What type of attraction are you interested in?", {"type"}),
        ("train", "Where are you leaving from?", {"departure"}),
        ("train", "What is your destination?", {"destination"}),
        ("train", "What time would you like to leave or arrive by?", {"leave_at", "arrive_by"}),
        ("taxi", "When do you want to be picked up?", {"leave_at"}),
        ("train", "TR1234 leaves at 10:11. Would you like me to book it?", set()),
        ("restaurant", "Pizza Hut is in the centre. Anything else?", set()),
        ("restaurant", "Shall I book a table for you?", set()),
    ],
)  # fmt: skip
def test_questions_are_heard(domain: str, text: str, asked: set[str]) -> None:
    assert heard(text, domain).asked & {*SLOTS[domain]} >= asked
    assert bool(heard(text, domain).asked) == bool(asked)


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry, there are no catalan restaurants in the centre.",
        "Unfortunately I could not find any cheap hotel there.",
        "There is nothing like that.",
        "I don't have any museums in the north.",
    ],
)
def test_that_there_is_none_is_heard(text: str) -> None:
    assert heard(text, "restaurant").none
    assert not heard("There is no entrance fee.", "attraction").none


def test_refusals_and_bookings_are_told_apart() -> None:
    refused = heard("I was not able to book a table at that time.", "restaurant")
    assert (refused.refused, refused.booked) == (True, False)
    booked = heard("Your table is booked, the reference number is AB12CD34.", "restaurant")
    assert (booked.refused, booked.booked, booked.code) == (False, True, True)
    offered = heard("Would you like me to book it for you?", "restaurant")
    assert not offered.booked
    assert heard("A red audi will come, call 07123456789.", "taxi").booked


@pytest.mark.parametrize("text", ["", "?" * 9999, "what " * 5000, "i have no " * 3000, "\ud800"])
def test_anything_can_be_heard_in_no_time(text: str) -> None:
    for domain in SLOTS:
        heard(text, domain)


@pytest.mark.data
def test_most_of_what_real_services_ask_is_heard() -> None:
    """Precision and recall over 1,000 test dialogues, which the rules were not written from."""
    right, said, meant = Counter[str](), Counter[str](), Counter[str]()
    for dialogue in dialogues(sources.find("multiwoz"), "test"):
        last = ""
        for at, turn in enumerate(dialogue.log):
            acts = turn.get("dialog_act") or {}
            named = [name.split("-")[0].lower() for name in acts]
            current = [domain for domain in named if domain in SLOTS]
            if at % 2 == 0:
                last = current[-1] if current else last
                continue
            domain = current[0] if current else last
            if not domain:
                continue
            wanted = {
                ACTS[slot]
                for act, slots in acts.items()
                if act.endswith("-Request") and act.split("-")[0].lower() in (domain, "booking")
                for slot, _ in slots
                if slot in ACTS
            } & SLOTS[domain]
            ears = heard(turn["text"], domain)
            for name, got, is_so in (
                *((slot, slot in ears.asked, slot in wanted) for slot in SLOTS[domain]),
                ("booked", ears.booked, bool(acts.keys() & {"Booking-Book", "Train-OfferBooked"})),
                ("none", ears.none or ears.refused, any(a.endswith(NONE) for a in acts)),
            ):  # fmt: skip
                group = name if name in ("booked", "none") else "asked"
                right[group] += got and is_so
                said[group] += got
                meant[group] += is_so
    found = {g: (round(right[g] / said[g], 2), round(right[g] / meant[g], 2)) for g in said}
    assert found["asked"] >= (0.9, 0.85), found
    assert found["booked"][1] >= 0.95, found
    assert found["none"][1] >= 0.85, found
