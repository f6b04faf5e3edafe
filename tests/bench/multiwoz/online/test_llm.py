"""Users that a language model plays: what it is told, when it ends, and a whole evaluation."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from coalm import store
from coalm.bench.evaluate import EvalSettings, evaluate
from coalm.bench.multiwoz.online.llm import DONE, Written, described, prompted
from coalm.engines import Completion, Said, Sampling, Unanswered
from coalm.errors import CoalmError
from coalm.types import Assistant, Dialogue, System, User
from tests.bench.multiwoz.online.small import BENCH, call, case, heard, played, say, scripted
from tests.endpoints.server import Endpoint, Request, Say, Status, Step


class Script:
    """A model that plays a user by heart; `None` is a question that the world lost."""

    def __init__(self, *lines: str | None) -> None:
        self.lines = list(lines)
        self.seen: list[Dialogue] = []

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        self.seen += dialogues
        return [self._said(self.lines.pop(0)) for _ in dialogues]

    def _said(self, line: str | None) -> Said | Unanswered:
        if line is None:
            return Unanswered("429")
        return Said(Assistant(line), Completion(line, "stop", 0, 0), "")


def test_the_model_speaks_from_the_second_turn_on_until_it_is_done() -> None:
    script = Script("Where is it?", f"Thank you! {DONE}")
    of = case({"restaurant": {"info": {"name": "blue anchor"}, "reqt": ["address"]}})
    look = call("query_restaurants", name="blue anchor")
    reply, verdict = played(
        of, scripted(look, say("I found Blue Anchor."), say("3 Weir Street.")), Written(script, "m")
    )
    assert heard(reply)[1:] == ["Where is it?", "Thank you!"]
    assert (reply.ended, verdict.kind) == ("spoke", "")
    second = script.seen[1].turns
    assert [type(turn) for turn in second] == [System, User, Assistant, User, Assistant, User]
    assert isinstance(second[-1], User)
    assert second[-1].text == "3 Weir Street."


def test_a_user_who_says_nothing_has_hung_up() -> None:
    reply, _ = played(BENCH.cases()[0], scripted(say("Hello?")), Written(Script("  "), "m"))
    assert (heard(reply)[-1], reply.ended) == ("Goodbye.", "spoke")


def test_a_user_who_could_not_be_asked_leaves_the_case_unanswered() -> None:
    reply, verdict = played(BENCH.cases()[0], scripted(say("Hi")), Written(Script(None), "m"))
    assert (reply.ended, reply.why, verdict.kind) == ("unanswered", "the user: 429", "not answered")


def test_the_goal_is_told_in_full() -> None:
    told = described(BENCH.cases()[3])
    looked = ("1. ", "be of the type museum", "have 5 stars", "If there is none", "4 stars")
    driven = ("entrance fee", "pick me up at the attraction", "leave at 17:30", "car type")
    assert [part for part in (*looked, *driven) if part not in told] == []


@pytest.mark.parametrize(
    ("user", "bench", "why"),
    [
        ("m", "multiwoz:dst-json", "only multiwoz:online has users"),
        ("@http://localhost:1/v1", "multiwoz:online", "neither rules, MODEL nor MODEL@ADDRESS"),
        ("m@", "multiwoz:online", "neither rules, MODEL nor MODEL@ADDRESS"),
        ("m@localhost", "multiwoz:online", "localhost"),
    ],
)
def test_users_that_cannot_be_had_are_refused(
    tmp_path: Path, user: str, bench: str, why: str
) -> None:
    settings = EvalSettings(bench=(bench,), user=user)
    with pytest.raises(CoalmError, match=why):
        evaluate("any", settings, tmp_path, progress=lambda *_: None, note=lambda _: None)


@pytest.mark.usefixtures("miniature")
def test_an_evaluation_with_a_model_as_the_user_is_resumed_and_named(tmp_path: Path) -> None:
    fails = [True]

    def behave(request: Request) -> Step:
        if "tools" in request.body:
            return Say("What can I do for you?")
        if fails and "museum" in str(request.body["messages"][0]["content"]):
            return Status(500)
        return Say(f"Never mind. {DONE}")

    with Endpoint(behave) as server:
        settings = EvalSettings(
            bench=("multiwoz:online",), user=f"teacher@{server.url}", engine="server",
            base_urls=(server.url,), max_retries=0, timeout=5,
        )  # fmt: skip

        def once() -> tuple[int, int]:
            [done] = evaluate(
                "teacher", settings, tmp_path, progress=lambda *_: None, note=lambda _: None
            )
            return done.scores.cases, done.scores.not_answered

        assert once() == (5, 1)
        fails.clear()
        before = len(server.requests)
        assert once() == (6, 0)
        assert len(server.requests) - before <= 3
    row = store.read_json(tmp_path / "multiwoz.online/scores.json")
    assert row["libraries"]["user"].startswith("teacher@http://127.0.0.1")
    assert "--user teacher@http" in row["identity"]["command"]
    kinds = {line["kind"] for line in store.read_log(tmp_path / "multiwoz.online/outcomes.jsonl")}
    assert kinds == {"no call"}


def test_the_prompt_of_a_user_holds_no_answers_of_the_databases() -> None:
    from coalm.bench.multiwoz.online.play import Talk, begun

    of = BENCH.cases()[0]
    _, agenda = begun(of, BENCH.town, BENCH.atlas, 0)
    text = str(prompted(Talk(of, agenda, [("a", "b")])))
    assert "copper lantern" not in text.lower()
