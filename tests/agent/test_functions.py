"""A typed Python function is a tool: its hints are the schema and the guard at the door."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from coalm.agent.functions import Refused, tool, tools


def forecast(
    city: Annotated[str, "where"],
    days: int = 1,
    unit: Literal["celsius", "fahrenheit"] = "celsius",
    note: str | None = None,
) -> dict[str, object]:
    """The weather forecast
    of a city.

    Nobody tells a model this part.
    """
    return {"city": city, "days": days, "unit": unit, "note": note}


def test_hints_and_docstring_become_the_schema() -> None:
    spec = tool(forecast).spec

    assert (spec.name, spec.description) == ("forecast", "The weather forecast of a city.")
    assert spec.required == ("city",)
    assert spec.properties["city"] == {"type": "string", "description": "where"}
    assert spec.properties["days"] == {"type": "integer", "default": 1}
    assert spec.properties["note"] == {"type": "string"}
    unit = spec.properties["unit"]
    assert isinstance(unit, dict)
    assert unit["enum"] == ["celsius", "fahrenheit"]


def test_arguments_are_coerced_and_the_result_becomes_text() -> None:
    answer = tool(forecast)({"city": 7, "days": "3"})
    assert answer == '{"city":"7","days":3,"unit":"celsius","note":null}'


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "error: forecast: city: this argument is needed"),
        ({"city": "x", "unit": "kelvin"}, "unit: must be one of celsius or fahrenheit"),
        ({"city": "x", "dais": 2}, "no parameter 'dais', did you mean 'days'?"),
        ({"city": "x", "days": "many"}, "days: should be a valid integer"),
        ({"city": ["x"]}, "city: should be a valid string, not ['x']"),
    ],
)
def test_wrong_arguments_become_a_sentence_for_the_model(
    arguments: dict[str, Any], complaint: str
) -> None:
    assert complaint in tool(forecast)(arguments)


def test_all_that_is_wrong_is_said_at_once() -> None:
    answer = tool(forecast)({"unit": "kelvin", "days": []})
    assert all(f"{name}:" in answer for name in ("city", "days", "unit"))


def test_a_refusal_is_a_sentence_and_any_other_failure_is_raised() -> None:
    def picky(kind: str) -> str:
        if kind == "rude":
            raise Refused("not like this")
        raise OSError("no network")

    assert tool(picky)({"kind": "rude"}) == "error: picky: not like this"
    with pytest.raises(OSError, match="no network"):
        tool(picky)({"kind": "x"})


def test_a_function_that_gives_nothing_back_is_done() -> None:
    def ring() -> None:
        """Ring the bell."""

    assert tool(ring)({}) == "done"
    assert tool(ring).spec.parameters == {"type": "object", "properties": {}, "required": []}


@dataclass
class Person:
    name: str
    friends: "list[Person]"


def test_a_type_that_holds_itself_has_a_finite_schema() -> None:
    def invite(who: Person, days: list[int]) -> str:
        return who.friends[0].name

    made = tool(invite)
    assert "$ref" not in repr(made.spec)
    friend = {"name": "Bo", "friends": []}
    assert made({"who": {"name": "Al", "friends": [friend]}, "days": ["1"]}) == "Bo"
    assert "who.friends: this argument is needed" in made({"who": {"name": "Al"}, "days": []})


def test_parameters_may_have_any_name() -> None:
    def odd(copy: str, model_name: str, json: int = 0, schema: float = 0.5) -> str:
        return f"{copy} {model_name} {json} {schema}"

    assert tool(odd)({"copy": "a", "model_name": "b", "json": 1}) == "a b 1 0.5"


def test_what_cannot_be_a_tool_says_why() -> None:
    def untyped(city) -> str:  # type: ignore[no-untyped-def]
        return str(city)

    def loose(*cities: str) -> str:
        return str(cities)

    with pytest.raises(TypeError, match="'city' has no type"):
        tool(untyped)
    with pytest.raises(TypeError, match="cannot be given by name"):
        tool(loose)


def test_a_method_is_a_tool_without_its_self() -> None:
    class Counter:
        total = 0

        def add(self, amount: int) -> int:
            """Count up."""
            self.total += amount
            return self.total

    counter = Counter()
    made = tools(counter.add)["add"]
    assert (made({"amount": 2}), made({"amount": "3"})) == ("2", "5")
    assert made.spec.required == ("amount",)


def test_nothing_a_model_writes_is_evaluated() -> None:
    answer = tool(forecast)({"city": "__import__('os').getcwd()", "days": "1+1"})
    assert "days: should be a valid integer" in answer
