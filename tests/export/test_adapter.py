"""`coalm export --to adapter`: what PEFT loads onto the base says what the merged model says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coalm import models, store
from coalm.cli import app
from coalm.errors import ModelError, RecipeError
from coalm.export.adapter import base_name, card, write_adapter
from tests.tiny import tiny_model
from tests.train.test_failures import write
from tests.train.test_run import run, settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, data, and a run of each of two methods."""
    home = tmp_path_factory.mktemp("home")
    tiny_model(home / "base", tied=False)
    (home / "base" / "chat_template.jinja").write_text("{{ messages }}")
    (home / "data").mkdir()
    write(home / "data", 8)
    for method in ("dora", "full"):
        wanted = settings(home / "base", home / "data", method=method, steps=3, lr=5e-2)
        run(wanted, home / method)
    return home


def export(*words: object) -> str:
    """What the command prints; its error is raised."""
    done = CliRunner().invoke(app, ["export", *map(str, words)])
    if done.exception:
        raise done.exception
    return done.output


def logits(net: Any) -> Any:
    import torch

    with torch.no_grad():
        return net.eval()(torch.arange(60, 100)[None]).logits


def test_on_its_base_it_says_what_the_merged_model_says(home: Path, tmp_path: Path) -> None:
    import torch
    from peft import AutoPeftModelForCausalLM, PeftModel
    from transformers import AutoModelForCausalLM

    out = tmp_path / "adapter"
    said = export(home / "dora", "--to", "adapter", "--out", out)
    assert f"its base is {home / 'base'}" in said
    with models.quiet():
        base, merged = (
            models.load(AutoModelForCausalLM, path, torch.float32)
            for path in (home / "base", home / "dora" / "model")
        )
        alone, wanted = logits(base), logits(merged)
        found = logits(PeftModel.from_pretrained(base, out))
        by_itself = logits(AutoPeftModelForCausalLM.from_pretrained(out, dtype=torch.float32))
    assert (found - wanted).abs().max() < 1e-4
    assert (by_itself - wanted).abs().max() < 1e-4
    assert (alone - wanted).abs().max() > 0.1


def test_tokenizer_format_and_card_are_beside_it(home: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    out = tmp_path / "adapter"
    export(home / "dora", "--to", "adapter", "--out", out, "--base", "someone/base")
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "coalm-format.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert store.read_json(out / "adapter_config.json")["base_model_name_or_path"] == "someone/base"
    assert store.read_json(out / "coalm-format.json")["layout"] == "chatml"
    assert AutoTokenizer.from_pretrained(out).encode("ab") == [64, 65]
    page = (out / "README.md").read_text()
    assert "base_model: someone/base" in page
    assert "DoRA, rank 4, alpha 32" in page
    assert "trained on | 8 rows" in page


def test_what_is_there_is_written_over_only_when_forced(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RecipeError, match="is there already; --force"):
        export(home / "dora", "--to", "adapter", "--out", tmp_path)
    export(home / "dora", "--to", "adapter", "--out", tmp_path, "--force")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(RecipeError, match="is a file; name a folder"):
        export(home / "dora", "--to", "adapter", "--out", tmp_path / "notes.txt", "--force")


def test_what_has_no_adapter_says_why(home: Path, tmp_path: Path) -> None:
    def fails(model: object, match: str) -> None:
        with pytest.raises(ModelError, match=match):
            export(model, "--to", "adapter", "--out", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    fails(home / "full", "full has no adapter: method full; use --to hf")
    fails(home / "base", "is no run folder: an adapter is in what `coalm train` leaves")
    fails("smollm2-135m", "is no run folder")
    fails(home / "dora" / "adapter", "is an adapter already")
    cut = shutil.copytree(home / "dora", tmp_path / "cut")
    (cut / "adapter" / "adapter_model.safetensors").unlink()
    fails(cut, r"lacks adapter/adapter_model\.safetensors; train it anew")
    (cut / "run.json").write_text('{"bench": "bfcl"}')
    fails(cut, "is not of a training run")
    (cut / "run.json").unlink()
    fails(cut, "not finished; run `coalm train` again")


def test_a_base_is_named_as_others_find_it(home: Path, tmp_path: Path) -> None:
    assert base_name("smollm2-135m") == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert base_name("meta-llama/Llama-3.1-8B-Instruct") == "meta-llama/Llama-3.1-8B-Instruct"
    assert base_name(str(home / "dora")) == str((home / "dora" / "model").resolve())
    record = store.read_json(home / "dora" / "run.json")
    page = card(record, "HuggingFaceTB/SmolLM2-135M-Instruct", "smollm2-135m")
    assert "license: apache-2.0" in page
    assert "differ from those by that rounding" in page
    assert "base_model:" not in card(record, "/somewhere/base", "/somewhere/base")
    with pytest.raises(ModelError, match="no run folder"):
        write_adapter(tmp_path, tmp_path / "out")
