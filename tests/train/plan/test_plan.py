"""A plan's figures by hand, its advice tried, and the command that prints it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coalm import recipe, store
from coalm.errors import CoalmError, RecipeError
from coalm.train import Lora, TrainSettings
from coalm.train.plan import Data, Plan, advice, data_of, machine, make_plan, plan_lines
from coalm.train.plan.advise import changes_for
from coalm.train.plan.work import PAPER

pytestmark = pytest.mark.slow

PRESETS = sorted((Path(__file__).parents[3] / "recipes/train").glob("*.yaml"))
SMALL = Data(1000, 200_000, 0.1, "test")


def plan(devices: int = 1, gpu: str = "h100-80gb", **changed: Any) -> Plan:
    settings = TrainSettings(**{"model": "smollm2-135m", "dtype": "bf16"} | changed)
    return make_plan(settings, SMALL, machine(gpu), devices=devices)


def test_flops_are_six_a_weight_and_token_and_four_for_an_adapter() -> None:
    full, lora = plan(method="full"), plan(lora=Lora(rank=1))
    shape = full.shape
    forward = 2 * (shape.linear + shape.output * 0.1) + 30 * 2 * 200 * 576
    assert full.work.flops == pytest.approx(200_000 * 3 * forward)
    small = 6 * lora.shape.trainable
    assert lora.work.flops == pytest.approx(200_000 * (2 * forward + small))
    again = plan(method="full", checkpointing=True).work
    assert again.flops == full.work.flops
    assert again.recomputed == pytest.approx(200_000 * forward)


def test_steps_follow_the_global_batch() -> None:
    assert plan(devices=2, batch=4, accumulate=2).work.global_batch == 16
    found = plan(devices=2, batch=2, global_batch=8, epochs=3, warmup=24).work
    assert (found.global_batch, found.steps, found.warmup) == (8, 375, 24)
    assert plan(batch=8, warmup=0.1).work.warmup == 13
    assert plan(batch=4, steps=10).work.tokens == 40 * 200
    with pytest.raises(RecipeError, match="no multiple of batch 3 x 2 devices"):
        plan(devices=2, batch=3, global_batch=8)


def test_time_and_cost_are_of_all_devices_at_the_stated_share() -> None:
    found = plan(devices=4)
    assert found.hours == pytest.approx(found.work.flops / (4 * 989e12 * 0.4) / 3600)
    assert found.cost == pytest.approx(found.hours * 4 * 2.5)
    assert plan(devices=4, dtype="fp32").hours > 10 * found.hours


def test_advice_is_no_more_than_is_needed_and_holds() -> None:
    settings: dict[str, Any] = {"method": "full", "batch": 64, "model": "llama-3.2-1b"}
    found = plan(devices=1, gpu="a100-40gb", **settings)
    assert not found.fits
    advised = changes_for(found)
    assert advised is not None
    assert "checkpointing=true" in advised.changes
    taken: dict[str, Any] = {}
    for change in advised.changes:
        name, _, value = change.partition("=")
        taken[name] = {"true": True}.get(value, value)
    taken["batch"] = int(taken.get("batch", 64))
    better = plan(devices=1, gpu="a100-40gb", **settings | taken)
    assert better.fits
    assert better.memory.device == advised.bytes
    assert not plan(gpu="a100-40gb", **settings | taken | {"batch": taken["batch"] * 2}).fits


def test_what_fits_nowhere_is_said() -> None:
    found = plan(gpu="a10g", model="llama-3.1-405b", method="full", max_length=131072)
    assert changes_for(found) is None
    assert "that was tried helps" in list(plan_lines(found))[-1]


def test_data_is_counted_by_its_manifest_or_by_the_paper(tmp_path: Path) -> None:
    assert data_of(None) is data_of(tmp_path) is PAPER
    manifest = {"train": 90, "valid": 10, "tokens": 1000, "learned": 250}
    store.write_json(tmp_path / "manifest.json", manifest | {"recipe": {"tokenizer": "t"}})
    found = data_of(tmp_path)
    assert (found.rows, found.tokens, found.learned) == (90, 900, 0.25)
    assert "tokenizer t" in found.source


@pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.stem)
def test_every_preset_can_be_planned_and_says_where_its_values_are_from(path: Path) -> None:
    settings = recipe.load(TrainSettings, path, "train")
    for line in path.read_text().partition("train:\n")[2].splitlines():
        name, _, rest = line.partition(":")
        assert "#" in rest or name.strip() in ("lora", "quant"), line
    found = make_plan(settings, PAPER, machine("h100-80gb"), devices=8 if settings.fsdp else 1)
    assert found.fits
    text = "\n".join(plan_lines(found))
    assert "It fits" in text
    for said in found.reported:
        assert f"reported   {said.record}" in text


def test_presets_hold_the_two_records() -> None:
    def load(name: str) -> TrainSettings:
        return recipe.load(TrainSettings, PRESETS[0].with_name(f"{name}.yaml"), "train")

    paper, release = load("llama-3.1-8b-paper"), load("llama-3.1-8b-release")
    assert (paper.lora, paper.epochs, paper.global_batch) == (Lora(rank=16, alpha=32), 3, 8)
    assert (paper.lr, paper.warmup, release.lr, release.warmup) == (1e-4, 0.1, 4e-5, 24)
    assert (release.lora.rank, release.lora.alpha, release.batch, release.epochs) == (8, 8, 16, 1)
    big, bigger = load("llama-3.3-70b-release"), load("llama-3.1-405b-release")
    assert (big.method, big.batch, big.lr) == ("full", 7, 4e-5)
    assert (bigger.method, bigger.batch, bigger.quant.storage) == ("qlora", 2, "bf16")
    assert len(bigger.lora.targets) == 7
    for found in (paper, release, big, bigger, load("llama-3.3-70b-paper")):
        shared = (found.max_length, found.weight_decay, found.max_grad_norm, found.seed)
        assert shared == (4096, 0.01, 10, 42)
        assert found.fsdp is not None
        assert found.fsdp.offload
        assert found.checkpointing
        assert found.pad == "<|finetune_right_pad_id|>"


def test_the_page_shows_a_plan_as_it_is_printed() -> None:
    path = next(p for p in PRESETS if p.stem == "llama-3.1-8b-paper")
    found = make_plan(
        recipe.load(TrainSettings, path, "train"), PAPER, machine("h100-80gb"), devices=8
    )
    page = (path.parents[2] / "docs/training.md").read_text()
    assert "\n".join(plan_lines(found)) in page


def run(*arguments: str) -> Any:
    from coalm.cli import app

    return CliRunner().invoke(app, ["train", "--plan", *arguments])


def test_the_command_prints_a_plan_and_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    done = run(str(PRESETS[-1]), "batch=2", "--gpu", "a10g", "--price", "1", "--json", str(out))
    assert done.exit_code == 0
    assert "134,515,008" in done.output
    assert "$1.00 an hour" in done.output
    found = json.loads(out.read_text())
    assert found["settings"]["batch"] == 2
    assert found["fits"]
    assert found["devices"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--gpu", "h100"], "no GPU 'h100'; did you mean 'h100-80gb'"),
        (["lora.rnk=3"], "did you mean 'rank'"),
        (["model=llama-3.1-9b"], "did you mean 'llama-3.1-8b'"),
        (["method=lora", "lora.targets=[q]"], "no layer 'q'"),
        (["global_batch=3"], "no multiple of batch"),
        (["method=lora", "master=true"], "adapters are float32 already"),
        (["batch=0"], "greater than 0"),
    ],
)
def test_bad_input_is_named(arguments: list[str], said: str) -> None:
    done = run(str(PRESETS[-1]), "master=false", *arguments)
    assert isinstance(done.exception, CoalmError)
    assert said in str(done.exception)


def test_advice_on_this_machine_names_a_smaller_batch(tmp_path: Path) -> None:
    from tests.tiny import tiny_model

    said = advice(TrainSettings(batch=64), tiny_model(tmp_path / "model"))
    assert "the plan puts" in said
    assert "batch=" in said or "checkpointing=true" in said
    broken = replace(TrainSettings(), model="nothing")
    assert "no plan can be made" in advice(broken, tmp_path / "nothing")
