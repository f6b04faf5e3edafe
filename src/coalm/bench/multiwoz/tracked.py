"""The figures of state tracking: from a turn's two states to the numbers that are reported.

Every figure is strict and fuzzy (`fuzzy.alike`). A domain's joint goal accuracy (JGA) looks at
the domain's slots alone, over all turns of the dialogues in whose gold states the domain
occurs, turns before it comes up included: so it is done in per-domain tables since TRADE.
Depth is the turn's number in its dialogue.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from coalm.bench.base import Metric, micro_f1, precision, ratio, recall
from coalm.bench.multiwoz.fuzzy import alike
from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.state import Match, Normalise, State, compare, loosened

DEPTHS = ("1-2", "3-5", "6+")
"""Depth of a turn in its dialogue, counted from 1."""

DOMAINS: tuple[str, ...] = tuple(sorted({name.partition("-")[0] for name in NAMES}))
"""The five domains whose slots are scored."""

Sums = dict[str, float]
"""Numbers of a turn, or of all turns of a dialogue, by name."""


def depth(turn: int) -> str:
    """How deep a turn is that is counted from 0."""
    return DEPTHS[0] if turn < 2 else DEPTHS[1] if turn < 5 else DEPTHS[2]


def domains_of(states: Iterable[State]) -> tuple[str, ...]:
    """The domains that occur in the gold states of a dialogue."""
    slots = {slot.partition("-")[0] for state in states for slot in state}
    return tuple(domain for domain in DOMAINS if domain in slots)


def turn_sums(
    gold: State,
    said: State | None,
    rules: Normalise,
    *,
    turn: int,
    domains: Iterable[str],
    prefix: str = "",
) -> tuple[Sums, Match]:
    """The numbers of one turn, and the strict comparison; None for a state that is not there.

    Where there is no state nothing is right: joint 0 and slot accuracy 0 although the gold
    state may be empty, and every gold slot is forgotten.
    """
    strict = compare(gold, said or {}, rules)
    fuzzy = loosened(strict, alike)
    read = said is not None
    at = depth(turn)
    sums = {f"{prefix}turns": 1.0, f"{prefix}turns {at}": 1.0}
    for way, match in (("", strict), ("fuzzy_", fuzzy)):
        joint = float(read and match.joint)
        sums |= {f"{prefix}{way}joint": joint, f"{prefix}{way}joint {at}": joint}
        sums |= _counts(match, f"{prefix}{way}")
        sums[f"{prefix}{way}slot_accuracy"] = match.slot_accuracy if read else 0.0
        for domain in domains:
            part, name = match.within(domain), f"{prefix}{way}{domain}_"
            sums |= {f"{name}joint": float(read and part.joint), **_counts(part, name)}
    return sums | {f"{prefix}{domain}_turns": 1.0 for domain in domains}, strict


def added(parts: Iterable[Mapping[str, float]]) -> Sums:
    """The sums over several turns."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def metrics() -> tuple[Metric, ...]:
    """All figures over what `turn_sums` gives, each strict and fuzzy."""
    found: list[Metric] = []
    for way, word in _WAYS:
        found += [
            ratio(f"JGA{word}", f"{way}joint", "turns", main=not way),
            micro_f1(f"Slot F1{word}", way),
            precision(f"Slot precision{word}", way),
            recall(f"Slot recall{word}", way),
            ratio(f"Slot accuracy{word}", f"{way}slot_accuracy", "turns"),
        ]
    for at in DEPTHS:
        found += [
            ratio(f"JGA{word} (turns {at})", f"{way}joint {at}", f"turns {at}")
            for way, word in _WAYS
        ]
    for domain in DOMAINS:
        for way, word in _WAYS:
            name, over = f"{way}{domain}_", f"{domain}_turns"
            found.append(ratio(f"JGA{word} {domain}", f"{name}joint", over))
            found.append(replace(micro_f1(f"Slot F1{word} {domain}", name), over=over))
    return tuple(found)


def brief_metrics() -> tuple[Metric, ...]:
    """Those that fit into a table of a run: of the fuzzy and the domains' figures the JGA."""
    strict = ("Slot F1", "Slot precision", "Slot recall", "Slot accuracy")
    return tuple(m for m in metrics() if m.name.startswith("JGA") or m.name in strict)


_WAYS = (("", ""), ("fuzzy_", " fuzzy"))
"""What stands before the names of scores, and in the names of figures."""


def _counts(match: Match, name: str) -> Sums:
    return {
        f"{name}tp": float(len(match.right)),
        f"{name}fp": float(len(match.extra)),
        f"{name}fn": float(len(match.missing)),
    }
