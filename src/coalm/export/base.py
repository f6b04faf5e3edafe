"""What a target of an export is: how a sample is said in another tool's rows.

A row is said whole or not at all. What a format has no words for is a named reason, counted
and shown; what a reader should know of a row that is said is a named remark, counted as well.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from coalm.errors import RecipeError, unknown
from coalm.formats.chat import checked, opening_text
from coalm.formats.dialects import AS_GIVEN, DIALECTS, Dialect
from coalm.formats.dialects import dialect as dialect_named
from coalm.types import Assistant, Dialogue, Observation, Sample, System, Turn, User

Column: TypeAlias = Literal["text", "pairs", "speech", "json"]
"""A string; a list of pairs of strings; a list of `from` and `value`; a list of any JSON."""

OWN = "own"
"""Instead of a dialect's name: each row in the dialect that it names, else in the recipe's."""

THOUGHTS = ("think", "reasoning_content")
"""Where the openai form puts a thought: between tags before the words, or in a field."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How rows are to be said, where a target leaves a choice."""

    dialect: str = ""
    """Writes thoughts and calls into the text: a dialect, or `own`. Empty where the target has
    fields for them."""
    fallback: str = "json"
    """The dialect of rows that name none: the recipe's."""
    thoughts: str = "think"
    """One of `THOUGHTS`."""

    def __post_init__(self) -> None:
        """A `RecipeError` for a name that is not there."""
        if self.dialect and self.dialect != OWN and self.dialect not in DIALECTS:
            raise RecipeError(unknown("dialect", self.dialect, (*DIALECTS, OWN)))
        if self.thoughts not in THOUGHTS:
            raise RecipeError(unknown("place for thoughts", self.thoughts, THOUGHTS))

    def spoken(self, sample: Sample) -> Dialect:
        """The dialect in which a sample is written out; a row given whole keeps its words."""
        if given_whole(sample):
            return AS_GIVEN[sample.dialect]
        named = "" if self.dialect == OWN else self.dialect
        return dialect_named(named or sample.dialect or self.fallback)


@dataclass(frozen=True, slots=True)
class Said:
    """The rows of a sample, and what a reader of them should know."""

    rows: tuple[Mapping[str, Any], ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A sample that the target has no words for, and why."""

    reason: str


class Target(Protocol):
    """A kind of rows that other tools read."""

    @property
    def name(self) -> str:
        """The name on the command line."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns of a row, in order; a row has them all."""
        ...

    @property
    def readers(self) -> str:
        """Who reads it, in a sentence."""
        ...

    def say(self, sample: Sample, manner: Manner) -> Said | Unsaid:
        """A sample as rows, or why it cannot be."""
        ...

    def beside(self, name: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """Files that the readers want beside the rows -> their texts; `files` is split -> file."""
        ...


def given_whole(sample: Sample) -> bool:
    """Whether a sample holds one published row as it is, rather than a conversation."""
    return sample.dialect in AS_GIVEN


def whole_row(sample: Sample) -> tuple[str, str, str] | None:
    """Instruction, input and output of a row that is given whole; None if it is not that."""
    match sample.dialogue.turns:
        case (System(instruction), User(asked), Assistant(output)):
            return instruction, asked, output
        case (User(asked), Assistant(output)):
            return "", asked, output
        case _:
            return None


def written(dialogue: Dialogue, spoken: Dialect) -> tuple[str, list[tuple[str, str]]]:
    """The opening, and every later turn as its role and its text, calls and thoughts included.

    A `FormatError` where the dialect cannot write a turn so that it is read back.
    """
    return opening_text(dialogue, spoken), [
        _written(turn, spoken) for turn in after_opening(dialogue)
    ]


def after_opening(dialogue: Dialogue) -> Sequence[Turn]:
    """The turns behind the operator's first words."""
    turns = dialogue.turns
    return turns[1:] if turns and isinstance(turns[0], System) else turns


def _written(turn: Turn, spoken: Dialect) -> tuple[str, str]:
    match turn:
        case System(text):
            return "system", text
        case User(text):
            return "user", text
        case Observation():
            return "tool", spoken.observed(turn)
        case Assistant():
            return "assistant", checked(spoken, turn)


def answered(dialogue: Dialogue) -> tuple[Dialogue, tuple[str, ...]]:
    """The dialogue up to its last answer: nothing is learned of what is behind it."""
    end = len(dialogue.turns)
    while end and not isinstance(dialogue.turns[end - 1], Assistant):
        end -= 1
    if end == len(dialogue.turns):
        return dialogue, ()
    return dialogue.until(end), ("turns behind the last answer are left away",)


def alternating(turns: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool] | Unsaid:
    """User and assistant by turns, as some formats want it; results in a row become one message.

    With it whether any did. Why not, where the conversation is of another shape.
    """
    found: list[tuple[str, str]] = []
    joined = False
    for role, text in turns:
        if role == "system":
            return Unsaid("a system message within the conversation")
        last = found[-1][0] if found else "assistant"
        if (role == "assistant") == (last == "assistant"):
            if not found:
                return Unsaid("it does not begin with the user")
            if role != last or role != "tool":
                return Unsaid("two turns of one side in a row")
            found[-1], joined = ("tool", f"{found[-1][1]}\n{text}"), True
        else:
            found.append((role, text))
    return (found, joined) if found else NO_ANSWER


NO_ANSWER = Unsaid("it has no answer to learn")
JOINED = "several results of one turn are one message"
NOTHING_CALLED = "an answer that neither says nor calls anything is written []"


def cannot_write(spoken: Dialect) -> Unsaid:
    """Why a sample cannot be written out in a dialect."""
    return Unsaid(f"a turn that the dialect {spoken.name} cannot write and read back")


def dataset_info(name: str, files: Mapping[str, str], told: Mapping[str, object]) -> str:
    """LLaMA-Factory's `dataset_info.json` with an entry for each split."""
    entries = {
        name if split == "train" else f"{name}_{split}": {"file_name": file, **told}
        for split, file in files.items()
    }
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
