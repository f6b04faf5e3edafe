"""A conversation in the terminal: what the model thinks, calls and sees, as it happens.

What is on the screen is in the conversation: a reply that is cancelled or cut short
keeps its finished steps, because a tool may have booked something by then. Model text
is data: it is stripped of terminal control and never read as markup.
"""

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from coalm import store
from coalm.agent import Agent, Reply
from coalm.errors import CoalmError, unknown
from coalm.formats.dialects.calls import write_calls
from coalm.formats.pieces import Malformed
from coalm.formats.show import harmless
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, Turn, User

COMMANDS: Mapping[str, str] = {
    "/help": "this list",
    "/state": "what has been understood so far",
    "/tools": "what the model may call",
    "/reset": "begin anew",
    "/save [file]": "add the conversation to a JSONL file",
    "/quit": "end (so does Ctrl-D)",
}
"""The commands, as /help lists them."""

LINES = 6
"""Lines of a tool's answer that are shown."""
FILE = Path("conversations.jsonl")
"""Where /save writes when nobody says where."""


def chat(
    agent: Agent,
    opening: Dialogue,
    *,
    console: Console,
    ask: Callable[[], str],
    state: Callable[[Dialogue], Mapping[str, str]],
    save_to: Path | None,
    label: str,
) -> Dialogue:
    """Talk until `ask` raises `EOFError` or /quit; what was said comes back.

    `state` reads the dialogue state for /state. A conversation that has changed is added
    to `save_to` when it ends or is reset, if a file is given.
    """
    talk = _Talk(agent, opening, console, state, save_to)
    talk.note(label)
    talk.note("/help lists the commands; Ctrl-C stops a reply, Ctrl-D ends")
    try:
        while not talk.over:
            try:
                line = ask().strip()
            except KeyboardInterrupt:
                talk.note("\nCtrl-D or /quit ends the conversation")
                continue
            except EOFError:
                talk.note("")
                break
            if line.startswith("/"):
                talk.command(line)
            elif line:
                talk.hear(line)
                console.print()
    finally:
        talk.keep()
    return talk.dialogue


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


