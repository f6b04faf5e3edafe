"""Mixtures: the same recipe gives the same bytes, and the folder says what it is."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from coalm import recipe, shards, store
from coalm.errors import CoalmError, DataError, RecipeError
from coalm.mixture import CORPORA, DataSettings, Part, build, is_current, read_manifest
from coalm.types import Assistant, Dialogue, Sample, System, User

EVERY = tuple(Part(corpus=name) for name in CORPORA if name != "own")


@pytest.fixture(autouse=True)
def _miniature(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_OFFLINE", "1")
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


def _settings(*parts: Part, **others: object) -> DataSettings:
    values = {"parts": parts or EVERY, "tokenizer": "bytes", "longest": 20_000, **others}
    return DataSettings(**values)  # type: ignore[arg-type]


def _rows(folder: Path) -> list[Sample]:
    return [s for n in ("train", "valid") for s in shards.read_split(folder, n)]


def test_every_corpus_gives_rows_and_the_manifest_counts_them(tmp_path: Path) -> None:
    made = build(_settings(), tmp_path / "mix")
    rows = _rows(tmp_path / "mix")

    assert made == read_manifest(tmp_path / "mix")
    assert {s.corpus for s in rows} == set(CORPORA) - {"own"}
    assert made.train + made.valid == len(rows) == sum(p.kept for p in made.parts)
    assert made.valid > 0
    assert all(p.origin == "miniature" and p.files for p in made.parts)
    assert 0 < made.learned < made.tokens


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    build(_settings(), tmp_path / "one")
    build(_settings(), tmp_path / "two")

    names = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert {"README.md", "manifest.json", "left_out.jsonl"} <= set(names)
    assert [n for n in names if n.endswith(".parquet")] == [
        "train-00000-of-00001.parquet",
        "valid-00000-of-00001.parquet",
    ]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_chooses_other_rows(tmp_path: Path) -> None:
    part = Part(corpus="snips", rows=8)
    build(_settings(part, seed=1), tmp_path / "one")
    build(_settings(part, seed=2), tmp_path / "two")

    assert {s.id for s in _rows(tmp_path / "one")} != {s.id for s in _rows(tmp_path / "two")}


def test_fewer_rows_are_a_subset_of_more(tmp_path: Path) -> None:
    build(_settings(Part(corpus="snips", rows=5)), tmp_path / "few")
    build(_settings(Part(corpus="snips", rows=12)), tmp_path / "more")

    few, more = ({s.id for s in _rows(tmp_path / n)} for n in ("few", "more"))
    assert len(few) == 5
    assert len(more) == 12
    assert few < more


def test_the_split_never_divides_a_group(tmp_path: Path) -> None:
    parts = (Part(corpus="sgd-dst", copies=4), Part(corpus="sgd-cra"))
    build(_settings(*parts, valid_share=0.4), tmp_path / "mix")
    sides = defaultdict(set)
    for name in ("train", "valid"):
        for sample in shards.read_split(tmp_path / "mix", name):
            sides[sample.group].add(name)

    assert {"train"} in sides.values()
    assert {"valid"} in sides.values()
    assert all(len(found) == 1 for found in sides.values())


def test_a_part_says_how_many_slots_are_listed_and_which_domains_are_kept(tmp_path: Path) -> None:
    part = Part(corpus="sgd-dst", slots=12, domains=("museum",), copies=2)
    build(_settings(part), tmp_path / "mix")
    rows = _rows(tmp_path / "mix")

    assert {s.group for s in rows} == {f"sgd/train/{d}" for d in ("1_00000", "1_00001", "2_00000")}
    for sample in rows:
        told = sample.dialogue.turns[0]
        assert isinstance(told, System)
        assert len(told.text.partition("\nSlots:\n")[2].splitlines()) == 12


def test_a_planted_benchmark_text_is_removed_and_counted(tmp_path: Path) -> None:
    text = "look, I need a quiet room with a view of the sea for three nights from friday on"
    own = tmp_path / "own.jsonl"
    rows = [
        Sample("a", "own", Dialogue((User(f"hello, {text.upper()}!"), Assistant("yes")))),
        Sample("b", "own", Dialogue((User("How tall is the old mill tower?"), Assistant("tall")))),
        Sample("c", "own", Dialogue((User("How old is it?"), Assistant("very")))),
        Sample("d", "own", Dialogue((User("hi"), Assistant("ho")))),
    ]
    own.write_text("".join(store.compact(store.dump_sample(s)) + "\n" for s in rows))
    settings = _settings(Part(corpus="own", path=str(own)))
    held = {"hotels": [text], "towers": ["how tall is the OLD mill tower"], "names": ["d", "it"]}
    made = build(settings, tmp_path / "mix", held_out=held)

    assert [s.id for s in _rows(tmp_path / "mix")] == ["c"]
    assert made.decontamination["benchmarks"] == {
        "hotels": {"texts": 1, "dropped": 1},
        "towers": {"texts": 1, "dropped": 1},
        "names": {"texts": 2, "dropped": 1},
    }
    assert "repeats hotels" in (tmp_path / "mix" / "README.md").read_text()


def test_long_rows_and_rows_that_a_dialect_cannot_write_are_dropped_with_a_reason(
    tmp_path: Path,
) -> None:
    parts = (Part(corpus="snips", longest=1250), Part(corpus="toolace", dialect="pythonic"))
    snips, toolace = build(_settings(*parts), tmp_path / "mix").parts

    assert snips.dropped["too long"] > 0
    assert snips.kept + snips.dropped["too long"] == snips.read == 28
    assert dict(toolace.dropped) == {"a turn that its dialect cannot write": 1}


def test_dropped_rows_are_made_up_for_as_long_as_there_are_any(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    words = [("long " * 100 if n % 20 else "short ") + str(n) for n in range(2000)]
    rows = [Sample(str(n), "own", Dialogue((User(w), Assistant("a")))) for n, w in enumerate(words)]
    own.write_text("".join(store.compact(store.dump_sample(s)) + "\n" for s in rows))
    part = Part(corpus="own", path=str(own), rows=90, longest=100)

    made = build(_settings(part), tmp_path / "mix")
    assert made.train + made.valid == 90


def test_the_same_row_twice_is_kept_once(tmp_path: Path) -> None:
    twice = build(_settings(Part(corpus="glaive"), Part(corpus="glaive")), tmp_path / "mix")
    assert [p.kept for p in twice.parts] == [4, 0]
    assert twice.parts[1].dropped == {"the same as another row": 4}


def test_a_part_may_name_several_dialects_and_rows_take_one_each(tmp_path: Path) -> None:
    build(_settings(Part(corpus="hammer", dialect="json, hermes")), tmp_path / "mix")
    assert {s.dialect for s in _rows(tmp_path / "mix")} == {"json", "hermes"}


def test_a_dialogue_is_cut_after_so_many_user_turns(tmp_path: Path) -> None:
    build(_settings(Part(corpus="toolace", turns=1)), tmp_path / "mix")
    for sample in _rows(tmp_path / "mix"):
        assert sum(isinstance(t, User) for t in sample.dialogue.turns) == 1
        assert isinstance(sample.dialogue.turns[-1], Assistant)


def test_a_folder_is_current_until_recipe_files_or_folder_change(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    rows = [Sample(str(n), "own", Dialogue((User(f"q{n}"), Assistant("a")))) for n in range(4)]
    own.write_text("".join(store.compact(store.dump_sample(s)) + "\n" for s in rows))
    settings = _settings(Part(corpus="own", path=str(own)))
    out = tmp_path / "mix"

    assert not is_current(out, settings)
    build(settings, out)
    assert is_current(out, settings)
    assert is_current(out, replace(settings, out="elsewhere"))
    assert not is_current(out, replace(settings, seed=7))
    own.write_text(own.read_text().replace("q0", "q9"))
    assert not is_current(out, settings)


def test_an_interrupted_build_leaves_the_old_folder_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mix"
    build(_settings(Part(corpus="glaive")), out)
    before = (out / "manifest.json").read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("coalm.mixture.folder.paper.write", stop)
    with pytest.raises(KeyboardInterrupt):
        build(_settings(Part(corpus="snips")), out)
    assert [p.name for p in tmp_path.iterdir()] == ["mix"]
    assert (out / "manifest.json").read_bytes() == before


def test_a_folder_that_is_no_data_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(DataError, match="no data folder"):
        build(_settings(Part(corpus="snips")), tmp_path)
    assert (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part(corpus="snip"), "did you mean 'snips'"),
        (Part(corpus="snips", dialect="jsn"), "did you mean 'json'"),
        (Part(corpus="own"), "needs a path"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(part: Part, said: str, tmp_path: Path) -> None:
    with pytest.raises(CoalmError, match=said):
        build(_settings(part), tmp_path / "mix")
    assert not list(tmp_path.iterdir())


def test_an_empty_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="empty"):
        build(DataSettings(), tmp_path / "mix")


def test_a_broken_own_line_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(
        '{"id": "a", "turns": [{"role": "user", "text": "hi"},'
        ' {"role": "assistant", "text": "ho"}]}\n{"id": \n'
    )
    with pytest.raises(DataError, match=r"own\.jsonl:2"):
        build(_settings(Part(corpus="own", path=str(own))), tmp_path / "mix")
    assert [p.name for p in tmp_path.iterdir()] == ["own.jsonl"]


def test_every_setting_has_a_help_text() -> None:
    for kind in (Part, DataSettings):
        assert set(recipe.help_texts(kind)) == set(kind.__dataclass_fields__)


def test_the_card_warns_of_miniatures_and_of_licences(tmp_path: Path) -> None:
    build(_settings(Part(corpus="hammer"), Part(corpus="sgd-cra")), tmp_path / "mix")
    card = (tmp_path / "mix" / "README.md").read_text()

    assert "hammer: the bundled MINIATURE" in card
    assert "CC-BY-NC-4.0 forbids commercial use" in card
    assert "CC-BY-SA-4.0 asks for the same licence" in card
    assert json.loads((tmp_path / "mix" / "manifest.json").read_text())["made_by"] in card
