"""Turns on a terminal: each kind of line has its label and its style.

Model text is data: it is stripped of terminal control and never read as markup.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

from coalm.formats.dialects.calls import write_calls
from coalm.formats.show import harmless
from coalm.types import Assistant, Observation, Turn, User

LINES = 6
"""Lines of a tool's answer that are shown."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal, or what stands for one."""

    console: Console

    def note(self, text: str) -> None:
        """Say something that is not part of the conversation."""
        self.console.print(Text(harmless(text), style="dim"), highlight=False, soft_wrap=True)

    def turn(self, turn: Turn) -> None:
        """A turn of either side, or what a tool gave back; the beginning of a long result."""
        match turn:
            case User(text):
                self.console.print(Text(f"you> {harmless(text)}"), highlight=False)
            case Assistant():
                if turn.thought.strip():
                    self.say("thought", turn.thought, "dim italic")
                if turn.text.strip():
                    self.console.print(Text(harmless(turn.text), style="bold"), highlight=False)
                for call in turn.calls:
                    self.say("call", write_calls((call,)), "cyan")
            case Observation():
                self.say("result", _airy(turn.text), "dim", most=LINES)
            case _:
                pass  # the operator's words are not part of what was said

    def say(self, label: str, text: str, style: str, *, most: int = 40) -> None:
        """A labelled block, indented, and what is hidden of it."""
        indent = 12
        whole = Text(harmless(text).strip(), style=style)
        lines = list(whole.wrap(self.console, max(20, self.console.width - indent), tab_size=4))
        shown = lines if len(lines) <= most + 1 else lines[:most]
        for i, line in enumerate(shown):
            line.rstrip()
            head = f"  {label}".ljust(indent) if i == 0 else " " * indent
            self.console.print(Text.assemble((head, style), line), highlight=False, soft_wrap=True)
        if len(shown) < len(lines):
            hidden = f"... {len(lines) - most} of {len(lines)} lines hidden"
            self.note(" " * indent + hidden)

    def table(self, rows: Mapping[str, str], empty: str = "") -> None:
        """Names and values, or what to say where there are none."""
        if not rows:
            self.note(empty)
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, value in rows.items():
            table.add_row(Text(harmless(name), style="cyan"), Text(harmless(value)))
        self.console.print(Padding(table, (0, 0, 0, 2)), highlight=False)


@dataclass(frozen=True, slots=True)
class Spinner:
    """What turns while one waits, with words beside it."""

    status: Status | None = None
    """None where there is no terminal."""

    def say(self, words: str) -> None:
        """Other words beside it."""
        if self.status is not None:
            self.status.update(Text(harmless(words)))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Out of the way while the block lasts, so that a person can type."""
        if self.status is not None:
            self.status.stop()
        yield
        if self.status is not None:
            self.status.start()


def asker(console: Console, stdin: TextIO | None = None) -> Callable[[], str]:
    """What `chat` asks for lines: the terminal, or a pipe until it ends."""
    source = sys.stdin if stdin is None else stdin
    if source.isatty():
        with suppress(ImportError):  # not on every platform; it brings line editing
            import readline  # noqa: F401
        return lambda: input("you> ")

    def read() -> str:
        try:
            line = source.readline()
        except KeyboardInterrupt:
            line = ""  # nobody is there to go on
        if not line:
            raise EOFError
        console.print(Text(f"you> {harmless(line).rstrip()}"), highlight=False)
        return line

    return read


def _airy(text: str) -> str:
    """Compact JSON with spaces at which a line can be broken; other text mostly as it is."""
    return re.sub(r',(?=["\[{])', ", ", text)
