"""Whole files of conversations, in every state that files are found in."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from coalm import shards
from coalm.corpora import own
from coalm.corpora.chunks import Fault
from coalm.errors import DataError
from coalm.types import Assistant, Dialogue, Sample, User

GOOD = {"messages": [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "Hi"}]}
LINE = json.dumps(GOOD, ensure_ascii=False)


def written(path: Path, lines: Iterable[str], encoding: str = "utf-8") -> Path:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def with_id(name: str) -> str:
    return json.dumps(GOOD | {"id": name})


def test_lines_arrays_gzip_and_parquet_are_the_same(tmp_path: Path) -> None:
    lines = [with_id("a"), with_id("b")]
    plain = written(tmp_path / "x.jsonl", lines)
    packed = tmp_path / "x.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    whole = tmp_path / "x.json"
    whole.write_text(f"[{','.join(lines)}]")
    expected = list(own.read(plain))
    assert [s.id for s in expected] == ["a", "b"]
    assert list(own.read(packed)) == expected == list(own.read(whole))
    columns = tmp_path / "x.parquet"
    shards.write_samples(columns, expected)
    assert list(own.read(columns)) == expected


def test_blank_lines_and_a_mark_at_the_beginning_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + f"{LINE}\n\n  \n{with_id('b')}".encode())
    assert len(list(own.read(path))) == 2


def test_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(f"{LINE}\r\n{with_id('b')}\r\n".encode())
    assert len(list(own.read(path))) == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([LINE, LINE[:40]], r"x\.jsonl:2: not readable as JSON"),
        ([LINE, "[1]"], r"x\.jsonl:2: not a JSON object but list"),
        ([LINE, "3"], r"x\.jsonl:2: not a JSON object but int"),
        ([LINE, '"{}"'], r"x\.jsonl:2: a bare string"),
        ([LINE, LINE.replace("Hi", "H\\u0000i")], r"x\.jsonl:2: holds a NUL"),
        ([LINE, LINE.replace("Hi", "H\0i")], r"x\.jsonl:2: holds a NUL"),
        ([LINE, "[" * 100_000], r"x\.jsonl:2: not readable as JSON"),
        ([LINE, '{"messages": [{"role": "user", "content": "a"}]}'], r"x\.jsonl:2: no assistant"),
        ([with_id("a"), LINE, with_id("a")], r"x\.jsonl:3: the id 'a' was in .*x\.jsonl:1 already"),
        (["", "  "], r"x\.jsonl: is empty; it holds no rows"),
    ],
)
def test_the_first_broken_line_is_named_with_its_number(
    lines: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        list(own.read(written(tmp_path / "x.jsonl", lines)))


def test_a_line_of_ten_megabytes_is_named_and_not_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", [LINE, LINE.replace("Hi", "x" * 10_000_000)])
    with pytest.raises(DataError, match=r"x\.jsonl:2: 10\.0 MB in one record"):
        list(own.read(path))


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("latin-1", r"x\.jsonl:1: not UTF-8 at byte \d+"),
        ("utf-16", "is UTF-16; convert it to UTF-8: iconv"),
        ("utf-16-le", "looks like UTF-16"),
        ("utf-32", "is UTF-32"),
    ],
)
def test_another_encoding_is_called_by_its_name(encoding: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        list(own.read(written(tmp_path / "x.jsonl", [LINE], encoding)))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", b"", "is empty"),
        ("x.jsonl", gzip.compress(LINE.encode(), mtime=0), r"is gzipped; .* ends in \.gz"),
        ("x.jsonl.gz", LINE.encode(), "not readable: Not a gzipped file"),
        ("x.jsonl", b"PK\x03\x04....", "is a zip archive"),
        ("x.jsonl", b"PAR1....", "is a parquet file"),
        ("x.parquet", LINE.encode(), "not a readable parquet file"),
        ("x.jsonl", f"[{LINE}]".encode(), r"is a JSON array, .*; call it \.json"),
        ("x.json", f"{LINE}\n{LINE}".encode(), r"call it \.jsonl"),
        ("x.json", b"[]", "holds no rows"),
        ("x.json", f"[{LINE}, {LINE[:30]}".encode(), "record 2"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(own.read(path))


def test_a_cut_off_archive_gives_its_whole_rows_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    lines = [with_id(f"{n:05}") for n in range(12_000)]
    path.write_bytes(gzip.compress("\n".join(lines).encode())[:-2000])
    with pytest.raises(DataError, match=r"x\.jsonl\.gz: not readable: .*end-of-stream"):
        list(own.read(path))
    *rows, last = own.entries(path)
    assert len(rows) > 1000
    assert isinstance(last, Fault)


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_a_file_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not there|is a folder"):
        list(own.read(tmp_path / name))


def test_the_same_conversation_twice_keeps_two_names(tmp_path: Path) -> None:
    one, two, three = own.read(written(tmp_path / "x.jsonl", [LINE] * 3))
    assert (two.id, three.id) == (f"{one.id}#2", f"{one.id}#3")
    assert one.group == two.group == three.group


def test_a_sample_of_ours_survives_a_file(tmp_path: Path) -> None:
    sample = Sample("a", "own", Dialogue((User("Hi"), Assistant("Ho"))), "a")
    path = tmp_path / "x.parquet"
    shards.write_samples(path, [sample])
    assert list(own.read(path)) == [sample]
