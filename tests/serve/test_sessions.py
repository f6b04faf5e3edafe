"""Conversations over HTTP: events as they come, questions, going back, opinions, limits."""

import asyncio
import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coalm.agent import traces
from coalm.agent.traces import Feedback, Trace
from coalm.serve.sessions_kept import Keeper, SessionLimits, secrets_of
from coalm.serve.sessions_live import Outbox, finite
from coalm.types import Dialogue, System, User
from tests.serve.stage import Stage, stage


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces") / "traces.jsonl"


@pytest.fixture(scope="module")
def served(kept: Path) -> Iterator[Stage]:
    with stage(models=("tuned", "base"), keeper=Keeper(kept, ("hunter2222",))) as made:
        yield made


def events(made: Stage, id: str, text: str) -> Iterator[dict[str, Any]]:
    """The events of a reply, each when it comes."""
    url = f"{made.url}/agent/sessions/{id}/say"
    with httpx.stream("POST", url, json={"text": text}, timeout=20) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        number = 0
        for line in response.iter_lines():
            if line.startswith("id: "):
                assert int(line[4:]) > number
                number = int(line[4:])
            if line.startswith("data: "):
                event = json.loads(line[6:])
                assert event["id"] == number
                yield event


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in found if event["event"] != "writing"]


def test_a_conversation_is_told_what_it_can_do(served: Stage) -> None:
    about = served.post("", {}).json()

    assert about["agent"] == "places"
    assert about["policy"] == "Help visitors."
    assert (about["model"], about["models"]) == ("tuned", ["tuned", "base"])
    assert [(t["name"], t["writes"], t["asks"]) for t in about["tools"]] == [
        ("find", False, False),
        ("book", True, True),
    ]
    assert served.post("", {"model": "base"}).json()["model"] == "base"


def test_a_reply_comes_as_events_with_numbers_and_times(served: Stage) -> None:
    id = served.opened()
    found = list(events(served, id, "thai please"))

    assert kinds(found) == ["took", "tracked", "observed", "tracked", "took", "ended"]
    assert [e["at"] for e in found] == sorted(e["at"] for e in found)
    assert found[-1]["how"] == "spoke"
    calls = [e["calls"] for e in found if e["event"] == "took"]
    assert calls == [[{"name": "find", "arguments": {"food": "thai", "area": "north"}}], []]
    shown = served.get(f"/{id}")
    assert [turn["role"] for turn in shown["turns"]] == ["user", "assistant", "tool", "assistant"]
    assert shown["state"]["slots"] == {"table": {"food": "thai", "area": "north"}}
    assert not shown["busy"]


def test_words_come_before_they_are_whole() -> None:
    with stage(pace=0.02) as made:
        seen = [e for e in events(made, made.opened(), "hello") if e["event"] == "writing"]
    assert [e["text"] for e in seen if e["text"] != "Hello there."]


def test_a_writing_tool_waits_for_leave_and_runs_with_it(served: Stage) -> None:
    id = served.opened()
    before = len(served.booked)
    for event in events(served, id, "book it"):
        if event["event"] == "asking":
            assert len(served.booked) == before
            assert event["name"] == "book"
            assert event["arguments"] == {"name": "Thai House", "people": 2}
            wrong = served.post(f"/{id}/decide", {"number": event["number"] + 7, "allowed": True})
            assert wrong.status_code == 409
            answer = served.post(f"/{id}/decide", {"number": event["number"], "allowed": True})
            assert answer.status_code == 200
    assert len(served.booked) == before + 1
    assert "reference X1" in served.get(f"/{id}")["state"]["booked"]["table"]


def test_a_refusal_and_its_reason_reach_the_model(served: Stage) -> None:
    id = served.opened()
    before = len(served.booked)
    for event in events(served, id, "book it"):
        if event["event"] == "asking":
            body = {"number": event["number"], "allowed": False, "why": "not so soon"}
            served.post(f"/{id}/decide", body)
    assert len(served.booked) == before
    assert served.get(f"/{id}")["turns"][-1]["text"] == "Then I leave it: not so soon"


