"""How an OpenAPI document wants arguments written, and what can be read of an answer."""

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from coalm.agent.functions import Refused
from coalm.agent.toolbox import Failed
from coalm.store import compact

if TYPE_CHECKING:
    import httpx

LARGEST = 1_000_000
"""Bytes of an answer that are read at most."""

Place = Literal["path", "query", "header", "body"]

_BETWEEN = {"spaceDelimited": " ", "pipeDelimited": "|"}
_WORDS = ("json", "xml", "yaml", "csv", "javascript", "x-www-form-urlencoded")


@dataclass(frozen=True, slots=True)
class Where:
    """Where an argument goes, under which name, and how it is written there."""

    place: Place
    name: str
    style: str = ""
    explode: bool = True
    """Lists: each value on its own, or one text with all of them."""
    as_json: bool = False
    """Written as JSON whatever it is."""


def in_query(where: Where, value: Any) -> list[tuple[str, str]]:
    """The pairs of a query string that say the value; none for a null."""
    name = where.name
    if value is None:
        return []
    if where.as_json:
        return [(name, compact(value))]
    match value:
        case list() if where.explode and where.style not in _BETWEEN:
            return [(name, plain(one)) for one in value]
        case list():
            return [(name, _BETWEEN.get(where.style, ",").join(map(plain, value)))]
        case dict() if where.style == "deepObject":
            return [(f"{name}[{key}]", plain(one)) for key, one in value.items()]
        case dict() if where.explode:
            return [(key, plain(one)) for key, one in value.items()]
        case dict():
            return [(name, ",".join(plain(x) for pair in value.items() for x in pair))]
        case _:
            return [(name, plain(value))]


def in_path(where: Where, value: Any) -> str:
    """The value as a step of a path; `Refused` for one that would lead elsewhere."""
    text = quote(compact(value), safe="") if where.as_json else _simple(where, value, quoted=True)
    if not text.strip("."):
        raise Refused(f"{where.name}: {plain(value)!r} cannot stand in an address")
    return text


def in_header(where: Where, value: Any) -> str:
    """The value of a header; `Refused` for what no header can hold."""
    text = compact(value) if where.as_json else _simple(where, value)
    if not text.isprintable() or not text.isascii():
        raise Refused(f"{where.name}: {text[:60]!r} cannot stand in a header")
    return text


def _simple(where: Where, value: Any, *, quoted: bool = False) -> str:
    def safe(one: Any) -> str:
        return quote(plain(one), safe="") if quoted else plain(one)

    match value:
        case list():
            return ",".join(map(safe, value))
        case dict():
            link = "=" if where.explode else ","
            return ",".join(f"{safe(key)}{link}{safe(one)}" for key, one in value.items())
        case _:
            return safe(value)


def plain(value: object) -> str:
    """A value as it stands in an address or a form."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list() | dict():
            return compact(value)
        case _:
            return str(value)


def text_of(answer: "httpx.Response") -> str:
    """What an answer says: JSON made compact, text as it is, the size of anything else."""
    read = bytearray()
    for part in answer.iter_bytes():
        read += part
        if len(read) > LARGEST:
            raise Failed(f"the answer is longer than {LARGEST} bytes")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    words = kind.startswith("text/") or any(word in kind for word in _WORDS)
    text = _decoded(bytes(read), answer.charset_encoding or "utf-8", "replace" if words else "")
    if text is None:
        return f"[{kind or 'bytes'}: {len(read)} bytes that are no text]"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return text


def _decoded(data: bytes, charset: str, errors: str) -> str | None:
    try:
        codecs.lookup(charset)
    except LookupError:
        charset = "utf-8"
    try:
        text = data.decode(charset, errors or "strict")
    except (ValueError, LookupError):  # LookupError: a codec that makes no text
        return None
    return None if not errors and "\0" in text else text
