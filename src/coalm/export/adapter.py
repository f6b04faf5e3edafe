"""A run's adapter for PEFT: its weights, what base they belong to, the tokenizer and a card."""

import shutil
from pathlib import Path
from typing import Any

from coalm import models, store
from coalm.errors import ModelError

CONFIG = "adapter_config.json"
"""PEFT's description of an adapter; written last, so its presence says that all is there."""
_WEIGHTS = "adapter_model.safetensors"
_FORMAT = "coalm-format.json"


def write_adapter(run: Path, out: Path, *, base: str = "") -> str:
    """Write the adapter of a finished run into the folder `out`; the base's name comes back.

    `base` is what others call the model that it was trained on; empty takes the hub id where the
    run or we know one, else the folder's path. A `ModelError` says why a run has none.
    """
    record = _record(run)
    config = store.read_json(run / "adapter" / CONFIG)
    trained_on = str(record["inputs"]["model"]["name"])
    name = base or base_name(trained_on)
    out.mkdir(parents=True, exist_ok=True)
    with store.appearing(out, last=CONFIG) as draft:
        shutil.copyfile(run / "adapter" / _WEIGHTS, draft / _WEIGHTS)
        for file in sorted((run / "model").iterdir()):
            words = file.name.startswith("tokenizer") or file.suffix == ".jinja"
            if words or file.name == _FORMAT:
                shutil.copyfile(file, draft / file.name)
        store.write_text(draft / "README.md", card(record, name, trained_on))
        store.write_json(draft / CONFIG, config | {"base_model_name_or_path": name})
    return name


def base_name(trained_on: str) -> str:
    """What PEFT finds the base of a run by: its hub id, or the path of its folder."""
    known = models.EMBEDDED.get(trained_on)
    if known:
        return known.hub
    folder = Path(trained_on).expanduser()
    return str(models.folder(trained_on).resolve()) if folder.is_dir() else trained_on


def card(record: dict[str, Any], base: str, trained_on: str) -> str:
    """The README.md: what the adapter is, what it was made of, how to load it."""
    import yaml

    settings, lora = record["inputs"]["settings"], record["inputs"]["settings"]["lora"]
    embedded = models.EMBEDDED.get(trained_on)
    told: dict[str, Any] = {"library_name": "peft", "tags": ["lora"]}
    if not Path(base).is_absolute():  # the hub takes no paths
        told["base_model"] = base
    if embedded:
        told["license"] = embedded.licence.lower()
    method = {"lora": "LoRA", "dora": "DoRA", "qlora": "QLoRA"}[settings["method"]]
    inputs = record["inputs"]
    rows = [
        ("method", f"{method}, rank {lora['rank']}, alpha {lora['alpha']:g}"),
        ("base", f"`{trained_on}`, sha256 of its files {inputs['model']['sha256']}"),
        ("trained on", f"{record['rows']['train']:,} rows, {_data(inputs['data'])}"),
        ("layout, dialect", f"{record['layout']}, {settings['dialect']}"),
        ("validation loss", _figure(record["validation_loss"])),
        ("made by", f"coalm {record['versions']['coalm']}, peft {record['versions']['peft']}"),
    ]
    lines = [
        "---",
        yaml.safe_dump(told, sort_keys=False).rstrip(),
        "---",
        f"# {method} adapter for {base}",
        "",
        *(["| | |", "| --- | --- |"] + [f"| {name} | {value} |" for name, value in rows]),
        "",
        *([_quantised(embedded, base), ""] if embedded else []),
        "```python",
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM",
        "",
        f'base = AutoModelForCausalLM.from_pretrained("{base}")',
        'model = PeftModel.from_pretrained(base, "FOLDER")',
        "```",
    ]
    return "\n".join(lines) + "\n"


def _quantised(embedded: models.Embedded, base: str) -> str:
    return (
        f"It was trained on {embedded.title}, as the package {embedded.package} "
        f"{embedded.version} has it. The weights of {base} differ from those by that rounding; "
        f"`coalm export {embedded.name} --to hf --out FOLDER` writes the very ones."
    )


def _data(files: dict[str, str]) -> str:
    return ", ".join(
        f"`{name}` {digest[:16]}" for name, digest in files.items() if name.startswith("train")
    )


def _figure(loss: float | None) -> str:
    return "not measured" if loss is None else f"{loss:.4f} nats a learned token"


def _record(run: Path) -> dict[str, Any]:
    """The `run.json` of a finished run that has an adapter; else a `ModelError`."""
    path = run / "run.json"
    if (run / CONFIG).exists():
        raise ModelError(f"{run} is an adapter already; name the run folder that it is from")
    if not path.exists() and (run / "begun.json").exists():
        raise ModelError(f"{run} is of a run that is not finished; run `coalm train` again")
    if not path.exists():
        raise ModelError(
            f"{run} is no run folder: an adapter is in what `coalm train` leaves with method lora, "
            "dora or qlora"
        )
    record: dict[str, Any] = store.read_json(path)
    try:
        method = record["inputs"]["settings"]["method"]
    except (KeyError, TypeError):
        raise ModelError(f"{path} is not of a training run") from None
    if method == "full":
        raise ModelError(f"{run} has no adapter: method full; use --to hf")
    for name in (CONFIG, _WEIGHTS):
        if not (run / "adapter" / name).exists():
            raise ModelError(f"{run} lacks adapter/{name}; train it anew")
    return record
