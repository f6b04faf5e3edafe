"""`coalm data stats | show | diff | export` as a person types them: well, badly, twice."""

import json
from pathlib import Path

import pytest

from coalm import shards, store
from coalm.types import Assistant, Dialogue, Sample, User
from tests.cli.test_cli import coalm
from tests.mixture.folders import EVERY, TALK, TWICE, data_folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return data_folder(tmp_path / "mix", EVERY, [TWICE], of=2)


def test_stats_prints_tables_and_json(data: Path) -> None:
    done = coalm("data", "stats", str(data))
    assert done.returncode == 0, done.stderr
    for said in ("sgd-cra", "in all", "50% within", "parallel", "find_bus (3)", "Apache-2.0"):
        assert said in done.stdout

    found = json.loads(coalm("data", "stats", str(data), "--json").stdout)
    assert found["total"]["rows"] == 6
    assert found["corpora"]["toolace"]["parallel"] == 2


def test_stats_counts_anew_without_a_model(data: Path) -> None:
    words = ("data", "stats", str(data), "--tokenizer", "bytes", "--split", "valid", "--json")
    found = json.loads(coalm(*words).stdout)
    assert found["measured"] == "tokenizer bytes"
    assert found["total"]["tokens"] > 100


def test_show_prints_turns_and_points_to_what_paints_them(data: Path) -> None:
    done = coalm("data", "show", str(data), "--id", "sgd-cra")
    assert done.returncode == 0, done.stderr
    for said in (
        "sgd-cra/train/1 · sgd-cra · group sgd/1 · dialect react",
        "tool: find_bus(to, seats?)  Find a bus.",
        "thought: I need the buses.",
        'call: find_bus(to="Ely")',
        "answer: The TR9.",
        "coalm show",
    ):
        assert said in done.stdout
    assert "toolace" not in done.stdout


def test_show_lets_no_row_steer_the_terminal(tmp_path: Path) -> None:
    evil = Sample("x\x1b[2J", "own", Dialogue((User("\x1b[31mred[/red]"), Assistant("[bold]"))))
    done = coalm("data", "show", str(data_folder(tmp_path / "mix", [evil])))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "[bold]" in done.stdout


def test_show_names_what_was_left_out(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", left_out="left_out.jsonl")
    gone = [
        {"id": f"snips/{n}", "corpus": "snips", "reason": "too long", "evidence": "9,000 tokens"}
        for n in range(5)
    ]
    store.append(folder / "left_out.jsonl", gone)
    done = coalm("data", "show", str(folder), "--left-out", "--limit", "2")

    assert done.stdout.count("9,000 tokens") == 2
    assert "5 of snips: too long" in done.stdout


def test_diff_prints_what_differs_and_exits_0(data: Path, tmp_path: Path) -> None:
    other = data_folder(tmp_path / "other", [TALK])
    done = coalm("data", "diff", str(data), str(other), "--examples", "1")
    assert done.returncode == 0, done.stderr
    assert "only in A: hammer: hammer/train/3" in done.stdout

    found = json.loads(coalm("data", "diff", str(data), str(other), "--json").stdout)
    assert found["rows"]["sgd-cra"]["same"] == 1
    assert "parts.hammer" in found["settings"]
    same = coalm("data", "diff", str(data), str(data))
    assert "the rows are the same" in same.stdout


def test_export_says_what_it_wrote_and_what_it_could_not(data: Path, tmp_path: Path) -> None:
    words = ("data", "export", str(data), "--to", "sharegpt", "--out", str(tmp_path / "out"))
    for _ in range(2):
        done = coalm(*words)
        assert done.returncode == 0, done.stderr
        assert "train.jsonl: 4 rows" in done.stdout
        assert "left out: 1 samples: words beside a call" in done.stdout
        assert "dataset_info.json" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("stats /nowhere", "has no manifest.json; build it with"),
        ("stats MIX --split trian", "did you mean 'train'"),
        ("stats MIX --tokenizer smollm2", "did you mean 'smollm2-135m'"),
        ("show MIX --corpus sgd-car", "did you mean 'sgd-cra'"),
        ("show MIX --grep zebra", "no row with the words 'zebra'"),
        ("show MIX --left-out", "keeps no list of what was left out"),
        ("diff MIX /nowhere", "/nowhere has no manifest.json"),
        ("export MIX --to opnai --out OUT", "did you mean 'openai'"),
        ("export MIX --to openai --out OUT --format jsnol", "did you mean 'jsonl'"),
        ("export MIX --to openai --out OUT --dialect hermse", "did you mean 'hermes'"),
        ("export MIX --to openai --out OUT --thoughts field", "no place for thoughts 'field'"),
        ("export MIX --to openai --out OUT --split test", "no split 'test'"),
        ("export MIX --to openai --out /nowhere/out", "/nowhere is not there"),
        ("export MIX --to openai --out MIX", "is not an earlier export"),
        ("export MIX --to openai --out OUT.jsonl", "an export is a folder"),
        ("export /nowhere --to openai --out OUT", "has no manifest.json"),
        ("export MIX --to openai", "--out"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    words: str, said: str, data: Path, tmp_path: Path
) -> None:
    places = {"MIX": str(data), "OUT": str(tmp_path / "out")}
    for name, place in places.items():
        words = words.replace(name, place)
    done = coalm("data", *words.split())

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if done.stderr.startswith("coalm:"):
        assert done.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["mix"]


@pytest.mark.parametrize("command", ["stats", "show", "diff", "export"])
def test_a_broken_folder_is_named_by_every_view(command: str, data: Path, tmp_path: Path) -> None:
    more = {"diff": [str(data)], "export": ["--to", "alpaca", "--out", str(tmp_path / "out")]}
    words = ["data", command, str(data), *more.get(command, ())]
    torn = data / shards.shard_name("train", 0, 2)
    torn.write_bytes(torn.read_bytes()[:50])
    done = coalm(*words)
    assert done.returncode == 2, done.stderr
    assert "train-00000-of-00002.parquet: not a readable parquet file" in done.stderr

    torn.unlink()
    done = coalm(*words)
    assert done.returncode == 2, done.stderr
    assert "lacks train-00000-of-00002.parquet" in done.stderr

    (data / "manifest.json").write_text("{")
    done = coalm(*words)
    assert done.returncode == 2, done.stderr
    assert "manifest.json: not readable as JSON" in done.stderr
    assert done.stderr.count("\n") == 1
