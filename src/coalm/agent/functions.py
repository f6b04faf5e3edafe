"""Any typed Python function as a tool: its hints become the schema and guard the door.

    def weather(city: Annotated[str, "where"], days: int = 1) -> dict[str, str]:
        '''The weather forecast of a city.'''

    agent = Agent(model, {"weather": tool(weather)})

What a parameter means is said beside its type. Arguments come from a model, so they
are checked and coerced before the function sees them; what does not fit is told to
the model in words it can act on, and nothing of it is ever evaluated.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NotRequired,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from coalm.types import Json, ToolSpec

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails


class Refused(Exception):
    """A tool's "no" to a call that was well-formed; its text is a sentence for the model."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Python function that a model may call."""

    spec: ToolSpec
    function: Callable[..., object]
    arguments: "TypeAdapter[dict[str, Any]]"
    """Checks and coerces what a model gave; parameters left out stay left out."""

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """The result as text: strings as they are, anything else as compact JSON."""
        from pydantic import ValidationError

        try:
            checked = self.arguments.validate_python(dict(arguments))
        except ValidationError as e:
            wrong = "; ".join(_complaint(self.spec, error) for error in e.errors())
            return f"error: {self.spec.name}: {wrong}"
        try:
            result = self.function(**checked)
            return _text(_awaited(result) if inspect.isawaitable(result) else result)
        except Refused as e:
            return f"error: {self.spec.name}: {e}"


def tool(function: Callable[..., object], name: str = "") -> Function:
    """A function as a tool; its description is the first paragraph of its docstring.

    A `TypeError` says what keeps a function from being one: a parameter without a type,
    or one that cannot be given by name.
    """
    from pydantic import ConfigDict, TypeAdapter
    from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

    name = name or getattr(function, "__name__", type(function).__name__)
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    defaults: dict[str, object] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"{name}: {parameter} cannot be given by name")
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name!r} has no type")
        fields[parameter.name] = _described(hints[parameter.name])
        if parameter.default is not parameter.empty:
            fields[parameter.name] = NotRequired[fields[parameter.name]]
            defaults[parameter.name] = parameter.default
    typed: Any = TypedDict  # made at run time, so mypy cannot look inside
    kind = typed("Arguments", fields)
    kind.__pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(kind)
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    schema = _schema(adapter.json_schema(), defaults)
    return Function(ToolSpec(name, " ".join(paragraph.split()), schema), function, adapter)


F = TypeVar("F", bound=Callable[..., object])


def writes(function: F) -> F:
    """Say of a function that it changes something, so that an agent's file need not: a decorator.

    A human is asked before each call, unless the agent's manners say otherwise.
    """
    function.__coalm_writes__ = True  # type: ignore[attr-defined]
    return function


def tools(*functions: Callable[..., object]) -> dict[str, Function]:
    """Several functions as an agent takes them: by name."""
    made = [tool(function) for function in functions]
    return {each.spec.name: each for each in made}


def _described(hint: Any) -> Any:
    """`Annotated[T, "what it is"]` with the words where pydantic looks for them."""
    if get_origin(hint) is not Annotated:
        return hint
    from pydantic import Field

    kind, *extras = get_args(hint)
    extras = [Field(description=e) if isinstance(e, str) else e for e in extras]
    return Annotated[(kind, *extras)]


def _schema(schema: Mapping[str, Any], defaults: Mapping[str, object]) -> dict[str, Json]:
    """The arguments' JSON Schema as a model is shown it: no titles, no references."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    named = schema.get("$defs", {})
    properties = {k: _tidy(v, named, 0) for k, v in schema.get("properties", {}).items()}
    for name, value in defaults.items():
        if value is None:
            continue
        try:
            properties[name]["default"] = to_jsonable_python(value)
        except PydanticSerializationError:
            continue  # what JSON cannot say, the model cannot be told
    return {
        "type": "object",
        "properties": properties,
        "required": list(schema.get("required", [])),
    }


def tidied(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Anybody's JSON Schema as a model is shown it: no titles, no references."""
    named = schema.get("$defs") or schema.get("definitions") or {}
    shown = {k: v for k, v in schema.items() if k not in ("$defs", "definitions", "$schema")}
    tidy: dict[str, Any] = _tidy(shown, named, 0)
    return tidy


def _tidy(schema: Any, named: Mapping[str, Any], depth: int) -> Any:
    if isinstance(schema, list):
        return [_tidy(item, named, depth) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:  # a type that holds itself is cut off a few levels down
        inside = named.get(str(schema["$ref"]).rpartition("/")[2], {}) if depth < 4 else {}
        return _tidy(inside | {k: v for k, v in schema.items() if k != "$ref"}, named, depth + 1)
    if "const" in schema:
        schema = {k: v for k, v in schema.items() if k != "const"} | {"enum": [schema["const"]]}
    choices = [c for c in schema.get("anyOf", []) if c.get("type") != "null"]
    if len(choices) == 1:
        rest = {k: v for k, v in schema.items() if k != "anyOf"}
        return _tidy(choices[0] | rest, named, depth)
    tidy: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            tidy[key] = {name: _tidy(field, named, depth) for name, field in value.items()}
        elif key in ("enum", "required", "default", "examples"):
            tidy[key] = value
        elif key != "title":
            tidy[key] = _tidy(value, named, depth)
    return tidy


def _complaint(spec: ToolSpec, error: "ErrorDetails") -> str:
    """What is wrong with one argument, in words for the model."""
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"{place}: this argument is needed"
        case "extra_forbidden" if len(error["loc"]) == 1:
            close = get_close_matches(place, list(spec.properties), n=1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            return f"no parameter {place!r}{hint} (there are {', '.join(spec.properties)})"
        case "literal_error" | "enum":
            expected = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
            return f"{place}: must be one of {expected}, not {_short(error['input'])}"
        case _:
            said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
            return f"{place}: {said[:1].lower()}{said[1:]}, not {_short(error['input'])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _awaited(result: Awaitable[object]) -> object:
    """What an asynchronous function gives, whether or not an event loop runs here already."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def wait() -> object:
        return await result

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(wait())).result()


def _text(result: object) -> str:
    from pydantic_core import to_json

    if isinstance(result, str):
        return result
    return "done" if result is None else to_json(result, inf_nan_mode="null").decode()
