"""Shards make the run that one machine would have left, or say why they do not."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from coalm import store
from coalm.bench.merging import Merged, merge
from coalm.bench.runner import RunSettings, run
from coalm.bench.split import Shard
from coalm.engines import Model
from coalm.errors import CoalmError, DataError, RecipeError
from coalm.formats import format_of
from tests.bench.test_runner import Asked, Sums

FORMAT = format_of("chatml", "json")
WHO: Mapping[str, Any] = {"label": "T", "model": {"name": "tiny"}, "format": "chatml/json"}
NAME = "bfcl.ast"  # any name that the table knows: the benchmark itself is handed in


class Many(Sums):
    """Sums under a name of the table, enough of them for four shares."""

    about = Sums.about

    def cases(self) -> Sequence[int]:
        return [*range(30), *range(100, 110)]


def played(
    home: Path,
    shard: Shard | None,
    limit: int | None = None,
    *,
    fails: Sequence[str] = (),
    **who: Any,
) -> Path:
    out = home / NAME
    settings = RunSettings(limit, batch=3, shard=shard, seed=1)
    run(Many(), Model(Asked(fails=fails), FORMAT), out, settings, identity={**WHO, **who})
    scores = store.read_json(out / "scores.json")
    command = f"coalm eval tiny --bench sums --shard {shard} --out {home} --seed 1"
    told = {"usage": {"requests": 3, "cost": 0.5, "prices": "1 and 1"}, "command": command}
    store.write_json(out / "scores.json", scores | {"identity": {**scores["identity"], **told}})
    return home


def shares(tmp: Path, of: int = 4, **more: Any) -> list[Path]:
    return [played(tmp / f"m.shard-{n}-of-{of}", Shard(n, of), **more) for n in range(1, of + 1)]


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Merged]]:
    monkeypatch.setattr("coalm.bench.merging.full_name", lambda name: name)

    def one(runs: Sequence[Path], out: Path, **more: Any) -> list[Merged]:
        return merge(runs, out, opens=lambda name: Many(), **more)

    return one


Merge = Callable[..., list[Merged]]


def lines(folder: Path) -> list[str]:
    """The outcomes, each line to the byte, but for the seconds."""
    text = (folder / NAME / "outcomes.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert text == "".join(store.compact(row) + "\n" for row in rows)
    return [store.compact({k: v for k, v in row.items() if k != "seconds"}) for row in rows]


@pytest.mark.parametrize("limit", [None, 17])
@pytest.mark.parametrize("of", [1, 4])
def test_the_whole_is_what_one_machine_leaves(
    merged: Merge, tmp_path: Path, limit: int | None, of: int
) -> None:
    whole = played(tmp_path / "whole", None, limit)
    [done] = merged(shares(tmp_path, of, limit=limit)[::-1], tmp_path / "m")
    assert lines(tmp_path / "m") == lines(whole)
    names = {path.name for path in (whole / NAME).iterdir()}
    assert {path.name for path in (tmp_path / "m" / NAME).iterdir()} == names
    ours, theirs = (store.read_json(h / NAME / "scores.json") for h in (tmp_path / "m", whole))
    for name in set(theirs) - {"seconds", "identity"}:
        assert ours[name] == theirs[name], name
    assert store.read_json(done.folder / "run.json") == store.read_json(whole / NAME / "run.json")
    assert done.scores.cases == (limit or 40)
    assert "--shard" not in ours["identity"]["command"]
    assert f"--out {tmp_path / 'm'}" in ours["identity"]["command"]
    assert ours["identity"]["usage"] == {"requests": 3 * of, "cost": 0.5 * of, "prices": "1 and 1"}
    assert "shard" not in ours["identity"]


def test_every_case_is_asked_by_one_shard_alone(tmp_path: Path) -> None:
    ids = [{json.loads(line)["id"] for line in lines(home)} for home in shares(tmp_path, limit=20)]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 20
    assert min(map(len, ids)) > 0


def test_the_merged_run_can_be_gone_on_with(merged: Merge, tmp_path: Path) -> None:
    merged(shares(tmp_path, fails=["3", "104"]), tmp_path / "m")
    assert (tmp_path / "m" / NAME / "unanswered.jsonl").read_text().count("\n") == 2
    engine = Asked()
    scores = run(
        Many(), Model(engine, FORMAT), tmp_path / "m" / NAME, RunSettings(seed=1), identity=WHO
    )
    assert sorted(engine.asked) == ["104", "3"]
    assert scores.not_answered == 0


def fails(call: Callable[[], object], kind: type[CoalmError], said: str, out: Path) -> None:
    with pytest.raises(kind, match=said):
        call()
    assert not out.exists()


def test_a_missing_share_is_named_and_can_be_left_out(merged: Merge, tmp_path: Path) -> None:
    runs, out, told = shares(tmp_path), tmp_path / "m", list[str]()
    fails(lambda: merged([runs[0], runs[3]], out), DataError, r"shard 2/4, 3/4 is not there", out)
    [done] = merged([runs[0], runs[3]], out, partial=True, note=told.append)
    assert 0 < done.scores.cases == 40 - done.scores.not_answered
    assert "have no answer" in told[0]


def test_a_share_that_is_not_finished_is_named(merged: Merge, tmp_path: Path) -> None:
    runs, out = shares(tmp_path), tmp_path / "m"
    (runs[1] / NAME / "scores.json").unlink()
    fails(lambda: merged(runs, out), DataError, "shard-2-of-4.*is not finished", out)
    [done] = merged(runs, out, partial=True)
    assert done.scores.not_answered == 0  # all its answers were there


def test_shares_of_different_runs_are_refused(merged: Merge, tmp_path: Path) -> None:
    out = tmp_path / "m"
    runs = [
        played(tmp_path / "a", Shard(1, 2)),
        played(tmp_path / "b", Shard(2, 2), format="chatml/react"),
    ]
    fails(lambda: merged(runs, out), RecipeError, "format is 'chatml/react' and 'chatml/js", out)
    runs[1] = played(tmp_path / "c", Shard(2, 3))
    fails(lambda: merged(runs, out), RecipeError, "cut differently", out)
    runs[1] = played(tmp_path / "d", Shard(2, 2), 7)
    fails(lambda: merged(runs, out), RecipeError, "different limits", out)
    runs[1] = played(tmp_path / "e", None)
    fails(lambda: merged(runs, out), DataError, "e/bfcl.ast is no shard", out)


def test_overlaps_that_agree_are_one_and_others_are_refused(merged: Merge, tmp_path: Path) -> None:
    runs, out = shares(tmp_path), tmp_path / "m"
    twice = Path(shutil.copytree(runs[0], tmp_path / "copy"))
    log = twice / NAME / "outcomes.jsonl"
    rows = store.read_log(log)
    rows[0]["seconds"] = 99.0
    log.write_text("".join(store.compact(row) + "\n" for row in rows))
    merged([*runs, twice], tmp_path / "fine")
    rows[0]["raw"] = ["something else"]
    log.write_text("".join(store.compact(row) + "\n" for row in rows))
    fails(lambda: merged([*runs, twice], out), DataError, "another answer elsewhere", out)


def test_a_case_in_the_wrong_share_is_refused(merged: Merge, tmp_path: Path) -> None:
    runs, out = shares(tmp_path), tmp_path / "m"
    moved = store.read_log(runs[1] / NAME / "outcomes.jsonl")[:1]
    store.append(runs[0] / NAME / "outcomes.jsonl", moved)
    fails(lambda: merged(runs, out), DataError, "is none of shard 1/4", out)


def test_nothing_is_written_over_and_a_wrong_folder_is_named(merged: Merge, tmp_path: Path) -> None:
    runs = shares(tmp_path)
    merged(runs, tmp_path / "m")
    with pytest.raises(RecipeError, match="holds something already"):
        merged(runs, tmp_path / "m")
    with pytest.raises(DataError, match="nowhere: no such folder"):
        merged([tmp_path / "nowhere"], tmp_path / "n")
    with pytest.raises(RecipeError, match="name the folders"):
        merged([], tmp_path / "n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no run of a benchmark"):
        merged([tmp_path / "empty"], tmp_path / "n")


def test_other_data_than_the_shards_were_run_on_is_refused(merged: Merge, tmp_path: Path) -> None:
    runs, out = shares(tmp_path, 1), tmp_path / "m"
    path = runs[0] / NAME / "run.json"
    store.write_json(path, store.read_json(path) | {"version": "0"})
    fails(lambda: merged(runs, out), DataError, "was run on data '0', and here there is '1'", out)
