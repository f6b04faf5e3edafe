"""Java and JavaScript: answers read with their parsers, values as BFCL's checker takes them."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.bfcl import CATEGORIES, java, javascript, miniature
from coalm.bench.bfcl.grammars import read_source
from coalm.bench.bfcl.match import Rules, fault
from coalm.bench.bfcl.reading import Unreadable
from coalm.types import ToolCall


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ('[Map.open(at="here", zoom=3)]', "Map.open", {"at": "here", "zoom": "3"}),
        ("open(at='c')", "open", {"at": "c"}),
        ("[a.b.C.open(x=new int[]{1, 2})]", "a.b.C.open", {"x": "new int[]{1,2}"}),
        (
            '[f(x=new ArrayList<>(Arrays.asList("a", "b")))]',
            "f",
            {"x": 'new ArrayList<>(Arrays.asList("a", "b"))'},
        ),
        # The entries of a map are lost: the harness keeps a new object's arguments only.
        ('[f(x=new HashMap<>() {{ put("a", 1); }})]', "f", {"x": "new HashMap<>()"}),
        ("[f(x=Color.RED)]", "f", {"x": "Color.RED"}),
        ("[Map.open(at='c', zoom=-1.5f)]", "Map.open", {"at": "c", "zoom": "-1.5f"}),
        ("[open(at='c')", "open", {"at": "c"}),
        # Places are counted in bytes and cut in letters.
        ('[f(a="é", x=1)]', "f", {"a": 'é"', "=": ")"}),
    ],
)
def test_java_is_read_as_the_harness_reads_it(
    text: str, name: str, arguments: dict[Any, Any]
) -> None:
    assert read_source(text, "java") == (ToolCall(name, arguments),)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("[draw(at='here', zoom=3)]", "draw", {"at": "here", "zoom": "3"}),
        ("[a.draw(x={a: 1, b: [2]})]", "a.draw", {"x": "{a: 1, b: [2]}"}),
        ("[f(x=() => 1)]", "f", {"x": "() => 1"}),
        ("[f(x=true, y)]", "f", {"x": "true", None: "y"}),
        ("f(é='ü')", "f", {"é": "ü"}),
    ],
)
def test_javascript_is_read_as_the_harness_reads_it(
    text: str, name: str, arguments: dict[Any, Any]
) -> None:
    assert read_source(text, "javascript") == (ToolCall(name, arguments),)


@pytest.mark.parametrize("language", ["java", "javascript"])
@pytest.mark.parametrize(
    "text", ["I cannot.", "[f(a='b', a='c')]", "[f(x=]", "[f(a, b)]", "[5]", "[f(x='a)]"]
)
def test_what_is_no_one_call_is_unreadable(text: str, language: Any) -> None:
    with pytest.raises(Unreadable):
        read_source(text, language)


def test_only_the_first_call_counts() -> None:
    for language in ("java", "javascript"):
        assert len(read_source("[f(x=1); g(y=2)]", language)) == 1


@pytest.mark.parametrize(
    ("text", "kind", "inner", "value"),
    [
        ("12", "integer", None, 12),
        ("12L", "integer", None, "12L"),
        ("12L", "long", None, 12),
        ("12", "long", None, "12"),
        ("1.5f", "float", None, 1.5),
        ("1.5", "float", None, "1.5"),
        ("2e3", "double", None, 2000.0),
        ("true", "boolean", None, True),
        ("True", "boolean", None, "True"),
        ("new int[]{1, 2}", "Array", "integer", [1, 2]),
        ('new String[]{"a"}', "Array", "String", ['"a"']),  # quotes stay in an array
        ('new ArrayList<>(Arrays.asList("a", "b"))', "ArrayList", "String", ["a", "b"]),
        ("new ArrayList<>(Arrays.asList(ab))", "ArrayList", "String", [""]),
        ("new ArrayList<Integer>() {{ add(1); add(2); }}", "ArrayList", "integer", [1, 2]),
        ("new ArrayList<>()", "ArrayList", "integer", []),
        ("Arrays.asList(1)", "ArrayList", "integer", "Arrays.asList(1)"),
        ('new HashMap<String, Object>() {{ put("a", 1); put("b", "c d"); }}', "HashMap", None,
         {"a": 1, "b": "c d"}),
        ("new HashMap<>()", "HashMap", None, {}),
        ("Map.of()", "HashMap", None, "Map.of()"),
    ],
)  # fmt: skip
def test_java_values(text: str, kind: str, inner: str | None, value: Any) -> None:
    assert java.read(text, kind, inner) == value


@pytest.mark.parametrize(
    ("text", "kind", "inner", "value"),
    [
        ("'a'", "String", None, "a"),
        ("a", "String", None, "a"),
        ("12", "integer", None, 12),
        ("1.5", "float", None, 1.5),
        ("12n", "Bigint", None, 12),
        ("true", "Boolean", None, True),
        ("[1, 'two', true]", "array", None, [1, "two", True]),
        ("['a', 'b']", "array", "String", ["a", "b"]),
        ("new Array(1, 2)", "array", "integer", [1, 2]),
        ("[[1, 2], [3]]", "array", "array", [[1, 2], [3]]),
        ("[]", "array", "integer", []),
        ("x", "array", "integer", "x"),
        ("{a: 1, 'b': 'c', d: [1, 2], e: f}", "dict", None,
         {"a": 1, "b": "c", "d": [1, 2], "e": "f"}),
        ("{}", "dict", None, {}),
        ("{a: {b: 1}}", "dict", None, {"a": "{b: 1"}),  # up to the first closing brace
    ],
)  # fmt: skip
def test_javascript_values(text: str, kind: str, inner: str | None, value: Any) -> None:
    assert javascript.read(text, kind, inner) == value


@pytest.mark.parametrize("kind", ["Set", "Hashtable", "Queue", "Stack", "Unheard"])
def test_a_type_that_the_checker_cannot_read_makes_the_call_wrong(kind: str) -> None:
    function = {"name": "f", "parameters": {"properties": {"x": {"type": kind}}, "required": []}}
    calls = [ToolCall("f", {"x": "new Thing<>()"})]
    assert fault([function], calls, [{"f": {"x": ["new Thing<>()"]}}], Rules("java"))


def test_a_value_that_is_no_text_is_of_the_wrong_type() -> None:
    function = {"name": "f", "parameters": {"properties": {"x": {"type": "integer"}}}}
    for given_, kind in (("5", None), (5, "wrong type")):
        found = fault(
            [function], [ToolCall("f", {"x": given_})], [{"f": {"x": [5]}}], Rules("java")
        )
        assert (found.kind if found else None) == kind


@given(st.text("[](){},:;'\"<> \nabn1.newArrayHashMplistput", max_size=60))
def test_any_text_is_read_or_refused_with_a_value_error(text: str) -> None:
    for module in (java, javascript):
        for kind in module.TYPES:
            try:
                module.read(text, kind, "String" if kind in module.NESTED else None)
            except ValueError:
                assert kind in ("Set", "Hashtable", "Queue", "Stack")


@given(st.lists(st.integers(-99, 99), max_size=4))
def test_what_is_written_reads_back(numbers: list[int]) -> None:
    for kind in ("Array", "ArrayList"):
        assert java.read(java.write(numbers, kind, "integer"), kind, "integer") == numbers
    assert (
        javascript.read(javascript.write(numbers, "array", "integer"), "array", "integer")
        == numbers
    )
    named = {f"k{i}": n for i, n in enumerate(numbers)}
    assert java.read(java.write(named, "HashMap"), "HashMap") == named
    assert javascript.read(javascript.write(named, "dict"), "dict") == named


def test_a_model_is_asked_for_source_text() -> None:
    (case,) = miniature().cases(CATEGORIES["simple_java"])
    stops = case.tools[0].properties["stops"]
    assert isinstance(stops, dict)
    assert stops["type"] == "string"
    assert "ArrayList of integer" in str(stops["description"])
    (case,) = miniature().cases(CATEGORIES["simple_javascript"])
    options = case.tools[0].properties["options"]
    assert isinstance(options, dict)
    assert "Above the chart." in str(options["description"])


def test_without_the_parsers_a_person_is_told_what_to_install() -> None:
    script = (
        "import sys; sys.modules['tree_sitter'] = None\n"
        "from coalm.bench.bfcl.grammars import read_source\n"
        "from coalm.errors import MissingExtra\n"
        "try: read_source('[f(x=1)]', 'java')\n"
        "except MissingExtra as e: print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "coalm[eval]" in done.stdout
