"""Tables of data as tools that find and book."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coalm.agent.functions import Refused
from coalm.agent.toolbox.tables import opened, read
from coalm.errors import DataError, RecipeError

INNS = [
    {"name": "The Swan", "area": "north", "price": 40, "tags": ["old"]},
    {"name": "The Swann Inn", "area": "north", "price": 90, "phone": None},
    {"name": "Bleak House", "area": "south", "price": 55.5},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inns.jsonl").write_text("".join(json.dumps(row) + "\n" for row in INNS))
    return tmp_path


def hits(kit_tool: Any, **arguments: object) -> list[str]:
    return [row["name"] for row in json.loads(kit_tool(arguments))["hits"]]


def test_closed_columns_are_listed_and_numbers_can_be_bounded(folder: Path) -> None:
    with opened(folder) as kit:
        spec = kit.tools["find_inns"].spec
        assert spec.properties["area"] == {"type": "string", "enum": ["north", "south"]}
        assert {"price", "min_price", "max_price"} <= set(spec.properties)
        assert "tags" not in spec.properties
        assert not kit.writes
        find = kit.tools["find_inns"]
        assert hits(find) == ["The Swan", "The Swann Inn", "Bleak House"]
        assert hits(find, area="north", max_price="50") == ["The Swan"]
        assert hits(find, min_price=50, area="") == ["The Swann Inn", "Bleak House"]
        assert hits(find, price=55.5) == ["Bleak House"]
        assert hits(find, name="bleak hose") == ["Bleak House"]
        assert not hits(find, name="Ritz")
        with pytest.raises(Refused, match="'west' is not one of"):
            find({"area": "west"})


def test_a_table_can_be_booked_and_the_booking_is_kept(folder: Path) -> None:
    kept = folder / "out" / "bookings.jsonl"
    with opened(folder, book={"inns": ["day"]}, bookings=kept, domain="inns") as kit:
        assert kit.writes == {"book_inns"}
        book = kit.tools["book_inns"]
        assert book.spec.required == ("name", "day")
        first = json.loads(book({"name": "the swan", "day": "monday"}))
        again = json.loads(book({"name": "the swan", "day": "monday"}))
        assert first["booked"] == "The Swan"
        assert first["reference"] != again["reference"]
        with pytest.raises(Refused, match="0 are called 'Ritz'"):
            book({"name": "Ritz", "day": "monday"})
        with pytest.raises(Refused, match="day: this argument is needed"):
            book({"name": "The Swan"})
    assert [json.loads(line)["table"] for line in kept.read_text().splitlines()] == ["inns", "inns"]
    assert json.loads((folder / "inns.jsonl").read_text().splitlines()[0]) == INNS[0]


def test_a_name_that_could_be_two_is_asked_about(folder: Path) -> None:
    rows = [{"name": "Grand Hotel 1"}, {"name": "Grand Hotel 2"}]
    (folder / "inns.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (
        opened(folder, book={"inns": []}) as kit,
        pytest.raises(Refused, match="2 are called 'Grand Hotel': Grand Hotel 1, Grand Hotel 2"),
    ):
        kit.tools["book_inns"]({"name": "Grand Hotel"})


def test_a_sqlite_file_is_read_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute('CREATE TABLE "my inns" (name TEXT, price REAL)')
        database.executemany('INSERT INTO "my inns" VALUES (?, ?)', [("A", 1.0), ("B", 2.0)])
        database.commit()
    before = path.read_bytes()
    with opened(path, book={"my_inns": []}) as kit:
        assert hits(kit.tools["find_my_inns"], min_price=2) == ["B"]
        kit.tools["book_my_inns"]({"name": "A"})
    assert path.read_bytes() == before


def test_what_cannot_be_read_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no \.jsonl"):
        read(tmp_path / "empty")
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError, match=r"bad\.jsonl:2: not JSON"):
        read(tmp_path / "bad.jsonl")
    (tmp_path / "bad.jsonl").write_text("[1]\n")
    with pytest.raises(DataError, match=r"bad\.jsonl:1: not an object"):
        read(tmp_path / "bad.jsonl")
    (tmp_path / "no.db").write_text("this is no database, however long it may be" * 20)
    with pytest.raises(DataError, match="no SQLite database"):
        read(tmp_path / "no.db")
    (tmp_path / "bad.jsonl").unlink()
    with pytest.raises(RecipeError, match="did you mean 'inns'"), opened(folder, book={"inn": []}):
        pass
