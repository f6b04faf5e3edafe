"""Source files in chunks: nothing is lost between two of them, and what is broken is named."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.corpora import chunks
from coalm.corpora.chunks import Chunk, Fault, chunked

objects = st.lists(
    st.dictionaries(st.text(max_size=4), st.text(max_size=40) | st.integers(), max_size=3),
    max_size=12,
)


def _read(path: Path) -> tuple[list[Any], list[str]]:
    values: list[Any] = []
    faults: list[str] = []
    for one in chunked(path):
        if isinstance(one, Fault):
            faults.append(str(one).removeprefix(str(path)))
            continue
        for number, value in one.values():
            where = one.place(number).removeprefix(str(path))
            (faults if isinstance(value, str) else values).append(
                f"{where}: {value}" if isinstance(value, str) else value
            )
    return values, faults


def _plain(value: dict[str, Any]) -> bool:
    return not any("\0" in str(part) for item in value.items() for part in item)


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz", "a.jsonl.gz"])
@given(rows=objects, indent=st.sampled_from([None, 1]))
@settings(max_examples=25)
def test_every_record_comes_once_and_in_order_however_small_the_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    size: int,
    rows: list[dict[str, Any]],
    indent: int | None,
) -> None:
    rows = [row for row in rows if _plain(row)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    text = lines if "jsonl" in name else json.dumps(rows, ensure_ascii=False, indent=indent)
    path = tmp_path_factory.mktemp("chunks") / name
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "SIZE", size)
        assert _read(path) == (rows, [])


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ('{"a": 1}', 0, "not a JSON array; is it the file?"),
        ("", 0, "not a JSON array; is it the file?"),
        ('[{"a": 1},\n{"b": 2}', 2, "record 3, line 2: the array does not end"),
        ('[{"a": 1},\n\n{"b":}, {"c": 3}]', 1, "record 2, line 3: not readable as JSON"),
        ('[{"a": 1}, {"b": "\\u0000"}, {"c": 3}]', 2, "record 2: holds a NUL character"),
    ],
)
def test_what_is_broken_in_an_array_is_named_by_record_and_line(
    tmp_path: Path, text: str, values: int, said: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    found, [fault] = _read(path)
    assert len(found) == values
    assert said in fault


def test_a_broken_line_is_named_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [b'{"a": 1}', b"{", b"", b'{"b": "\0"}', b'{"c": "\xff"}', b'"x"', b'{"d": 2}']
    path.write_bytes(b"\n".join(lines))
    values, faults = _read(path)
    assert values == [{"a": 1}, {"d": 2}]
    assert [fault.split(": ")[0] for fault in faults] == [":2", ":4", ":5", ":6"]
    assert "NUL" in faults[1]
    assert "not UTF-8 at byte 7" in faults[2]


def test_a_line_of_ten_megabytes_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"a": "x" * 10_000_000}) + '\n{"b": 1}\n')
    values, [fault] = _read(path)
    assert values == [{"b": 1}]
    assert ":1: 10.0 MB in one record" in fault


def test_a_file_without_line_ends_is_given_up_before_memory_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LONGEST", 1_000)
    path = tmp_path / "a.jsonl"
    path.write_text("x" * 9_000_000)
    assert _read(path)[1] == [":1: more than 0 MB in one line"]


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(b'{"a": 1}\n' * 100_000)
    path.write_bytes(whole[: len(whole) // 2])
    assert "not readable" in _read(path)[1][-1]


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('[{"a": "é"}]'.encode("latin-1"))
    assert "not UTF-8; convert the file" in _read(path)[1][0]


def test_a_chunks_name_has_no_folder_in_it() -> None:
    def named(file: str) -> str:
        return Chunk(file, 1, 1, b"", lines=False).name

    assert named("/a/b/train.tar.gz: dialogues_001.json") == "dialogues_001.json"
    assert named("/c/dialogues_001.json") == "dialogues_001.json"
