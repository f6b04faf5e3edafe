"""`coalm data show`: rows as they are, and what was left out and why.

`coalm show` paints the text that a model is trained on; this one shows what a row holds,
before any layout or dialect has written it.
"""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note

if TYPE_CHECKING:
    from rich.text import Text

    from coalm.types import Sample, ToolSpec, Turn

Folder = Annotated[Path, typer.Argument(help="A data folder that `coalm data build` made.")]


def show(
    folder: Folder,
    corpus: Annotated[str, typer.Option(help="Only rows of this corpus.")] = "",
    row: Annotated[str, typer.Option("--id", help="Only rows whose id begins so.")] = "",
    grep: Annotated[str, typer.Option(help="Only rows that say this, whatever its case.")] = "",
    split: Annotated[str, typer.Option(help="Only train or valid.")] = "",
    limit: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 3,
    seed: Annotated[int | None, typer.Option(help="Draw the rows at random.")] = None,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Show what was left out, and why.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Only what was left out for such a reason.")] = "",
) -> None:
    """Print rows turn by turn: words, thoughts, calls, results, tools. Nothing is rendered."""
    from coalm.mixture.look import Wanted, look

    if left_out or reason:
        _left_out(folder, reason, corpus, row, limit)
        return
    for sample in look(folder, Wanted(corpus, row, grep, split), limit, seed):
        console.rule(_heading(sample), style="dim")
        for line in (*_tools(sample.dialogue.tools), *map(_turn, sample.dialogue.turns)):
            if grep:
                line.highlight_words([grep], "reverse", case_sensitive=False)
            console.print(line, soft_wrap=True)
    note(f"as a model is trained on it: coalm show {folder}")


def _heading(sample: "Sample") -> str:
    from rich.markup import escape

    from coalm.formats.show import harmless

    said = [sample.id, sample.corpus]
    if sample.group not in ("", sample.id):
        said.append(f"group {sample.group}")
    if sample.dialect:
        said.append(f"dialect {sample.dialect}")
    return escape(harmless(" · ".join(said)))


def _tools(tools: "tuple[ToolSpec, ...]") -> "list[Text]":
    lines = []
    for tool in tools:
        required = set(tool.required)
        names = [name if name in required else f"{name}?" for name in tool.properties]
        lines.append(_line("tool", f"{tool.name}({', '.join(names)})  {tool.description}", "dim"))
    return lines


def _turn(turn: "Turn") -> "Text":
    from rich.text import Text

    from coalm.mixture.look import called
    from coalm.types import Assistant, Observation, System, User

    match turn:
        case System(text):
            return _line("system", text, "dim")
        case User(text):
            return _line("user", text, "bold")
        case Observation(text, tool):
            return _line(f"result of {tool}" if tool else "result", text, "cyan")
        case Assistant(text, thought, calls):
            lines = [_line("thought", thought, "italic magenta")] if thought else []
            lines += [_line("call", called(call), "green") for call in calls]
            if text or not calls:
                lines.append(_line("answer", text or "(nothing)", "yellow"))
            return Text("\n").join(lines)


def _line(label: str, text: str, style: str) -> "Text":
    from rich.text import Text

    from coalm.formats.show import visible

    # What is behind a line break stays under what it belongs to.
    inside = visible(text).replace("\n", "\n" + " " * 9)
    return Text.assemble((f"{visible(label):>7}: ", "dim"), (inside, style))


def _left_out(folder: Path, reason: str, corpus: str, row: str, limit: int) -> None:
    from coalm.errors import DataError
    from coalm.formats.show import harmless
    from coalm.mixture.look import left_out

    every = left_out(folder, reason=reason, corpus=corpus, id=row)
    shown = list(islice(every, limit))
    if not shown:
        raise DataError(f"{folder}: nothing was left out that fits")
    counts = Counter((one.corpus, one.reason) for one in shown)
    counts.update((one.corpus, one.reason) for one in every)
    for one in shown:
        said = [part for part in (one.id, one.place, one.reason, one.evidence) if part]
        console.print(harmless(": ".join(said)), markup=False, soft_wrap=True)
    for (name, why), times in counts.most_common():
        note(harmless(f"{times:,} of {name}: {why}"))
