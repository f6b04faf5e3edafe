"""Tables of data as tools that find and book."""

import json
import sqlite3
import time
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
        with pytest.raises(Refused, match="none is called 'Ritz'"):
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
        pytest.raises(
            Refused, match="none is called 'Grand Hotel'; there are Grand Hotel 1, Grand Hotel 2"
        ),
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


def write(path: Path, *rows: object) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def test_truth_values_case_accents_and_odd_names_are_understood(tmp_path: Path) -> None:
    write(
        tmp_path / "cafes.jsonl",
        {"name": "Cafe\u0301 Blau", "open": True, "Part Of Town": "North", "since": "2020-01-02"},
        {"name": "STRASSE", "open": False, "Part Of Town": "South", "since": "2021-01-02"},
        {"name": "Drei", "open": None, "Part Of Town": "North"},
    )
    with opened(tmp_path) as kit:
        find = kit.tools["find_cafes"]
        assert find.spec.properties["open"] == {"type": "boolean"}
        assert hits(find, open="true") == ["Cafe\u0301 Blau"]
        assert hits(find, open=False) == ["STRASSE"]
        assert hits(find, Part_Of_Town="north", open=None) == ["Cafe\u0301 Blau", "Drei"]
        assert hits(find, name="caf\u00e9 blau") == ["Cafe\u0301 Blau"]
        assert hits(find, name="straße") == ["STRASSE"]
        assert hits(find, since="2021-01-02") == ["STRASSE"]


def test_a_closed_value_is_never_taken_for_another(tmp_path: Path) -> None:
    rooms = [{"name": f"r{i}", "wing": f"wing {i % 2}", "floor": i} for i in range(4)]
    write(tmp_path / "rooms.jsonl", *rooms)
    with opened(tmp_path) as kit:
        assert hits(kit.tools["find_rooms"], wing="Wing 1") == ["r1", "r3"]
        assert hits(kit.tools["find_rooms"], floor=2, wing="wing 1") == []


def test_a_bound_and_a_column_of_one_name_keep_apart(tmp_path: Path) -> None:
    write(tmp_path / "jobs.jsonl", {"name": "a", "age": 30, "min_age": 18}, {"name": "b", "age": 9})
    with opened(tmp_path) as kit:
        find = kit.tools["find_jobs"]
        assert hits(find, min_age=18) == ["a"]
        assert hits(find, min_min_age=18) == ["a"]
        assert hits(find, max_age=9) == ["b"]
        assert hits(find, age="9.0") == ["b"]


def test_what_is_booked_is_what_was_named(folder: Path) -> None:
    with opened(folder, book={"inns": ["day"]}) as kit:
        book = kit.tools["book_inns"]
        with pytest.raises(Refused, match="none is called 'The Swam'; there are The Swan"):
            book({"name": "The Swam", "day": "monday"})
        with pytest.raises(Refused, match="day: this argument is needed"):
            book({"name": "The Swan", "day": " "})


def test_earlier_bookings_are_no_table_and_give_no_reference_twice(folder: Path) -> None:
    kept = folder / "bookings.jsonl"
    given = {"name": "The Swan", "day": "monday"}
    references = []
    for _ in range(2):
        with opened(folder, book={"inns": ["day"]}, bookings=kept) as kit:
            assert set(kit.tools) == {"find_inns", "book_inns"}
            references.append(json.loads(kit.tools["book_inns"](given))["reference"])
    assert references[0] != references[1]


def test_only_the_tables_that_are_named_are_shown(folder: Path) -> None:
    write(folder / "guests.jsonl", {"name": "Ann"}, {"name": "Bob"})
    with opened(folder, only=["inns"]) as kit:
        assert set(kit.tools) == {"find_inns"}
    with pytest.raises(RecipeError, match="did you mean 'inns'"), opened(folder, only=["inn"]):
        pass


def test_a_database_may_hold_empty_tables_views_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE bare (x TEXT)")
        database.execute("CREATE TABLE inns (name TEXT, photo BLOB, price REAL)")
        database.execute("INSERT INTO inns VALUES ('A', x'00ff', 9e999), ('B', NULL, 2)")
        database.execute("CREATE VIEW cheap AS SELECT name FROM inns WHERE price < 5")
        database.commit()
    with opened(path) as kit:
        assert set(kit.tools) == {"find_inns", "find_cheap"}
        [row] = json.loads(kit.tools["find_inns"]({"name": "A"}))["hits"]
        assert row == {"name": "A", "photo": "[2 bytes]", "price": None}
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM inns")
        database.commit()
    with pytest.raises(DataError, match="all tables are empty"):
        read(path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "my inns.jsonl", {"name": "A"})
    write(tmp_path / "my_inns.jsonl", {"name": "B"})
    with pytest.raises(DataError, match="two tables would be called 'my_inns'"):
        read(tmp_path)


@pytest.mark.slow
def test_a_table_of_a_hundred_thousand_rows_is_searched_in_a_second(tmp_path: Path) -> None:
    write(
        tmp_path / "inns.jsonl",
        *({"name": f"Inn number {i}", "price": i % 90} for i in range(100_000)),
    )
    with opened(tmp_path, book={"inns": ["day"]}) as kit:
        begun = time.perf_counter()
        assert hits(kit.tools["find_inns"], name="Inn number 99") == ["Inn number 99"]
        assert kit.tools["book_inns"]({"name": "inn number 4", "day": "monday"})
        assert time.perf_counter() - begun < 5  # a busy machine; 0.5 s on a quiet one
