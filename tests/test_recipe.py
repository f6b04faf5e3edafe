"""Recipes: what is meant is checked, what is mistyped gets a suggestion."""

from pathlib import Path

import pytest

from coalm import recipe
from coalm.errors import RecipeError
from coalm.mixture import DataSettings
from coalm.train import Lora, TrainSettings

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "r.yaml"
    path.write_text(
        "name: r\ndata:\n  parts: [{corpus: snips, rows: 3}]\n"
        "train:\n  lora: {rank: 4}\n  lr: 0.1\n"
    )
    return path


def test_a_section_becomes_settings_with_every_default(path: Path) -> None:
    settings = recipe.load(TrainSettings, path, "train")
    assert settings.lora == Lora(rank=4)
    assert settings.lr == 0.1
    assert recipe.resolved(settings)["epochs"] == 1.0


def test_settings_survive_being_written_down(path: Path) -> None:
    settings = recipe.load(TrainSettings, path, "train")
    assert recipe.build(TrainSettings, recipe.resolved(settings), "again") == settings


def test_overrides_win_and_reach_into_blocks_and_lists(path: Path) -> None:
    training = recipe.load(TrainSettings, path, "train", ["lora.rank=9", "lr=1e-4", "steps=7"])
    assert (training.lora, training.lr, training.steps) == (Lora(rank=9), 1e-4, 7)
    data = recipe.load(DataSettings, path, "data", ["parts.0.rows=11"])
    assert data.parts[0].rows == 11
    assert recipe.load(TrainSettings, path, "train", ["fsdp.version=1", "fsdp=null"]).fsdp is None


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("lora.rnak=3", "train: lora: no setting 'rnak'; did you mean 'rank'?"),
        ("epocs=3", "no setting 'epocs'; did you mean 'epochs'?"),
        ("epochs=many", "epochs"),
        ("epochs", "write name=value"),
        ("=3", "write name=value"),
        ("lr={", "not readable as YAML"),
        ("lr.deep=3", "holds no settings"),
        ("schedule=linaer", "schedule"),
    ],
)
def test_a_mistyped_override_says_what_is_wrong(path: Path, override: str, said: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe.load(TrainSettings, path, "train", [override])
    assert said in str(error.value)


def test_a_mistyped_part_is_placed(path: Path) -> None:
    with pytest.raises(RecipeError, match=r"parts: 0: no setting 'rwos'; did you mean 'rows'"):
        recipe.load(DataSettings, path, "data", ["parts.0.rwos=3"])
    with pytest.raises(RecipeError, match="entries 0 to 0"):
        recipe.load(DataSettings, path, "data", ["parts.4.rows=3"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trian: {}", "no section 'trian'; did you mean 'train'?"),
        ("train: [1]", "must be a block"),
        ("- 1", "a recipe is a block"),
        ("train: {lr: [", "not readable as YAML"),
        ("\x00", "not readable as YAML"),
    ],
)
def test_a_broken_recipe_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as error:
        recipe.load(TrainSettings, path, "train")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_recipe_names_the_nearest(path: Path) -> None:
    with pytest.raises(RecipeError, match=r"did you mean .*r\.yaml"):
        recipe.load(TrainSettings, path.with_name("rr.yaml"), "train")


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.name)
def test_every_shipped_recipe_is_meant(path: Path) -> None:
    from coalm.bench.evaluate import EvalSettings

    assert recipe.load(DataSettings, path, "data").parts
    assert recipe.load(TrainSettings, path, "train")
    assert recipe.load(EvalSettings, path, "eval")
