"""The vocabulary: turns, tool calls, tools, dialogues, samples.

All are frozen values with tuples inside. Mappings are typed read-only; nobody
may write to one. An `Assistant` turn carries a thought, words and calls
together, because a thought beside a call is the heart of this project
(Paper 3, the ReAct form of a conversational turn).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

from typing_extensions import TypeAliasType

Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")
"""What JSON can say."""


@dataclass(frozen=True, slots=True)
class System:
    """What the operator tells the model before a conversation."""

    text: str


@dataclass(frozen=True, slots=True)
class User:
    """What the person said."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of one tool."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Assistant:
    """What the model wrote: a thought, words, tool calls; any of them may be empty."""

    text: str = ""
    thought: str = ""
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What a tool gave back. It is read by the model and never learned."""

    text: str
    tool: str = ""
    """The name of the tool that was called."""


Turn: TypeAlias = System | User | Assistant | Observation


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told about a tool."""

    name: str
    description: str
    parameters: Mapping[str, Json]
    """A JSON Schema of type object: `properties` and `required`."""

    @property
    def properties(self) -> Mapping[str, Json]:
        """The schema of each parameter, by name."""
        found = self.parameters.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the parameters that a call must give."""
        found = self.parameters.get("required")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation so far, and the tools that its assistant may call."""

    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...] = ()

    def then(self, *turns: Turn) -> Self:
        """The same dialogue with more turns at its end."""
        return replace(self, turns=(*self.turns, *turns))

    def until(self, turn: int) -> Self:
        """The dialogue as it stood before turn number `turn`."""
        return replace(self, turns=self.turns[:turn])


@dataclass(frozen=True, slots=True)
class Sample:
    """One dialogue of a mixture, all of whose assistant turns are to be learned."""

    id: str
    """Names the row for good: `corpus/split/source id#n`."""
    corpus: str
    """The corpus it was made from: `snips`, `hammer`, `toolace`, `sgd-cra`, `sgd-dst` ..."""
    dialogue: Dialogue
    group: str = ""
    """Rows of one source dialogue share a group, and never fall on both sides of a split."""
    dialect: str = ""
    """How its calls are to be written; empty means as the run chooses."""


def identical(one: object, other: object) -> bool:
    """Equal in every type and in order as well: 1, 1.0 and True are three things here."""
    return repr(one) == repr(other)
