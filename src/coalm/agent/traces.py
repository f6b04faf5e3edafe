"""Every conversation as a line of JSON: to be looked at again, judged, and learned from.

A trace holds the dialogue in the project's own schema, the events with their times, and what
people thought of the replies. A file of traces only grows: of two lines with one id the
later one counts. Secrets are taken out before anything is written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.errors import DataError
from coalm.types import Assistant, Dialogue, Sample, Turn, User

Vote = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of a reply."""

    reply: int
    """Which one: the number of the user turn that it answers, from 0."""
    vote: Vote
    correction: str = ""
    """What it should have said at its end."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A conversation that took place."""

    id: str
    agent: str
    model: str
    began: str
    """When, in ISO 8601 with the zone."""
    dialogue: Dialogue
    events: tuple[Mapping[str, Any], ...] = ()
    """What happened, each with `at`, the seconds since the beginning."""
    feedback: tuple[Feedback, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways to go on from a dialogue, one better than the other."""

    id: str
    dialogue: Dialogue
    chosen: Assistant
    rejected: Assistant


# --- on disk --------------------------------------------------------------------------------


def write(path: Path, trace: Trace, *, secrets: Iterable[str] = (), personal: bool = False) -> None:
    """Add a trace to a file, redacted."""
    row = {
        "id": trace.id,
        "agent": trace.agent,
        "model": trace.model,
        "began": trace.began,
        "turns": store.dump_turns(trace.dialogue.turns),
        "tools": store.dump_tools(trace.dialogue.tools),
        "events": [dict(event) for event in trace.events],
        "feedback": [_feedback_row(one) for one in trace.feedback],
    }
    store.append(path, [redacted(row, secrets=tuple(secrets), personal=personal)])


def read(path: Path) -> list[Trace]:
    """The traces of a file, each in its latest state; a `DataError` names a broken line."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    found: dict[str, Trace] = {}
    for number, row in store.read_jsonl(path):
        place = f"{path}:{number}"
        try:
            trace = Trace(
                id=str(row["id"]),
                agent=str(row.get("agent", "")),
                model=str(row.get("model", "")),
                began=str(row.get("began", "")),
                dialogue=Dialogue(
                    store.load_turns(row["turns"]), store.load_tools(row.get("tools", []))
                ),
                events=tuple(row.get("events", ())),
                feedback=tuple(_feedback(one) for one in row.get("feedback", ())),
            )
        except (KeyError, TypeError, AttributeError) as e:
            raise DataError(f"{place}: no trace: {type(e).__name__}: {e}") from None
        except DataError as e:
            raise DataError(f"{place}: {e}") from None
        found[trace.id] = trace
    return list(found.values())


def _feedback_row(one: Feedback) -> dict[str, Any]:
    row = {"reply": one.reply, "vote": one.vote, "correction": one.correction, "note": one.note}
    return {name: value for name, value in row.items() if value != ""}


def _feedback(row: Mapping[str, Any]) -> Feedback:
    vote = row["vote"]
    if vote not in ("up", "down"):
        raise DataError(f"a vote is up or down, not {vote!r}")
    return Feedback(int(row["reply"]), vote, row.get("correction", ""), row.get("note", ""))


# --- redaction ------------------------------------------------------------------------------

_SECRETS = (
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}"), r"\1[secret]"),
    (re.compile(r"\b(?:sk|pk|rk|ghp|gho|hf|xox[abp])[-_][\w-]{12,}"), "[secret]"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "[secret]"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"), "[secret]"),
    (
        re.compile(r"(?i)\b((?:api[_-]?key|password|secret|token)\"?\s*[:=]\s*\"?)[^\s\",&]{6,}"),
        r"\1[secret]",
    ),
)
_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (re.compile(r"\b(?:\d[ -]?){13,19}\b"), "[card]"),
    (re.compile(r"(?<![\w.-])\+?\d[\d ().-]{7,}\d(?![\w-])"), "[phone]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[address]"),
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def redacted(value: Any, *, secrets: Sequence[str] = (), personal: bool = False) -> Any:
    """The value with secrets in its texts replaced: given ones, and what looks like a key.

    With `personal` also mail addresses, telephone and card numbers, network addresses. A
    pattern finds what has a pattern: names and street addresses stay.
    """
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[secret]") if len(secret) > 3 else value
        for pattern, instead in _SECRETS:
            value = pattern.sub(instead, value)
        return _impersonal(value) if personal else value
    if isinstance(value, Mapping):
        return {k: redacted(v, secrets=secrets, personal=personal) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(one, secrets=secrets, personal=personal) for one in value]
    return value


def _impersonal(text: str) -> str:
    for pattern, instead in _PERSONAL:
        text = pattern.sub(_instead(instead), text)
    return text


def _instead(words: str) -> Callable[[re.Match[str]], str]:
    """What replaces a find; a date looks like a number and stays."""
    return lambda found: found[0] if _DATE.match(found[0]) else words


# --- what can be learned --------------------------------------------------------------------


def replies(dialogue: Dialogue) -> Iterator[tuple[int, int]]:
    """Where each reply begins and ends, by the number of the user turn before it."""
    users = [i for i, turn in enumerate(dialogue.turns) if isinstance(turn, User)]
    ends = [*users[1:], len(dialogue.turns)]
    yield from ((start + 1, end) for start, end in zip(users, ends, strict=False))


def lesson(trace: Trace, *, unjudged: bool = False) -> Sample | None:
    """The conversation as far as people approved of it; None where they did not at all.

    All its assistant turns are learned, so it ends before the first reply that is not
    approved; a corrected one is its last, in the words that it should have had. With
    `unjudged` a reply that nobody judged is taken for approved.
    """
    judged = {one.reply: one for one in trace.feedback}
    turns: tuple[Turn, ...] = ()
    for number, (start, stop) in enumerate(replies(trace.dialogue)):
        said = judged.get(number)
        if not _whole(trace.dialogue.turns[start:stop]):
            break
        if said is not None and said.correction:
            better = _corrected(trace.dialogue.turns[stop - 1], said.correction)
            turns = (*trace.dialogue.turns[: stop - 1], better)
            break
        if (said is None and not unjudged) or (said is not None and said.vote == "down"):
            break
        turns = trace.dialogue.turns[:stop]
    if not turns:
        return None
    dialogue = replace(trace.dialogue, turns=turns)
    return Sample(f"own/traces/{trace.id}", "own", dialogue, group=f"traces/{trace.id}")


def pairs(trace: Trace) -> Iterator[Pair]:
    """What was said against what should have been, for each reply that was corrected."""
    every = list(replies(trace.dialogue))
    for one in trace.feedback:
        if not one.correction or not 0 <= one.reply < len(every):
            continue
        start, stop = every[one.reply]
        said = trace.dialogue.turns[stop - 1]
        if not _whole(trace.dialogue.turns[start:stop]) or not isinstance(said, Assistant):
            continue
        better = _corrected(said, one.correction)
        if better != said:
            yield Pair(f"{trace.id}#{one.reply}", trace.dialogue.until(stop - 1), better, said)


def _whole(turns: Sequence[Turn]) -> bool:
    """Whether a reply ends with words: one that was stopped or cut is no example."""
    return bool(turns) and isinstance(turns[-1], Assistant) and not turns[-1].calls


def _corrected(turn: Turn, words: str) -> Assistant:
    """The last turn in other words; its thought stays, since it may have been right."""
    assert isinstance(turn, Assistant)
    return replace(turn, text=words, calls=())
