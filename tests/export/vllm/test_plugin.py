"""The plugin beside stand-ins for vLLM's classes: whole replies and pieces are read alike."""

import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.errors import FormatError, RecipeError
from coalm.export.vllm import Reading, whole, write
from coalm.formats import DIALECTS, format_of
from coalm.formats.chat import checked, understood
from coalm.formats.dialects import dialect
from coalm.types import Assistant, ToolCall
from tests.formats.dialogues import anything, ordinary

named = st.sampled_from(sorted(DIALECTS))


@given(named, st.one_of(ordinary, anything), st.integers(1, 9), st.booleans())
def test_pieces_add_up_to_what_the_dialect_reads(
    name: str, turn: Assistant, size: int, offered: bool
) -> None:
    try:
        text = checked(dialect(name), turn)
    except FormatError:
        return
    read = understood(dialect(name), text)
    reading = Reading(name)
    parts = [reading.more(text[at : at + size]) for at in range(0, len(text), size)]
    parts.append(reading.end(offered=offered))
    found = whole(name, text, offered=offered)
    assert "".join(part.thought for part in parts) == found.thought
    assert "".join(part.text for part in parts) == found.text
    assert parts[-1].calls == found.calls
    assert not any(part.calls for part in parts[:-1])
    if isinstance(read, Assistant) and (offered or not read.calls):
        assert found == (read.thought, read.text, read.calls)
    if not offered:
        assert not found.calls


@given(named, st.text(max_size=60), st.integers(1, 9))
def test_whatever_is_written_is_read_without_harm(name: str, text: str, size: int) -> None:
    reading = Reading(name)
    for at in range(0, len(text), size):
        reading.more(text[at : at + size])
    reading.end()
    whole(name, text)


# --- the file, beside stand-ins for vLLM's own classes ---------------------------------------


@dataclass
class Row:
    """Any of vLLM's messages: what it is made of."""

    id: str = "call-1"
    index: int = 0
    type: str = "function"
    name: str = ""
    arguments: str = ""
    function: Any = None
    content: str | None = None
    reasoning: str | None = None
    tools_called: bool = False
    tool_calls: list[Any] = field(default_factory=list)


@dataclass
class Request:
    tools: list[Any] | None = field(default_factory=lambda: [1])
    tool_choice: str = "auto"
    stop: Any = None
    skip_special_tokens: bool = True


class Parser:
    def __init__(self, tokenizer: Any, tools: Any = None) -> None:
        self.tools = tools


class Manager:
    known: dict[str, Any] = {}  # noqa: RUF012

    @classmethod
    def register_module(cls, name: str, force: bool = True, module: Any = None) -> None:
        cls.known[f"{module.__mro__[1].__name__}:{name}"] = module


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    rows = ("DeltaFunctionCall", "DeltaMessage", "DeltaToolCall", "ExtractedToolCallInformation",
            "FunctionCall", "ToolCall")  # fmt: skip
    modules: dict[str, dict[str, Any]] = {
        "vllm.entrypoints.generate.base.protocol": dict.fromkeys(rows, Row),
        "vllm.reasoning.abs_reasoning_parsers": {
            "ReasoningParser": type("ReasoningParser", (Parser,), {}),
            "ReasoningParserManager": Manager,
        },
        "vllm.tool_parsers.abstract_tool_parser": {
            "ToolParser": type("ToolParser", (Parser,), {}),
            "ToolParserManager": Manager,
        },
    }
    for name, holds in modules.items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            module = types.ModuleType(".".join(parts[:end]))
            monkeypatch.setitem(sys.modules, module.__name__, module)
        vars(sys.modules[name]).update(holds)
    made = write(format_of("chatml", "react"), tmp_path / "plugin", "the/model")  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location("coalm_parsers", made.files[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    Manager.known.clear()


TEXT = "Thought: To Ely.\nSystem: One moment.\nAction: find_bus(to='ely')"


def test_both_parsers_are_registered_by_name(plugin: types.ModuleType) -> None:
    assert Manager.known == {
        "ToolParser:coalm": plugin.CoalmToolParser,
        "ReasoningParser:coalm": plugin.CoalmReasoningParser,
    }


def test_a_whole_reply_is_told_apart(plugin: types.ModuleType) -> None:
    request = Request()
    thought, rest = plugin.CoalmReasoningParser(None).extract_reasoning(TEXT, request)
    found = plugin.CoalmToolParser(None, [1]).extract_tool_calls(rest, request)
    assert thought == "To Ely."
    assert found.content == "One moment."
    [call] = found.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("find_bus", {"to": "ely"})
    none = plugin.CoalmToolParser(None).extract_tool_calls(rest, Request(tool_choice="none"))
    assert not none.tools_called
    assert none.content == "One moment.\nAction: find_bus(to='ely')"


@pytest.mark.parametrize("request_", [Request(), Request(tool_choice="none"), Request(tools=None)])
def test_a_stream_is_told_apart_with_calls_at_its_end(
    plugin: types.ModuleType, request_: Request
) -> None:
    parser = plugin.CoalmToolParser(None, request_.tools)
    deltas = []
    for at in range(0, len(TEXT), 5):
        piece = TEXT[at : at + 5]
        deltas.append(parser.extract_tool_calls_streaming("", piece, piece, [], [], [], request_))
    deltas.append(parser.finish_streaming())
    told = [d for d in deltas if d is not None]
    assert "".join(d.reasoning or "" for d in told) == "To Ely."
    calls = [call for d in told for call in d.tool_calls]
    said = "".join(d.content or "" for d in told)
    if request_.tool_choice == "auto" and request_.tools:
        assert said == "One moment."
        assert calls[0].function.arguments == '{"to": "ely"}'
    else:
        assert said == "One moment.\nAction: find_bus(to='ely')"
        assert not calls


def test_a_turn_stops_where_it_cannot_go_on(plugin: types.ModuleType) -> None:
    parser = plugin.CoalmToolParser(None)
    assert parser.adjust_request(Request(stop="x")).stop == ["x", "\nObservation:"]
    assert parser.adjust_request(Request()).skip_special_tokens is False


def test_the_folder_is_not_written_over_unasked(tmp_path: Path) -> None:
    fmt: Any = format_of("llama3", "pythonic")
    made = write(fmt, tmp_path, "m")
    assert "--tool-call-parser coalm" in made.command
    with pytest.raises(RecipeError, match="--force"):
        write(fmt, tmp_path, "m")
    write(fmt, tmp_path, "m", force=True)


def test_calls_keep_their_arguments() -> None:
    found = whole("json", '[{"name": "f", "arguments": {"a": [1, "ü"]}}]')
    assert found.calls == (ToolCall("f", {"a": [1, "ü"]}),)
