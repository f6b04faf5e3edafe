"""Looks at the validation rows: what they tell, which model is kept, when a run stops early."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coalm import models, shards, store
from coalm.errors import DataError, RecipeError, TrainingError
from coalm.train import Fsdp, Lora, Progress, TrainSettings, methods
from coalm.train.methods import check_needs
from coalm.types import Assistant, Dialogue, Sample, ToolCall, User
from tests.tiny import tiny_model
from tests.train.test_run import losses, run, settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", tied=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows that are learned, and others that are forgotten meanwhile: their loss rises."""
    folder = tmp_path_factory.mktemp("data")

    def sample(number: int, name: str, words: str) -> Sample:
        said = Assistant(calls=(ToolCall(name, {"a": number}),))
        turns = (User(f"add {number}"), said, User("?"), Assistant(words))
        return Sample(f"{name}/{number}", "x", Dialogue(turns))

    train = [sample(n, "add", "ok") for n in range(12)]
    valid = [sample(n, "ZQXJ", "VWKYZQXJ" * 6) for n in range(3)]
    shards.write_samples(folder / "train-00000-of-00001.parquet", train)
    shards.write_samples(folder / "valid-00000-of-00001.parquet", valid)
    store.write_json(folder / "manifest.json", {})
    return folder


def looking(model: Path, data: Path, **changed: Any) -> TrainSettings:
    given: dict[str, Any] = {
        "eval_every": 2,
        "answer_rows": 4,
        "answer_tokens": 64,
        "warmup": 0,
        "schedule": "constant_with_warmup",
        "save_every": 3,
        "lora": Lora(rank=4, dropout=0.3),
        "lr": 3e-2,
    }
    return settings(model, data, **given | changed)


