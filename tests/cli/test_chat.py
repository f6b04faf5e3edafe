"""The terminal chat: what is shown, in which order, and what stays in the conversation."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from coalm import shards
from coalm.agent import Agent
from coalm.agent.functions import tools
from coalm.agent.guard import Manners
from coalm.agent.session import Setting
from coalm.agent.tracking import Domains
from coalm.cli.chat import chat
from coalm.cli.turns import asker
from coalm.engines import Completion, Model, Sampling, Unanswered
from coalm.engines.scripted import Scripted
from coalm.formats import Piece, format_of
from coalm.types import Assistant, Dialogue, Observation, System, User

CALL = "Thought: I need to look.\nAction: query_hotels(area='north')"
ANSWER = "System: Worth House is in the north."


def query_hotels(area: str) -> str:
    """Find hotels."""
    return "\n".join(f"hotel {n} in the {area}" for n in range(20))


def explode() -> str:
    """Always fails."""
    raise KeyboardInterrupt


def book_hotel(name: str) -> str:
    """Book a hotel."""
    return f"{name} is booked"


OFFERED = tools(query_hotels, explode, book_hotel)
OPENING = Dialogue((System("Guide."),), tuple(tool.spec for tool in OFFERED.values()))


def setting(agent: Agent) -> Setting:
    domains = Domains({"query_hotels": "hotel"})
    return Setting(agent, OPENING, {"book_hotel": Manners(writes=True)}, domains)


@dataclass
class Seen:
    """A finished chat: what the screen showed, and what is left of the conversation."""

    screen: str
    dialogue: Dialogue
    engine: Scripted


def lines(*typed: str | type[BaseException]) -> Callable[[], str]:
    """An `ask` that types these lines, then ends the input."""
    left = list(typed)

    def ask() -> str:
        if not left:
            raise EOFError
        line = left.pop(0)
        if isinstance(line, str):
            return line
        raise line

    return ask


def talk(
    script: Sequence[str | Unanswered],
    *typed: str | type[BaseException],
    engine: Scripted | None = None,
    save_to: Path | None = None,
    terminal: bool = False,
    max_steps: int = 6,
) -> Seen:
    out = io.StringIO()
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=out, width=80, force_terminal=terminal, color_system=colours)
    engine = engine or Scripted()
    engine.answers = list(script)
    agent = Agent(Model(engine, format_of("chatml", "react")), OFFERED, max_steps)
    dialogue = chat(
        setting(agent),
        console=console,
        ask=lines(*typed),
        save_to=save_to,
        label="scripted, chatml/react",
    )
    return Seen(out.getvalue(), dialogue, engine)


def test_a_thought_and_a_call_are_shown_before_the_answer() -> None:
    seen = talk([CALL, ANSWER], "A hotel up north?")
    order = [
        seen.screen.index(part)
        for part in (
            "thought   I need to look.",
            "call      query_hotels(area='north')",
            "result    hotel 0 in the north",
            "Worth House is in the north.",
        )
    ]
    assert order == sorted(order)
    assert "System:" not in seen.screen


def test_each_step_is_on_the_screen_before_the_next_is_made() -> None:
    out = io.StringIO()
    shown: list[str] = []

    @dataclass
    class Watching(Scripted):
        def complete(
            self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
        ) -> list[Completion | Unanswered]:
            shown.append(out.getvalue())
            return super().complete(prompts, sampling)

    agent = Agent(Model(Watching([CALL, ANSWER]), format_of("chatml", "react")), OFFERED)
    console = Console(file=out, width=80)
    ask = lines("A hotel?")
    chat(setting(agent), console=console, ask=ask, save_to=None, label="x")
    assert "I need to look" in shown[1]
    assert "hotel 0 in the north" in shown[1]


def test_a_long_result_is_cut_and_says_how_much_is_hidden() -> None:
    screen = talk([CALL, ANSWER], "hi").screen
    assert "hotel 5 in the north" in screen
    assert "hotel 6 in the north" not in screen
    assert "... 14 of 20 lines hidden" in screen


def test_json_is_broken_at_its_commas_and_otherwise_left_as_it_is() -> None:
    row = '{"name":"a house of some length","area":"north","note":"9:30,10"}'
    seen = talk([f"System: {row}", f"Action: query_hotels(area={row!r})", ANSWER], "one", "two")
    assert row in seen.screen
    assert '"area":"north",\n            "note":"9:30,10"}' in seen.screen


def test_the_conversation_goes_on_from_turn_to_turn() -> None:
    seen = talk([CALL, ANSWER, "System: Bye."], "A hotel?", "", "   ", "Thanks")
    kinds = [type(turn) for turn in seen.dialogue.turns]
    assert kinds == [System, User, Assistant, Observation, Assistant, User, Assistant]
    assert "Worth House is in the north." in seen.engine.seen[-1]


def test_malformed_output_is_shown_as_such_and_the_conversation_goes_on() -> None:
    seen = talk(["Action: query_hotels(", "System: Sorry."], "A hotel?", "Again?")
    assert "malformed the model's turn cannot be read" in seen.screen
    assert "it wrote  Action: query_hotels(" in seen.screen
    assert seen.dialogue.turns[1:] == (User("Again?"), Assistant("Sorry."))


def test_what_was_done_before_malformed_output_stays_in_the_conversation() -> None:
    seen = talk([CALL, "Action: query_hotels("], "A hotel?")
    assert [type(t) for t in seen.dialogue.turns] == [System, User, Assistant, Observation]
    assert "taken back" not in seen.screen


def test_the_limit_of_steps_is_said() -> None:
    seen = talk([CALL] * 3, "A hotel?", max_steps=2)
    assert "stopped after 2 steps without an answer" in seen.screen
    assert len(seen.dialogue.turns) == 6


def test_a_line_that_the_world_left_unanswered_is_taken_back() -> None:
    seen = talk([Unanswered("time-out"), "System: Hello."], "One", "Two")
    assert "no answer: time-out" in seen.screen
    assert seen.dialogue.turns[1:] == (User("Two"), Assistant("Hello."))


@dataclass
class Interrupted(Scripted):
    """An engine whose first reply is cut off by Ctrl-C."""

    cut: bool = False

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        if not self.cut:
            self.cut = True
            raise KeyboardInterrupt
        return Scripted.complete(self, prompts, sampling)


@pytest.mark.parametrize("terminal", [False, True])
def test_ctrl_c_cancels_the_reply_and_keeps_the_conversation(terminal: bool) -> None:
    seen = talk([ANSWER], "One", "Two", engine=Interrupted(), terminal=terminal)
    assert "cancelled" in seen.screen
    assert "taken back" in seen.screen
    assert [type(t) for t in seen.dialogue.turns] == [System, User, Assistant]
    assert seen.dialogue.turns[1] == User("Two")


def test_ctrl_c_in_a_tool_leaves_no_call_without_an_answer() -> None:
    seen = talk(["Action: explode()", ANSWER], "One", "Two")
    assert seen.dialogue.turns[3] == Observation("error: stopped by the user", "explode")
    assert "stopped by the user" in seen.engine.seen[-1]


def test_ctrl_c_at_the_prompt_says_how_to_end() -> None:
    assert "/quit ends" in talk([ANSWER], KeyboardInterrupt, "hi").screen


def test_quit_ends_and_what_follows_is_not_read() -> None:
    assert talk([ANSWER], "/quit", "hi").engine.seen == []


def test_help_names_every_command_and_a_wrong_one_gets_a_suggestion() -> None:
    seen = talk([], "/help", "/stat")
    assert all(c in seen.screen for c in ("/state", "/tools", "/reset", "/save [file]", "/quit"))
    assert "no command '/stat'; did you mean '/state'?" in seen.screen
    assert seen.engine.seen == []


def test_the_state_is_read_off_the_calls() -> None:
    seen = talk([CALL, ANSWER], "/state", "A hotel?", "/state")
    assert "nothing has been understood yet" in seen.screen
    assert "hotel-area  north" in seen.screen


def test_the_tools_are_listed_with_what_they_take() -> None:
    assert "query_hotels(area)  Find hotels." in talk([], "/tools").screen


def test_reset_begins_anew() -> None:
    seen = talk([CALL, ANSWER, "System: Hi."], "A hotel?", "/reset", "Hello", "/state")
    assert seen.dialogue.turns[1:] == (User("Hello"), Assistant("Hi."))
    assert "north" not in seen.engine.seen[-1]
    assert "nothing has been understood yet" in seen.screen


def test_a_saved_conversation_loads_back_equal(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "said.jsonl"
    seen = talk([CALL, ANSWER], "A hotel, s'il vous plaît?", f"/save '{file}'")
    [sample] = list(shards.read_samples(file))
    assert sample.dialogue == seen.dialogue
    assert str(file) in seen.screen


def test_saving_again_adds_a_line_and_nothing_said_saves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    seen = talk([ANSWER, ANSWER], f"/save {file}", "One", f"/save {file}", "Two", f"/save {file}")
    assert "nothing to save yet" in seen.screen
    saved = [sample.dialogue for sample in shards.read_samples(file)]
    assert [len(d.turns) for d in saved] == [3, 5]
    assert saved[-1] == seen.dialogue


def test_a_conversation_is_saved_at_its_end_where_a_file_was_named(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    talk([ANSWER] * 2, "One", "/reset", "Two", "/save", save_to=file)
    talk([], save_to=file)
    assert [s.dialogue.turns[1] for s in shards.read_samples(file)] == [User("One"), User("Two")]


def test_a_place_that_cannot_be_written_is_said_and_the_chat_goes_on(tmp_path: Path) -> None:
    seen = talk([ANSWER] * 2, "One", f"/save {tmp_path}", "Two")
    assert "not saved" in seen.screen
    assert len(seen.dialogue.turns) == 5


@pytest.mark.parametrize("terminal", [False, True])
def test_terminal_escapes_from_the_model_never_reach_the_terminal(terminal: bool) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\x08"
    script = [
        f"Thought: {evil}a\nAction: query_hotels(area='{evil}b')",
        f"System: {evil}c",
        f"Action: {evil}d(",
    ]
    screen = talk(script, "hi", "ho", terminal=terminal).screen
    assert not any(bad in screen for bad in ("\x1b[2J", "\x1b]0;", "\x9b", "\x08", "\x07"))


def test_markup_of_the_model_is_only_text() -> None:
    screen = talk(["System: [bold red]x[/] [link=http://e]y[/link] :smile: [/]"], "hi").screen
    assert "[bold red]x[/] [link=http://e]y[/link] :smile: [/]" in screen


def test_each_kind_of_line_has_its_own_style_on_a_terminal() -> None:
    screen = talk([CALL, ANSWER], "hi", terminal=True).screen
    assert "\x1b[2;3mI need to look." in screen
    assert "\x1b[36mquery_hotels" in screen
    assert "\x1b[1mWorth House" in screen


def test_an_answer_cut_off_by_its_length_says_so() -> None:
    @dataclass
    class Cut(Scripted):
        def complete(
            self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
        ) -> list[Completion | Unanswered]:
            return [Completion("System: and so", "length", 1, 256)]

    assert "cut off at 256 tokens" in talk([], "hi", engine=Cut()).screen


def test_silence_is_said() -> None:
    assert "the model said nothing" in talk([""], "hi").screen


def test_a_pipe_is_read_to_its_end_and_echoed() -> None:
    out = io.StringIO()
    ask = asker(Console(file=out), io.StringIO("hi\n\nlast"))
    assert [ask(), ask(), ask()] == ["hi\n", "\n", "last"]
    with pytest.raises(EOFError):
        ask()
    assert "you> hi" in out.getvalue()


BOOK = "Action: book_hotel(name='Worth House')"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("y", "Worth House is booked"),
        ("not that one", "did not allow it: not that one"),
        ("", "the user did not allow it"),
    ],
)
def test_a_tool_that_writes_asks_at_the_terminal(answer: str, told: str) -> None:
    seen = talk([BOOK, ANSWER], "Book it.", answer, "/quit")
    assert "book_hotel changes something: y to allow it" in seen.screen
    assert told in seen.screen
    assert told in seen.engine.seen[-1]


def test_nobody_at_the_terminal_allows_nothing() -> None:
    assert "did not allow it: nobody answered" in talk([BOOK, ANSWER], "Book it.").screen