def test_a_reply_is_stopped_where_it_is(served: Stage) -> None:
    id = served.opened()
    last: dict[str, Any] = {}
    begun, stopped = time.monotonic(), False
    for last in events(served, id, "count"):
        if not stopped and last["event"] == "writing" and last["text"]:
            stopped = True
            assert served.post(f"/{id}/cancel").json() == {"cancelled": True}
    assert (last["event"], last["how"]) == ("ended", "cancelled")
    assert time.monotonic() - begun < 6  # it would write for eight seconds and more
    assert served.get(f"/{id}")["turns"] == [{"role": "user", "text": "count"}]
    assert kinds(list(events(served, id, "hello")))[-1] == "ended"


def test_two_replies_at_once_are_refused_and_so_is_going_back(served: Stage) -> None:
    id = served.opened()
    for event in events(served, id, "book it"):
        if event["event"] == "asking":
            for path, body in (("say", {"text": "hello"}), ("back", {"turn": 0})):
                answer = served.post(f"/{id}/{path}", body)
                assert (answer.status_code, answer.json()["error"]["code"]) == (409, "busy")
            served.post(f"/{id}/decide", {"number": event["number"], "allowed": False})
    assert len(served.get(f"/{id}")["turns"]) == 4


def test_who_hangs_up_stops_the_agent(served: Stage) -> None:
    id = served.opened()
    before = len(served.booked)
    for event in events(served, id, "book it"):
        if event["event"] == "asking":
            break
    deadline = time.monotonic() + 5
    while (shown := served.get(f"/{id}"))["busy"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(served.booked) == before
    assert "stopped the reply" in shown["turns"][-1]["text"]


def test_going_back_takes_the_turns_their_state_and_their_opinions(
    served: Stage, kept: Path
) -> None:
    id = served.opened()
    for words in ("hello", "thai please"):
        list(events(served, id, words))
    served.post(f"/{id}/feedback", {"reply": 0, "vote": "up"})
    served.post(f"/{id}/feedback", {"reply": 1, "vote": "down", "correction": "Better so."})
    answer = served.post(f"/{id}/back", {"turn": 1}).json()

    assert answer["text"] == "thai please"
    assert answer["state"]["slots"] == {}
    shown = served.get(f"/{id}")
    assert [t["text"] for t in shown["turns"]] == ["hello", "Hello there."]
    assert [f["reply"] for f in shown["feedback"]] == [0]
    list(events(served, id, "indian instead"))
    [trace] = [one for one in traces.read(kept) if one.id == id]
    assert [e["event"] for e in trace.events].count("ended") == 2
    assert served.post(f"/{id}/back", {"turn": 7}).status_code == 400


def test_each_reply_and_each_opinion_are_kept_in_the_file(served: Stage, kept: Path) -> None:
    id = served.opened("base")
    list(events(served, id, "thai please"))
    list(events(served, id, "my password: hunter2222, my key is sk-abcdefghijklmnop"))
    body = {"reply": 0, "vote": "down", "correction": "Thai House.", "note": "shorter"}
    assert served.post(f"/{id}/feedback", body).json() == {"kept": True, "untraced": ""}

    [trace] = [one for one in traces.read(kept) if one.id == id]
    assert (trace.agent, trace.model) == ("places", "base")
    assert trace.feedback == (Feedback(0, "down", "Thai House.", "shorter"),)
    assert next(t.text for t in trace.dialogue.turns if isinstance(t, User)) == "thai please"
    assert {"took", "observed", "tracked", "ended"} == {e["event"] for e in trace.events}
    assert "hunter2222" not in kept.read_text()
    assert "sk-abcdef" not in kept.read_text()
    served.post(f"/{id}/feedback", {"reply": 0, "vote": "none"})
    [trace] = [one for one in traces.read(kept) if one.id == id]
    assert not trace.feedback


def test_a_trace_can_be_taken_along(served: Stage, tmp_path: Path) -> None:
    id = served.opened()
    list(events(served, id, "my password is hunter2222"))
    answer = httpx.get(f"{served.url}/agent/sessions/{id}/trace")

    assert "attachment" in answer.headers["content-disposition"]
    file = tmp_path / "one.jsonl"
    file.write_text(answer.text)
    [trace] = traces.read(file)
    assert trace.id == id
    assert "hunter2222" not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("", {"model": "tund"}, 404, "did you mean 'tuned'"),
        ("", {"model": 3}, 400, "must be a text"),
        ("/ID/say", {"text": "  "}, 400, "no words"),
        ("/ID/say", {}, 400, "must be a text"),
        ("/ID/say", {"text": "x" * 9_000}, 400, "8000 are the limit"),
        ("/ID/decide", {"number": "1", "allowed": True}, 400, "question's number"),
        ("/ID/decide", {"number": 1, "allowed": True}, 409, "nobody asks"),
        ("/ID/back", {"turn": True}, 400, "which user turn"),
        ("/ID/feedback", {"reply": 0, "vote": "up"}, 400, "there is no reply"),
        ("/nobody/say", {"text": "hi"}, 404, "no such conversation"),
    ],
)
def test_what_cannot_be_meant_is_named(
    served: Stage, path: str, body: dict[str, Any], status: int, why: str
) -> None:
    answer = served.post(path.replace("ID", served.opened()), body)
    assert answer.status_code == status
    assert why in answer.json()["error"]["message"]


