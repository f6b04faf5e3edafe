"""SGD as multi-turn state tracking: the whole conversation so far in, its state out.

What the paper's mixture lacks: its state tracking is single-turn SNIPS only, while its
benchmark, MultiWOZ, asks for states of long conversations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coalm.corpora import sgd_older
from coalm.corpora.records import Skip, chance, ignore
from coalm.corpora.sgd import ARCHIVE, Service, SgdDialogue, dialogues, schema
from coalm.corpora.sgd_values import (
    Unclear,
    domain_names,
    slot_name,
    state_of,
    stem,
    told,
    worded,
)
from coalm.corpora.sgd_variants import Variant, variant_of, variants
from coalm.corpora.states import Slot, as_lines, state_request, write_state
from coalm.sources import Found
from coalm.types import Assistant, Sample, User

__all__ = ["Asking", "make", "read", "slot_name", "stem", "tracked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How the state of a dialogue is asked for."""

    seed: int = 42
    slots: int = 0
    """List at least so many slots; those of services that are not used stay open."""
    together: int = 1
    """So many user turns in a row are answered in one sample, each with the whole state."""
    plain: bool = False
    """Times as `18:30` and numbers in digits, as MultiWOZ has them; else as they were said."""
    name_open: bool = False
    """Open slots are answered with `none` rather than left out."""


def read(
    found: Found,
    *,
    seed: int = 42,
    copies: int = 1,
    slots: int = 0,
    domains: tuple[str, ...] = (),
    together: int = 1,
    plain: bool = False,
    name_open: float = 0.0,
    renamed: float = 0.0,
    older: bool = False,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """`copies` samples of each dialogue, each about the state after another user turn.

    At least `slots` slots are listed where that many can be had: those of services that the
    dialogue does not use stand among its own and stay open. `domains` keeps the dialogues
    all of whose services belong to them. A share `renamed` of the rows has services and
    slots under other names, a share `name_open` says `none` for open slots. `older` adds
    the dialogues that are there in the annotation of 2019 only.
    """
    path = found.path(ARCHIVE)
    services = schema(path)
    others = variants(services, seed) if renamed else ()
    asking = Asking(seed=seed, slots=slots, together=together, plain=plain)
    archive = found.path(sgd_older.ARCHIVE)
    sources = [dialogues(path), *([sgd_older.dialogues(archive)] if older else [])]
    for source in sources:
        for dialogue in source:
            yield from make(
                dialogue,
                services,
                asking,
                copies=copies,
                domains=domains,
                others=others,
                renamed=renamed,
                name_open=name_open,
                skip=skip,
            )


def make(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    asking: Asking,
    *,
    copies: int = 1,
    domains: Sequence[str] = (),
    others: Sequence[Variant] = (),
    renamed: float = 0.0,
    name_open: float = 0.0,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """The samples of one dialogue; what cannot be used is told to `skip`."""
    if domains and not {stem(name) for name in dialogue.services} <= set(domains):
        return
    why = sgd_older.misfit(dialogue, services)
    if why:
        skip(why)
        return
    # Deviation D11: rows that the paper's mixture does not have. Each asks for one
    # turn on its own, because that is how `dst-json` asks.
    # The first turn seldom settles anything, so it is asked about only where it is alone.
    turns = range(min(1, len(dialogue.exchanges) - 1), len(dialogue.exchanges))
    order = sorted(turns, key=lambda i: chance(asking.seed, dialogue.id, i, "turn"))
    for turn in order[:copies]:
        one, known = dialogue, services
        if others and chance(asking.seed, dialogue.id, turn, "renamed") < renamed:
            variant = variant_of(others, asking.seed, f"{dialogue.id}#{turn}")
            one, known = variant.dialogue(dialogue), variant.services
        named = chance(asking.seed, dialogue.id, turn, "none") < name_open
        try:
            yield tracked(one, known, turn, replace(asking, name_open=named))
        except Unclear as e:
            skip(str(e))


def tracked(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    turn: int,
    asking: Asking | None = None,
) -> Sample:
    """The state after the user's turn number `turn` (from 0), as a sample.

    With `together` the turns before it are asked about as well, in the same sample.
    """
    asking = asking or Asking()
    used = {name: services[name] for name in dialogue.services}
    domains = domain_names(used)
    own = [slot for n, s in used.items() for slot in _slots(domains[n], s, asking.plain)]
    listed = own + _strangers(dialogue, services, asking.slots - len(own), asking)
    listed.sort(key=lambda slot: slot.name)  # as MultiWOZ's stand in its prompt
    names = [slot.name for slot in listed]
    first = max(0, turn - asking.together + 1)
    before = ["", *(e.system.text for e in dialogue.exchanges[:-1])]
    history = list(zip(before, (e.user.text for e in dialogue.exchanges), strict=True))
    # Deviation D63: several turns in one row, values written plainly, open slots by name.
    asked = state_request(listed, history[: first + 1], name_open=asking.name_open)
    for number_ in range(first, turn + 1):
        if number_ > first:
            asked = asked.then(User(as_lines([history[number_]])))
        state = state_of(dialogue.exchanges[: number_ + 1], used, domains, plain=asking.plain)
        asked = asked.then(Assistant(write_state(_answer(state, names, asking.name_open))))
    return Sample(
        f"sgd-dst/train/{dialogue.id}#{turn}{f'x{asking.together}' if asking.together > 1 else ''}",
        "sgd-dst",
        asked,
        f"sgd/train/{dialogue.id}",
    )


def _answer(state: Mapping[str, str], names: Sequence[str], name_open: bool) -> dict[str, str]:
    return {n: state.get(n, "none") for n in names if name_open or n in state}


def _slots(domain: str, service: Service, plain: bool) -> list[Slot]:
    """What a user can settle with a service, as the model is told of it."""
    return [
        Slot(slot_name(domain, name), told(s, plain=plain), tuple(map(worded, s.values)))
        for name in service.inputs
        for s in (service.slots[name],)
    ]


def _strangers(
    dialogue: SgdDialogue, services: Mapping[str, Service], wanted: int, asking: Asking
) -> list[Slot]:
    """Slots of services of other domains, a whole service at a time, until there are enough."""
    taken = {stem(name) for name in dialogue.services}
    found: list[Slot] = []
    for name in sorted(services, key=lambda n: chance(asking.seed, dialogue.id, n, "stranger")):
        if len(found) >= wanted:
            break
        if stem(name) not in taken:
            taken.add(stem(name))
            found += _slots(stem(name), services[name], asking.plain)
    return found[: max(wanted, 0)]
