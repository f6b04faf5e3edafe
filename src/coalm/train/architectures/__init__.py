"""What models look like, without their weights: small config files of published facts.

Each file is the part of a `config.json` that decides shapes and positions. A local folder's own
`config.json` is read the same way, so any model that transformers knows can be planned.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.errors import ModelError, unknown

HUB = {
    "meta-llama/llama-3.1-8b": "llama-3.1-8b",
    "meta-llama/llama-3.1-70b": "llama-3.1-70b",
    "meta-llama/llama-3.3-70b": "llama-3.1-70b",  # the same shape, trained anew
    "meta-llama/llama-3.1-405b": "llama-3.1-405b",
    "meta-llama/llama-3.2-1b": "llama-3.2-1b",
    "meta-llama/llama-3.2-3b": "llama-3.2-3b",
    "huggingfacetb/smollm2-135m": "smollm2-135m",
    "qwen/qwen2.5-0.5b": "qwen2.5-0.5b",
    "qwen/qwen2.5-7b": "qwen2.5-7b",
    "mistralai/mistral-7b-v0.3": "mistral-7b-v0.3",
    "mistralai/mistral-7b-instruct-v0.3": "mistral-7b-v0.3",
}
"""Bundled descriptions by hub id, in small letters and without `-instruct` at the end."""


@dataclass(frozen=True, slots=True)
class Description:
    """A model as its configuration tells it."""

    name: str
    """As the recipe has it."""
    source: str
    """Where the facts are from, in words."""
    config: dict[str, Any]
    bundled: str = ""
    """The name of the bundled description, if it is one."""


def bundled() -> list[str]:
    """The names of the bundled descriptions."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.json"))


def describe(model: str) -> Description:
    """The description of a model: a folder's own, else a bundled one; a `ModelError` if none."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        path = next(
            (p for p in (folder / "model/config.json", folder / "config.json") if p.exists()), None
        )
        if path is None:
            raise ModelError(f"{model} has no config.json; is it a model folder?")
        return Description(model, str(path), store.read_json(path))
    small = model.lower()
    stem = HUB.get(small) or HUB.get(small.removesuffix("-instruct")) or small
    if stem not in bundled():
        near = unknown("architecture", model.rpartition("/")[2], bundled())
        raise ModelError(f"{model}: {near}; or give a folder with the model's config.json in it")
    path = Path(__file__).parent / f"{stem}.json"
    return Description(model, f"bundled description {stem}", store.read_json(path), stem)
