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
    quoted = json.dumps(name, ensure_ascii=False)
    said = f' {quoted}, "arguments":' if name else ""
    match dialect.name:
        case "json":
            return f'[{{"name":{said}'
        case "hammer":
            return f'```\n[{{"name":{said}'
        case "pythonic":
            return f"[{name}(" if name else "["
        case "hermes":
            return f'<tool_call>\n{{"name":{said}'
        case "fnctod":
            return f'<function_call>{{"function":{said}'
        case "codeact":
            return f"<execute>\n{name}(" if name else "<execute>\n"
        case "openai":
            begun = '{"tool_calls": [{"id": "call_1", "type": "function", "function": {"name":'
            return begun + said
        case "react":
            return f"Action: {name}(" if name else "Action:"
    raise FormatError(f"{dialect.name} has no way to make a model call")
