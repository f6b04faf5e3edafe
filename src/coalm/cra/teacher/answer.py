"""A teacher's answer: JSON text in, a sample with its thoughts out, or why it is none.

What does not fit is the model's mistake and a value: the reasons are kept and counted.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from coalm import store
from coalm.cra.teacher.prompt import exchanges, pairs
from coalm.errors import FormatError
from coalm.formats.chat import checked
from coalm.formats.dialects import DIALECTS, Dialect
from coalm.types import Assistant, Json, Sample, System, ToolCall, Turn

LONGEST = 100
"""Words of a thought; more is rambling, and a small model would have to learn it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why an answer is of no use."""

    why: str
    """The kind of mistake; what reasons are counted by."""
    note: str = ""
    """What exactly, and where."""

    def __str__(self) -> str:
        """Both, on one line."""
        return f"{self.why}: {self.note}" if self.note else self.why


def told(skeleton: Sample, text: str) -> Sample | Mistake:
    """The sample with the thoughts and calls of an answer in place of its own."""
    try:
        entries = _entries(text)
    except ValueError as e:
        return Mistake("not the JSON that was asked for", str(e))
    spans = list(exchanges(skeleton))
    if len(entries) != len(spans):
        return Mistake("another number of turns", f"{len(entries)} in place of {len(spans)}")
    turns: list[Turn] = [t for t in skeleton.dialogue.turns if isinstance(t, System)]
    for number, (entry, span) in enumerate(zip(entries, spans, strict=True), 1):
        try:
            turns += _filled(span, entry, number)
        except ValueError as e:
            return Mistake(str(e), f"turn {number} of the user")
    sample = replace(skeleton, dialogue=replace(skeleton.dialogue, turns=tuple(turns)))
    if _unsayable(sample, skeleton):
        return Mistake("words that a dialect cannot tell from its own marks")
    return sample


def specimen(sample: Sample) -> str:
    """The answer that would give this sample: its own thoughts and calls, as asked for."""
    entries: list[dict[str, Any]] = []
    for number, turns in enumerate(exchanges(sample), 1):
        said = [t for t in turns if isinstance(t, Assistant)]
        called = next((t for t in said if t.calls), None)
        if called is None:
            entries.append({"turn": number, "thought": said[-1].thought if said else ""})
            continue
        entries.append(
            {
                "turn": number,
                "thought1": called.thought,
                "api_name": called.calls[0].name,
                "api_input": pairs(called.calls[0]),
                "thought2": said[-1].thought,
            }
        )
    return store.compact({"turns": entries})


def _entries(text: str) -> list[Any]:
    """The entries of an answer, which may stand in a code fence or behind a model's musing."""
    text = re.sub(r"^\s*<think>.*?</think>", "", text, flags=re.DOTALL).strip()
    text = re.sub(r"^```(?:json)?\s*(.*?)\s*```$", r"\1", text, flags=re.DOTALL)
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    entries = value.get("turns") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no object with a list of turns")  # noqa: TRY004
    json.dumps(entries, ensure_ascii=False).encode()  # half a surrogate pair is a ValueError
    return entries


def _filled(span: tuple[Turn, ...], entry: object, number: int) -> list[Turn]:
    """The turns of one exchange with the thoughts of its entry."""
    if not isinstance(entry, dict) or entry.get("turn") != number:
        raise ValueError("turns that are not numbered as asked")
    calls = any(isinstance(t, Assistant) and t.calls for t in span)
    if not calls and entry.get("api_name"):
        raise ValueError("a call in a turn that has none")
    if calls and "thought" in entry and "thought1" not in entry:
        raise ValueError("no call in a turn that has one")
    filled: list[Turn] = []
    for turn in span:
        match turn:
            case Assistant(calls=(call, *_)):
                made = _same(call, _call(entry))
                filled.append(replace(turn, thought=_thought(entry, "thought1"), calls=(made,)))
            case Assistant():
                key = "thought2" if calls else "thought"
                filled.append(replace(turn, thought=_thought(entry, key)))
            case _:
                filled.append(turn)
    return filled


def _thought(entry: Mapping[str, Any], key: str) -> str:
    said = entry.get(key)
    if not isinstance(said, str) or not said.strip():
        raise ValueError(f"no {key} in a turn that needs it")
    said = " ".join(said.split())
    if len(said.split()) > LONGEST:
        raise ValueError(f"a thought of more than {LONGEST} words")
    return said


def _call(entry: Mapping[str, Any]) -> ToolCall:
    """The call that an entry proposes; its input may be pairs, as asked, or an object."""
    name, given = entry.get("api_name"), entry.get("api_input")
    if not isinstance(name, str):
        raise ValueError("no api_name in a turn with a call")  # noqa: TRY004
    if isinstance(given, dict):
        return ToolCall(name, given)
    arguments: dict[str, Json] = {}
    for pair in given if isinstance(given, list) else [None]:
        if not isinstance(pair, dict) or not isinstance(pair.get("name"), str):
            raise ValueError("no names and values in api_input")  # noqa: TRY004
        if pair["name"] in arguments:
            raise ValueError("an argument that is given twice")
        arguments[pair["name"]] = pair.get("value")
    return ToolCall(name, arguments)


def _same(real: ToolCall, made: ToolCall) -> ToolCall:
    """The real call if the proposed one says the same in another order, else the proposed one."""
    same = (real.name, dict(real.arguments)) == (made.name, dict(made.arguments))
    return real if same else made


def _unsayable(sample: Sample, skeleton: Sample) -> bool:
    """Whether a dialect that can write the skeleton's turns could not read these thoughts back.

    The calls are left to the check.
    """
    pairs = zip(sample.dialogue.turns, skeleton.dialogue.turns, strict=True)
    turns = [
        replace(mine, calls=real.calls)
        for mine, real in pairs
        if isinstance(mine, Assistant) and isinstance(real, Assistant)
    ]
    whole = [t for t in skeleton.dialogue.turns if isinstance(t, Assistant)]
    return any(_says(d, whole) and not _says(d, turns) for d in DIALECTS.values())


def _says(dialect: Dialect, turns: Iterable[Assistant]) -> bool:
    try:
        for turn in turns:
            checked(dialect, turn)
    except FormatError:
        return False
    return True
