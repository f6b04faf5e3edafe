"""`coalm export`: a model as the files that other programs load."""

from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.shared import console, note

TARGETS = ("gguf", "hf", "adapter", "vllm-plugin")


def export(
    model: Annotated[
        str, typer.Argument(help="A run folder, an embedded model, a model folder, or a hub id.")
    ],
    to: Annotated[
        str, typer.Option(help="gguf (llama.cpp, Ollama, OpenVINO), hf, adapter, or vllm-plugin.")
    ],
    out: Annotated[Path, typer.Option(help="gguf: the file to write; else the folder.")],
    dtype: Annotated[str, typer.Option(help="gguf: f16 or q8_0.")] = "f16",
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    base: Annotated[
        str, typer.Option(help="adapter: the base's hub id or path; else what it was trained on.")
    ] = "",
    dialect: Annotated[str, typer.Option(help="vllm-plugin: how calls are written.")] = "react",
    layout: Annotated[
        str, typer.Option(help="vllm-plugin: turn markers; else the model's own.")
    ] = "",
) -> None:
    """Write a model for other programs: a GGUF file, a folder for transformers, or an adapter."""
    from coalm import models
    from coalm.errors import RecipeError, unknown
    from coalm.weights import NUMBERS, copy_checkpoint, write_gguf

    if to not in TARGETS:
        raise RecipeError(unknown("target", to, TARGETS))
    if dtype not in NUMBERS:
        raise RecipeError(unknown("dtype", dtype, NUMBERS))
    if to == "adapter":
        _adapter(model, out, base, force)
        return
    folder = models.folder(model, note)
    if to == "vllm-plugin":
        _plugin(model, folder, out, dialect, layout, force)
        return
    if to == "gguf" and out.is_dir():
        out = out / f"{Path(model).name}-{dtype}.gguf"
    _check_free(out, force, folder=to == "hf")
    if to == "hf":
        copy_checkpoint(folder, out)
    else:
        write_gguf(folder, out, dtype, note=note)
    _told(out)


def _check_free(out: Path, force: bool, *, folder: bool) -> None:
    """A `RecipeError` where something is there already and may not be written over."""
    from coalm.errors import RecipeError

    if folder and out.is_file():
        raise RecipeError(f"{out} is a file; name a folder")
    taken = out.is_dir() and any(out.iterdir()) if folder else out.exists()
    if taken and not force:
        raise RecipeError(f"{out} is there already; --force writes over it")


def _told(out: Path) -> None:
    files = [out] if out.is_file() else [path for path in out.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    console.print(f"{out}: {size / 1e6:,.1f} MB", soft_wrap=True)


def _adapter(model: str, out: Path, base: str, force: bool) -> None:
    """A run's adapter, as PEFT loads it."""
    from coalm.export.adapter import write_adapter

    _check_free(out, force, folder=True)
    name = write_adapter(Path(model).expanduser(), out, base=base)
    _told(out)
    note(f"its base is {name}")


def _plugin(model: str, folder: Path, out: Path, dialect: str, layout: str, force: bool) -> None:
    """A chat template and parsers that give vLLM our own grammar."""
    from coalm import store
    from coalm.bench.speakers import own_layout
    from coalm.export.vllm import write
    from coalm.formats import Chat
    from coalm.formats.dialects import dialect as named
    from coalm.formats.layouts import layout as marked

    fmt = Chat(marked(layout or own_layout(folder)), named(dialect))
    added = store.read_json(folder / "tokenizer.json").get("added_tokens") or []
    markers = [token["content"] for token in added if token.get("special")]
    served = str(folder) if folder.exists() else model
    made = write(fmt, out, served, markers=markers, force=force)
    for path in made.files:
        console.print(str(path), soft_wrap=True)
    note(made.command)
