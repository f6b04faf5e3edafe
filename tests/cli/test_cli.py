"""The command line as a person uses it: typos, second runs, the whole story in small."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import tiny_model

ROOT = Path(__file__).parents[2]


def coalm(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from coalm.cli import main; main()", *words]
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "160", "NO_COLOR": "1"} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_reference_is_up_to_date() -> None:
    from coalm.cli.reference import reference

    assert (ROOT / "docs/cli.md").read_text() == reference(), "run: make docs"


def test_the_page_of_formats_is_up_to_date() -> None:
    from coalm.cli.specimens import specimens

    assert (ROOT / "docs/formats.md").read_text() == specimens(), "run: make docs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trian", "train"),
        ("data build recipes/quickstrat.yaml", "did you mean 'recipes/quickstart.yaml'?"),
        ("data build recipes/quickstart.yaml sed=1", "did you mean 'seed'?"),
        ("data build recipes/quickstart.yaml parts.0.corpus=snipps", "did you mean 'snips'?"),
        ("data build recipes/quickstart.yaml tokenizer=smollm", "smollm2-135m"),
        ("train recipes/quickstart.yaml lora.rnak=3", "did you mean 'rank'?"),
        ("train recipes/quickstart.yaml data=/nowhere", "has no train rows"),
        ("model get smollm2", "did you mean 'smollm2-135m'?"),
        ("eval smollm2-135 --limit 2", "did you mean 'smollm2-135m'?"),
        ("eval smollm2-135m --bench multiwz", "did you mean 'multiwoz'?"),
        ("eval smollm2-135m --bench bfcl:asd", "did you mean 'ast'?"),
        ("eval smollm2-135m --limit 0", "--limit"),
        ("eval smollm2-135m --engine vlm --limit 1 --bench bfcl", "no engine 'vlm'"),
        ("eval smollm2-135m --dialect jsno --limit 1 --bench bfcl", "did you mean 'json'?"),
        ("show /nowhere", "is not there"),
        ("show README.md", "not a JSON object"),
        ("report /nowhere", "/nowhere"),
        ("chat nowhere/at/all", "no model"),
        ("run recipes/nothing.yaml", "no recipe"),
    ],
)
def test_a_typo_is_one_line_and_exit_2(words: str, said: str, tmp_path: Path) -> None:
    folder = ["--out", str(tmp_path / "out")] if words.startswith(("eval", "data", "train")) else []
    done = coalm(*words.split(), *folder)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if done.stderr.startswith("coalm:"):
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"dialect": "jsno"}, "did you mean 'json'?"),
        ({"layout": "chatlm"}, "did you mean 'chatml'?"),
        ({"engine": "vlm"}, "no engine 'vlm'"),
        ({"bench": ["bflc"]}, "did you mean 'bfcl'?"),
        ({"limits": {"multiwz": 3}}, "did you mean 'multiwoz'?"),
        ({"bench": []}, "no benchmark is named"),
    ],
)
def test_a_typo_in_the_last_step_of_a_recipe_is_told_before_the_first(
    setting: dict[str, object], said: str, tmp_path: Path
) -> None:
    recipe = tmp_path / "small.yaml"
    data = {"tokenizer": "bytes", "parts": [{"corpus": "snips", "rows": 3}]}
    recipe.write_text(json.dumps({"data": data, "eval": setting}))
    done = coalm("run", str(recipe), cwd=tmp_path, COALM_DATA="", COALM_OFFLINE="1")

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [recipe]


@pytest.mark.slow
def test_the_whole_story_in_small_and_again_and_from_the_middle(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny")
    recipe = tmp_path / "small.yaml"
    recipe.write_text(
        json.dumps(
            {
                "data": {
                    "tokenizer": str(model),
                    "longest": 4096,
                    "parts": [{"corpus": c} for c in ("snips", "hammer", "sgd-dst", "sgd-cra")],
                },
                "train": {"model": str(model), "steps": 3, "lora": {"rank": 2}},
                "eval": {"limit": 3},
            }
        )
    )
    env = {"COALM_DATA": "", "COALM_OFFLINE": "1"}
    first = coalm("run", str(recipe), cwd=tmp_path, **env)
    assert first.returncode == 0, first.stderr
    assert "MINIATURE" in first.stdout
    out = tmp_path / "runs" / "small"
    assert (out / "report.html").exists()
    for column in ("base", "tuned"):
        for bench in ("multiwoz.dst-json", "apibank.hammer", "bfcl.ast"):
            scores = json.loads((out / column / bench / "scores.json").read_text())
            assert scores["cases"] == 3
            assert scores["label"] == column
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.name in KEPT}
    assert len(stamps) > 6

    again = coalm("run", str(recipe), cwd=tmp_path, **env)
    assert again.returncode == 0, again.stderr
    assert "was trained before" in again.stdout
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps

    torn = out / "tuned" / "bfcl.ast" / "outcomes.jsonl"
    torn.write_text(torn.read_text()[:-30])
    middle = coalm("run", str(recipe), cwd=tmp_path, **env)
    assert middle.returncode == 0, middle.stderr
    assert "2 of 3 cases were answered before" in middle.stdout

    shown = coalm("show", "data/small", "--limit", "1", cwd=tmp_path)
    assert "⟦" in shown.stdout
    said = subprocess.run(
        [sys.executable, "-c", "from coalm.cli import main; main()", "chat", "runs/small/train"],
        cwd=tmp_path,
        env=os.environ | env,
        input="hello\n/state\n/quit\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "you> hello" in said.stdout


KEPT = {"train-00000-of-00001.parquet", "model.safetensors", "metrics.jsonl", "outcomes.jsonl"}


def test_help_names_every_command() -> None:
    done = coalm("--help")
    assert done.returncode == 0
    for name in ("run", "model", "data", "show", "train", "eval", "report", "chat"):
        assert re.search(rf"^  {name}\b", done.stdout, re.M)
