"""`coalm train` with what a person gets wrong, or the world: one line that says what to do."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from coalm import shards, store
from coalm.cli import app
from coalm.errors import CoalmError, DataError, ModelError, RecipeError
from coalm.train import Progress
from coalm.types import Assistant, Dialogue, Sample, User
from tests.tiny import tiny_model
from tests.train.test_failures import write
from tests.train.test_run import losses, run, settings, weights

pytestmark = pytest.mark.slow

SHARD = "train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a data folder and a recipe that trains."""
    home = tmp_path_factory.mktemp("made")
    tiny_model(home / "model")
    (home / "data").mkdir()
    write(home / "data", 8)
    recipe = {"model": str(home / "model"), "data": str(home / "data"), "dtype": "fp32"}
    more = {"steps": 2, "batch": 2, "lora": {"rank": 2}, "eval_rows": 2}
    (home / "recipe.yaml").write_text(yaml.safe_dump({"train": recipe | more}))
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    for name in ("model", "data"):
        shutil.copytree(made / name, tmp_path / name)
    recipe = (made / "recipe.yaml").read_text().replace(str(made), str(tmp_path))
    (tmp_path / "recipe.yaml").write_text(recipe)
    return tmp_path


def train(home: Path, *words: str) -> str:
    """What the command prints; its error is raised."""
    line = ["train", str(home / "recipe.yaml"), "--out", str(home / "out"), *words]
    done = CliRunner().invoke(app, line)
    if done.exception:
        raise done.exception
    return done.output


def rows(path: Path, *samples: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(samples)), path)


def answered(text: str) -> dict[str, Any]:
    turns = (User("hello"), Assistant(text))
    return dict(store.dump_sample(Sample("x/1", "x", Dialogue(turns))))


