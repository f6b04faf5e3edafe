"""Three layouts of tools become one."""

import pytest

from coalm.corpora.schemas import misfit, relaxed, tool, unique
from coalm.types import ToolCall


def test_the_flat_layout_requires_what_has_no_default_and_is_not_optional() -> None:
    spec = tool(
        {
            "name": "find",
            "description": "d",
            "parameters": {
                "a": {"type": "str", "description": "x"},
                "b": {"type": "int", "default": 3},
                "c": {"type": "List[float], optional"},
            },
        }
    )
    assert spec.required == ("a",)
    assert spec.properties["b"] == {"type": "integer", "default": 3}
    assert spec.properties["c"] == {"type": "array", "items": {"type": "number"}}


def test_the_openai_wrapper_and_toolaces_dict_are_the_same_tool() -> None:
    inner = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    wrapped = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", **inner}},
    }
    listed = {"name": "f", "parameters": {"type": "dict", **inner}, "required": None}

    assert tool(wrapped) == tool(listed)
    assert tool(listed).required == ("a",)


INTEGERS = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("str, optional", {"type": "string"}),
        ("Optional[int]", {"type": "integer"}),
        ("List[List[int]]", {"type": "array", "items": INTEGERS}),
        (["null", "string"], {"type": "string"}),
        ("Callable[[float], float]", {}),
    ],
)
def test_pythons_type_names_become_json_schema(written: object, kind: object) -> None:
    assert tool({"name": "f", "parameters": {"a": {"type": written}}}).properties["a"] == kind


def test_a_call_that_does_not_fit_says_why() -> None:
    spec = tool({"name": "f", "parameters": {"a": {"type": "str"}, "b": {"default": 1}}})

    assert misfit(ToolCall("f", {"a": "x"}), [spec]) == ""
    assert "not listed" in misfit(ToolCall("g", {}), [spec])
    assert "does not have" in misfit(ToolCall("f", {"a": "x", "z": 1}), [spec])
    assert "required" in misfit(ToolCall("f", {"b": 1}), [spec])


def test_what_a_gold_call_leaves_out_is_not_required() -> None:
    spec = tool({"name": "f", "parameters": {"a": {}, "b": {}}})
    assert relaxed([spec], [ToolCall("f", {"a": 1})])[0].required == ("a",)


def test_the_first_of_two_tools_of_one_name_is_kept() -> None:
    one, other = tool({"name": "f", "description": "1"}), tool({"name": "f", "description": "2"})
    assert unique([one, other, tool({"name": "g"})]) == (one, tool({"name": "g"}))
