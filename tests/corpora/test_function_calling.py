"""Readers of the function-calling corpora, on the miniature and on the real files."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coalm.corpora import glaive, hammer, sealtools, toolace, toolrl
from coalm.corpora.schemas import misfit
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Observation, Sample, ToolCall, User

READERS: dict[str, tuple[str, Callable[..., Iterator[Sample]]]] = {
    "hammer": ("hammer", hammer.read),
    "sealtools": ("sealtools", sealtools.read),
    "toolrl": ("hammer", toolrl.read),
    "glaive": ("glaive", glaive.read),
    "toolace": ("toolace", toolace.read),
}
every = pytest.mark.parametrize("name", READERS)


def _mini(name: str) -> Found:
    return Found(SOURCES[READERS[name][0]], MINIATURE, "miniature")


def _read(name: str, found: Found | None = None) -> tuple[list[Sample], Counter[str]]:
    skipped: Counter[str] = Counter()
    reader = READERS[name][1]
    return list(reader(found or _mini(name), skip=lambda why: skipped.update([why]))), skipped


def _sound(sample: Sample) -> bool:
    turns = sample.dialogue.turns
    calls = [c for t in turns if isinstance(t, Assistant) for c in t.calls]
    return isinstance(turns[-1], Assistant) and not any(
        misfit(call, sample.dialogue.tools) for call in calls
    )


@every
def test_every_sample_ends_with_an_answer_and_calls_only_its_tools(name: str) -> None:
    rows, _ = _read(name)
    assert rows
    assert all(map(_sound, rows))
    assert {s.corpus for s in rows} == {name}
    assert len({s.id for s in rows}) == len(rows)


@every
def test_reading_twice_gives_the_same(name: str) -> None:
    assert _read(name) == _read(name)


@every
def test_some_answers_call_and_some_do_not(name: str) -> None:
    rows, _ = _read(name)
    calls = [any(isinstance(t, Assistant) and t.calls for t in s.dialogue.turns) for s in rows]
    assert any(calls)
    assert not all(calls)


def test_hammer_tells_its_sub_sources_apart() -> None:
    rows, _ = _read("hammer")
    assert Counter(s.id.split("/")[1] for s in rows) == {
        "xlam": 9,
        "irrelevance": 3,
        "published": 6,
    }


def test_the_published_rows_are_taken_out_of_their_instructions() -> None:
    row = next(iter(hammer.published(MINIATURE / hammer.PUBLISHED)))
    assert row.query == "How far is 26.2 miles in kilometres?"
    assert row.answers == (ToolCall("q7Xw2_", {"aK.9z": 26.2}),)


def test_sealtools_leaves_out_calls_that_need_another_result() -> None:
    rows, skipped = _read("sealtools")
    assert skipped == {"an argument that is another call's result": 1}
    assert "API_call_" not in repr(rows)


def test_unrelated_tools_are_of_another_subject_and_answered_with_nothing() -> None:
    found = _mini("sealtools")
    rows = list(sealtools.read(found, irrelevant=1.0))
    music = next(s for s in rows if s.id == "sealtools/irrelevance/dev-easy-1")

    assert music.dialogue.turns[-1] == Assistant()
    assert not {t.name for t in music.dialogue.tools} & {"tunePiano", "findChords"}
    assert len(rows) == 14


def test_toolrl_keeps_no_thought_and_joins_calls_with_their_results() -> None:
    rows, _ = _read("toolrl")
    last = rows[-1].dialogue.turns
    assert [type(t) for t in last] == [User, Assistant, Observation, Assistant, User, Assistant]
    assert last[-1] == Assistant(
        calls=(ToolCall("Soup of the Day", {"canteen": "east", "vegan": True}),)
    )
    assert "think" not in repr(rows)
    assert isinstance(last[2], Observation)
    assert last[2].tool == "Ship Finder"


def test_glaive_joins_words_and_their_call_into_one_turn() -> None:
    rows, skipped = _read("glaive")
    spoke = rows[2].dialogue.turns[1]
    assert spoke == Assistant(
        "I will look that up.", calls=(ToolCall("next_train", {"station": "Corrin"}),)
    )
    assert skipped == {"a conversation without tools": 1, "a call that is torn apart": 1}


def test_toolace_reads_names_with_brackets_spaces_and_slashes() -> None:
    rows, skipped = _read("toolace")
    names = {
        call.name
        for sample in rows
        for turn in sample.dialogue.turns
        if isinstance(turn, Assistant)
        for call in turn.calls
    }
    assert names == {"Hive Status", "Honey Price (Market)", "/tides/next", "SetLamp"}
    assert skipped == {
        "a call whose name could not be restored": 1,
        "an answer that the source lost": 1,
    }
    assert rows[1].dialogue.turns[1] == Assistant(
        calls=(
            ToolCall("/tides/next", {"port": "Nessport"}),
            ToolCall("SetLamp", {"room": "kitchen", "percent": 40.0}),
        )
    )


def test_a_broken_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / glaive.ROWS.removesuffix(".gz")
    path.parent.mkdir(parents=True)
    whole = (MINIATURE / glaive.ROWS.removesuffix(".gz")).read_text().splitlines()
    path.write_text("\n".join([whole[0], whole[1][:50]]))

    with pytest.raises(DataError, match=r"ms_swift_1000\.jsonl:2"):
        list(glaive.read(Found(SOURCES["glaive"], tmp_path, "mirror")))


def test_a_record_without_a_key_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "xlam.json"
    path.write_text(json.dumps([{"query": "q", "tools": "[]", "answers": "[]"}, {"query": "q"}]))

    with pytest.raises(DataError, match=r"xlam\.json: record 2: lacks 'tools'"):
        list(hammer.rows(path, "hammer/x"))


def test_a_wrong_encoding_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "xlam.json"
    path.write_bytes('[{"query": "Café"}]'.encode("latin-1"))

    with pytest.raises(DataError, match=r"xlam\.json"):
        list(hammer.rows(path, "hammer/x"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("hammer", 10, 10**6),
        ("sealtools", 500, 700),
        ("toolrl", 380, 400),
        ("glaive", 680, 700),
        ("toolace", 92, 94),
    ],
)
def test_the_real_files_give_nearly_all_their_rows(name: str, least: int, most: int) -> None:
    rows, _ = _read(name, find(READERS[name][0]))
    assert least <= len(rows) <= most
    assert all(map(_sound, rows))
