"""Operations of an OpenAPI 3 document as tools: what is to be sent, what came back.

Parameters and the properties of a JSON body become one flat list of arguments, since models
fill those in best. Only GET and HEAD count as reading. A secret comes from the environment
and goes into one header; no redirect is followed, so it never leaves for another host.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote, urlsplit

from coalm.agent.functions import Refused, tidied
from coalm.agent.toolbox import Failed, Kit
from coalm.agent.toolbox.arguments import checked
from coalm.errors import DataError, RecipeError, unknown
from coalm.types import Json, ToolSpec

if TYPE_CHECKING:
    import httpx

METHODS = ("get", "head", "post", "put", "patch", "delete")
READING = ("get", "head")
LARGEST = 1_000_000
"""Bytes of an answer that are read at most."""

Place = Literal["path", "query", "header", "body"]


@dataclass(frozen=True, slots=True)
class Auth:
    """A secret for every request."""

    env: str
    """The environment variable that holds it."""
    header: str = "Authorization"
    prefix: str = "Bearer "

    def headers(self) -> dict[str, str]:
        """The header; a `RecipeError` if the environment lacks the secret."""
        secret = os.environ.get(self.env, "")
        if not secret:
            raise RecipeError(f"openapi: the environment has no {self.env}")
        return {self.header: self.prefix + secret}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: itself a `Tool`."""

    spec: ToolSpec
    method: str
    path: str
    """With `{blanks}` for its path parameters."""
    places: Mapping[str, tuple[Place, str]]
    """Argument -> where it goes, and under which name."""
    client: "httpx.Client"

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """The answer's text; `Failed` with status and words where it is an error."""
        given = checked(self.spec, arguments)
        sent: dict[Place, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}}
        for name, value in given.items():
            place, real = self.places[name]
            sent[place][real] = value
        path = self.path
        for name, value in sent["path"].items():
            if not _plain(value).strip("."):
                raise Refused(f"{name}: {_plain(value)!r} cannot stand in an address")
            path = path.replace("{" + name + "}", quote(_plain(value), safe=""))
        asked = self.client.build_request(
            self.method.upper(),
            path.lstrip("/"),
            params={name: _query(value) for name, value in sent["query"].items()},
            headers={name: _plain(value) for name, value in sent["header"].items()},
            json=sent["body"] if self._has_body else None,
        )
        answer = self.client.send(asked, stream=True)
        try:
            text = _text(answer)
        finally:
            answer.close()
        if answer.is_success:
            return text or f"done ({answer.status_code})"
        raise Failed(f"{answer.status_code} {answer.reason_phrase}: {text[:500]}".rstrip(": "))

    @property
    def _has_body(self) -> bool:
        return any(place == "body" for place, _ in self.places.values())


@contextmanager
def opened(
    document: Path | str | Mapping[str, Any],
    *,
    operations: Sequence[str] = (),
    base_url: str = "",
    auth: Auth | None = None,
    domain: str = "",
    timeout: float = 30.0,
    transport: "httpx.BaseTransport | None" = None,
) -> Iterator[Kit]:
    """The operations of a document while the block lasts.

    `operations` names some by operationId or as `GET /path`; all of them if empty. The base
    URL is the document's first server if none is given.
    """
    import httpx

    described = document if isinstance(document, Mapping) else read(Path(document))
    base = base_url or _server(described)
    found = dict(_operations(described))
    chosen = _chosen(found, operations)
    headers = auth.headers() if auth else {}
    with httpx.Client(
        base_url=base.rstrip("/") + "/", headers=headers, timeout=timeout, transport=transport
    ) as client:
        tools = {name: make(client) for name, make in chosen.items()}
        writes = frozenset(n for n, tool in tools.items() if tool.method not in READING)
        yield Kit(tools, writes, domain)


def read(path: Path) -> dict[str, Any]:
    """An OpenAPI document in JSON or YAML; a `DataError` if it is none."""
    import yaml

    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML too
    except OSError as e:
        raise DataError(f"{path}: {e.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise DataError(f"{path}: neither JSON nor YAML: {str(e).splitlines()[0]}") from None
    if not isinstance(value, dict) or not str(value.get("openapi", "")).startswith("3"):
        raise DataError(f"{path}: no OpenAPI 3 document (it says no `openapi: 3...`)")
    return value


Make = Callable[["httpx.Client"], Operation]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, "_Described"]]:
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                one = _Described(document, path, method, item[method], item.get("parameters", []))
                yield one.name, one


