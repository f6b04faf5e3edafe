"""Rows into JSONL or parquet, one batch in memory, read again alike by `datasets`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from coalm import store
from coalm.export.base import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow

Form: TypeAlias = Literal["jsonl", "parquet"]
FORMS: tuple[Form, ...] = ("jsonl", "parquet")

BATCH = 2000


@contextmanager
def rows_into(
    path: Path, form: Form, columns: Mapping[str, Column]
) -> "Iterator[Callable[[Mapping[str, Any]], None]]":
    """Gives what takes one row after another; the file appears when the block ends well."""
    if form == "jsonl":
        with store.atomic(path) as file:
            yield lambda row: _line(file, row)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = schema(columns)
    held: list[dict[str, Any]] = []
    with (
        store.atomic(path, "wb") as file,
        pq.ParquetWriter(file, kinds, compression="zstd") as writer,
    ):

        def take(row: Mapping[str, Any]) -> None:
            held.append({name: _stored(kind, row[name]) for name, kind in columns.items()})
            if len(held) == BATCH:
                flush()

        def flush() -> None:
            if held:
                writer.write_table(pa.Table.from_pylist(held, kinds))
                held.clear()

        yield take
        flush()


def _line(file: Any, row: Mapping[str, Any]) -> None:
    file.write(store.compact(row) + "\n")


def _stored(kind: Column, value: Any) -> Any:
    return [store.compact(one) for one in value] if kind == "json" else value


def schema(columns: Mapping[str, Column]) -> "pyarrow.Schema":
    """The columns of a parquet file, marked so that `datasets` unpacks the JSON in them."""
    import pyarrow as pa

    text = pa.string()
    arrow = {
        "text": text,
        "pairs": pa.list_(pa.list_(text)),
        "speech": pa.list_(pa.struct([("from", text), ("value", text)])),
        "json": pa.list_(text),
    }
    told = {"info": {"features": {name: _feature(kind) for name, kind in columns.items()}}}
    fields = [(name, arrow[kind]) for name, kind in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(told)})


def _feature(kind: Column) -> dict[str, Any]:
    text = {"dtype": "string", "_type": "Value"}
    match kind:
        case "text":
            return text
        case "pairs":
            return {"feature": {"feature": text, "_type": "List"}, "_type": "List"}
        case "speech":
            return {"feature": {"from": text, "value": text}, "_type": "List"}
        case "json":
            return {"feature": {"_type": "Json"}, "_type": "List"}


def features(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    """The columns as the front matter of a dataset card declares them.

    Declared, because types guessed from the first rows would not fit tools met later.
    """
    speech = [{"name": name, "dtype": "string"} for name in ("from", "value")]
    kinds: dict[Column, dict[str, Any]] = {
        "text": {"dtype": "string"},
        "pairs": {"list": {"list": "string"}},
        "speech": {"list": speech},
        "json": {"list": "json"},
    }
    return [{"name": name, **kinds[kind]} for name, kind in columns.items()]