@dataclass
class _Talk:
    """A conversation under way, and the screen it is shown on."""

    agent: Agent
    opening: Dialogue
    console: Console
    state: Callable[[Dialogue], Mapping[str, str]]
    save_to: Path | None
    dialogue: Dialogue = field(init=False)
    saved: Dialogue = field(init=False)
    """The conversation as it was last saved."""
    over: bool = False

    def __post_init__(self) -> None:
        self.dialogue = self.saved = self.opening

    # --- the conversation -----------------------------------------------------------------

    def hear(self, line: str) -> None:
        """Take a line of the user and let the model answer it."""
        asked = self.dialogue.then(User(_utf8(line)))
        so_far, waiting = asked, list[ToolCall]()
        try:
            with self._spinner() as spin:
                for _, step in self.agent.steps([asked]):
                    if isinstance(step, Reply):
                        so_far, waiting = step.dialogue, []
                        self._ended(step)
                        break
                    if isinstance(step, Malformed):
                        self.note(f"(unreadable, asked again: {step.why})")
                        continue
                    so_far = so_far.then(step)
                    waiting = list(step.calls) if isinstance(step, Assistant) else waiting[1:]
                    self._show(step)
                    spin(f"running {waiting[0].name}" if waiting else "thinking")
        except KeyboardInterrupt:
            self.note("cancelled")
        except CoalmError as e:
            self._say("error", str(e), "red")
        else:
            self.dialogue = self._unless_silent(so_far, asked)
            return
        lost = [Observation("error: cancelled by the user", call.name) for call in waiting]
        self.dialogue = self._unless_silent(so_far.then(*lost), asked)

    def _unless_silent(self, so_far: Dialogue, asked: Dialogue) -> Dialogue:
        """The conversation as it goes on; a line that got no step at all is taken back."""
        if so_far != asked:
            return so_far
        self.note("your line was taken back; say it again or something else")
        return self.dialogue

    def _ended(self, reply: Reply) -> None:
        match reply.ended:
            case "spoke" if not reply.turns[-1].text.strip():
                self.note("(the model said nothing)")
            case "spoke":
                pass
            case "steps":
                self.note(f"stopped after {self.agent.max_steps} steps without an answer")
            case "limit":
                self.note(f"stopped: {reply.why}")
            case "unanswered":
                self._say("error", f"no answer: {reply.why}", "red")
            case "malformed":
                self._say("malformed", f"the model's turn cannot be read: {reply.why}", "red")
                turn = reply.said[-1].turn
                self._say("it wrote", turn.text if isinstance(turn, Malformed) else "", "yellow")
        if reply.said and reply.said[-1].completion.ended == "length":
            self.note(f"(cut off at {self.agent.sampling.max_tokens} tokens)")

    def keep(self) -> None:
        """Save the conversation if there is a file for it and something new to save."""
        if self.save_to is not None and self.dialogue not in (self.saved, self.opening):
            self._save(self.save_to)

    # --- commands -------------------------------------------------------------------------

    def command(self, line: str) -> None:
        """Do what a line that begins with a slash says."""
        name, _, rest = line.partition(" ")
        match name:
            case "/help":
                self._table(COMMANDS)
            case "/state":
                self._table(self.state(self.dialogue), "nothing has been understood yet")
            case "/tools":
                self._table({_heading(t): t.description for t in self._specs()}, "no tools")
            case "/reset":
                self.keep()
                self.dialogue = self.saved = self.opening
                self.note("the conversation begins anew")
            case "/save":
                self._save(_path(rest) or self.save_to or FILE)
            case "/quit" | "/exit":
                self.over = True
            case _:
                self.note(unknown("command", harmless(name), [c.split()[0] for c in COMMANDS]))

    def _save(self, path: Path) -> None:
        if self.dialogue == self.opening:
            self.note("there is nothing to save yet")
            return
        turns = store.dump_turns(self.dialogue.turns)
        row = {
            "id": f"own/chat/{store.content_hash(turns)}",
            "corpus": "own",
            "turns": turns,
            "tools": store.dump_tools(self.dialogue.tools),
        }
        try:
            store.append(path, [row])
        except OSError as e:
            self._say("error", f"not saved: {e}", "red")
            return
        self.saved = self.dialogue
        self.note(f"saved as one more line of {path}")

    def _specs(self) -> tuple[ToolSpec, ...]:
        return self.dialogue.tools or tuple(tool.spec for tool in self.agent.tools.values())

    # --- the screen -----------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Say something that is not part of the conversation."""
        self.console.print(Text(harmless(text), style="dim"), highlight=False, soft_wrap=True)

    def _show(self, turn: Turn) -> None:
        match turn:
            case Assistant():
                if turn.thought.strip():
                    self._say("thought", turn.thought, "dim italic")
                if turn.text.strip():
                    self.console.print(Text(harmless(turn.text), style="bold"), highlight=False)
                for call in turn.calls:
                    self._say("call", write_calls((call,)), "cyan")
            case Observation():
                self._say("result", _airy(turn.text), "dim", most=LINES)
            case _:
                pass  # an agent takes no other turns

    def _say(self, label: str, text: str, style: str, *, most: int = 40) -> None:
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

    def _table(self, rows: Mapping[str, str], empty: str = "") -> None:
        if not rows:
            self.note(empty)
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, value in rows.items():
            table.add_row(Text(harmless(name), style="cyan"), Text(harmless(value)))
        self.console.print(Padding(table, (0, 0, 0, 2)), highlight=False)

    @contextmanager
    def _spinner(self) -> Iterator[Callable[[str], None]]:
        """A spinner where there is a terminal; what it gives changes the words beside it."""
        if not self.console.is_terminal:
            yield lambda _: None
            return
        with self.console.status("thinking") as status:
            yield lambda words: status.update(Text(harmless(words)))


def _airy(text: str) -> str:
    """Compact JSON with spaces at which a line can be broken; other text mostly as it is."""
    return re.sub(r',(?=["\[{])', ", ", text)


def _heading(spec: ToolSpec) -> str:
    required = set(spec.required)
    return f"{spec.name}({', '.join(p if p in required else f'{p}?' for p in spec.properties)})"


def _path(text: str) -> Path | None:
    try:
        words = shlex.split(text)
    except ValueError:  # an apostrophe in a name
        words = [text.strip()]
    return Path(" ".join(words)).expanduser() if words else None


def _utf8(text: str) -> str:
    """The text as UTF-8 can carry it: a terminal may hand over halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
