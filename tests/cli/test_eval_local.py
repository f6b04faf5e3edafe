"""`coalm eval` of a model in this process: the cache, starting over, shards and their merging."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coalm import store
from tests.cli.test_eval_server import coalm
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model in it, where the tests' commands run."""
    home = tmp_path_factory.mktemp("local")
    tiny_model(home / "tiny", tied=False)
    return home


def evaluated(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    line = ("eval", "tiny", "--engine", "transformers", "--bench", "bfcl:ast", "--max-tokens", "6")
    done = coalm(home, *line, *words)
    assert done.returncode == 0, done.stderr
    return done


def scores(home: Path, out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / out / "bfcl.ast" / "scores.json").read_text())
    return found


def lines(home: Path, out: str) -> list[dict[str, Any]]:
    text = (home / out / "bfcl.ast" / "outcomes.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in r.items() if k not in ("seconds", "cached")} for r in rows]


def test_answers_of_the_same_model_come_from_the_cache_and_are_told(home: Path) -> None:
    evaluated(home, "--limit", "4", "--out", "first")
    again = evaluated(home, "--limit", "6", "--out", "second")
    assert "4 answers came from the cache" in again.stdout
    row = scores(home, "second")
    assert (row["cached"], row["identity"]["answers from the cache"]) == (4, 4)
    rows = (home / "second" / "bfcl.ast" / "outcomes.jsonl").read_text().splitlines()
    timed = [json.loads(line) for line in rows]
    assert {r["seconds"] > 0 for r in timed if r.get("cached")} == {False}
    assert {r["seconds"] > 0 for r in timed if not r.get("cached")} == {True}
    evaluated(home, "--limit", "6", "--out", "third", "--no-cache")
    assert scores(home, "third")["cached"] == 0
    assert lines(home, "third") == lines(home, "second")
    listed = coalm(home, "model", "cache")
    assert "6 answers" in listed.stdout
    cleared = coalm(home, "model", "cache", "--clear", "all")
    assert cleared.returncode == 0
    evaluated(home, "--limit", "2", "--out", "fourth")
    assert scores(home, "fourth")["cached"] == 0


def test_precision_is_recorded_as_it_was_and_kept_when_the_run_goes_on(home: Path) -> None:
    evaluated(home, "--limit", "2", "--out", "kept", "--dtype", "fp32")
    assert scores(home, "kept")["identity"]["dtype"] == "fp32"
    evaluated(home, "--limit", "3", "--out", "kept")  # auto is what the run began with
    assert scores(home, "kept")["cases"] == 3
    assert "--dtype fp32" in scores(home, "kept")["identity"]["command"]
    evaluated(home, "--limit", "2", "--out", "auto")
    assert scores(home, "auto")["identity"]["dtype"] in ("bf16", "fp32")
    other = {"fp32": "bf16", "bf16": "fp32"}[scores(home, "auto")["identity"]["dtype"]]
    done = coalm(
        home, "eval", "tiny", "--bench", "bfcl:ast", "--dtype", other, "--max-tokens", "6",
        "--engine", "transformers", "--out", "auto",
    )  # fmt: skip
    assert done.returncode == 2
    assert "dtype was" in done.stderr


def test_starting_over_deletes_the_runs_files_and_no_others(home: Path) -> None:
    evaluated(home, "--limit", "4", "--out", "over")
    (home / "over" / "notes.txt").write_text("mine")
    (home / "over" / "bfcl.ast" / "notes.txt").write_text("mine")
    done = evaluated(home, "--limit", "2", "--out", "over", "--anew")
    assert "were answered before" not in done.stdout
    assert len(lines(home, "over")) == 2
    assert not (home / "over" / "bfcl.ast" / "aside.jsonl").exists()
    assert (home / "over" / "bfcl.ast" / "notes.txt").read_text() == "mine"
    (home / "foreign" / "bfcl.ast").mkdir(parents=True)
    (home / "foreign" / "bfcl.ast" / "outcomes.jsonl").write_text("precious")
    refused = coalm(home, "eval", "tiny", "--bench", "bfcl:ast", "--out", "foreign", "--anew")
    assert refused.returncode == 2
    assert "nothing was deleted" in refused.stderr
    assert (home / "foreign" / "bfcl.ast" / "outcomes.jsonl").read_text() == "precious"


def test_shards_are_merged_to_the_whole(home: Path) -> None:
    evaluated(home, "--limit", "6", "--out", "whole")
    for share in ("1/2", "2/2"):
        evaluated(home, "--limit", "6", "--out", "m", "--shard", share)
    folders = sorted(path.name for path in home.glob("m.*"))
    assert folders == ["m.shard-1-of-2", "m.shard-2-of-2"]
    early = coalm(home, "eval", "merge", folders[0])
    assert early.returncode == 2
    assert "shard 2/2 is not there" in early.stderr
    merged = coalm(home, "eval", "merge", *folders)
    assert merged.returncode == 0, merged.stderr
    assert lines(home, "m") == lines(home, "whole")
    row = scores(home, "m")
    assert row["metrics"] == scores(home, "whole")["metrics"]
    assert coalm(home, *row["identity"]["command"].split()[1:]).returncode == 0
    assert coalm(home, "report", "m").returncode == 0


def test_shards_whose_users_are_a_model_are_merged_too(home: Path) -> None:
    asked = ("--bench", "multiwoz:online", "--user", "tiny", "--limit", "3", "--max-tokens", "4")
    for share in ("1/2", "2/2"):
        line = ("eval", "tiny", *asked, "--engine", "transformers", "--out", "talks")
        done = coalm(home, *line, "--shard", share)
        assert done.returncode == 0, done.stderr
    merged = coalm(home, "eval", "merge", *sorted(path.name for path in home.glob("talks.*")))
    assert merged.returncode == 0, merged.stderr
    row = store.read_json(home / "talks" / "multiwoz.online" / "scores.json")
    assert row["cases"] == 3
    assert "--user tiny" in row["identity"]["command"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shard", "3/2"), "there is no shard 3/2"),
        (("--shard", "half"), "write one like 2/4"),
        (("--engine", "vlm"), "did you mean 'vllm'"),
        (("--engine-option", "x"), "write name=value"),
        (("--engine-option", "x=1"), "no options"),
        (("--engine", "vllm", "--engine-option", "max_model=1"), "did you mean 'max_model_len'"),
        (("--dtype", "bf61"), "did you mean 'bf16'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(home: Path, words: tuple[str, ...], said: str) -> None:
    done = coalm(home, "eval", "tiny", "--bench", "bfcl:ast", "--out", "none", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (home / "none").exists()


def test_the_group_still_takes_a_model_first_or_last_and_shows_its_help(home: Path) -> None:
    for words in (("nowhere", "--limit", "1"), ("--limit", "1", "nowhere")):
        done = coalm(home, "eval", *words)
        assert "no model 'nowhere'" in done.stderr
    for asked in ((), ("--help",)):
        assert "--bench" in coalm(home, "eval", *asked).stdout
    assert "--partial" in coalm(home, "eval", "merge", "--help").stdout


def test_a_servers_command_is_printed_with_the_evaluation_that_asks_it(home: Path) -> None:
    done = coalm(home, "model", "serve", "tiny", "--copies", "2")
    assert done.returncode == 0, done.stderr
    assert "vllm serve tiny --served-model-name tiny" in done.stdout
    assert "--data-parallel-size 2" in done.stdout
    assert "--raw --layout chatml" in done.stdout