def unmarked(home: Path) -> None:
    path = home / "model" / "tokenizer.json"
    path.write_text(path.read_text().replace("<|im_end|>", "<|over|>"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def repeated(home: Path, **changed: Any) -> None:
    rows(home / "data" / SHARD, answered("hi") | changed)


SPOILT: dict[str, tuple[Callable[[Path], object], type[CoalmError], str]] = {
    "a column by another name": (
        lambda home: rows(home / "data" / SHARD, {"id": "1", "messages": "[]"}),
        DataError,
        "data: train rows: .*column 'turns'",
    ),
    "a column of numbers": (
        lambda home: repeated(home, turns=7),
        DataError,
        r"data: train rows: ",
    ),
    "turns that are no JSON": (
        lambda home: repeated(home, turns="[{"),
        DataError,
        r"data: train rows: row 'x/1': ",
    ),
    "a turn of nobody": (
        lambda home: repeated(home, turns='[{"role": "robot", "text": "beep"}]'),
        DataError,
        r"data: train rows: .*turn 0",
    ),
    "a dialect that nobody knows": (
        lambda home: repeated(home, dialect="jsno"),
        DataError,
        r"data: train rows: row 'x/1': no dialect 'jsno'; did you mean 'json'",
    ),
    "nothing in the file": (
        lambda home: shards.write_samples(home / "data" / SHARD, []),
        DataError,
        "data: there are no rows to train on",
    ),
    "no parquet at all": (
        lambda home: (home / "data" / SHARD).unlink(),
        DataError,
        r"data has no train rows; build it with: coalm data build",
    ),
    "a parquet file cut off": (
        lambda home: cut(home / "data" / SHARD),
        DataError,
        "data: train rows: not a readable parquet file",
    ),
    "a file of another kind": (
        lambda home: (home / "data" / SHARD).write_text("<html>404</html>"),
        DataError,
        "data: train rows: not a readable parquet file",
    ),
    "a tokenizer without the layout's markers": (unmarked, ModelError, "markers of no layout"),
    "weights cut off": (
        lambda home: cut(home / "model" / "model.safetensors"),
        ModelError,
        "cannot load ",
    ),
    "a config that is no JSON": (
        lambda home: (home / "model" / "config.json").write_text("{"),
        DataError,
        r"model/config\.json: not readable as JSON",
    ),
    "a tokenizer that is no JSON": (
        lambda home: (home / "model" / "tokenizer.json").write_text("{"),
        ModelError,
        r"tokenizer\.json",
    ),
    "a folder where a file stands": (
        lambda home: (home / "out").write_text(""),
        RecipeError,
        "out cannot be written to: ",
    ),
    "a recipe that is no YAML": (
        lambda home: (home / "recipe.yaml").write_text("train: [1"),
        RecipeError,
        r"recipe\.yaml",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_named_in_one_line(what: str, home: Path) -> None:
    spoil, kind, said = SPOILT[what]
    spoil(home)
    with pytest.raises(kind, match=said) as error:
        train(home)
    assert "\n" not in str(error.value)
    assert not (home / "out" / "run.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lora.rnak=4", r"recipe\.yaml: train: lora: no setting 'rnak'; did you mean 'rank'"),
        ("learning=1", r"recipe\.yaml: train: no setting 'learning'"),
        ("steps=many", r"steps: "),
        ("batch=0", r"batch: "),
        ("method=lroa", r"method: "),
        ("schedule=cosin", r"schedule: "),
        ("lora.targets=[q_porj]", r"no layer 'q_porj'; did you mean 'q_proj'"),
        ("model=smollm-135m", r"no model 'smollm-135m'; did you mean 'smollm2-135m'"),
        ("model=nobody/nothing", r"nobody/nothing"),
        ("dialect=jsno", r"no dialect 'jsno'; did you mean 'json'"),
        ("layout=chatlm", r"no layout 'chatlm'; did you mean 'chatml'"),
        ("pad=<pad>", r"no token '<pad>'"),
        ("max_length=4", r"data: no row of at most 4 tokens to train on"),
        ("data=/no/where", r"/no/where has no train rows"),
        ("attention=flash", r"attention: flash needs"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(
    words: str, said: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CoalmError, match=said) as error:
        train(made, words, "--out", str(tmp_path))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run.json").exists()


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_is_gone(home: Path) -> None:
    holder = "import sys, time\nfrom pathlib import Path\nfrom coalm.train.alone import alone\n"
    holder += "with alone(Path(sys.argv[1])): print('held', flush=True); time.sleep(100)\n"
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(home / "out")], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    try:
        said = rf"trained in by another process \(process {other.pid} on .*\); wait for it"
        with pytest.raises(RecipeError, match=said):
            train(home)
        assert not (home / "out" / "begun.json").exists()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert "trained: " in train(home)
    assert "was trained before" in train(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read_is_said(home: Path) -> None:
    (home / "out").mkdir()
    (home / "out").chmod(0o500)
    with pytest.raises(RecipeError, match="out cannot be written to: Permission denied"):
        train(home)
    (home / "out").chmod(0o700)


def test_a_checkpoint_that_is_torn_is_not_gone_on_from(home: Path) -> None:
    def interrupt(now: Progress) -> None:
        if now.step == 5:
            raise KeyboardInterrupt

    wanted = settings(home / "model", home / "data", steps=6)
    run(wanted, home / "whole")
    for tear in (cut, Path.unlink, lambda path: path.write_text("null")):
        out = home / tear.__name__
        with pytest.raises(KeyboardInterrupt):
            run(wanted, out, interrupt)
        tear(out / "checkpoints" / "checkpoint-4" / "trainer_state.json")
        _, notes = run(wanted, out)
        assert "going on from checkpoint-2" in notes
        assert weights(out) == weights(home / "whole")


def test_a_line_of_the_metrics_that_was_cut_off_is_written_again(home: Path) -> None:
    def tear(now: Progress) -> None:
        if now.step == 4:
            log = home / "out" / "metrics.jsonl"
            log.write_bytes(log.read_bytes()[:-7])
            raise KeyboardInterrupt

    wanted = settings(home / "model", home / "data", steps=6)
    run(wanted, home / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(wanted, home / "out", tear)
    run(wanted, home / "out")
    assert losses(home / "out") == losses(home / "whole")


NARROW = """
import resource, sys
from pathlib import Path
import trl
from coalm.errors import TrainingError
from coalm.train import TrainSettings, train
from coalm.train.trainer import trainer_class
trainer_class()
model, data, out = sys.argv[1:]

def note(text):
    if text.startswith("training on"):
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + 600_000_000, -1))

wanted = TrainSettings(data=data, model=model, batch=8, attention="eager", dtype="fp32", steps=1)
try:
    train(wanted, Path(out), watch=lambda p: None, note=note)
except TrainingError as e:
    print("SAID", e)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells a process's size")
def test_memory_that_truly_runs_out_is_said_with_the_plan_s_figures(home: Path) -> None:
    rows(home / "data" / SHARD, *[answered("so " * 1200)] * 8)
    command = [sys.executable, "-c", NARROW, *(str(home / n) for n in ("model", "data", "out"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    [said] = done.stdout.splitlines() or [done.stderr[-2000:]]
    assert re.match(
        r"SAID out of memory at batch=8, rows of 4096 tokens; the plan puts \d+\.\d GiB on this "
        r"device of \d+\.\d GiB; try ",
        said,
    ), said
