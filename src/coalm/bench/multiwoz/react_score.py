"""What an agent's turns come to: the state after each, Inform and Success of the dialogue.

The state is what the arguments of the calls so far add up to, over all turns (Paper 5.1). It is
kept twice: with `dontcare`, where an argument says `any`, and as the paper's code keeps it,
which drops every `any`.

Deviation D93: a turn in which nothing can be read, neither a call nor words, has no state and is
wrong, also where nothing changed; the lab's code carries the state on, or leaves the
dialogue out. The turns after it go on from the state before it. And a dialogue without any
answer informs nobody, where the evaluator grants goals that name their venue, and taxis, to
whoever is silent. So silence scores 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.agent.state import domain_of, settled
from coalm.bench.base import Kind, Metric, Verdict, micro_f1, ratio
from coalm.bench.multiwoz.delexicalise import Delexicaliser
from coalm.bench.multiwoz.react_play import DialogueCase, Played
from coalm.bench.multiwoz.state import Match, Normalise
from coalm.bench.multiwoz.success import Turn, Venues, judge, read_state
from coalm.bench.multiwoz.success.references import Reference
from coalm.bench.multiwoz.tracked import added, brief_metrics, domains_of, turn_sums
from coalm.bench.multiwoz.tracked_mistakes import differences, kind_of

PAPER = "paper_"
"""What stands before the names of the scores of the paper's state."""

GOAL_DOMAINS = ("attraction", "hotel", "restaurant", "taxi", "train")
"""The domains that the test dialogues' goals have."""

_AS_IN_DATABASE = {"concert hall": "concerthall"}
"""A spelling of 2.4 that the corpus evaluator does not know."""


@dataclass(frozen=True, slots=True)
class Town:
    """What Inform and Success are judged with."""

    references: Mapping[str, Reference]
    """Goals and bookings by lower-case dialogue id; empty where there are none."""
    venues: Venues
    delexicaliser: Delexicaliser


@dataclass(frozen=True, slots=True)
class After:
    """How things stand after a turn."""

    state: Mapping[str, str]
    """With `dontcare`."""
    paper: Mapping[str, str]
    """Without."""
    booked: frozenset[str]
    """The domains in which the agent itself has booked so far."""


def states(turns: Sequence[Played]) -> list[After]:
    """The state after each turn, added up over the dialogue."""
    state: dict[str, str] = {}
    paper: dict[str, str] = {}
    booked: set[str] = set()
    found = []
    for turn in turns:
        state |= settled(turn.calls, dontcare=True)
        paper |= settled(turn.calls)
        booked |= {
            domain_of(call.name)
            for call, seen in zip(turn.calls, turn.seen, strict=False)
            if seen.startswith('{"booked":')
        }
        found.append(After(dict(state), dict(paper), frozenset(booked) - {""}))
    return found


def verdict(
    case: DialogueCase, turns: Sequence[Played], rules: Normalise, town: Town
) -> tuple[Verdict, list[Match]]:
    """The dialogue scored, and what was right and wrong after each turn."""
    domains = domains_of([turn.state for turn in case.turns])
    after = states(turns)
    sums, matches = [], []
    for gold, played, now in zip(case.turns, turns, after, strict=True):
        one, match = turn_sums(
            gold.state,
            now.state if played.heard else None,
            rules,
            turn=gold.turn,
            domains=domains,
        )
        other, _ = turn_sums(
            gold.state,
            now.paper if played.heard else None,
            rules,
            turn=gold.turn,
            domains=(),
            prefix=PAPER,
        )
        sums += [one, {name: other.get(name, 0.0) for name in _PAPER_SCORES}]
        matches.append(match)
    ended = _inform(case, turns, after, town)
    scores = added(sums) | ended | _told(turns)
    kind, note = _kind(case, turns, matches, ended, rules)
    return Verdict(scores, kind, note), matches


def react_metrics(with_goals: bool) -> tuple[Metric, ...]:
    """What is reported: the state, also the paper's way, and, with goals, Inform and Success."""
    paper = " as the paper"
    state, *more = brief_metrics()
    beside = (
        ratio(f"JGA{paper}", f"{PAPER}joint", f"{PAPER}turns"),
        ratio(f"JGA fuzzy{paper}", f"{PAPER}fuzzy_joint", f"{PAPER}turns"),
        micro_f1(f"Slot F1{paper}", PAPER),
        micro_f1(f"Slot F1 fuzzy{paper}", f"{PAPER}fuzzy_"),
    )
    found = [state, *beside]
    if with_goals:
        found += [
            ratio("Inform", "inform", "goals"),
            ratio("Success", "success", "goals"),
            ratio("Success, own bookings", "own success", "goals"),
            ratio("Inform, completed dialogues", "completed inform", "completed"),
            ratio("Success, completed dialogues", "completed success", "completed"),
        ]
        for domain in GOAL_DOMAINS:
            found.append(ratio(f"Inform {domain}", f"inform {domain}", f"goal {domain}"))
            found.append(ratio(f"Success {domain}", f"success {domain}", f"goal {domain}"))
    return (*found, *more, ratio("Turns answered", "answered", "turns"))