@dataclass(frozen=True, slots=True)
class _Described:
    """An operation as the document has it."""

    document: Mapping[str, Any]
    path: str
    method: str
    said: Mapping[str, Any]
    shared: Sequence[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.said.get("operationId") or _slug(f"{self.method} {self.path}"))

    def __call__(self, client: "httpx.Client") -> Operation:
        properties: dict[str, Any] = {}
        required: list[str] = []
        places: dict[str, tuple[Place, str]] = {}

        def add(name: str, place: Place, schema: Mapping[str, Any], needed: bool) -> None:
            argument = name if name not in places else f"{place}_{name}"
            places[argument] = (place, name)
            properties[argument] = tidied(_resolved(schema, self.document))
            required.extend([argument] if needed else [])

        for raw in (*self.shared, *self.said.get("parameters", [])):
            one = _resolved(raw, self.document)
            if one.get("in") not in ("path", "query", "header"):
                continue  # cookies are no argument of a model's
            about = {"description": one["description"]} if "description" in one else {}
            needed = bool(one.get("required")) or one["in"] == "path"
            add(one["name"], one["in"], dict(one.get("schema") or {}) | about, needed)
        body = self._body()
        for name, schema in body.get("properties", {}).items():
            add(name, "body", schema, name in body.get("required", ()))
        words = self.said.get("summary") or self.said.get("description") or ""
        parameters = {"type": "object", "properties": properties, "required": required}
        spec = ToolSpec(_slug(self.name), " ".join(str(words).split()), cast("Json", parameters))  # type: ignore[arg-type]
        return Operation(spec, self.method, self.path, places, client)

    def _body(self) -> Mapping[str, Any]:
        content = _resolved(self.said.get("requestBody") or {}, self.document).get("content", {})
        if not content:
            return {}
        if "application/json" not in content:
            raise DataError(f"openapi: {self.name} wants {', '.join(content)}, and not JSON")
        raw = content["application/json"].get("schema") or {}
        schema: dict[str, Any] = _resolved(raw, self.document)
        if schema.get("type", "object") != "object":
            raise DataError(f"openapi: the body of {self.name} is no object")
        return schema


def _chosen(found: Mapping[str, _Described], wanted: Sequence[str]) -> dict[str, _Described]:
    if not wanted:
        return {_slug(name): one for name, one in found.items()}
    by_path = {f"{one.method.upper()} {one.path}": name for name, one in found.items()}
    chosen = {}
    for name in wanted:
        real = by_path.get(name, name)
        if real not in found:
            raise RecipeError(f"openapi: {unknown('operation', name, [*found, *by_path])}")
        chosen[_slug(real)] = found[real]
    return chosen


def _resolved(value: Any, document: Mapping[str, Any], depth: int = 0) -> Any:
    """The value with references inside of the document filled in, a few levels deep."""
    if isinstance(value, list):
        return [_resolved(one, document, depth) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        at: Any = document
        for step in str(value["$ref"]).removeprefix("#/").split("/"):
            at = (
                at.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(at, dict) else None
            )
        if at is None:
            raise DataError(f"openapi: nothing is at {value['$ref']} (only #/... is followed)")
        return _resolved(at, document, depth + 1) if depth < 6 else {}
    whole = {key: _resolved(one, document, depth) for key, one in value.items()}
    return _merged([*whole.pop("allOf"), whole]) if "allOf" in whole else whole


def _merged(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several object schemas as one that asks for all that any of them asks for."""
    merged = {key: one for part in parts for key, one in part.items()}
    properties = {name: one for p in parts for name, one in p.get("properties", {}).items()}
    required = list(dict.fromkeys(name for p in parts for name in p.get("required", [])))
    merged |= {"properties": properties} if properties else {}
    return merged | ({"required": required} if required else {})


def _server(document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or []
    url = str(servers[0].get("url", "")) if servers else ""
    if urlsplit(url).scheme not in ("http", "https"):
        raise RecipeError("openapi: the document names no server with an address; give base_url")
    return url


def _text(answer: "httpx.Response") -> str:
    read = bytearray()
    for part in answer.iter_bytes():
        read += part
        if len(read) > LARGEST:
            raise Failed(f"the answer is longer than {LARGEST} bytes")
    text = bytes(read).decode(answer.charset_encoding or "utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return text


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _query(value: object) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list) else _plain(value)


def _slug(name: str) -> str:
    """A tool's name: letters, digits, `_`, `-` and dots."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_")
