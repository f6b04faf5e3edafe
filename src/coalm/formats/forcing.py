"""How a reply begins that must call a tool: the model goes on from there.

A beginning that is written for the model is surer than asking it in words, and what it then
writes is read by the same dialect. `read` of beginning and continuation is the reply.
"""

from coalm.errors import FormatError
from coalm.formats.dialects import Dialect


def forced(dialect: Dialect, name: str = "") -> str:
    """The beginning of a call to that tool, or to any; a `FormatError` where there is none."""
    match dialect.name, name:
        case "json", "":
            return '[{"name": "'
        case "json", _:
            return f'[{{"name": "{name}", "arguments": {{'
        case "pythonic", _:
            return f"[{name}(" if name else "["
        case "hermes", "":
            return '<tool_call>\n{"name": "'
        case "hermes", _:
            return f'<tool_call>\n{{"name": "{name}", "arguments": {{'
        case "react", _:
            return f"Action: {name}(" if name else "Action: "
    raise FormatError(f"{dialect.name} has no way to make a model call")
