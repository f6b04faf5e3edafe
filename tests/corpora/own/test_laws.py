"""What must hold of every conversation in every style."""

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm import store
from coalm.corpora import own
from coalm.errors import DataError
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    Turn,
    User,
    identical,
)
from tests.corpora.own import written

CHECKER = jsonschema.Draft202012Validator(json.loads(own.schema()))

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
said = words.filter(lambda text: text.strip() and "<think>" not in text)
plain = said.filter(lambda t: t == t.strip() and not t.startswith("["))
scalars: dict[str, st.SearchStrategy[Any]] = {
    "string": words,
    "integer": st.integers(-(2**53), 2**53),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
}


@st.composite
def tools(draw: st.DrawFn) -> tuple[ToolSpec, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(["look", "book", "a.b", "send_it"]), unique=True)):
        kinds = draw(
            st.dictionaries(
                st.sampled_from(["city", "day", "from"]), st.sampled_from(sorted(scalars))
            )
        )
        properties: dict[str, Json] = {k: {"type": v} for k, v in kinds.items()}
        needed: list[Json] = list(draw(st.sets(st.sampled_from(sorted(kinds))))) if kinds else []
        schema: dict[str, Json] = {
            "type": "object",
            "properties": properties,
            "required": sorted(needed, key=str),
        }
        found.append(ToolSpec(name, draw(words), schema))
    return tuple(found)


@st.composite
def calls(draw: st.DrawFn, known: tuple[ToolSpec, ...]) -> tuple[ToolCall, ...]:
    if not known:
        return ()
    found = []
    for spec in draw(st.lists(st.sampled_from(known), max_size=3)):
        arguments: dict[str, Json] = {}
        for name, schema in spec.properties.items():
            if name in spec.required or draw(st.booleans()):
                assert isinstance(schema, dict)
                value: Json = draw(scalars[str(schema["type"])])
                arguments[name] = value
        found.append(ToolCall(spec.name, arguments))
    return tuple(found)


@st.composite
def samples(draw: st.DrawFn, *, bare: bool = False) -> Sample:
    """A sound conversation; `bare` has no system turn, no thoughts, no words beside calls."""
    known = draw(tools())
    turns: list[Turn] = []
    if not bare and draw(st.booleans()):
        turns.append(System(draw(plain)))
    for _ in range(draw(st.integers(1, 3))):
        turns.append(User(draw(said)))
        for _ in range(draw(st.integers(0, 2))):
            made = draw(calls(known))
            if not made:
                break
            beside = "" if bare else draw(st.just("") | plain)
            turns.append(Assistant(beside, "" if bare else draw(st.just("") | plain), made))
            turns += [Observation(draw(said), call.name) for call in made]
        turns.append(Assistant(draw(plain), "" if bare else draw(st.just("") | plain)))
    name = draw(st.sampled_from(["x/1", "42", "ü"]))
    return Sample(name, "own", Dialogue(tuple(turns), known), name)


@settings(max_examples=30)
@given(samples())
def test_openai_rows_are_read_back(sample: Sample) -> None:
    assert identical(own.make("f:1", written.openai(sample)), sample)


@settings(max_examples=30)
@given(samples(), st.booleans())
def test_sharegpt_rows_are_read_back(sample: Sample, names: bool) -> None:
    assert identical(own.make("f:1", written.sharegpt(sample, names=names)), sample)


@settings(max_examples=30)
@given(samples(bare=True))
def test_toolace_rows_are_read_back(sample: Sample) -> None:
    if sample.dialogue.tools:
        assert identical(own.make("f:1", written.toolace(sample)), sample)


@settings(max_examples=30)
@given(samples())
def test_our_own_rows_are_read_back_as_lists_or_as_strings(sample: Sample) -> None:
    assert identical(own.make("f:1", written.ours(sample)), sample)
    assert identical(own.make("f:1", store.dump_sample(sample)), sample)


@settings(max_examples=30)
@given(samples())
def test_the_shipped_schema_accepts_what_we_write(sample: Sample) -> None:
    CHECKER.validate(written.ours(sample))
    CHECKER.validate(dict(store.dump_sample(sample)))


def test_the_shipped_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(own.schema()))


@settings(max_examples=30)
@given(samples())
def test_a_conversation_without_id_is_called_the_same_in_every_style(sample: Sample) -> None:
    rows = [written.openai(sample), written.sharegpt(sample), written.ours(sample)]
    names = set()
    for row in rows:
        del row["id"]
        row.pop("group", None)
        names.add(own.make("f:1", row).id)
    assert len(names) == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["user", "assistant", "tool", "gpt", "function_call", "look", "{", "[look("]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["role", "from", "value", "content", "tool_calls", "name", "arguments",
                         "function", "text", "calls", "tools", "parameters", "properties"])
        | st.text(max_size=4),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a row with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in list(inner):
            found += [(value, key), *_places(one)]
    return found


@pytest.mark.slow
@settings(max_examples=300)
@given(
    samples(),
    st.sampled_from([written.openai, written.sharegpt, written.ours]),
    st.data(),
)
def test_a_row_with_anything_in_any_place_is_a_sample_or_a_named_fault(
    sample: Sample, write: Any, data: st.DataObject
) -> None:
    row = copy.deepcopy(write(sample))
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(_places(row)))
        container[key] = data.draw(anything)
    found = own.examine(row)
    assert (found.sample is None) == bool(found.faults)
    if found.sample is None:
        with pytest.raises(DataError, match=r"^some\.jsonl:7: "):
            own.make("some.jsonl:7", row)
    else:
        made = own.make("some.jsonl:7", row)
        line = store.compact(store.dump_sample(made)).encode()
        assert identical(store.load_sample(json.loads(line)), made)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=12), anything, max_size=4) | st.fixed_dictionaries(
    {"messages": anything} ) | st.fixed_dictionaries({"conversations": anything, "tools": anything})
    | st.fixed_dictionaries({"turns": anything, "tools": anything}))  # fmt: skip
def test_no_object_at_all_makes_it_fail_in_any_other_way(row: dict[str, Any]) -> None:
    for style in ("", *own.STYLES):
        found = own.examine(row, style)
        assert (found.sample is None) == bool(found.faults)


@pytest.mark.slow
@given(samples(), st.data())
def test_what_the_schema_refuses_is_refused_here_too(sample: Sample, data: st.DataObject) -> None:
    row = written.ours(sample)
    container, key = data.draw(st.sampled_from(_places(row["turns"])))
    container[key] = data.draw(anything)
    if not CHECKER.is_valid(row):
        assert own.examine(row).sample is None
