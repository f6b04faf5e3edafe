"""Where an agent's tools come from: Python, an OpenAPI document, MCP servers, tables of data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coalm.agent.functions import Refused
from coalm.agent.loop import Tool

__all__ = ["Declined", "Failed", "Kit"]


class Failed(Exception):
    """A tool's service could not do what was asked; its text is a sentence for the model."""


class Declined(Failed, Refused):
    """The service said no, and would say so again: the call itself is what must change."""


@dataclass(frozen=True, slots=True)
class Kit:
    """Tools from one place."""

    tools: Mapping[str, Tool]
    """By name, as an `Agent` takes them."""
    writes: frozenset[str] = field(default_factory=frozenset)
    """Which of them change something in the world."""
    domain: str = ""
    """What they are about, for the dialogue state; each tool is its own domain if empty."""
