"""A format as a chat template: what it renders is what our format writes.

Deviation D113: vLLM is given text, not tokens, so a marker in the data is broken by a
zero-width space, as in every prompt that leaves this process as text.
"""

import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from coalm.formats import Chat, plain
from coalm.formats.dialects.catalogue import schemas, signatures
from coalm.formats.layouts import Layout, Role
from coalm.types import Observation, ToolSpec

_ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
_PROBE = "\x00"
_LISTED = (
    '[{"name": "probe", "description": "", "parameters": {}}]',
    '<FUNCTION>\n{"name": "probe", "description": "", "arguments": []}\n</FUNCTION>',
)
"""The probe as `hammer` and `fnctod` list it."""
_TOOL = ToolSpec("probe", "", {"type": "object", "properties": {}})


def chat_template(fmt: Chat, markers: Iterable[str] = ()) -> str:
    """The Jinja template of a format; `markers` are broken too, such as a tokenizer's others."""
    layout = fmt.layout
    alone, joins = _joining(layout)
    broken = {*_markers(layout), *(m for m in markers if len(m) > 1)}
    replaced = [f"| replace({_text(m)}, {_text(_broken(m))})" for m in sorted(broken)]
    before_tools, behind_tools = _around_tools(fmt)
    before, behind = _around_result(fmt)
    values = {
        "NAME": fmt.name,
        "DIALECT": _text(fmt.dialect.name),
        "HEADS": _text({role: plain(layout.head(role)) for role in _ROLES}),
        "TAILS": _text({role: plain(layout.tail(role)) for role in _ROLES}),
        "ALONE": _text(alone),
        "JOINS": _text(joins),
        "BROKEN": " ".join(replaced),
        "BEFORE_TOOLS": _text(before_tools),
        "BEHIND_TOOLS": _text(behind_tools),
        "BEFORE_RESULT": _text(before),
        "BEHIND_RESULT": _text(behind),
        "BEGIN": _text(plain(layout.begin())),
    }
    text = (files("coalm.export.vllm") / "grammar.jinja").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@@{name}@@", value)
    return text


def _markers(layout: Layout) -> set[str]:
    pieces = [*layout.begin()]
    for role in _ROLES:
        pieces += [*layout.head(role), *layout.tail(role)]
    return {piece.text for piece in pieces if piece.control}


def _joining(layout: Layout) -> tuple[dict[str, str], dict[str, str]]:
    """Whose message each role's is, and what stands between neighbours that become one."""
    alone: dict[str, str] = {role: layout.messages([(role, _PROBE)])[0][0] for role in _ROLES}
    joins: dict[str, str] = {}
    for one in _ROLES:
        for other in _ROLES:
            made = layout.messages([(one, _PROBE), (other, _PROBE)])
            if len(made) == 1:
                joins[f"{one} {other}"] = made[0][1].strip(_PROBE)
    return alone, joins


def _around_tools(fmt: Chat) -> tuple[str, str]:
    """What the dialect says before and behind the tools."""
    said = fmt.dialect.instructions((_TOOL,))
    for listed in (signatures((_TOOL,)), schemas((_TOOL,)), *_LISTED):
        before, found, behind = said.rpartition(listed)
        if found:
            return before, behind
    raise AssertionError(f"{fmt.dialect.name} lists tools in a way that the template does not know")


def _around_result(fmt: Chat) -> tuple[str, str]:
    """What stands before and behind a tool's answer."""
    before, _, behind = fmt.dialect.observed(Observation(_PROBE)).partition(_PROBE)
    return (before, behind) if before or behind else fmt.layout.bare


def _broken(marker: str) -> str:
    return f"{marker[0]}\u200b{marker[1:]}"


def _text(value: Any) -> str:
    """A value as Jinja reads it."""
    return json.dumps(value)
