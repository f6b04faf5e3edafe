"""`coalm data stats`: what is in a data folder, in numbers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.mixture.stats import Counts, Measure, Stats

Folder = Annotated[Path, typer.Argument(help="A data folder that `coalm data build` made.")]


def stats(
    folder: Folder,
    split: Annotated[str, typer.Option(help="Count train or valid alone.")] = "",
    tokenizer: Annotated[
        str,
        typer.Option(
            help="Count tokens anew with this model's tokenizer (`bytes` needs no model); else "
            "the manifest's counts are shown."
        ),
    ] = "",
    top: Annotated[int, typer.Option(help="Functions to name.", min=0)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count rows, turns, calls, thoughts, tools and tokens, by corpus and in all."""
    from coalm import shards
    from coalm.mixture.stats import stats as counted

    measure = _measure(folder, tokenizer, quiet=as_json) if tokenizer else None
    with bar("rows") as progress:
        task = progress.add_task("counting", total=None, said="")
        found = counted(
            folder,
            (split,) if split else shards.SPLITS,
            measure=measure,
            progress=lambda done, of: progress.update(task, completed=done, total=of),
        )
    if as_json:
        typer.echo(json.dumps(_plain(found, top), ensure_ascii=False))
        return
    _print(folder, found, top)


def _measure(folder: Path, name: str, *, quiet: bool) -> "Measure":
    from coalm import models
    from coalm.formats.tokens import ByteTokenizer, open_tokenizer
    from coalm.mixture import read_manifest
    from coalm.mixture.stats import Measure

    recipe = read_manifest(folder).recipe
    told = (lambda _: None) if quiet else note
    opened = ByteTokenizer() if name == "bytes" else open_tokenizer(models.folder(name, told))
    return Measure(f"tokenizer {name}", opened, recipe["layout"], recipe["dialect"])


def _plain(found: "Stats", top: int) -> dict[str, object]:
    return {
        "corpora": {name: counts.plain(top) for name, counts in found.corpora.items()},
        "total": found.total.plain(top),
        "licences": found.licences,
        "measured": found.measured,
        "notes": found.notes,
    }


def _print(folder: Path, found: "Stats", top: int) -> None:
    every = {**found.corpora, "in all": found.total}
    how = f", {found.measured}" if found.measured else ""
    _table(f"{folder}: size{how}", _SIZE, {n: _size(c, found.total) for n, c in every.items()})
    _table("what a row holds", _HOLDS, {name: _holds(c) for name, c in every.items()})
    if found.total.lengths:
        _lengths(found)
    if top and found.total.functions:
        _functions(found.total, top)
    for licence, corpora in found.licences.items():
        console.print(f"{licence}: {', '.join(corpora)}", markup=False, soft_wrap=True)
    for said in found.notes:
        note(said)


_SIZE = ("rows", "share", "groups", "tokens", "a row", "learned", "50% within", "95%", "all")
_HOLDS = ("user turns", "answers", "calls", "parallel", "no call", "thoughts", "tools", "dialects")


def _size(counts: "Counts", total: "Counts") -> tuple[str, ...]:
    from coalm.mixture.lengths import at_most

    rows, tokens = max(counts.rows, 1), counts.tokens
    return (
        f"{counts.rows:,}",
        _share(counts.rows, total.rows),
        f"{len(counts.groups):,}",
        "" if tokens is None else f"{tokens:,}",
        "" if tokens is None else f"{tokens / rows:,.0f}",
        "" if not tokens or counts.learned is None else _share(counts.learned, tokens),
        *(f"{at_most(counts.lengths, q):,}" if counts.lengths else "" for q in (0.5, 0.95, 1.0)),
    )


def _holds(counts: "Counts") -> tuple[str, ...]:
    from coalm.formats.show import harmless

    rows = max(counts.rows, 1)
    spoken = [
        f"{harmless(name) or 'any'} {_share(n, rows)}" for name, n in counts.dialects.most_common(4)
    ]
    return (
        f"{counts.users / rows:.1f}",
        f"{counts.assistants / rows:.1f}",
        _share(counts.with_calls, rows),
        _share(counts.parallel, rows),
        _share(counts.without_calls, rows),
        _share(counts.with_thoughts, rows),
        f"{counts.tools / rows:.1f} (≤ {counts.most_tools})",
        ", ".join(spoken),
    )


def _share(part: int, whole: int) -> str:
    share = part / max(whole, 1)
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _table(title: str, columns: tuple[str, ...], rows: dict[str, tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("corpus")
    for column in columns:
        table.add_column(column, justify="left" if column == "dialects" else "right")
    for name, cells in rows.items():
        if name == "in all":
            table.add_section()
        table.add_row(name, *cells)
    console.print(table)


def _lengths(found: "Stats") -> None:
    from coalm.mixture.lengths import at_most, spark

    end = at_most(found.total.lengths, 0.995) + 1
    width = max(map(len, found.corpora), default=0)
    console.print("rows by length, each corpus as high as its own highest bar", style="italic")
    for name, counts in found.corpora.items():
        console.print(f"{name:>{width}} ▏{spark(counts.lengths, end, 48)}", markup=False)
    console.print(f"{'tokens':>{width}}  0{end:>47,}", style="dim", markup=False)


def _functions(total: "Counts", top: int) -> None:
    from coalm.formats.show import harmless

    named = [f"{harmless(name)} ({times:,})" for name, times in total.functions.most_common(top)]
    console.print(f"most called: {', '.join(named)}", markup=False, soft_wrap=True)
    if total.forgotten:
        note(f"{total.forgotten:,} calls of rare names were not kept apart by name")
