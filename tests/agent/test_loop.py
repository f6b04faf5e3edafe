"""Laws of the one loop: think, act, observe, answer."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from coalm.agent import Agent, Reply
from coalm.agent.functions import tool, tools
from coalm.engines import Model, Unanswered
from coalm.engines.scripted import Answering, Scripted
from coalm.formats import format_of
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, User

REACT = format_of("chatml", "react")
CALL = "Thought: Look.\nAction: double(number=2)"
ANSWER = "System: Four."


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


def broken(number: int) -> int:
    raise ZeroDivisionError(f"cannot halve {number}")


def ask(text: str = "What is twice two?") -> Dialogue:
    return Dialogue((User(text),), tuple(t.spec for t in tools(double).values()))


def agent(*script: str | Unanswered, max_steps: int = 6) -> tuple[Agent, Scripted]:
    engine = Scripted(list(script))
    return Agent(Model(engine, REACT), tools(double, broken), max_steps), engine


def test_a_call_is_run_and_its_result_is_read_before_the_answer() -> None:
    who, engine = agent(CALL, ANSWER)
    reply = who.reply(ask())

    assert reply.dialogue.turns[1:] == (
        Assistant("", "Look.", (ToolCall("double", {"number": 2}),)),
        Observation("4", "double"),
        Assistant("Four."),
    )
    assert reply.ended == "spoke"
    assert "Observation: 4" in engine.seen[-1]


def test_a_missing_tool_is_news_for_the_model() -> None:
    who, engine = agent("Action: fly(to='Ely')", "System: I cannot.")

    assert who.reply(ask()).ended == "spoke"
    assert "there is no tool 'fly'" in engine.seen[-1]


def test_a_tools_failure_is_news_for_the_model() -> None:
    who, engine = agent("Action: broken(number=3)", "System: Sorry.")

    assert who.reply(ask()).ended == "spoke"
    assert "ZeroDivisionError: cannot halve 3" in engine.seen[-1]


def test_wrong_arguments_are_news_for_the_model() -> None:
    who, engine = agent("Action: double(number='x')", "System: Sorry.")

    assert who.reply(ask()).ended == "spoke"
    assert "error: double: number: should be a valid integer" in engine.seen[-1]


def test_several_calls_of_one_turn_are_answered_in_order() -> None:
    who, _ = agent("Action: double(number=1)\nAction: double(number=5)", ANSWER)
    turns = who.reply(ask()).dialogue.turns
    assert turns[2:4] == (Observation("2", "double"), Observation("10", "double"))


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_no_reply_takes_more_steps_than_allowed(limit: int) -> None:
    who, engine = agent(*[CALL] * 9, max_steps=limit)
    reply = who.reply(ask())

    assert reply.ended == "steps"
    assert len(engine.seen) == len(reply.said) == limit
    assert sum(isinstance(t, Observation) for t in reply.dialogue.turns) == limit


def test_a_malformed_turn_ends_the_reply_and_is_kept_for_scoring() -> None:
    who, _ = agent(CALL, "Action: double(")
    reply = who.reply(ask())

    assert reply.ended == "malformed"
    assert "not a call" in reply.why
    assert [s.completion.text for s in reply.said] == [CALL, "Action: double("]
    assert len(reply.dialogue.turns) == 3


def test_unanswered_is_not_a_wrong_answer() -> None:
    who, _ = agent(CALL, Unanswered("time-out"))
    reply = who.reply(ask())

    assert (reply.ended, reply.why) == ("unanswered", "time-out")
    assert len(reply.said) == 1


def answer_by_prompt(prompt: str) -> str:
    """A model whose turn depends on nothing but its prompt."""
    if "twice" in prompt and "Observation:" not in prompt:
        return CALL
    if "break" in prompt:
        return "Action: double("
    return CALL if "forever" in prompt else f"System: {len(prompt)}"


def test_replies_in_a_batch_equal_replies_one_by_one() -> None:
    asked = [ask(t) for t in ("twice?", "hello", "break it", "forever", "twice, then")]
    who = Agent(Model(Answering(answer_by_prompt), REACT), tools(double), 3)

    together = who.replies(asked)
    assert together == [who.reply(d) for d in asked]
    assert [r.ended for r in together] == ["spoke", "spoke", "malformed", "steps", "spoke"]


def test_a_batch_asks_the_engine_for_all_open_dialogues_at_once() -> None:
    sizes: list[int] = []

    @dataclass
    class Counting(Scripted):
        def complete(self, prompts, sampling):  # type: ignore[no-untyped-def]
            sizes.append(len(prompts))
            return super().complete(prompts, sampling)

    engine = Counting([CALL, "System: a", CALL, "System: b", "System: c"])
    Agent(Model(engine, REACT), tools(double)).replies([ask(), ask(), ask()])
    assert sizes == [3, 2]


def test_nothing_asked_is_nothing_answered() -> None:
    assert agent()[0].replies([]) == []


@dataclass
class Recorder:
    """A tool that notes when it ran."""

    ran: list[str] = field(default_factory=list)
    spec: ToolSpec = field(default_factory=lambda: tool(double).spec)

    def __call__(self, arguments: Mapping[str, object]) -> str:
        self.ran.append(str(arguments["number"]))
        return "4"


def test_each_step_is_told_before_the_next_is_made() -> None:
    recorder = Recorder()
    engine = Scripted([CALL, ANSWER])
    steps = Agent(Model(engine, REACT), {"double": recorder}).steps([ask()])

    assert isinstance(next(steps)[1], Assistant)
    assert (recorder.ran, len(engine.seen)) == ([], 1)
    assert isinstance(next(steps)[1], Observation)
    assert (recorder.ran, len(engine.seen)) == (["2"], 1)
    assert next(steps) == (0, Assistant("Four."))
    number, reply = next(steps)
    assert number == 0
    assert isinstance(reply, Reply)
    assert reply.ended == "spoke"


def test_the_steps_add_up_to_the_reply() -> None:
    who, _ = agent(CALL, CALL, ANSWER)
    *turns, reply = [step for _, step in who.steps([ask()])]
    assert isinstance(reply, Reply)
    assert reply.dialogue.turns == (*ask().turns, *turns)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("react", "Thought: a\nThought: Thought: Look.\nAction: double(number=1)"),
        ("json", "<think></think><think>b</think>c</think>"),
    ],
)
def test_nothing_a_model_writes_can_break_the_loop(dialect: str, text: str) -> None:
    engine = Scripted([text, "hello", "hello"])
    who = Agent(Model(engine, format_of("chatml", dialect)), tools(double))

    reply = who.reply(ask())
    assert (reply.ended, reply.dialogue) == ("malformed", ask())
    assert "cannot be written again" in reply.why
    assert who.reply(reply.dialogue.then(User("And now?"))).ended == "spoke"


def test_an_unreadable_turn_is_asked_for_again_once_and_leaves_no_trace() -> None:
    who, engine = agent("Action: double(number=", ANSWER)
    reply = replace(who, repair="ask again").reply(ask())
    assert reply.ended == "spoke"
    assert reply.dialogue.turns[1:] == (Assistant("Four."),)
    assert len(reply.said) == 2
    assert "could not be read: an action that is not a call" in engine.seen[-1]

    who, _ = agent("Action: double(number=", "Action: double(number=", ANSWER)
    assert replace(who, repair="ask again").reply(ask()).ended == "malformed"


def test_spent_tokens_end_a_reply_before_its_tools_run() -> None:
    who, _ = agent(CALL, ANSWER)
    reply = replace(who, max_tokens=3).reply(ask())
    assert reply.ended == "limit"
    assert "3 new tokens" in reply.why
    last = reply.dialogue.turns[-1]
    assert last == Observation(f"error: not run: {reply.why}", "double")


def test_spent_time_ends_a_reply_but_never_an_answer() -> None:
    who, _ = agent(CALL, ANSWER)
    assert replace(who, seconds=0.0).reply(ask()).ended == "limit"
    who, _ = agent(ANSWER)
    assert replace(who, seconds=0.0).reply(ask()).ended == "spoke"


def test_calls_of_one_turn_can_run_side_by_side_and_keep_their_order() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(number: int) -> int:
        """Wait for the other."""
        meeting.wait()
        return number

    engine = Scripted(["Action: meet(number=1)\nAction: meet(number=2)", "System: Met."])
    who = Agent(Model(engine, REACT), tools(meet), parallel=2)
    reply = who.reply(Dialogue((User("Meet."),), tuple(t.spec for t in tools(meet).values())))
    assert [t.text for t in reply.dialogue.turns if isinstance(t, Observation)] == ["1", "2"]
