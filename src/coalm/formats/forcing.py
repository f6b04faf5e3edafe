"""How a reply begins that must call a tool: the model goes on from there.

A beginning that is written for the model is surer than asking it in words, and what it then
writes is read by the same dialect. `read` of beginning and continuation is the reply. It ends
where a token of the model ends as well: a blank belongs to the word after it.
"""

import json

from coalm.errors import FormatError
from coalm.formats.chat import checked
from coalm.formats.dialects import Dialect
from coalm.types import Assistant, ToolCall


def forced(dialect: Dialect, name: str = "") -> str:
    """The beginning of a call to that tool, or to any; a `FormatError` where there is none.

    A call that is forced has no thought before it, not even in `react`.
    """
    # Deviation D112: the paper's turns think before they act.
    checked(dialect, Assistant(calls=(ToolCall(name or "any", {}),)))  # the name can be written
    match dialect.name:
        case "pythonic":
            return f"[{name}(" if name else "["
        case "react":
            return f"Action: {name}(" if name else "Action:"
        case "codeact":
            return f"<execute>\n{name}(" if name else "<execute>\n"
        case known if known in _BEFORE:
            said = f' {json.dumps(name, ensure_ascii=False)}, "arguments":' if name else ""
            return f"{_BEFORE[known]}{said}"
    raise FormatError(f"{dialect.name} has no way to make a model call")


_BEFORE = {
    "json": '[{"name":',
    "hammer": '```\n[{"name":',
    "hermes": '<tool_call>\n{"name":',
    "fnctod": '<function_call>{"function":',
    "openai": '{"tool_calls": [{"id": "call_1", "type": "function", "function": {"name":',
}
"""What stands before the name where calls are JSON."""
