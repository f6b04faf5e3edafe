"""`coalm export`: a model as the files that other programs load."""

from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.shared import console, note

TARGETS = ("gguf", "hf", "vllm-plugin")


def export(
    model: Annotated[
        str, typer.Argument(help="A run folder, an embedded model, a model folder, or a hub id.")
    ],
    to: Annotated[
        str, typer.Option(help="gguf (llama.cpp, Ollama, OpenVINO), hf, or vllm-plugin.")
    ],
    out: Annotated[Path, typer.Option(help="gguf: the file to write; else the folder.")],
    dtype: Annotated[str, typer.Option(help="gguf: f16 or q8_0.")] = "f16",
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    dialect: Annotated[str, typer.Option(help="vllm-plugin: how calls are written.")] = "react",
    layout: Annotated[
        str, typer.Option(help="vllm-plugin: turn markers; else the model's own.")
    ] = "",
) -> None:
    """Write a model for other programs: one GGUF file, or a folder as transformers loads it."""
    from coalm import models
    from coalm.errors import RecipeError, unknown
    from coalm.weights import NUMBERS, copy_checkpoint, write_gguf

    if to not in TARGETS:
        raise RecipeError(unknown("target", to, TARGETS))
    if dtype not in NUMBERS:
        raise RecipeError(unknown("dtype", dtype, NUMBERS))
    folder = models.folder(model, note)
    if to == "vllm-plugin":
        _plugin(model, folder, out, dialect, layout, force)
        return
    if to == "gguf" and out.is_dir():
        out = out / f"{Path(model).name}-{dtype}.gguf"
    taken = out.is_dir() and any(out.iterdir()) if to == "hf" else out.exists()
    if taken and not force:
        raise RecipeError(f"{out} is there already; --force writes over it")
    if to == "hf":
        copy_checkpoint(folder, out)
    else:
        write_gguf(folder, out, dtype, note=note)
    files = [out] if out.is_file() else [path for path in out.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    console.print(f"{out}: {size / 1e6:,.1f} MB", soft_wrap=True)


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
