"""`coalm data validate`: everything that is wrong with a person's own conversations."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, RecipeError

if TYPE_CHECKING:
    from coalm.types import Sample

Files = Annotated[
    list[Path] | None, typer.Argument(help="JSONL, JSON or parquet files, gzipped or not.")
]
Style = Annotated[
    str, typer.Option(help="openai, sharegpt or coalm; seen from each row if not given.")
]
Most = Annotated[int, typer.Option(min=0, help="Print at most so many problems; 0 is all.")]
Schema = Annotated[
    bool, typer.Option("--schema", help="Print the JSON Schema of our own rows and stop.")
]


def validate(
    files: Files = None, style: Style = "", max_errors: Most = 1000, schema: Schema = False
) -> None:
    """Check conversations line by line; exit 1 if there is any problem."""
    from coalm.corpora import own

    if schema:
        console.print(own.schema(), markup=False, soft_wrap=True)
        return
    if not files:
        raise RecipeError("which file? name some, or --schema for what a row is")
    own.style_named(style)
    count = _Count(max_errors)
    for path in files:
        _file(path, style, count)
    if count.hidden:
        note(f"... and {count.hidden:,} more; --max-errors 0 prints all")
    if count.problems:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Count:
    """Problems of all files together, and what one file holds."""

    most: int
    problems: int = 0
    doubts: int = 0
    rows: int = 0
    broken: int = 0
    turns: int = 0
    calls: int = 0
    styles: Counter[str] = field(default_factory=Counter)
    tools: set[str] = field(default_factory=set)

    @property
    def hidden(self) -> int:
        """Problems and doubts that were not printed."""
        return sum(max(0, n - self.most) for n in (self.problems, self.doubts) if self.most)

    def tell(self, line: str, *, doubt: bool = False) -> None:
        """Count a problem, and print it unless there were too many."""
        self.problems += not doubt
        self.doubts += doubt
        if not self.most or (self.doubts if doubt else self.problems) <= self.most:
            shown = f"doubt: {line}" if doubt else line
            style = "yellow" if doubt else "red"
            console.print(_visible(shown), style=style, markup=False, soft_wrap=True)


def _file(path: Path, style: str, count: _Count) -> None:
    from coalm.corpora import own
    from coalm.corpora.chunks import Fault

    count.rows = count.broken = count.turns = count.calls = 0
    count.styles, count.tools = Counter(), set()
    before, seen = count.problems, dict[str, str]()
    try:
        for entry in own.entries(path, style):
            count.rows += 1
            if isinstance(entry, Fault):
                count.broken += 1
                count.tell(str(entry))
                continue
            found = own.examine(entry.value, style)
            count.styles[found.style or "of no known style"] += 1
            faults, doubts = list(found.faults), list(found.doubts)
            if found.sample is not None:
                _counted(found.sample, count)
                first = seen.setdefault(found.sample.id, entry.place)
                if first != entry.place:
                    named = entry.value.get("id") not in (None, "")
                    again = own.repeated(found.sample.id, first.removeprefix(f"{path}").strip(": "))
                    (faults if named else doubts).append(again)
            count.broken += bool(faults)
            for why in faults:
                count.tell(f"{entry.place}: {why}")
            for why in doubts:
                count.tell(f"{entry.place}: {why}", doubt=True)
    except DataError as e:
        count.tell(str(e))
        return
    if not count.rows:
        count.tell(f"{path}: holds no rows")
        return
    kinds = ", ".join(f"{n:,} {style}" for style, n in sorted(count.styles.items()))
    console.print(
        f"{path}: {count.rows:,} rows ({kinds or 'none could be read'}), {count.turns:,} turns, "
        f"{count.calls:,} calls, {len(count.tools):,} tools; "
        f"{count.problems - before:,} problems in {count.broken:,} rows",
        markup=False,
        soft_wrap=True,
    )


def _counted(sample: "Sample", count: _Count) -> None:
    from coalm.types import Assistant

    count.turns += len(sample.dialogue.turns)
    count.calls += sum(len(t.calls) for t in sample.dialogue.turns if isinstance(t, Assistant))
    count.tools |= {tool.name for tool in sample.dialogue.tools}


def _visible(line: str) -> str:
    """A line that does nothing to the terminal, whatever the data holds."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
