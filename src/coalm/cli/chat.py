"""A conversation in the terminal: what the model thinks, calls and sees, as it happens.

What is on the screen is in the conversation: a reply that is cancelled or cut short
keeps its finished steps, because a tool may have booked something by then. Model text
is data: it is stripped of terminal control and never read as markup.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from coalm import store
from coalm.agent import Reply
from coalm.agent.events import (
    Asking,
    Ended,
    Event,
    Observed,
    Took,
    Tracked,
    Trimmed,
    Unreadable,
    Writing,
)
from coalm.agent.session import Session, Setting
from coalm.agent.tracking import State
from coalm.cli.turns import Screen, Spinner
from coalm.errors import CoalmError, unknown
from coalm.formats.pieces import Malformed
from coalm.formats.show import harmless
from coalm.types import Dialogue, Observation, ToolSpec, User

COMMANDS: Mapping[str, str] = {
    "/help": "this list",
    "/state": "what has been understood so far",
    "/tools": "what the model may call",
    "/reset": "begin anew",
    "/save [file]": "add the conversation to a JSONL file",
    "/quit": "end (so does Ctrl-D)",
}
"""The commands, as /help lists them."""

FILE = Path("conversations.jsonl")
"""Where /save writes when nobody says where."""


def chat(
    setting: Setting,
    *,
    console: Console,
    ask: Callable[[], str],
    save_to: Path | None,
    label: str,
    keep: Callable[[Session], None] = lambda _: None,
) -> Dialogue:
    """Talk until `ask` raises `EOFError` or /quit; what was said comes back.

    A conversation that has changed is added to `save_to` when it ends or is reset, if a file
    is given. `keep` is told the session after each reply.
    """
    talk = _Talk(setting, console, ask, save_to, keep)
    talk.screen.note(label)
    talk.screen.note("/help lists the commands; Ctrl-C stops a reply, Ctrl-D ends")
    try:
        while not talk.over:
            try:
                line = ask().strip()
            except KeyboardInterrupt:
                talk.screen.note("\nCtrl-D or /quit ends the conversation")
                continue
            except EOFError:
                talk.screen.note("")
                break
            if line.startswith("/"):
                talk.command(line)
            elif line:
                talk.hear(line)
                console.print()
    finally:
        talk.keep()
    return talk.dialogue


@dataclass
class _Talk:
    """A conversation under way, and the screen it is shown on."""

    setting: Setting
    console: Console
    ask: Callable[[], str]
    save_to: Path | None
    keep_session: Callable[[Session], None]
    screen: Screen = field(init=False)
    session: Session = field(init=False)
    saved: Dialogue = field(init=False)
    """The conversation as it was last saved."""
    over: bool = False

    def __post_init__(self) -> None:
        self.screen = Screen(self.console)
        self._begin()

    def _begin(self) -> None:
        self.session = Session(self.setting)
        self.saved = self.setting.opening

    @property
    def dialogue(self) -> Dialogue:
        """The conversation so far."""
        return self.session.dialogue

    # --- the conversation -----------------------------------------------------------------

    def hear(self, line: str) -> None:
        """Take a line of the user and let the model answer it."""
        before = self.dialogue
        try:
            with self._spinner() as spin, closing(self.session.say(_utf8(line))) as events:
                for event in events:
                    self._happened(event, spin)
        except KeyboardInterrupt:
            self.screen.note("cancelled")
        except CoalmError as e:
            self.screen.say("error", str(e), "red")
        if self.dialogue == before.then(User(_utf8(line))):
            self.session.dialogue = before  # it got no step at all
            self.screen.note("your line was taken back; say it again or something else")
        else:
            self.keep_session(self.session)

    def _happened(self, event: Event, spin: "Spinner") -> None:
        match event:
            case Writing(thought, text):
                spin.say((text or thought).rpartition("\n")[2][-60:] or "thinking")
            case Took(turn):
                self.screen.turn(turn)
                spin.say(f"running {turn.calls[0].name}" if turn.calls else "thinking")
            case Observed(tool, text):
                self.screen.turn(Observation(text, tool))
                spin.say("thinking")
            case Unreadable(_, why):
                self.screen.note(f"(unreadable, asked again: {why})")
            case Trimmed(rounds):
                self.screen.note(f"(the first {rounds} rounds do not fit the model any more)")
            case Asking():
                self.session.decide(event.number, self._allowed(event, spin))
            case Ended(reply):
                self._ended(reply)
            case Tracked():
                pass  # /state shows it

    def _allowed(self, asking: Asking, spin: "Spinner") -> bool | str:
        """What the person says to a call that changes something."""
        self.screen.note(f"  {asking.call.name} changes something: y to allow it, or say why not")
        with spin.stopped():
            try:
                said = self.ask().strip()
            except EOFError:
                return "nobody answered"
        return True if said.lower() in ("y", "yes") else said or False

    def _ended(self, reply: Reply) -> None:
        match reply.ended:
            case "spoke" if not reply.turns[-1].text.strip():
                self.screen.note("(the model said nothing)")
            case "spoke":
                pass
            case "steps":
                self.screen.note(
                    f"stopped after {self.setting.agent.max_steps} steps without an answer"
                )
            case "limit":
                self.screen.note(f"stopped: {reply.why}")
            case "unanswered":
                self.screen.say("error", f"no answer: {reply.why}", "red")
            case "malformed":
                self.screen.say("malformed", f"the model's turn cannot be read: {reply.why}", "red")
                turn = reply.said[-1].turn
                self.screen.say(
                    "it wrote", turn.text if isinstance(turn, Malformed) else "", "yellow"
                )
        if reply.said and reply.said[-1].completion.ended == "length":
            self.screen.note(f"(cut off at {self.setting.agent.sampling.max_tokens} tokens)")

    def keep(self) -> None:
        """Save the conversation if there is a file for it and something new to save."""
        if self.save_to is not None and self.dialogue not in (self.saved, self.setting.opening):
            self._save(self.save_to)

    # --- commands -------------------------------------------------------------------------

    def command(self, line: str) -> None:
        """Do what a line that begins with a slash says."""
        name, _, rest = line.partition(" ")
        match name:
            case "/help":
                self.screen.table(COMMANDS)
            case "/state":
                self.screen.table(flat(self.session.state), "nothing has been understood yet")
            case "/tools":
                self.screen.table({_heading(t): t.description for t in self._specs()}, "no tools")
            case "/reset":
                self.keep()
                self._begin()
                self.screen.note("the conversation begins anew")
            case "/save":
                self._save(_path(rest) or self.save_to or FILE)
            case "/quit" | "/exit":
                self.over = True
            case _:
                self.screen.note(
                    unknown("command", harmless(name), [c.split()[0] for c in COMMANDS])
                )

    def _save(self, path: Path) -> None:
        if self.dialogue == self.setting.opening:
            self.screen.note("there is nothing to save yet")
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
            self.screen.say("error", f"not saved: {e}", "red")
            return
        self.saved = self.dialogue
        self.screen.note(f"saved as one more line of {path}")

    def _specs(self) -> tuple[ToolSpec, ...]:
        return self.dialogue.tools or tuple(tool.spec for tool in self.setting.agent.tools.values())

    @contextmanager
    def _spinner(self) -> "Iterator[Spinner]":
        """A spinner where there is a terminal."""
        if not self.console.is_terminal:
            yield Spinner()
            return
        with self.console.status("thinking") as status:
            yield Spinner(status)


def flat(state: State) -> dict[str, str]:
    """A state as lines: what is settled, offered and booked, by domain."""
    rows = {f"{d}-{slot}": v for d, slots in state.slots.items() for slot, v in slots.items()}
    rows |= {f"{domain}-offered": names for domain, names in state.offered.items()}
    return rows | {f"{domain}-booked": what for domain, what in state.booked.items()}


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
