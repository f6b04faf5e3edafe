"""The rule-based user's sentences, several for each purpose."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from coalm.bench.multiwoz.online.wishes import Task

ASKED: Mapping[str, str] = {
    "phone": "phone number",
    "address": "address",
    "postcode": "postcode",
    "entrance_fee": "entrance fee",
    "area": "area",
    "type": "type",
    "food": "type of food",
    "pricerange": "price range",
    "stars": "star rating",
    "internet": "internet",
    "parking": "parking",
    "train_id": "train number",
    "duration": "travel time",
    "price": "ticket price",
    "leave_at": "departure time",
    "arrive_by": "arrival time",
    "car": "car type",
    "reference": "reference number",
}
"""What a user calls what they ask for."""

_NOUNS: Mapping[str, Sequence[str]] = {
    "restaurant": ("a restaurant", "a place to eat"),
    "hotel": ("a place to stay", "somewhere to stay"),
    "attraction": ("an attraction", "a place to visit", "something to see"),
    "train": ("a train",),
    "taxi": ("a taxi",),
}
_SHORT = {"restaurant": "table", "hotel": "room", "train": "train", "attraction": "place"}
_SLOTS: Mapping[str, str] = {
    "area": "area",
    "pricerange": "price range",
    "food": "kind of food",
    "type": "type",
    "stars": "number of stars",
    "internet": "internet",
    "parking": "parking",
    "name": "name",
    "leave_at": "departure time",
    "arrive_by": "arrival time",
    "departure": "place of departure",
    "destination": "destination",
    "day": "day",
}


def wish(domain: str, slot: str, value: str) -> str:
    """One constraint behind `it should`."""
    match slot:
        case "area":
            return f"be in the {value}"
        case "pricerange":
            return f"be in the {value} price range"
        case "food":
            return f"serve {value} food"
        case "name":
            return f"be called {value}"
        case "type":
            return f"be a {value}" if domain == "hotel" else f"be of the type {value}"
        case "stars":
            return f"have {value} stars"
        case "internet":
            return "have free wifi" if value == "yes" else "have no internet"
        case "parking":
            return "have free parking" if value == "yes" else "have no parking"
        case "departure":
            return f"leave from {value}" if domain == "train" else f"pick me up at {value}"
        case "destination":
            return f"go to {value}"
        case "day":
            return f"run on {value}"
        case "leave_at":
            return f"leave after {value}" if domain == "train" else f"leave at {value}"
        case "arrive_by":
            return f"arrive by {value}"
        case _:
            return f"have {value} as its {slot}"


def detail(domain: str, slot: str, value: str) -> str:
    """One detail of a booking."""
    match slot:
        case "people" if domain == "train":
            return f"{value} ticket" + ("s" if value != "1" else "")
        case "people":
            return f"for {value} " + ("people" if value != "1" else "person")
        case "day":
            return f"from {value}" if domain == "hotel" else f"on {value}"
        case "stay":
            return f"for {value} night" + ("s" if value != "1" else "")
        case _:
            return f"at {value}"


class Words:
    """The sentences of one user; which of several is chosen depends on the seed alone."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def pick(self, *choices: str) -> str:
        """One of several ways to say it."""
        return self._random.choice(choices)

    def few(self, names: Sequence[str], most: int) -> list[str]:
        """The first one or more of some names."""
        return list(names[: self._random.randint(1, most)]) if names else []

    def want(self, task: Task, wants: Mapping[str, str], first: bool) -> str:
        """A domain is brought up."""
        noun = self.pick(*_NOUNS[task.domain])
        start = self.pick("I am looking for", "I need", "Please help me find")
        if not first:
            start = self.pick("I am also looking for", "I also need", "Next, please help me find")
        if task.domain == "taxi":
            start = self.pick("I need", "Please book me") if first else self.pick("I also need")
        return f"{start} {noun}{self._that(task.domain, wants)}"

    def inform(self, domain: str, wants: Mapping[str, str]) -> str:
        """Constraints that were not said yet, or are asked for."""
        start = self.pick("It should", "I would like it to", "It needs to", "I want it to")
        return f"{start} {_listed(wish(domain, s, v) for s, v in wants.items())}."

    def instead(self, domain: str, wants: Mapping[str, str], gone: Sequence[str]) -> str:
        """A change of mind: what replaces what is not to be had."""
        said = []
        if wants:
            start = self.pick("In that case, could it", "Then how about one that may", "Could it")
            said.append(f"{start} {_listed(wish(domain, s, v) for s, v in wants.items())}?")
        return " ".join([*said, *([self.indifferent(gone)] if gone else [])])

    def indifferent(self, slots: Sequence[str]) -> str:
        """The user does not mind."""
        named = _listed((f"the {_SLOTS.get(slot, slot)}" for slot in slots), "or")
        return self.pick(f"I do not mind about {named}.", f"I have no preference for {named}.")

    def ask(self, names: Sequence[str]) -> str:
        """What the user wants to be told."""
        named = _listed(f"the {ASKED[name]}" for name in names)
        return self.pick(
            f"Could you tell me {named}?", f"Please give me {named}.", f"I need {named}, please."
        )

    def book(self, domain: str, details: Mapping[str, str], again: bool) -> str:
        """The user asks to book, or says the details once more."""
        if domain == "train":
            said = f"{detail(domain, 'people', details.get('people', '1'))} for it"
            start = self.pick("Please book", "I would like to buy")
        else:
            said = " ".join(detail(domain, s, v) for s, v in details.items())
            start = self.pick("Please book it", f"I would like to book a {_SHORT[domain]} there")
        return f"{'As I said: ' if again else ''}{start} {said}."

    def details(self, domain: str, details: Mapping[str, str]) -> str:
        """Details of a booking that are asked for."""
        said = " ".join(detail(domain, slot, value) for slot, value in details.items())
        return f"{said[:1].upper()}{said[1:]}, please."

    def rather(self, domain: str, details: Mapping[str, str]) -> str:
        """Other details, since the first are not to be had."""
        said = " ".join(detail(domain, slot, value) for slot, value in details.items())
        return self.pick(f"Then please try {said}.", f"Would it be possible {said} instead?")

    def _that(self, domain: str, wants: Mapping[str, str]) -> str:
        if not wants:
            return "."
        return f". It should {_listed(wish(domain, s, v) for s, v in wants.items())}."


def _listed(said: Iterable[str], joint: str = "and") -> str:
    """`a, b and c`."""
    parts = list(said)
    return f" {joint} ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
