"""Calls in syntaxes that no dialect of ours has, described in the prompt alone.

One other output syntax, and CoALM-70B falls to near zero (facts of the paper's critics):
its rows know two. Here the operator's message says how a call is to be written, in one of
several syntaxes and wordings, and the answer is plain text in it. What is learned is to
follow the prompt.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from coalm.corpora.masking import Row
from coalm.corpora.records import chance
from coalm.corpora.wording import one_of
from coalm.types import Assistant, Dialogue, Json, Sample, System, ToolCall, ToolSpec, User

DIALECT = "hermes"
"""The dialect in which such an answer is just words: it is no `<tool_call>`."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """A way to write calls."""

    told: str
    """How the prompt describes it."""
    write: Callable[[ToolCall], str]
    between: str = "\n"
    opened: str = ""
    closed: str = ""

    def answer(self, calls: tuple[ToolCall, ...]) -> str:
        """The calls of a turn."""
        return f"{self.opened}{self.between.join(map(self.write, calls))}{self.closed}"


def _dumps(value: Json | Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _xml(call: ToolCall) -> str:
    inner = "".join(
        f"<arg name={quoteattr(k)}>{escape(v if isinstance(v, str) else _dumps(v))}</arg>"
        for k, v in call.arguments.items()
    )
    return f"<invoke tool={quoteattr(call.name)}>{inner}</invoke>"


def _yaml(call: ToolCall) -> str:
    lines = [f"- tool: {call.name}", "  with:" if call.arguments else "  with: {}"]
    return "\n".join([*lines, *(f"    {k}: {_dumps(v)}" for k, v in call.arguments.items())])


def _command(call: ToolCall) -> str:
    given = [f"--{k} {_dumps(v)}" for k, v in call.arguments.items()]
    return " ".join([call.name, *given])


def _typed(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{k}: {_dumps(v)}' for k, v in call.arguments.items())})"


SYNTAXES: Mapping[str, Syntax] = {
    "xml": Syntax(
        'one element per call, <invoke tool="NAME"><arg name="PARAMETER">VALUE</arg></invoke>', _xml
    ),
    "yaml": Syntax("a YAML list whose entries have `tool` and `with`", _yaml),
    "command": Syntax(
        "one line per call, as in a shell: NAME --PARAMETER VALUE, values as JSON", _command
    ),
    "colon": Syntax("one line per call, NAME(PARAMETER: VALUE, ...), values as JSON", _typed),
    "tagged": Syntax(
        'one line per call, CALL NAME {"PARAMETER": VALUE}',
        lambda call: f"CALL {call.name} {_dumps(call.arguments)}",
    ),
    "keyed": Syntax(
        'a JSON object {"calls": [{"tool": NAME, "args": {PARAMETER: VALUE}}]}',
        lambda call: _dumps({"tool": call.name, "args": dict(call.arguments)}),
        ", ",
        '{"calls": [',
        "]}",
    ),
    "fenced": Syntax(
        "a code block marked `tool`, one call per line as an array of name and arguments",
        lambda call: _dumps([call.name, dict(call.arguments)]),
        "\n",
        "```tool\n",
        "\n```",
    ),
}
NOTHING = ("NONE", "no call", "-", "null", "nothing fits")
"""What the prompt may want to read where no tool fits."""


def make(row: Row, corpus: str, seed: int = 42) -> Sample:
    """The row in one of the syntaxes, with the prompt that describes it."""
    # Deviation D67: the paper's rows have one syntax for each corpus.
    key = f"{seed}/{row.id}"
    name = one_of(tuple(SYNTAXES), key, "syntax")
    syntax, nothing = SYNTAXES[name], one_of(NOTHING, key, "nothing")
    answer = syntax.answer(row.answers) if row.answers else nothing
    turns = (System(_prompt(row, syntax, nothing, key)), User(row.query), Assistant(answer))
    return Sample(f"{row.id}/{name}", corpus, Dialogue(turns), row.id, DIALECT)


def _prompt(row: Row, syntax: Syntax, nothing: str, key: str) -> str:
    tools = sorted(row.tools, key=lambda tool: chance(key, tool.name))
    rule = one_of(
        (
            f"Answer with calls only. Write them as {syntax.told}. "
            f"If none of the functions fits, write {nothing} and nothing else.",
            f"Output format: {syntax.told}. Nothing may stand around it. "
            f"Where no function can do what is asked, the output is {nothing}",
            f"You are given functions. Reply with the calls that the question needs, as "
            f"{syntax.told}; reply {nothing} if no function is of use.",
        ),
        *(key, "rule"),
    )
    listed = _listed(tools, one_of(("json", "lines", "indented"), key, "list"))
    head = one_of(("Functions:", "Available tools:", "You can use these functions."), key, "head")
    parts = [rule, f"{head}\n{listed}"]
    return "\n\n".join(parts if chance(key, "order") < 0.5 else parts[::-1])


def _listed(tools: list[ToolSpec], style: str) -> str:
    rows = [
        {"name": t.name, "description": t.description, "parameters": dict(t.parameters)}
        for t in tools
    ]
    match style:
        case "json":
            return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        case "indented":
            return json.dumps(rows, ensure_ascii=False, indent=1)
        case _:
            return "\n".join(
                f"{t.name}: {t.description} Parameters: {json.dumps(t.properties)}. "
                f"Required: {', '.join(t.required) or 'none'}."
                for t in tools
            )
