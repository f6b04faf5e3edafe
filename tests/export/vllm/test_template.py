"""The law of the template: it renders what our format writes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.engines.remote import raw_text
from coalm.errors import FormatError
from coalm.export.vllm import chat_template
from coalm.formats import DIALECTS, LAYOUTS, Chat, plain
from coalm.formats.dialects import dialect
from coalm.formats.layouts import layout
from coalm.types import Assistant, Dialogue, Observation, System, ToolSpec, User
from tests.formats.dialogues import NASTY, anything, ordinary, text, tool

transformers = pytest.importorskip("transformers")

FORMATS = [Chat(layout(a), dialect(b)) for a in sorted(LAYOUTS) for b in sorted(DIALECTS)]
each = pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)


def rendered(fmt: Chat, dialogue: Dialogue) -> str:
    """As vLLM renders it, with the library's own compiler of templates."""
    from transformers.utils.chat_template_utils import _compile_jinja_template

    tools = [
        {
            "type": "function",
            "function": {
                "name": one.name,
                "description": one.description,
                "parameters": dict(one.parameters),
            },
        }
        for one in dialogue.tools
    ]
    made = _compile_jinja_template(chat_template(fmt))
    messages = [message(turn) for turn in dialogue.turns]
    out: str = made.render(messages=messages, tools=tools or None, add_generation_prompt=True)
    return out


def message(turn: Any) -> dict[str, Any]:
    match turn:
        case System(said):
            return {"role": "system", "content": said}
        case User(said):
            return {"role": "user", "content": said}
        case Observation(said):
            return {"role": "tool", "content": said, "tool_call_id": "x"}
        case Assistant(said, thought, calls):
            rows = [
                {"type": "function", "function": {"name": c.name, "arguments": dict(c.arguments)}}
                for c in calls
            ]
            row: dict[str, Any] = {"role": "assistant", "content": said or None}
            row |= {"reasoning": thought} if thought else {}
            return row | ({"tool_calls": rows} if rows else {})
    raise AssertionError(turn)


others = st.one_of(
    st.builds(User, text), st.builds(Observation, text, st.just("")), st.builds(System, text)
)
dialogues = st.builds(
    Dialogue,
    st.lists(others | ordinary | anything, min_size=1, max_size=6).map(tuple),
    st.sampled_from([(), (tool,), (tool, tool)]),
)


def same(fmt: Chat, dialogue: Dialogue) -> None:
    try:
        prompt = fmt.prompt(dialogue)
    except FormatError:
        return  # the format refuses it; a template cannot know
    assert rendered(fmt, dialogue) == raw_text(prompt, fmt.layout.stop)


@each
@settings(max_examples=25)
@given(dialogues)
def test_the_template_renders_what_the_format_writes(fmt: Chat, dialogue: Dialogue) -> None:
    same(fmt, dialogue)


@each
@pytest.mark.parametrize("said", ["Hello.", *NASTY])
def test_all_kinds_of_turns_with_data_that_looks_like_markers(fmt: Chat, said: str) -> None:
    for first in ((System(f"Be kind. {said}"),), ()):
        turns = (*first, User(said), Observation(said), Observation("b"), User("c"), User(said))
        dialogue = Dialogue(turns, (tool,))
        same(fmt, dialogue)
        if said == "Hello.":
            assert rendered(fmt, dialogue) == plain(fmt.prompt(dialogue))


@each
@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "properties": {"a": True, "b": {}, "c": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "array"}}}},
        {
            "type": "object",
            "properties": {
                "a": {"type": "object", "description": " x.\n y. ", "properties": {
                    "in": {"type": "integer", "default": 0, "enum": [0, 1.5, None, "z", True]}}},
                "l": {"type": "array", "items": {"properties": {"q": {"description": "Q."}}}},
                "e": {"enum": [], "default": ""},
                "f": {"default": False, "description": 7},
                "items": {"type": "string"},
                "keys": {"type": None},
            },
            "required": ["a", "items"],
        },
    ],
)  # fmt: skip
def test_tools_are_listed_alike(fmt: Chat, schema: Any) -> None:
    tools: tuple[ToolSpec, ...] = (
        ToolSpec("Odd Name", "Does\n  this. ", schema),
        ToolSpec("g", "", schema),
    )
    if not schema:  # what has no parameters at all gets none of them, as in a request
        tools = (ToolSpec("f", "", {"type": "object", "properties": {}, "required": []}),)
    same(fmt, Dialogue((User("Hi."),), tools))


@each
def test_every_marker_of_the_layout_is_broken_in_data(fmt: Chat) -> None:
    layout, roles = fmt.layout, ("system", "user", "assistant", "tool")
    pieces = [*layout.begin()]
    for role in roles:
        pieces += [*layout.head(role), *layout.tail(role)]  # type: ignore[arg-type]
    markers = {p.text for p in pieces if p.control}
    plain_text = rendered(fmt, Dialogue((User("x"),)))
    evil = rendered(fmt, Dialogue((User("x" + "".join(sorted(markers))),)))
    for marker in markers:
        assert evil.count(marker) == plain_text.count(marker), marker


def test_markers_of_a_tokenizer_are_broken_too() -> None:
    fmt = FORMATS[0]
    made = chat_template(fmt, ["<|endoftext|>"])
    assert json.dumps("<\u200b|endoftext|>") in made