def test_a_body_must_say_that_it_is_json_so_that_no_other_site_can_send_it(served: Stage) -> None:
    url = f"{served.url}/agent/sessions"
    plain = httpx.post(url, content="{}", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    broken = httpx.post(url, content="{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, "not JSON" in broken.text) == (400, True)
    assert "access-control-allow-origin" not in plain.headers


def test_another_name_for_this_machine_is_not_answered(served: Stage) -> None:
    assert httpx.get(served.url, headers={"Host": "evil.example"}).status_code == 400
    assert httpx.get(served.url, headers={"Host": "localhost:80"}).status_code == 200


def test_the_page_may_run_its_own_scripts_only(served: Stage) -> None:
    page = httpx.get(served.url)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert "http" not in page.text  # nothing from anywhere else
    assert httpx.get(f"{served.url}/page/main.js").headers["content-type"].startswith("text/java")
    for name in ("nothing.js", "..%2fapp.py", "__init__.py"):
        assert httpx.get(f"{served.url}/page/{name}").status_code == 404


def test_numbers_and_letters_that_json_cannot_say_do_not_stop_a_conversation(
    served: Stage,
) -> None:
    id = served.opened()
    url = f"{served.url}/agent/sessions/{id}/say"
    halved = httpx.post(
        url,
        content=b'{"text": "half \\ud800 letter"}',
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
    assert '"how": "spoke"' in halved.text
    assert finite({"a": [math.inf, -math.inf, 1.5], "b": math.nan}) == {
        "a": ["inf", "-inf", 1.5],
        "b": "nan",
    }


def test_how_a_reply_ends_is_told(served: Stage) -> None:
    ends = {}
    for words in ("silence", "garbage", "again and again", "asleep", "cut me"):
        last = list(events(served, served.opened(), words))[-1]
        ends[words] = (last["how"], last["cut"])
    assert ends == {
        "silence": ("spoke", False),
        "garbage": ("malformed", False),
        "again and again": ("steps", False),
        "asleep": ("unanswered", False),
        "cut me": ("spoke", True),
    }


def test_a_closed_conversation_says_so(served: Stage) -> None:
    id = served.opened()
    assert httpx.delete(f"{served.url}/agent/sessions/{id}").json() == {"closed": True}
    answer = served.post(f"/{id}/say", {"text": "hello"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "session_gone")


def test_the_conversation_that_was_idle_longest_makes_room_for_a_new_one() -> None:
    with stage(limits=SessionLimits(sessions=2)) as made:
        first, second = made.opened(), made.opened()
        made.get(f"/{first}")  # it is used again
        third = made.post("").json()
        assert third["dropped"] == 1
        assert made.post(f"/{second}/say", {"text": "hello"}).status_code == 410
        for event in events(made, first, "book it"):
            if event["event"] == "asking":
                answers = [made.post("").status_code for _ in range(2)]
                assert answers == [201, 201]  # the busy one stays
                assert len(made.sessions) == 2
                made.post(f"/{first}/decide", {"number": event["number"], "allowed": False})


def test_too_many_at_once_are_told_to_come_back() -> None:
    with stage(limits=SessionLimits(sessions=1)) as made:
        id = made.opened()
        for event in events(made, id, "book it"):
            if event["event"] == "asking":
                answer = made.post("")
                assert answer.status_code == 429
                assert answer.json()["error"]["code"] == "too_many_sessions"
                made.post(f"/{id}/decide", {"number": event["number"], "allowed": False})


def test_a_conversation_in_which_nothing_happens_ends() -> None:
    with stage(limits=SessionLimits(idle=0.1)) as made:
        id = made.opened()
        time.sleep(0.25)
        answer = made.post(f"/{id}/say", {"text": "hello"})
        assert answer.status_code == 410
        assert "nothing happened in it" in answer.json()["error"]["message"]


def test_many_conversations_share_one_engine_that_is_run_from_one_thread() -> None:
    with stage(pace=0.005) as made:
        ids = [made.opened() for _ in range(6)]
        lasts: list[Any] = [None] * 6

        def talk(n: int) -> None:
            for words in ("thai please", f"I am {n}"):
                lasts[n] = list(events(made, ids[n], words))[-2]

        threads = [threading.Thread(target=talk, args=(n,)) for n in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
        assert [last["text"] for last in lasts] == [f"tuned heard: I am {n}" for n in range(6)]
        assert not made.engines[0].crowded
        assert max(made.engines[0].batches) > 1  # who waits is asked for together


def test_the_api_of_the_first_model_is_served_beside_the_page(served: Stage) -> None:
    body = {"model": "tuned", "messages": [{"role": "user", "content": "hello"}]}
    answer = httpx.post(f"{served.url}/v1/chat/completions", json=body, timeout=20).json()
    assert answer["choices"][0]["message"]["content"] == "Hello there."


def test_a_key_is_asked_for_where_there_are_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_KEYS", "let-me-in")
    with stage(key_env="STAGE_KEYS") as made:
        assert made.post("").status_code == 401
        assert httpx.get(made.url).status_code == 200
        assert made.post("", headers={"Authorization": "Bearer let-me-in"}).status_code == 201


def test_the_server_stops_without_waiting_for_a_question_and_keeps_the_trace(
    tmp_path: Path,
) -> None:
    file = tmp_path / "traces.jsonl"
    with stage(keeper=Keeper(file)) as made:
        id, last = made.opened(), {}
        for last in events(made, id, "book it"):
            if last["event"] == "asking":
                begun = time.monotonic()
                made.stop.set()
        assert (last["how"], made.booked) == ("cancelled", [])
        assert time.monotonic() - begun < 4
    [trace] = traces.read(file)
    assert trace.events[-1]["how"] == "cancelled"


def test_a_history_that_does_not_fit_is_said() -> None:
    with stage(context=256 + 45) as made:
        id = made.opened()
        said = [kinds(list(events(made, id, words))) for words in ("a", "b", "c")]
        assert ["trimmed" in found for found in said] == [False, False, True]


def test_a_file_that_cannot_be_written_is_said_and_the_talk_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with stage(keeper=Keeper(blocked / "traces.jsonl")) as made:
        id = made.opened()
        found = list(events(made, id, "hello"))
        assert kinds(found)[-2:] == ["untraced", "ended"]
        told = made.post(f"/{id}/feedback", {"reply": 0, "vote": "up"}).json()
        assert "traces.jsonl" in told["untraced"]


def test_a_keeper_without_a_file_keeps_nothing_and_knows_secrets_by_their_names() -> None:
    trace = Trace("1", "a", "m", "", Dialogue((System("the word is swordfish"),)))
    assert Keeper().keep(trace) == ""
    secret = secrets_of(("A", "B", ""), {"A": "swordfish, trout", "C": "no"})
    assert secret == ("swordfish", "trout")
    assert "swordfish" not in Keeper(secrets=secret).line(trace)


def test_a_slow_reader_gets_the_latest_writing_and_a_silent_agent_a_beat() -> None:
    async def read() -> list[Any]:
        out = Outbox(asyncio.get_running_loop())
        for text in ("a", "ab", "abc"):
            out.put({"event": "writing", "text": text})
        out.put({"event": "took"})
        rows = out.rows(beat=0.05)
        found = [await anext(rows) for _ in range(3)]
        out.put(None)
        return [*found, *[row async for row in rows]]

    assert asyncio.run(read()) == [
        {"event": "writing", "text": "abc"},
        {"event": "took"},
        None,
    ]
