"""What went wrong is counted, told, compared and shown; odd folders are said to be odd."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coalm import store
from coalm.bench.runner import RunSettings, run
from coalm.bench.table import open_benchmark
from coalm.engines import Engine, Model, Unanswered
from coalm.engines.scripted import Answering, Scripted
from coalm.errors import CoalmError, DataError, RecipeError
from coalm.formats import format_of
from coalm.report.errors import Asked, Table, errors
from coalm.report.errors_pages import errors_html, errors_json, errors_markdown, texts
from coalm.report.errors_reading import reason, same_words
from coalm.report.runs import Case
from tests.report.conftest import case

if TYPE_CHECKING:
    from tests.report.conftest import Folders

NAME = "apibank.hammer"
SCORES = {"rougel": 0.5, "exact": 0.0}
JSON_CALL = '[{"name": "f", "arguments": {"a": 1}}]'


def hammer(folders: "Folders", home: str, kinds: dict[str, str], **fields: object) -> Path:
    """API-Bank with cases of these kinds, by id."""
    cases = [
        case(name, SCORES | {"exact": float(not kind)}, kind=kind, part=name[:3], **fields)
        for name, kind in kinds.items()
    ]
    return folders.bench(home, NAME, cases)


def table(found: tuple[Table, ...], title: str) -> dict[str, tuple[str, ...]]:
    [one] = [t for t in found if t.title.startswith(title)]
    return {row[0]: row[one.words :] for row in one.rows}


def played(engine: Engine, out: Path, name: str = "apibank:hammer", dialect: str = "json") -> Path:
    """A run of the miniature benchmark as the runner leaves it."""
    fmt = format_of("chatml", dialect)
    folder = out / name.replace(":", ".")
    identity = {"label": out.name, "format": fmt.name}
    run(open_benchmark(name, miniature=True), Model(engine, fmt), folder, identity=identity)
    return folder


# --- counting -----------------------------------------------------------------------------


def test_kinds_are_counted_with_their_share_the_most_frequent_first(folders: "Folders") -> None:
    kinds = {"L-1/0": "", "L-1/1": "format", "L-1/2": "no call", "L-2/0": "no call"}
    [section] = errors([hammer(folders, "base", kinds)]).sections

    assert list(table(section.tables, "Cases by kind").items()) == [
        ("right", ("1 (25%)",)),
        ("no call", ("2 (50%)",)),
        ("format", ("1 (25%)",)),
    ]


def test_kinds_can_be_counted_by_part_or_in_one_part_alone(folders: "Folders") -> None:
    folder = hammer(folders, "base", {"L-1/0": "", "L-1/1": "format", "L-2/0": "no call"})

    [section] = errors([folder], Asked(by_part=True)).sections
    assert table(section.tables, "By part") == {
        "right": ("1 (50%)", "0 (0%)"),
        "format": ("1 (50%)", "0 (0%)"),
        "no call": ("0 (0%)", "1 (100%)"),
    }
    [alone] = errors([folder], Asked(part="L-2")).sections
    assert list(table(alone.tables, "Cases by kind")) == ["right", "no call"]


def test_what_was_not_answered_is_counted_apart_with_the_reason(tmp_path: Path) -> None:
    lost = Scripted(
        [Unanswered("HTTP 503 after 6 tries"), "[]", Unanswered("HTTP 503 after 2 tries")]
    )
    [section] = errors([played(lost, tmp_path / "base")]).sections

    assert "2 not answered" in section.extents[0]
    assert table(section.tables, "Cases by kind")["not answered (not scored)"] == ("2",)
    assert table(section.tables, "Why cases") == {"HTTP 503 after N tries": ("2",)}


# --- why an answer is no call ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "asked", "why"),
    [
        ("", "json", "nothing was written"),
        (" \n", "json", "nothing was written"),
        ("I do not know.", "json", "words alone"),
        (f"{JSON_CALL[:-3]}", "hermes", "something like a call that cannot be read"),
        ("[f(a=1)]", "json", "a call, but in pythonic"),
        (f"<tool_call>{JSON_CALL[1:-1]}</tool_call>", "json", "a call, but in hermes"),
        (JSON_CALL, "hermes", "a call, but in json"),
        ("Action: f(a=1)", "json", "a call, but in react"),
    ],
)
def test_an_answer_that_is_no_call_is_said_to_be_what_it_is(raw: str, asked: str, why: str) -> None:
    answered = Case("x", "spoke", "g", raw, {}, kind="no call", raw=(raw,))
    assert reason(answered, asked) == why


def test_a_right_answer_and_a_wrong_call_have_no_such_reason() -> None:
    assert reason(Case("x", "spoke", "g", "a", {}, kind="", raw=("a",))) == ""
    assert reason(Case("x", "spoke", "g", "a", {}, kind="wrong argument", raw=("a",))) == ""


def test_the_reader_s_reason_is_told_and_whether_room_ran_out() -> None:
    unread = Case(
        "x", "malformed", "g", "a", {}, kind="format", raw=("[{",), unread=("not closed at 12",)
    )
    assert reason(unread) == "not closed at N"
    cut = Case("x", "spoke", "g", "a", {}, kind="format", note="no {}", raw=("a",), cut=1)
    assert reason(cut) == "cut off, no room for more tokens: no {}"


def test_reasons_lose_what_is_one_case_s_own() -> None:
    assert same_words("not a value: 'x\\'y' (line 1)") == same_words('not a value: "z" (line 22)')
    assert same_words("HTTP 503 from 10.0.0.1:8000") == "HTTP 503 from N.N:N"
    assert len(same_words("a " * 500)) == 110


def test_each_dialect_s_reasons_are_counted_from_a_real_run(tmp_path: Path) -> None:
    broken = Answering(lambda prompt: '[{"name": "f", "arguments": {"a": ]')
    python = Answering(lambda prompt: "[f(a=1)]")
    folders = [played(broken, tmp_path / "base"), played(python, tmp_path / "tuned")]
    [section] = errors(folders).sections

    [reading] = [t for t in section.tables if t.title.startswith("Answers that could not")]
    assert reading.header == ("why", "counted as", "base, json", "tuned, json")
    cases = len(open_benchmark("apibank:hammer", miniature=True).cases())
    assert ("the list of calls is not readable as JSON", "format", f"{cases} (100%)", "0 (0%)") in (
        reading.rows
    )
    assert ("a call, but in pythonic", "no call", "0 (0%)", f"{cases} (100%)") in reading.rows


# --- two runs -----------------------------------------------------------------------------


def test_what_was_fixed_and_broken_and_where_kinds_went(folders: "Folders") -> None:
    before = {"L-1/0": "", "L-1/1": "format", "L-1/2": "no call", "L-1/3": "format", "L-1/4": ""}
    after = {"L-1/0": "", "L-1/1": "", "L-1/2": "wrong type", "L-1/3": "format", "L-1/4": "format"}
    paths = [hammer(folders, "base", before), hammer(folders, "tuned", after | {"L-2/9": ""})]
    [section] = errors(paths).sections
    [moved] = section.moves

    assert (moved.before, moved.after, moved.paired, moved.alone) == ("base", "tuned", 5, (0, 1))
    assert (moved.fixed, moved.broken) == (("L-1/1",), ("L-1/4",))
    [matrix] = [t for t in section.tables if t.title.startswith("From base")]
    assert matrix.header == ("", "right", "format", "wrong type")
    assert matrix.rows == (
        ("right", "1", "1", ""),
        ("format", "1", "1", ""),
        ("no call", "", "", "1"),
    )
    assert [(e.why, e.case.id) for e in section.examples][:2] == [
        ("broken", "L-1/4"),
        ("fixed", "L-1/1"),
    ]
    assert section.examples[0].before is not None


def test_a_run_against_itself_moves_nothing(folders: "Folders") -> None:
    folder = hammer(folders, "base", {"L-1/0": "", "L-1/1": "format"})
    copy = hammer(folders, "again", {"L-1/0": "", "L-1/1": "format"})
    [section] = errors([folder, copy]).sections

    assert section.moves[0].fixed == section.moves[0].broken == ()
    assert all(one == other for one, other in section.moves[0].kinds)


def test_runs_of_other_data_are_said_to_be_so(folders: "Folders") -> None:
    one, two = hammer(folders, "a", {"L-1/0": ""}), hammer(folders, "b", {"L-1/0": ""})
    store.write_json(two / "scores.json", store.read_json(two / "scores.json") | {"version": "9"})
    [section] = errors([one, two]).sections
    assert section.moves[0].remarks == ("the data differ: 2.4 and 9",)


def test_evaluations_are_compared_benchmark_by_benchmark(folders: "Folders") -> None:
    for home, right in (("base", 3), ("tuned", 9)):
        folders.multiwoz(home, right)
    hammer(folders, "tuned", {"L-1/0": ""})

    found = errors([folders.root])

    assert [section.name for section in found.sections] == ["multiwoz.dst-json", NAME]
    assert [len(section.runs) for section in found.sections] == [2, 1]
    assert len(found.sections[0].moves[0].fixed) == 6


# --- examples -----------------------------------------------------------------------------


def test_examples_are_the_same_for_a_seed_and_others_for_another(folders: "Folders") -> None:
    kinds = {f"L-1/{n}": ("format", "no call")[n % 2] for n in range(40)}
    folder = hammer(folders, "base", kinds)

    def shown(asked: Asked) -> list[tuple[str, str]]:
        return [(e.why, e.case.id) for e in errors([folder], asked).sections[0].examples]

    assert shown(Asked(seed=1)) == shown(Asked(seed=1)) != shown(Asked(seed=2))
    assert len(shown(Asked(examples=3))) == 6
    assert {why for why, _ in shown(Asked(kind="format", examples=9))} == {"format"}
    assert shown(Asked(examples=0)) == []


def test_a_kind_or_a_part_that_there_is_none_of_is_said(folders: "Folders") -> None:
    folder = hammer(folders, "base", {"L-1/0": "", "L-1/1": "format"})
    with pytest.raises(RecipeError, match="did you mean 'format'"):
        errors([folder], Asked(kind="fromat"))
    with pytest.raises(RecipeError, match="did you mean 'L-1'"):
        errors([folder], Asked(part="L1"))
    with pytest.raises(DataError, match="no case of the kind 'no call'"):
        errors([folder], Asked(kind="no call"))


def test_long_texts_are_cut_and_say_so_unless_all_is_wanted(folders: "Folders") -> None:
    raw = ["a" * 5000, "b", "c", "d", "e" * 2000]
    folder = hammer(folders, "base", {"L-1/0": "format"}, raw=raw, prompt="p" * 9000)
    [example] = errors([folder]).sections[0].examples

    short, whole = texts(example), texts(example, full=True)
    assert max(len(text) for _, text in short) < 1300
    assert ("", "[... 1 steps]") in short
    assert any("3,800 characters more" in text for _, text in short)
    assert [text for _, text in whole if text] == [
        "p" * 9000,
        *raw,
        example.case.answer,
        example.case.gold,
    ]


# --- pages --------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script> ```` | \x1b[31m\x1b]0;t\x07 \u202e [bold]x[/bold] {{ 7 * 7 }}"


def test_what_a_model_wrote_is_text_on_every_page(folders: "Folders") -> None:
    folder = hammer(
        folders,
        f"b{HOSTILE.replace('/', '')}"[:40],
        {"L-1/0": "format"},
        raw=[HOSTILE],
        note=HOSTILE,
    )
    found = errors([folder])
    page, plain, rows = errors_html(found), errors_markdown(found), errors_json(found)

    assert "<script>" not in page
    assert "49" not in page
    for text in (page, plain, rows):
        assert not set(text) & set("\x1b\x07\u202e")
    assert "⟨U+001B⟩[31m" in page
    assert json.loads(rows)["sections"][0]["examples"][0]["case"]["raw"] == [HOSTILE]


def test_half_a_character_in_an_outcome_is_shown_and_written(
    folders: "Folders", tmp_path: Path
) -> None:
    folder = hammer(folders, "base", {"L-1/0": "format"}, raw=["x\ud800y"], note="\udfff")
    found = errors([folder])
    for name, text in (("a.html", errors_html(found)), ("a.md", errors_markdown(found))):
        store.write_text(tmp_path / name, text)
        assert "x⟨U+D800⟩y" in (tmp_path / name).read_text()
    store.write_text(tmp_path / "a.json", errors_json(found))
    assert "\\ud800" in (tmp_path / "a.json").read_text()


def test_the_pages_hold_the_tables_the_moves_and_the_examples(folders: "Folders") -> None:
    paths = [
        hammer(folders, "base", {"L-1/0": "", "L-1/1": "format"}),
        hammer(folders, "tuned", {"L-1/0": "format", "L-1/1": ""}),
    ]
    found = errors(paths)
    for text in (errors_html(found), errors_markdown(found)):
        assert "From base (rows) to tuned (columns)" in text
        assert "2 cases asked of both, 1 fixed, 1 broken, +0 in all" in text
        assert "broken: L-1/0" in text
    rows = json.loads(errors_json(found))["sections"][0]
    assert rows["moves"][0]["fixed"] == ["L-1/1"]
    assert rows["runs"][0]["kinds"] == {"right": 1, "format": 1}
    assert rows["runs"][0]["parts"] == {"L-1": {"right": 1, "format": 1}}


# --- folders ------------------------------------------------------------------------------


def test_a_run_that_is_not_finished_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    folder = played(Answering(lambda prompt: "no"), tmp_path / "base")
    (folder / "scores.json").unlink()
    outcomes = (folder / "outcomes.jsonl").read_bytes()
    (folder / "outcomes.jsonl").write_bytes(outcomes[:-20])
    [section] = errors([folder]).sections

    assert "not finished: " in section.extents[0]
    assert "the last line of outcomes.jsonl is cut off" in section.extents[0]
    assert section.runs[0].format == "chatml/json"
    assert (folder / "outcomes.jsonl").read_bytes() == outcomes[:-20], "reading mends nothing"


def test_more_outcomes_than_were_scored_are_said_to_be_so(folders: "Folders") -> None:
    folder = hammer(folders, "base", {"L-1/0": ""})
    store.append(folder / "outcomes.jsonl", [case("L-1/5", SCORES, kind="format")])
    assert "counts 1 cases and outcomes.jsonl holds 2" in errors([folder]).sections[0].extents[0]


def test_a_broken_line_is_named_with_its_number(folders: "Folders") -> None:
    folder = hammer(folders, "base", {"L-1/0": "", "L-1/1": ""})
    path = folder / "outcomes.jsonl"
    for line, said in ((b"{", "not a JSON object"), (b"[]", "found list"), (b"\xff", "not a JSON")):
        path.write_bytes(line + b"\n" + path.read_bytes())
        with pytest.raises(DataError, match=rf"outcomes\.jsonl:1: .*{said}"):
            errors([folder])
    path.write_text('{"id": "x"}\n')
    with pytest.raises(DataError, match=r"outcomes\.jsonl:1: ended"):
        errors([folder])


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        errors([tmp_path / "nowhere"])
    with pytest.raises(DataError, match=r"no run; looked for outcomes\.jsonl"):
        errors([tmp_path])
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        errors([tmp_path / "file"])


def test_a_run_in_which_nothing_was_answered_yet_says_so(tmp_path: Path) -> None:
    (tmp_path / "base" / NAME).mkdir(parents=True)
    (tmp_path / "base" / NAME / "run.json").write_text("{}")
    with pytest.raises(CoalmError, match="nothing was answered yet"):
        errors([tmp_path / "base"])


def test_a_run_with_nothing_but_lost_cases_is_a_run(tmp_path: Path) -> None:
    folder = played(Scripted([Unanswered("time-out")] * 99), tmp_path / "base")
    [section] = errors([folder]).sections
    assert table(section.tables, "Why cases")["time-out"]
    assert section.examples == ()


def test_a_run_of_every_benchmark_can_be_looked_at(tmp_path: Path) -> None:
    for name in ("multiwoz:dst-json", "apibank:hammer", "bfcl:ast", "bfcl:sensitivity"):
        opened = open_benchmark(name, miniature=True)
        fmt = format_of("chatml", opened.about.dialect)
        folder = tmp_path / "base" / name.replace(":", ".")
        run(opened, Model(Answering(lambda p: "x [y("), fmt), folder, RunSettings(limit=3))
    found = errors([tmp_path], Asked(by_part=True, examples=2))
    assert len(found.sections) == 4
    assert errors_markdown(found).count("## ") > 8