def looks(out: Path) -> dict[int, dict[str, Any]]:
    """The lines of the looks, by step; there is one for each."""
    rows = [row for row in store.read_log(out / "metrics.jsonl") if "eval_loss" in row]
    found = {row["step"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def best_step(out: Path) -> int:
    told = looks(out)
    return min(told, key=lambda step: float(told[step]["eval_loss"]))


def loss_of(folder: Path, data: Path, base: Path) -> float:
    """The loss of a model, or of an adapter on the base, on the validation rows in one batch."""
    import torch
    from peft import PeftModel
    from torch.nn.functional import cross_entropy
    from transformers import AutoModelForCausalLM

    from coalm.train.rows.encoding import Encoding, encode_split

    with models.quiet():
        adapter = (folder / "adapter_config.json").exists()
        net = models.load(AutoModelForCausalLM, base if adapter else folder, torch.float32)
        net = PeftModel.from_pretrained(net, folder) if adapter else net
    rows = encode_split(data, "valid", Encoding(base, "chatml", "json", rows=False, longest=4096))
    total, count = 0.0, 0
    with torch.no_grad():
        for row in rows.dataset():
            labels = torch.tensor(row["labels"])[1:]
            logits = net.eval()(torch.tensor([row["input_ids"]])).logits[0, :-1]
            total += float(cross_entropy(logits, labels, reduction="sum"))
            count += int((labels >= 0).sum())
    return total / count


# --- what a look tells --------------------------------------------------------------------


def test_a_look_is_one_line_of_loss_and_answers_and_the_last_is_in_the_record(
    model: Path, data: Path, tmp_path: Path
) -> None:
    _, notes = run(looking(model, data, steps=5), tmp_path)
    told = looks(tmp_path)
    assert list(told) == [2, 4, 5]
    for row in told.values():
        for name in ("call_name", "call_arguments", "no_call", "unreadable"):
            assert 0 <= row[f"eval_{name}"] <= 1
        assert "eval_state" not in row
    record = store.read_json(tmp_path / "run.json")
    assert (record["steps"], record["kept_step"], record["best"]) == (5, 5, None)
    assert record["stopped_early"] is False
    assert record["questions"] == {"call": 2, "no call": 2}
    assert record["validation_loss"] == pytest.approx(told[5]["eval_loss"], abs=1e-6)
    assert record["answers"]["no_call"] == told[5]["eval_no_call"]
    assert any(note.startswith("step 2: validation loss") for note in notes)
    assert any("4 questions (2 call, 2 no call)" in note for note in notes)
    assert not (tmp_path / "last").exists()


def test_what_is_learned_can_be_seen_in_the_answers(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    turns = (User("go"), Assistant(calls=(ToolCall("go", {"a": 1}),)))
    samples = [Sample(f"x/{n}", "x", Dialogue(turns)) for n in range(8)]
    for split in ("train", "valid"):
        shards.write_samples(folder / f"{split}-00000-of-00001.parquet", samples)
    store.write_json(folder / "manifest.json", {})
    changed = {"method": "full", "lr": 1e-2, "steps": 24, "eval_every": 12}
    run(looking(model, folder, **changed), tmp_path / "out")
    assert looks(tmp_path / "out")[24]["eval_call_arguments"] == 1.0
    first = {"steps": 1, "eval_every": 1, "lr": 1e-6}
    run(looking(model, folder, method="full", **first), tmp_path / "first")
    assert looks(tmp_path / "first")[1]["eval_call_arguments"] == 0.0


def test_looking_changes_nothing_of_what_is_learned(
    model: Path, data: Path, tmp_path: Path
) -> None:
    # Dropout draws a number for each weight of each step, and noise one for each embedding.
    run(looking(model, data, neftune=5.0), tmp_path / "looking")
    run(looking(model, data, neftune=5.0, eval_every=0), tmp_path / "blind")
    assert losses(tmp_path / "looking") == losses(tmp_path / "blind")


def test_without_answers_a_look_is_the_loss_alone(model: Path, data: Path, tmp_path: Path) -> None:
    run(looking(model, data, steps=2, answer_rows=0), tmp_path)
    [row] = looks(tmp_path).values()
    assert "eval_call_name" not in row
    assert store.read_json(tmp_path / "run.json")["answers"] == {}


def test_packed_rows_and_rows_of_one_answer_are_asked_as_well(
    model: Path, data: Path, tmp_path: Path
) -> None:
    wanted = looking(model, data, steps=2, packing=True, rows=True, max_length=512)
    run(wanted, tmp_path)
    assert looks(tmp_path)[2].keys() >= {"eval_call_name", "eval_no_call"}


# --- which model is kept ------------------------------------------------------------------


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_best_model_is_kept_and_the_last_is_still_there(
    method: str, model: Path, data: Path, tmp_path: Path
) -> None:
    lr = 3e-2 if method == "full" else 1e-1
    wanted = looking(model, data, method=method, keep="best", lr=lr, save_every=100, lora=Lora())
    _, notes = run(wanted, tmp_path)
    told, best = looks(tmp_path), best_step(tmp_path)
    assert best != 10
    record = store.read_json(tmp_path / "run.json")
    assert (record["kept_step"], record["steps"]) == (best, 10)
    assert record["best"] == {"by": "loss", "value": pytest.approx(told[best]["eval_loss"])}
    assert record["validation_loss"] == record["best"]["value"]
    kept, last = (loss_of(tmp_path / name, data, model) for name in ("model", "last"))
    assert kept < last
    alone = looking(model, data, method=method, lr=lr, steps=10, lora=Lora())
    run(alone, tmp_path / "alone")
    assert last == pytest.approx(loss_of(tmp_path / "alone/model", data, model), rel=1e-4)
    short = looking(model, data, method=method, lr=lr, steps=best, lora=Lora())
    run(short, tmp_path / "short")
    assert kept == pytest.approx(loss_of(tmp_path / "short/model", data, model), rel=1e-4)
    if method == "lora":
        assert kept == pytest.approx(loss_of(tmp_path / "adapter", data, model), rel=1e-4)
        assert (tmp_path / "last/adapter_config.json").exists()
    assert (tmp_path / "last/coalm-format.json").exists()
    assert not list(tmp_path.rglob("*.bin"))
    assert any(f"kept that of step {best}, the best by loss" in note for note in notes)


def test_the_best_may_be_the_last_and_may_be_by_what_is_right(
    model: Path, data: Path, tmp_path: Path
) -> None:
    run(looking(model, data, steps=4, lr=1e-9, keep="best", best_by="no_call"), tmp_path)
    record = store.read_json(tmp_path / "run.json")
    assert record["kept_step"] == 2  # nothing changes, and the first of equals is kept
    assert record["best"]["by"] == "no_call"
    assert (tmp_path / "last").exists()
    run(looking(model, data, steps=2, keep="best"), tmp_path)
    assert store.read_json(tmp_path / "run.json")["kept_step"] == 2
    assert not (tmp_path / "last").exists()


def test_a_best_checkpoint_that_is_gone_is_named(model: Path, data: Path, tmp_path: Path) -> None:
    def remove(now: Progress) -> None:
        if now.step == 9:
            for path in (tmp_path / "checkpoints").glob("checkpoint-*"):
                (path / "trainer_state.json").unlink()

    wanted = looking(model, data, method="full", keep="best", save_every=100)
    with pytest.raises(TrainingError, match=r"checkpoint-\d, the best checkpoint, is gone"):
        run(wanted, tmp_path, remove)


def test_patience_stops_a_run(model: Path, data: Path, tmp_path: Path) -> None:
    _, notes = run(looking(model, data, steps=40, patience=2), tmp_path)
    record, best = store.read_json(tmp_path / "run.json"), best_step(tmp_path)
    assert record["stopped_early"] is True
    assert record["steps"] == best + 4 < 40
    assert record["kept_step"] == record["steps"]  # it was not asked to keep the best
    assert max(looks(tmp_path)) == record["steps"]
    assert any(note.startswith("stopped early after") for note in notes)


# --- an interrupted run -------------------------------------------------------------------


def interrupting(at: int) -> Callable[[Progress], None]:
    def watch(now: Progress) -> None:
        if now.step == at:
            raise KeyboardInterrupt

    return watch


def told(out: Path) -> list[dict[str, Any]]:
    """The log without what depends on the clock."""
    timed = ("_runtime", "_per_second", "epoch")
    return [
        {name: value for name, value in row.items() if not name.endswith(timed)}
        for row in store.read_log(out / "metrics.jsonl")
    ]


def record(out: Path) -> dict[str, Any]:
    names = ("steps", "kept_step", "best", "stopped_early", "validation_loss", "answers")
    found = store.read_json(out / "run.json")
    return {name: found[name] for name in names}


def weights(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.safetensors"))]


def test_an_interrupted_run_keeps_the_best_and_the_patience(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    wanted = looking(model, data, steps=40, keep="best", patience=3)
    run(wanted, whole)
    ended = record(whole)["steps"]
    assert record(whole)["kept_step"] < ended < 40
    for at in (4, 5, ended):
        with pytest.raises(KeyboardInterrupt):
            run(wanted, broken, interrupting(at))
    from coalm.train import run as module

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "save", stop)  # all steps are taken
        with pytest.raises(KeyboardInterrupt):
            run(wanted, broken)
    run(wanted, broken)
    assert record(broken) == record(whole)
    assert told(broken) == told(whole)
    for name in ("model", "adapter", "last"):
        assert weights(broken / name) == weights(whole / name) != []


def test_a_run_whose_last_checkpoint_is_there_takes_no_further_step(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coalm.train import run as module

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    # The first ends in the middle of an epoch, the second at a look without any better before.
    for name, changed in (("steps", {}), ("patience", {"patience": 1, "save_every": 2})):
        wanted = looking(model, data, steps=8, **changed)
        whole, broken = tmp_path / name / "whole", tmp_path / name / "broken"
        run(wanted, whole)
        with monkeypatch.context() as patch:
            patch.setattr(module, "save", stop)
            with pytest.raises(KeyboardInterrupt):
                run(wanted, broken)
        seen: list[Progress] = []
        run(wanted, broken, seen.append)
        assert seen == []
        assert told(broken) == told(whole)
        assert record(broken) == record(whole)
        assert weights(broken / "model") == weights(whole / "model")


# --- trackers -----------------------------------------------------------------------------


def test_tensorboard_gets_the_looks_and_its_files_outlive_the_checkpoints(
    model: Path, data: Path, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(looking(model, data, steps=2, report_to=("tensorboard",)), tmp_path)
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    [row] = looks(tmp_path).values()
    for name in ("loss", "call_name", "no_call", "unreadable"):
        [event] = read.Scalars(f"eval/{name}")
        assert (event.step, event.value) == (2, pytest.approx(row[f"eval_{name}"], abs=1e-6))
    [first, *_] = read.Scalars("train/loss")
    assert (first.step, first.value) == (1, pytest.approx(losses(tmp_path)[0][1], abs=1e-6))


@pytest.mark.parametrize("name", ["tensorboard", "trackio", "wandb"])
def test_a_tracker_that_is_not_installed_is_named(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "find_spec", lambda _: None)
    with pytest.raises(RecipeError, match=f"report_to: {name} needs .*pip install {name}"):
        check_needs(TrainSettings(report_to=(name,)), gpu=False, processes=1)


# --- settings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"keep": "best"}, "keep=best compares looks: set eval_every"),
        ({"patience": 3}, "patience compares looks: set eval_every"),
        ({"eval_every": 5, "eval_rows": 0}, "set that above 0"),
        ({"best_by": "state"}, "set one of them"),
        (
            {"eval_every": 5, "keep": "best", "best_by": "state", "answer_rows": 0},
            "best_by=state needs answers",
        ),
        ({"eval_every": 5, "fsdp": Fsdp(version=1)}, "set answer_rows=0"),
    ],
)
def test_settings_that_cannot_be_met_say_what_to_set(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        TrainSettings(**changed)


def test_a_best_that_nothing_asks_for_is_named_before_training(
    model: Path, data: Path, tmp_path: Path
) -> None:
    wanted = looking(model, data, keep="best", best_by="state")
    with pytest.raises(RecipeError, match=r"best_by=state: .* measured: loss, call_name"):
        run(wanted, tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in data.iterdir():
        (empty / path.name).write_bytes(path.read_bytes())
    shards.write_samples(empty / "valid-00000-of-00001.parquet", [])
    with pytest.raises(DataError, match="no validation rows to look at; set eval_every=0"):
        run(looking(model, empty), tmp_path / "out")
