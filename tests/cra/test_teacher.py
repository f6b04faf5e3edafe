"""What a teacher is asked, and what becomes of its answers."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.cra.check import check
from coalm.cra.findings import Finding
from coalm.cra.teacher.answer import LONGEST, Mistake, specimen, told
from coalm.cra.teacher.log import Kept, Log
from coalm.cra.teacher.prompt import INSTRUCTION, SCHEMA, messages
from coalm.cra.teacher.tasks import Task, Teaching, TeachSettings, Unfit
from coalm.errors import DataError, RecipeError
from coalm.types import Assistant, Observation, Sample, User
from tests.cra.teachers import ALL, MARK, MINI, good, tasks, teaching

TASKS = tasks()
FERRY = next(t for t in TASKS if t.dialogue.id == "1_00002")


def changed(change: Callable[[dict[str, Any]], object], turn: int = 1) -> str:
    """A good answer about the ferry with one entry changed."""
    answer = good(FERRY)
    change(answer["turns"][turn])
    return json.dumps(answer)


def kept(text: str, ended: str = "stop", task: Task = FERRY, **more: Any) -> Kept:
    return Kept(task.key(0), task.skeleton.id, text, ended, **more)


def reasons(*answers: Kept, log: Log, attempts: int = 1) -> tuple[str, ...]:
    log.add(*answers)
    return tuple(map(str, teaching(attempts=attempts).standing(FERRY, log).reasons))


@pytest.fixture
def log(tmp_path: Any) -> Log:
    return Log(tmp_path / "answers.jsonl")


# --- the prompt ---------------------------------------------------------------------------


def test_the_prompt_shows_tools_words_calls_and_results() -> None:
    system, user = FERRY.messages

    assert system == {"role": "system", "content": INSTRUCTION}
    for tool in FERRY.skeleton.dialogue.tools:
        assert f'"name":"{tool.name}"' in user["content"]
    for turn in FERRY.skeleton.dialogue.turns:
        match turn:
            case User(text):
                assert f"User: {text}\n" in user["content"]
            case Observation(text):
                assert f"API Result: {text}\n" in user["content"]
            case Assistant(text=text) if text:
                assert f"System: {text}" in user["content"]
    assert "2019-03-01" in user["content"]


def test_the_prompt_does_not_give_the_annotations_own_thoughts_away() -> None:
    for task in TASKS:
        shown = messages(task.skeleton)[1]["content"]
        for turn in task.skeleton.dialogue.turns:
            if isinstance(turn, Assistant):
                assert turn.thought not in shown


def test_the_schema_takes_good_answers_and_no_others() -> None:
    for task in TASKS:
        jsonschema.validate(good(task), SCHEMA)
    more = {"turn": 1, "thought": "a", "b": 1}
    wrongs: list[object] = [{"turns": [{"turn": 1}]}, {"turns": [more]}, []]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_the_schema_is_within_what_strict_modes_allow() -> None:
    def closed(schema: Any) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                assert schema["additionalProperties"] is False
                assert schema["required"] == list(schema["properties"])
            for value in schema.values():
                closed(value)
        elif isinstance(schema, list):
            for value in schema:
                closed(value)

    closed(SCHEMA)


# --- the answer ---------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.dialogue.id)
def test_a_good_answer_becomes_a_sound_sample_of_the_same_shape(task: Task) -> None:
    sample = told(task.skeleton, json.dumps(good(task)))

    assert isinstance(sample, Sample)
    assert check(sample, task.dialogue, teaching().services) == ()
    same = replace(sample, dialogue=task.skeleton.dialogue)
    assert same == task.skeleton
    for mine, theirs in zip(sample.dialogue.turns, task.skeleton.dialogue.turns, strict=True):
        if isinstance(mine, Assistant) and isinstance(theirs, Assistant):
            assert mine.thought == theirs.thought + MARK
            assert (mine.calls, mine.text) == (theirs.calls, theirs.text)
        else:
            assert mine == theirs


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.dialogue.id)
def test_the_specimen_gives_the_skeleton_back(task: Task) -> None:
    assert told(task.skeleton, specimen(task.skeleton)) == task.skeleton


@pytest.mark.parametrize(
    "wrap",
    ["{}", "```json\n{}\n```", "```\n{}\n```", "<think>Let me see. {{}}</think>\n{}", " \n{} "],
)
def test_an_answer_may_stand_in_a_fence_or_behind_musing(wrap: str) -> None:
    assert isinstance(told(FERRY.skeleton, wrap.format(json.dumps(good(FERRY)))), Sample)


def test_an_input_may_be_an_object_and_in_another_order() -> None:
    def reorder(entry: dict[str, Any]) -> None:
        pairs = reversed(entry["api_input"])
        entry["api_input"] = {pair["name"]: pair["value"] for pair in pairs}

    sample = told(FERRY.skeleton, changed(reorder))
    assert isinstance(sample, Sample)
    calls = [t.calls for t in sample.dialogue.turns if isinstance(t, Assistant)]
    assert repr(calls) == repr(
        [t.calls for t in FERRY.skeleton.dialogue.turns if isinstance(t, Assistant)]
    )


def test_a_thought_is_kept_on_one_line() -> None:
    sample = told(FERRY.skeleton, changed(lambda e: e.update(thought1=" Two\n\nlines\there. ")))
    assert isinstance(sample, Sample)
    assert (
        Assistant(
            thought="Two lines here.",
            calls=sample.dialogue.turns[4].calls,  # type: ignore[union-attr]
        )
        in sample.dialogue.turns
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not the JSON"),
        ("I would rather not.", "not the JSON"),
        ('{"turns": [', "not the JSON"),
        ("[]", "no object with a list of turns"),
        ('{"turns": 3}', "no object with a list of turns"),
        ('{"turns": []}', "another number of turns"),
        (changed(lambda e: e.update(thought1="\ud800")), "surrogates not allowed"),
        ("[" * 100_000, "not the JSON"),
        (changed(lambda e: e.update(turn=9)), "not numbered"),
        (changed(lambda e: e.pop("thought1")), "no thought1"),
        (changed(lambda e: e.update(thought2="  ")), "no thought2"),
        (changed(lambda e: e.update(thought2=3)), "no thought2"),
        (changed(lambda e: e.update(thought1="word " * (LONGEST + 1))), "more than 100 words"),
        (changed(lambda e: e.pop("api_name")), "no api_name"),
        (changed(lambda e: e.update(api_input="x")), "no names and values"),
        (changed(lambda e: e.update(api_input=[1])), "no names and values"),
        (changed(lambda e: e["api_input"].append(e["api_input"][0])), "given twice"),
        (changed(lambda e: e.update(api_name="FindFerry"), 0), "a call in a turn that has none"),
        (
            changed(lambda e: (e.update(thought=e.pop("thought1")), e.pop("thought2"))),
            "no call in a turn that has one",
        ),
        (
            changed(lambda e: e.update(thought1="So be it.</think> I call.")),
            "cannot tell from its own marks",
        ),
    ],
)
def test_a_models_mistake_has_its_reason(text: str, why: str) -> None:
    found = told(FERRY.skeleton, text)
    assert isinstance(found, Mistake)
    assert why in str(found)


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["turns", "turn", "thought", "thought1", "api_name", "api_input"]),
                inner,
            )
        ),
    ).map(json.dumps)
)
def test_no_answer_makes_the_reader_fall_over(text: str) -> None:
    assert isinstance(told(FERRY.skeleton, text), Mistake)


@given(
    st.integers(0, 10),
    st.sampled_from(["turn", "thought", "thought1", "thought2", "api_name", "api_input"]),
    st.none() | st.integers() | st.lists(st.none()) | st.dictionaries(st.text(), st.integers()),
)
def test_an_entry_of_wrong_types_is_a_mistake_or_fails_the_check(
    turn: int, key: str, value: object
) -> None:
    answer = good(FERRY)
    entry = answer["turns"][turn % len(answer["turns"])]
    if key not in entry or entry[key] == value:
        return
    entry[key] = value
    found = told(FERRY.skeleton, json.dumps(answer))
    if isinstance(found, Sample):
        assert check(found, FERRY.dialogue, teaching().services)


# --- verdicts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(api_name="FindFery"),
        lambda e: e["api_input"].pop(),
        lambda e: e["api_input"].append({"name": "colour", "value": "red"}),
        lambda e: e["api_input"][0].update(value="Nowhere"),
        lambda e: e["api_input"][0].update(value=3),
        lambda e: e["api_input"][0].update(value=[float("nan"), {"a": None}]),
    ],
    ids=["wrong name", "missing argument", "made up argument", "other value", "wrong type", "odd"],
)
def test_a_call_other_than_the_real_one_is_rejected(
    change: Callable[[dict[str, Any]], object], log: Log
) -> None:
    assert reasons(kept(changed(change)), log=log)


def test_a_cut_off_answer_is_rejected_and_asked_again_where_there_is_more_room(log: Log) -> None:
    cut = kept(json.dumps(good(FERRY))[:100], "length", max_tokens=50)
    log.add(cut)

    same = Teaching(MINI, TeachSettings("teacher", attempts=1, max_tokens=50))
    assert same.standing(FERRY, log).reasons == (
        Mistake("an answer cut off at its length", "50 tokens"),
    )
    assert same.standing(FERRY, log).attempt is None
    more = Teaching(MINI, TeachSettings("teacher", attempts=1, max_tokens=60))
    assert more.standing(FERRY, log).attempt == 0


def test_a_refusal_is_rejected_with_what_was_said(log: Log) -> None:
    assert reasons(kept("", refusal="I cannot."), log=log) == ("no words in the answer: I cannot.",)


def test_the_second_attempt_has_another_seed_and_key() -> None:
    assert FERRY.body(0)["seed"] == 0
    assert FERRY.body(1)["seed"] == 1
    assert FERRY.key(0) != FERRY.key(1)


def test_a_rejected_answer_is_asked_again_and_no_more_than_allowed(log: Log) -> None:
    two = teaching(attempts=2)
    assert two.standing(FERRY, log).attempt == 0
    log.add(kept("nonsense"))
    assert two.standing(FERRY, log).attempt == 1
    log.add(replace(kept("more nonsense"), key=FERRY.key(1)))
    standing = two.standing(FERRY, log)
    assert (standing.attempt, standing.sample) == (None, None)
    assert standing.usage.requests == 2


def test_at_temperature_0_there_is_one_attempt() -> None:
    assert TeachSettings("m", temperature=0, attempts=5).tries == 1


def test_another_model_prompt_or_sampling_is_another_request() -> None:
    [here] = [t for t in tasks() if t.dialogue.id == "1_00002"]
    assert here.key(0) == FERRY.key(0)
    for other in (
        tasks("other"),
        tasks(temperature=0.3),
        tasks(seed=5),
    ):
        assert next(t for t in other if t.dialogue.id == "1_00002").key(0) != FERRY.key(0)
    roomy = next(t for t in tasks(max_tokens=9) if t.dialogue.id == "1_00002")
    assert roomy.key(0) == FERRY.key(0)
    moved = replace(FERRY.skeleton, dialogue=FERRY.skeleton.dialogue.until(5))
    assert Task(FERRY.dialogue, moved, FERRY.settings).key(0) != FERRY.key(0)


def test_a_dialogue_that_fails_by_its_annotation_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from coalm.cra.teacher import tasks as module

    finding = Finding("unseen entity", 6, "Nessport")

    def picky(sample: Sample, *rest: Any) -> tuple[Finding, ...]:
        return (finding,) if "1_00002" in sample.id else check(sample, *rest)

    monkeypatch.setattr(module, "check", picky)
    unfit = [t for t in teaching().tasks() if isinstance(t, Unfit)]
    reason = Mistake("unseen entity", "turn 6: Nessport")
    assert unfit == [Unfit("sgd-cra/train/1_00002", (reason,))]


def test_a_dialogue_whose_annotated_thoughts_alone_fail_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from coalm.cra.teacher import tasks as module

    finding = Finding("thought disagrees", 2, "no such slot")
    monkeypatch.setattr(module, "check", lambda *given: (finding,))
    assert all(isinstance(t, Task) for t in teaching().tasks())


def test_a_limit_takes_the_first_dialogues() -> None:
    assert len(TASKS) == ALL
    assert [t.dialogue.id for t in tasks(limit=3)] == [t.dialogue.id for t in TASKS[:3]]


def test_a_split_that_is_not_there_is_told() -> None:
    with pytest.raises(RecipeError, match="did you mean 'train'"):
        teaching(split="tran")
    with pytest.raises(DataError, match="SGD's dev split is not there"):
        teaching(split="dev")


@pytest.mark.data
def test_another_split_says_so_in_its_ids() -> None:
    from coalm.sources import find

    task = next(iter(Teaching(find("sgd"), TeachSettings("m", split="dev", limit=1)).tasks()))
    assert isinstance(task, Task)
    assert task.skeleton.id.startswith("sgd-cra/dev/")
    assert task.skeleton.group.startswith("sgd/dev/")


@pytest.mark.data
def test_of_500_real_dialogues_most_can_be_asked() -> None:
    from coalm.sources import find

    found = list(Teaching(find("sgd"), TeachSettings("m", limit=500)).tasks())
    asked = [t for t in found if isinstance(t, Task)]
    assert len(asked) >= 400
    for task in asked[:50]:
        assert told(task.skeleton, specimen(task.skeleton)) == task.skeleton


# --- the log ------------------------------------------------------------------------------


def test_the_log_gives_back_what_it_was_given(log: Log) -> None:
    one = kept("text", prompt_tokens=7, without=("seed",))
    two = Kept("k", "id", "", "length", counted=False, max_tokens=9)
    log.add(one, two)

    again = Log(log.path)
    assert (again.get(one.key), again.get("k")) == (one, two)
    assert again.usage("k").uncounted == 1
    assert len(again) == 2


def test_a_line_cut_off_by_a_kill_is_forgotten(log: Log) -> None:
    log.add(kept("text"))
    whole = log.path.read_bytes()
    log.path.write_bytes(whole + whole[: len(whole) // 2])

    assert len(Log(log.path)) == 1
    assert log.path.read_bytes() == whole


@pytest.mark.parametrize("line", ['{"a": 1}', '{"key": 3, "id": "a", "text": ""}', "[]", "{"])
def test_a_log_of_something_else_is_refused_by_name_and_line(log: Log, line: str) -> None:
    log.path.write_text(f"{line}\n")
    with pytest.raises(DataError, match=r"answers\.jsonl"):
        Log(log.path)