_PAPER_SCORES = tuple(
    f"{PAPER}{name}"
    for name in (
        "turns",
        *(f"{way}{count}" for way in ("", "fuzzy_") for count in ("joint", "tp", "fp", "fn")),
    )
)


def _told(turns: Sequence[Played]) -> dict[str, float]:
    """How the turns ended, and how many calls they took."""
    return {
        "answered": float(sum(bool(turn.answer.strip()) for turn in turns)),
        "calls": float(sum(len(turn.called) for turn in turns)),
    }


def _inform(
    case: DialogueCase, turns: Sequence[Played], after: Sequence[After], town: Town
) -> dict[str, float]:
    """Inform and Success, with the gold bookings and with the agent's own; empty without a goal.

    Deviation D94: Success is also given with the agent's own bookings, where a reference counts
    only if the agent has booked; the corpus evaluator knows the gold ones alone.
    """
    reference = town.references.get(case.id.lower())
    if reference is None or not reference.goal:
        return {}
    said = [
        Turn(town.delexicaliser.text(turn.answer), _by_domain(now.paper, town.venues))
        for turn, now in zip(turns, after, strict=True)
    ]
    judged = judge(reference.goal, said, town.venues, reference.booked)
    own = judge(reference.goal, said, town.venues, [now.booked for now in after])
    spoke = any(turn.answer.strip() for turn in turns)
    completed = float(all(turn.answer.strip() for turn in turns))
    scores = {
        "goals": 1.0,
        "inform": float(spoke and judged.inform),
        "success": float(spoke and judged.success),
        "own success": float(spoke and own.success),
        "completed": completed,
        "completed inform": completed * judged.inform,
        "completed success": completed * judged.success,
    }
    for domain, one in judged.domains.items():
        scores[f"goal {domain}"] = 1.0
        scores[f"inform {domain}"] = float(spoke and one.inform)
        scores[f"success {domain}"] = float(spoke and judged.succeeded(domain))
    return scores


def _by_domain(state: Mapping[str, str], venues: Venues) -> Mapping[str, Mapping[str, str | None]]:
    nested: dict[str, dict[str, str | None]] = {}
    for name, value in state.items():
        domain, _, slot = name.partition("-")
        nested.setdefault(domain, {})[slot] = _AS_IN_DATABASE.get(value, value)
    return read_state(nested, venues.rules)


def _kind(
    case: DialogueCase,
    turns: Sequence[Played],
    matches: Sequence[Match],
    ended: Mapping[str, float],
    rules: Normalise,
) -> tuple[Kind, str]:
    """The gravest thing that was wrong, and the first of each turn's in words."""
    wrong = [
        (number, *found)
        for number, (turn, played, match) in enumerate(
            zip(case.turns, turns, matches, strict=True), 1
        )
        if (found := _wrong(turn.history, played, match, rules)) is not None
    ]
    if not wrong and ended.get("success", 1.0) == 0.0:
        what = "Success" if ended["inform"] else "Inform"
        return "missing information", f"every state is right, but not {what}"
    notes = [f"turn {number}: {note}" for number, _, note in wrong[:3]]
    more = [f"and {len(wrong) - 3} more turns"] if len(wrong) > 3 else []
    kinds = [kind for _, kind, _ in wrong]
    gravest: tuple[Kind, ...] = tuple(kind for kind in _GRAVEST if kind in kinds)
    return gravest[0] if gravest else "", "; ".join([*notes, *more])


_GRAVEST: tuple[Kind, ...] = (
    "format",
    "too many steps",
    "no call",
    "wrong function",
    "hallucinated entity",
    "wrong state",
    "missing information",
)


def _wrong(
    history: Sequence[tuple[str, str]], played: Played, match: Match, rules: Normalise
) -> tuple[Kind, str] | None:
    if played.unreadable is not None:
        return "format", f"unreadable: {played.unreadable.why}"
    if played.too_many:
        return "too many steps", f"{len(played.called)} calls"
    if not played.heard:
        return "format", "neither a call nor an answer"
    strange = next((c.name for c in played.called if not domain_of(c.name)), None)
    if strange is not None:
        return "wrong function", f"there is no tool {strange!r}"
    if match.joint:
        return None
    if match.missing and not match.extra and not played.called:
        return "no call", differences(match)
    return kind_of(match, history, rules), differences(match)
