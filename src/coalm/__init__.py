"""CoALM: conversational agents that hold a long conversation and use tools, from one model.

The door to the library: the names below, and no work at import. The story in the order
data flows: `corpora` read sources into `Sample`s, `mixture` builds a data folder,
`formats` turn dialogues into text and back, `train` makes a model of it, `engines` run
one, `agent` lets it act, `bench` scores it, `report` tells of it.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_DOOR = {
    "Assistant": "types",
    "Dialogue": "types",
    "Observation": "types",
    "Sample": "types",
    "System": "types",
    "ToolCall": "types",
    "ToolSpec": "types",
    "User": "types",
    "CoalmError": "errors",
    "Malformed": "formats",
    "Piece": "formats",
    "encode": "formats",
    "format_of": "formats",
    "Agent": "agent",
    "Reply": "agent",
    "Model": "engines",
    "Sampling": "engines",
    "open_engine": "engines",
}

__all__ = [
    "Agent",
    "Assistant",
    "CoalmError",
    "Dialogue",
    "Malformed",
    "Model",
    "Observation",
    "Piece",
    "Reply",
    "Sample",
    "Sampling",
    "System",
    "ToolCall",
    "ToolSpec",
    "User",
    "__version__",
    "encode",
    "format_of",
    "open_engine",
]

if TYPE_CHECKING:
    from coalm.agent import Agent, Reply
    from coalm.engines import Model, Sampling, open_engine
    from coalm.errors import CoalmError
    from coalm.formats import Malformed, Piece, encode, format_of
    from coalm.types import (
        Assistant,
        Dialogue,
        Observation,
        Sample,
        System,
        ToolCall,
        ToolSpec,
        User,
    )


def __getattr__(name: str) -> Any:
    if name not in _DOOR:
        raise AttributeError(f"module 'coalm' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"coalm.{_DOOR[name]}"), name)
