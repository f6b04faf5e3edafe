"""Values on disk: JSON, JSONL, atomic writes, content hashes.

One module turns values into bytes and back, so a file says the same thing
wherever it is read. Nothing half-written stays behind: a file appears whole
or not at all, and a log is appended line by line.
"""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from coalm.errors import DataError
from coalm.types import Assistant, Dialogue, Observation, Sample, System, ToolSpec, Turn, User

if TYPE_CHECKING:
    from pydantic import TypeAdapter

ROLES: Mapping[type[Turn], str] = {
    System: "system",
    User: "user",
    Assistant: "assistant",
    Observation: "tool",
}
"""How each kind of turn is named in our files and in chat templates."""

COLUMNS = ("id", "corpus", "group", "dialect", "turns", "tools")
"""The columns of a data folder's parquet files. Turns and tools are JSON strings, because
Arrow would fill the schemas of different tools with each other's keys."""


# --- JSON ---------------------------------------------------------------------------------


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


@cache
def _turns() -> "TypeAdapter[tuple[Turn, ...]]":
    from pydantic import Discriminator, Tag, TypeAdapter

    tagged = Annotated[
        Annotated[System, Tag("system")]
        | Annotated[User, Tag("user")]
        | Annotated[Assistant, Tag("assistant")]
        | Annotated[Observation, Tag("tool")],
        Discriminator(lambda value: value.get("role") if isinstance(value, dict) else None),
    ]
    return TypeAdapter(tuple[tagged, ...])


def compact(value: object) -> str:
    """JSON on one line, in the value's own order, unicode as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dump_turns(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Turns as JSON objects `{"role": ..., "text": ..., ...}`; empty fields are left out."""
    rows = []
    for turn in turns:
        kind: Any = type(turn)
        fields = _adapter(kind).dump_python(turn, mode="json")
        rows.append({"role": ROLES[type(turn)]} | {k: v for k, v in fields.items() if v})
        if not isinstance(turn, Assistant):
            rows[-1]["text"] = turn.text
    return rows


def load_turns(rows: object) -> tuple[Turn, ...]:
    """The reverse of `dump_turns`; a `DataError` says what is wrong with which turn."""
    from pydantic import ValidationError

    try:
        return _turns().validate_python(rows)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"turn {where}: {first['msg']}") from None


def dump_tools(tools: Iterable[ToolSpec]) -> list[dict[str, Any]]:
    """Tools as `{"name", "description", "parameters"}` objects."""
    return [
        {"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools
    ]


def load_tools(rows: object) -> tuple[ToolSpec, ...]:
    """The reverse of `dump_tools`; a `DataError` says which tool is broken."""
    from pydantic import ValidationError

    try:
        found: tuple[ToolSpec, ...] = _adapter(tuple[ToolSpec, ...]).validate_python(rows)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"tool {where}: {first['msg']}") from None
    return found


def dump_sample(sample: Sample) -> dict[str, str]:
    """A sample as one row of a data folder, in the order of `COLUMNS`."""
    return {
        "id": sample.id,
        "corpus": sample.corpus,
        "group": sample.group,
        "dialect": sample.dialect,
        "turns": compact(dump_turns(sample.dialogue.turns)),
        "tools": compact(dump_tools(sample.dialogue.tools)),
    }


def load_sample(row: Mapping[str, Any]) -> Sample:
    """The reverse of `dump_sample`; turns and tools may also be plain JSON lists."""
    missing = [name for name in ("id", "turns") if name not in row]
    if missing:
        raise DataError(f"a row lacks the column {missing[0]!r}")
    turns, tools = row["turns"], row.get("tools") or "[]"
    try:
        turns = json.loads(turns) if isinstance(turns, str) else turns
        tools = _tools(tools) if isinstance(tools, str) else load_tools(tools)
    except ValueError as e:
        raise DataError(f"row {row['id']!r}: {e}") from None
    return Sample(
        id=str(row["id"]),
        corpus=str(row.get("corpus", "own")),
        dialogue=Dialogue(load_turns(turns), tools),
        group=str(row.get("group", "")),
        dialect=str(row.get("dialect", "")),
    )


@lru_cache(maxsize=1024)
def _tools(text: str) -> tuple[ToolSpec, ...]:
    """The tools of a JSON list: many rows have the same ones."""
    return load_tools(json.loads(text))


# --- files --------------------------------------------------------------------------------


@contextmanager
def atomic(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """A file that appears under its name when the block ends well, and not at all otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open(mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def appearing(out: Path, *, last: str = "") -> Iterator[Path]:
    """A folder that takes the name `out` when the block ends well; else nothing stays behind.

    It replaces a folder of that name, unless `last` is given: then its files take their
    places among the others there one by one, the file of that name last.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    with ExitStack() as after:
        after.callback(shutil.rmtree, draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        if last:
            for path in sorted(draft.iterdir(), key=lambda p: p.name == last):
                path.replace(out / path.name)
            return
        if out.exists():
            out.rename(old)
            after.callback(shutil.rmtree, old, ignore_errors=True)
        try:
            draft.rename(out)
        except BaseException:
            if old.exists():
                old.rename(out)  # stopped between the two renames
            raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic(path) as file:
        file.write(text)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file for people to read, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file, gzipped or not."""
    try:
        with open_text(path) as file:
            return json.load(file)
    except (ValueError, OSError, EOFError) as e:
        raise DataError(f"{path}: not readable as JSON: {e}") from None


def open_text(path: Path, encoding: str = "utf-8") -> IO[str]:
    """Open a text file for reading; a name that ends in .gz is unpacked on the way."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding)
    return path.open(encoding=encoding)


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading; a name that ends in .gz is unpacked on the way."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line; a broken one is a `DataError` with its number."""
    number = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line)
    except (ValueError, OSError, EOFError) as e:
        raise DataError(f"{path}:{number or 1}: not a JSON object: {e}") from None


def _object(line: str) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")  # noqa: TRY004  caught and placed above
    return value


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of an append-only log; a last line cut off by a kill is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    whole, torn = lines[:-1], lines[-1]
    if torn:
        write_text(path, "".join(f"{line}\n" for line in whole))
    try:
        return [json.loads(line) for line in whole]
    except ValueError as e:
        raise DataError(f"{path}: a line of this log is broken: {e}; move the file away") from None


def append(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add lines to a log, on disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(compact(row) + "\n" for row in rows))
        file.flush()
        os.fsync(file.fileno())


# --- hashes -------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(value: object) -> str:
    """Sixteen hex digits that change when the value's JSON changes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
