"""`coalm model cache` and `coalm model serve`: kept answers, and a server's command line."""

from typing import Annotated

import typer

from coalm.cli.evaluate import Options, options_of
from coalm.cli.shared import console, note


def cache(
    clear: Annotated[
        str, typer.Option(metavar="HASH", help="Delete the answers of one model, or `all`.")
    ] = "",
) -> None:
    """List the models whose answers are kept, with their size; or delete some."""
    from coalm.engines.answers import every, folder
    from coalm.errors import ModelError, unknown

    found = {answers.path.stem: answers for answers in every()}
    if clear and clear != "all" and clear not in found:
        raise ModelError(unknown("model with kept answers", clear, found))
    for name in list(found) if clear == "all" else filter(None, [clear]):
        found[name].delete()
        note(f"deleted the answers of {name}")
    if clear:
        return
    for name, answers in found.items():
        size = answers.path.stat().st_size / 2**20
        named = ", ".join(answers.names())
        console.print(
            f"{name}  {answers.count():,} answers, {size:.1f} MB  {named}",
            soft_wrap=True,
            markup=False,
        )
    note(f"in {folder()}" if found else f"no answers are kept in {folder()}")


def serve(
    model: Annotated[str, typer.Argument(help="An embedded model, a folder, or a hub id.")],
    engine_option: Options = None,
    dtype: Annotated[str, typer.Option(help="auto, bf16, fp32; openvino: q8_0 too.")] = "auto",
    copies: Annotated[int, typer.Option(help="Copies of the model, data parallel.", min=1)] = 1,
    name: Annotated[str, typer.Option(help="The name it is served under; else MODEL.")] = "",
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 8000,
    tools: Annotated[str, typer.Option(help="vLLM's parser of tool calls, such as hermes.")] = "",
) -> None:
    """Print the `vllm serve` command that serves a model as evaluations want it."""
    import shlex

    from coalm import models
    from coalm.bench.speakers import own_layout
    from coalm.engines.vllm_serve import eval_command, serve_command

    folder = models.folder(model, note)
    served = name or model
    words = serve_command(
        str(folder),
        name=served,
        dtype=dtype,
        options=options_of(engine_option or ()),
        copies=copies,
        host=host,
        port=port,
        tools=tools,
    )
    console.print(shlex.join(words), soft_wrap=True, markup=False)
    layout = "" if tools else own_layout(folder)
    note("then: " + eval_command(served, [f"http://{host}:{port}/v1"], layout=layout))
