"""The operations of an OpenAPI document: what a model is told of each, and where arguments go."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from coalm.agent.functions import tidied
from coalm.agent.toolbox.document import Resolver, plain_schema
from coalm.agent.toolbox.operation import Auth, Operation, Shape
from coalm.agent.toolbox.wire import Where
from coalm.errors import DataError
from coalm.types import Json, ToolSpec

if TYPE_CHECKING:
    import httpx

METHODS = ("get", "head", "post", "put", "patch", "delete")
OWN_HEADERS = ("accept", "content-type", "authorization")
"""Headers that are no parameters, by the standard."""


def operations(document: Mapping[str, Any]) -> dict[str, "Described"]:
    """All operations, under names that differ."""
    found: dict[str, Described] = {}
    for path, item in (document.get("paths") or {}).items():
        if isinstance(item, dict) and isinstance(item.get("$ref"), str):
            item = Resolver(document).whole(item)
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                said, shared = item[method], item.get("parameters") or []
                name = _slug(str(said.get("operationId") or "")) or _slug(f"{method} {path}")
                number = 2
                while name in found:
                    name = f"{name.removesuffix(f'_{number - 1}')}_{number}"
                    number += 1
                own = bool(said.get("servers") or item.get("servers"))
                found[name] = Described(document, name, path, method, said, shared, own)
    return found


@dataclass(frozen=True, slots=True)
class Described:
    """An operation as the document has it."""

    document: Mapping[str, Any]
    name: str
    path: str
    method: str
    said: Mapping[str, Any]
    shared: Sequence[Any] = field(default_factory=list)
    elsewhere: bool = False
    """Whether it has a server of its own."""

    def __call__(self, client: "httpx.Client", base: str, auth: Auth | None) -> Operation:
        """The operation as it is called at that address."""
        whole = Resolver(self.document).whole
        properties: dict[str, Any] = {}
        required: list[str] = []
        places: dict[str, Where] = {}

        def add(where: Where, schema: Any, needed: bool) -> None:
            argument = where.name
            while argument in places:
                argument = f"{where.place}_{argument}"
            places[argument] = where
            properties[argument] = tidied(plain_schema(schema))
            required.extend([argument] if needed else [])

        hidden = {*OWN_HEADERS, auth.header.lower() if auth else ""}
        # An operation's own parameter takes the place of the path's of the same name.
        listed = [whole(one) for one in (*self.shared, *(self.said.get("parameters") or []))]
        for one in {(p.get("in"), p.get("name")): p for p in listed}.values():
            place, name = one.get("in"), str(one.get("name", ""))
            if place not in ("path", "query", "header"):
                continue  # cookies are no argument of a model's
            if place == "header" and name.lower() in hidden:
                continue
            where, schema = _parameter(self.name, place, name, one)
            about = {"description": one["description"]} if one.get("description") else {}
            add(where, schema | about, bool(one.get("required")) or place == "path")
        blanks = set(re.findall(r"{([^{}]+)}", self.path))
        if lost := blanks - {w.name for w in places.values() if w.place == "path"}:
            raise DataError(f"openapi: {self.path} has no parameter {', '.join(sorted(lost))}")
        asked = whole(self.said.get("requestBody") or {})
        media, shape, schema = _body(self.name, asked)
        needs_body = bool(asked.get("required")) or bool(schema.get("required"))
        if shape == "whole":
            about = {"description": asked["description"]} if asked.get("description") else {}
            add(Where("body", "body"), schema | about, bool(asked.get("required")))
        elif shape:
            for name, one in schema["properties"].items():
                add(Where("body", name), one, name in schema.get("required", ()))
        words = self.said.get("summary") or self.said.get("description") or ""
        parameters = {"type": "object", "properties": properties, "required": required}
        told = " ".join(str(words).split())
        spec = ToolSpec(self.name, told, cast("dict[str, Json]", parameters))
        secret = auth.secret if auth else ""
        return Operation(
            spec, self.method, self.path, places, client, base, shape, media, needs_body, secret
        )


def _parameter(operation: str, place: Any, name: str, said: Mapping[str, Any]) -> Any:
    """Where a parameter goes, and its schema."""
    content = said.get("content")
    if isinstance(content, dict) and content:
        [first] = list(content.values())[:1]
        return Where(place, name, as_json=True), dict((first or {}).get("schema") or {})
    style = str(said.get("style") or "")
    if style in ("label", "matrix"):
        raise DataError(f"openapi: {operation}: {name} is written as {style}, which is not known")
    explode = said.get("explode", place == "query" and style in ("", "form", "deepObject"))
    return Where(place, name, style, bool(explode)), dict(said.get("schema") or {})


def _body(operation: str, asked: Mapping[str, Any]) -> tuple[str, Shape, dict[str, Any]]:
    """Media type, shape and schema of a body; no shape where there is no body."""
    content = asked.get("content") or {}
    if not content:
        return "", "", {}
    kinds = {str(kind).partition(";")[0].strip().lower(): kind for kind in content}
    media = next((k for k in kinds if k == "application/json" or k.endswith("+json")), "")
    form = "application/x-www-form-urlencoded"
    chosen = media or next((k for k in (form, "*/*", "application/*") if k in kinds), "")
    if not chosen:
        raise DataError(
            f"openapi: {operation} wants {', '.join(content)}, and neither JSON nor a form; "
            "name the operations that are wanted"
        )
    schema = plain_schema((content[kinds[chosen]] or {}).get("schema") or {})
    flat = bool(schema.get("properties")) and schema.get("type", "object") == "object"
    flat = flat and not schema.get("oneOf") and not schema.get("anyOf")
    if chosen == form:
        if not flat:
            raise DataError(f"openapi: the form of {operation} has no fields")
        return form, "form", schema
    return media or "application/json", "fields" if flat else "whole", schema


def _slug(name: str) -> str:
    """A tool's name: letters, digits, `_`, `-` and dots."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_")
