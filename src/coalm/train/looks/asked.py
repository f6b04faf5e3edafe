"""Questions for a model while it trains: answers of the validation rows that it must give itself.

Each is a dialogue up to one of its assistant turns, and that turn as the gold answer. Which ones
are asked is decided by a hash of the rows' names: the same at every look and in every run.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from coalm.corpora.states import read_state
from coalm.formats import Format, encode
from coalm.train.rows.encoding import Encoding
from coalm.types import Assistant, Sample

Kind = Literal["call", "no call", "state"]
KINDS: tuple[Kind, ...] = ("call", "no call", "state")
"""A turn that calls tools, one that does not although it could, a dialogue state."""

_CROWD = 8
"""Of each kind so many times the wanted questions are kept, since some will be too long."""

_SNIPS = {"domain", "slot_values"}


@dataclass(frozen=True, slots=True)
class Question:
    """A dialogue that the model must go on with."""

    name: str
    """`row#turn`."""
    kind: Kind
    fmt: Format
    prompt: tuple[int, ...]
    """Token ids."""
    gold: Assistant


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of a run, in the order of their names' hashes."""

    questions: tuple[Question, ...]
    too_long: int
    """Turns that were passed over: too long for a row, or for an answer."""

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        found = Counter(question.kind for question in self.questions)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    def describe(self) -> str:
        """What is asked, in a line."""
        parts = [f"{count} {kind}" for kind, count in self.counts.items()]
        told = [f"{len(self.questions)} questions ({', '.join(parts) or 'none fits'})"]
        return "; ".join(told + [f"{self.too_long} too long, passed over"] * bool(self.too_long))


@dataclass(frozen=True, slots=True)
class _Turn:
    place: bytes
    name: str
    sample: Sample
    number: int
    gold: Assistant


def choose(samples: Iterable[Sample], how: Encoding, wanted: int, answer: int) -> Asked:
    """At most `wanted` questions, as many of each kind as there are enough of.

    Their prompts leave room for `answer` tokens in a row, and gold answers are no longer.
    """
    piles: dict[Kind, list[_Turn]] = {kind: [] for kind in KINDS}
    for sample in samples:
        for kind, turn in _turns(sample, how.format(sample)):
            piles[kind].append(turn)
            if len(piles[kind]) > 4 * _CROWD * wanted:
                piles[kind] = _first(piles[kind], _CROWD * wanted)
    sorted_piles = [
        [(kind, turn) for turn in _first(pile, _CROWD * wanted)] for kind, pile in piles.items()
    ]
    found: list[tuple[bytes, Question]] = []
    too_long = 0
    in_turns = (one for row in zip_longest(*sorted_piles) for one in row if one)
    for kind, turn in in_turns:
        if len(found) == wanted:
            break
        question = _question(kind, turn, how, answer)
        if question is None:
            too_long += 1
        else:
            found.append((turn.place, question))
    found.sort(key=lambda one: one[0])
    return Asked(tuple(question for _, question in found), too_long)


def state_in(text: str) -> dict[str, str] | None:
    """The dialogue state that a text holds, slots of nested objects by `name-slot`, or None."""
    state = read_state(text)
    if state is None:
        return None
    flat: dict[str, str] = {}
    for slot, value in state.items():
        inner = read_state(value) if value.startswith("{") else None
        flat |= {slot: value} if inner is None else {f"{slot}-{k}": v for k, v in inner.items()}
    return flat


def kind_of(sample: Sample, gold: Assistant, *, calls: bool) -> Kind | None:
    """What an assistant turn is a question for; None where there is nothing to compare.

    `calls` says whether the row's dialect can write calls: rows given whole hold words alone.
    """
    if gold.calls:
        return "call"
    tools = bool(sample.dialogue.tools)
    if not tools and _is_state(gold.text):
        return "state"
    called = any(isinstance(turn, Assistant) and turn.calls for turn in sample.dialogue.turns)
    return "no call" if calls and gold.text.strip() and (tools or called) else None


def _is_state(text: str) -> bool:
    """Whether a text is nothing but an object from slots to words, or the one of SNIPS."""
    if not (text.startswith("{") and text.endswith("}")):
        return False
    state = read_state(text)
    nested = {k for k, v in (state or {}).items() if v.startswith(("{", "["))}
    return state is not None and (not nested or set(state) == _SNIPS)


def _turns(sample: Sample, fmt: Format) -> Iterator[tuple[Kind, _Turn]]:
    for number, gold in enumerate(sample.dialogue.turns):
        if not isinstance(gold, Assistant):
            continue
        kind = kind_of(sample, gold, calls=not fmt.dialect.as_given)
        if kind:
            name = f"{sample.id}#{number}"
            yield kind, _Turn(hashlib.sha256(name.encode()).digest(), name, sample, number, gold)


def _first(pile: list[_Turn], most: int) -> list[_Turn]:
    return sorted(pile, key=lambda turn: turn.place)[:most]


def _question(kind: Kind, turn: _Turn, how: Encoding, answer: int) -> Question | None:
    fmt = how.format(turn.sample)
    gold = how.opened.text(fmt.dialect.write(turn.gold))
    if len(gold) >= answer:  # with the marker that ends it
        return None
    prompt = encode(fmt.prompt(turn.sample.dialogue.until(turn.number)), how.opened).ids
    if len(prompt) + answer > how.longest:
        return None
    return Question(turn.name, kind, fmt, prompt, turn.gold)
