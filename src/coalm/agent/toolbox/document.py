"""OpenAPI 3 documents: read, references filled in, schemas as a model and a check need them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from coalm.errors import DataError, RecipeError

PARTS = 20_000
"""Values that one operation may unfold to once its references are filled in."""

_NOISE = ("nullable", "xml", "discriminator", "externalDocs")
_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_INSIDE = ("items", "additionalProperties", "not")
_CHOICES = ("anyOf", "oneOf", "allOf", "prefixItems")


def read(path: Path) -> dict[str, Any]:
    """An OpenAPI document in JSON or YAML; a `DataError` if it is none."""
    import yaml

    from coalm.agent import yamlfile

    try:
        text = path.read_text(encoding="utf-8-sig")
        try:
            value = json.loads(text)
        except ValueError:
            value = yamlfile.loads(text)
    except OSError as e:
        raise DataError(f"{path}: {e.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        why = " ".join(str(e).split())
        raise DataError(f"{path}: neither JSON nor YAML: {why}") from None
    if not isinstance(value, dict) or not str(value.get("openapi", "")).startswith("3"):
        raise DataError(f"{path}: no OpenAPI 3 document (it says no `openapi: 3...`)")
    return value


def server(document: Mapping[str, Any]) -> str:
    """The document's first server, its variables filled in with their defaults."""
    servers = document.get("servers") or []
    first = servers[0] if servers and isinstance(servers[0], dict) else {}
    url = str(first.get("url", ""))
    for name, said in (first.get("variables") or {}).items():
        if isinstance(said, dict) and "default" in said:
            url = url.replace("{" + str(name) + "}", str(said["default"]))
    if urlsplit(url).scheme not in ("http", "https") or "{" in url:
        raise RecipeError("openapi: the document names no server with an address; give base_url")
    return url


@dataclass(slots=True)
class Resolver:
    """Fills in references. A type that holds itself is anything at all inside of itself."""

    document: Mapping[str, Any]
    left: int = PARTS

    def whole(self, value: Any, inside: frozenset[str] = frozenset()) -> Any:
        """The value without references; a `DataError` names one that leads nowhere."""
        self.left -= 1
        if self.left < 0:
            raise DataError(f"openapi: an operation unfolds to more than {PARTS} parts")
        if isinstance(value, list):
            return [self.whole(one, inside) for one in value]
        if not isinstance(value, dict):
            return value
        ref = value.get("$ref")
        if isinstance(ref, str):
            if ref in inside:
                return {}
            found = self.whole(self._at(ref), inside | {ref})
            beside = {k: self.whole(v, inside) for k, v in value.items() if k != "$ref"}
            return found | beside if isinstance(found, dict) else found
        made = {key: self.whole(one, inside) for key, one in value.items()}
        if isinstance(made.get("allOf"), list):
            parts = made.pop("allOf")
            return _merged([*(part for part in parts if isinstance(part, dict)), made])
        return made

    def _at(self, ref: str) -> Any:
        at: Any = self.document if ref.startswith("#/") else None
        for step in ref.removeprefix("#/").split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            at = at.get(name) if isinstance(at, dict) else None
        if at is None:
            raise DataError(f"openapi: nothing is at {ref} (only #/... is followed)")
        return at


def _merged(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several object schemas as one that asks for all that any of them asks for."""
    merged = {key: one for part in parts for key, one in part.items()}
    properties = {name: one for p in parts for name, one in p.get("properties", {}).items()}
    required = list(dict.fromkeys(name for p in parts for name in p.get("required", [])))
    merged |= {"properties": properties} if properties else {}
    return merged | ({"required": required} if required else {})


def plain_schema(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 or 3.1 as JSON Schema has it, without what only a service sets.

    What no check could read goes too: a pattern of another language, a type that is none.
    """
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            made[key] = {n: plain_schema(one) for n, one in value.items() if not _given_back(one)}
        elif key in _CHOICES and isinstance(value, list):
            made[key] = [plain_schema(one) for one in value]
        elif key in _INSIDE:
            made[key] = plain_schema(value)
        elif key not in _NOISE and not (key == "pattern" and not _readable(value)):
            made[key] = value
    if "required" in made and "properties" in schema:
        hidden = {n for n, one in schema["properties"].items() if _given_back(one)}
        made["required"] = [name for name in made["required"] if name not in hidden]
    return _typed(schema, _bounded(made))


def _typed(schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """With null among the types where the schema says so in either way, and known types only."""
    kinds = made.get("type")
    names = [k for k in (kinds if isinstance(kinds, list) else [kinds]) if k in _TYPES]
    choices = made.get("anyOf") or made.get("oneOf") or []
    bare = [c for c in choices if isinstance(c, dict) and c.get("type") != "null"]
    null = schema.get("nullable") is True
    if len(choices) == 2 and len(bare) == 1 and isinstance(bare[0].get("type"), str):
        made = bare[0] | {k: v for k, v in made.items() if k not in ("anyOf", "oneOf")}
        names, null = [bare[0]["type"]], True
    made.pop("type", None)
    if null and names and "null" not in names:
        names.append("null")
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    if names:
        made = {"type": names if len(names) > 1 else names[0]} | made
    return made


def _bounded(made: dict[str, Any]) -> dict[str, Any]:
    """`exclusiveMinimum: true` of 3.0 as the number that 3.1 has there."""
    for bound in ("minimum", "maximum"):
        name = f"exclusive{bound.capitalize()}"
        if isinstance(made.get(name), bool):
            strict = made.pop(name)
            if strict and bound in made:
                made[name] = made.pop(bound)
    return made


def _given_back(schema: Any) -> bool:
    """Whether only the service sets it, such as the id of what is made."""
    return isinstance(schema, dict) and schema.get("readOnly") is True


def _readable(pattern: Any) -> bool:
    try:
        re.compile(str(pattern))
    except re.error:
        return False
    return True
