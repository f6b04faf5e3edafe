"""API-Bank: what a model is shown, what is scored, and the published floors of the metric."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.bench.apibank import ApiBankHammer, CallCase, held_out_texts
from coalm.bench.apibank.hammer import label
from coalm.bench.apibank.rows import SPEAKERS, SYSTEM, read_level
from coalm.bench.rouge import text_scores
from coalm.engines import Completion, Model, Said
from coalm.engines.scripted import Scripted
from coalm.errors import DataError, RecipeError
from coalm.formats import DIALECTS, LAYOUTS, Malformed, format_of, plain
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, System, ToolCall, User

SMALL = Found(SOURCES["apibank"], MINIATURE, "miniature")
BOTH = ApiBankHammer(SMALL, ("L-1", "L-2"))
CASE = BOTH.cases()[0]
"""The member M2071 borrows a book for 14 days."""


def saying(text: str, dialect: str = "json", case: CallCase = CASE) -> Reply:
    model = Model(Scripted([text]), format_of("chatml", dialect))
    return Agent(model, max_steps=1).reply(BOTH.opening(case))


def pasted(case: CallCase) -> list[str]:
    """The lines of the one user message."""
    user = case.opening.turns[-1]
    assert isinstance(user, User)
    return user.text.split("\n")


def written(folder: Path, *query: Mapping[str, str]) -> CallCase:
    """A case with that conversation, by way of a file."""
    path = folder / "rows.json"
    path.write_text(json.dumps([{"query": query, "tools": [], "answers": []}]))
    [case] = read_level(path, "L-1")
    return case


def test_the_miniature_has_both_levels() -> None:
    assert [BOTH.part(case) for case in BOTH.cases()].count("L-1") == 10
    assert BOTH.about.version == "hammer miniature, L-1 10, L-2 5"
    assert len({BOTH.id(case) for case in BOTH.cases()}) == 15


def test_both_levels_are_played_unless_one_is_named() -> None:
    assert {case.level for case in ApiBankHammer(SMALL).cases()} == {"L-1", "L-2"}
    second = ApiBankHammer(SMALL, ("L-2",))
    assert {case.level for case in second.cases()} == {"L-2"}
    assert (ApiBankHammer(SMALL).about.protocol, second.about.protocol) == ("hammer", "hammer-l2")


def test_metrics_are_told_by_level_only_where_there_are_two() -> None:
    assert {m.only for m in BOTH.about.metrics} == {"", "L-1", "L-2"}
    assert {m.only for m in ApiBankHammer(SMALL, ("L-1",)).about.metrics} == {""}


def test_a_call_in_another_dialect_is_exact_only_where_any_will_do() -> None:
    text = "[BorrowBook(member_id='M2071', title='The Glass Orchard', days='14')]"
    scores = BOTH.score(CASE, saying(text, "json")).scores

    assert (scores["exact"], scores["exact_any"]) == (0.0, 1.0)


def test_an_answer_that_breaks_off_is_counted_as_unreadable_with_its_reason() -> None:
    scores = BOTH.score(CASE, saying(label(CASE.calls)[3:-8])).scores

    assert (scores["unreadable"], scores["unreadable_cut_off"]) == (1.0, 1.0)


def test_a_level_that_does_not_exist_is_a_persons_mistake() -> None:
    with pytest.raises(RecipeError, match="L-4"):
        ApiBankHammer(SMALL, ("L-4",))


def test_the_conversation_is_one_message_after_the_operator_s_words() -> None:
    for case in BOTH.cases():
        system, user = case.opening.turns
        assert system == System(SYSTEM)
        assert isinstance(user, User)


def test_every_speaker_has_a_line_of_its_own_in_the_order_of_the_talk() -> None:
    assert pasted(BOTH.cases()[1]) == [
        "User: I would like to borrow The Glass Orchard.",
        "System: Gladly. What is your member number, and for how many days?",
        "User: It is M2071, for 14 days please.",
        "System: Thank you, one moment.",
        'Call: [{"name": "BorrowBook", "arguments": {"member_id": "M2071", '
        '"title": "The Glass Orchard", "days": "14"}}]',
        "Result: success",
        "System: The book is yours for two weeks.",
        "User: Fine. I also bring back Harbour Lights.",
        "System: I will note that.",
    ]


def test_two_lines_of_the_agent_stay_two_lines() -> None:
    assert pasted(BOTH.cases()[9])[1:3] == [
        "System: For which day?",
        "System: I can book any day of next week.",
    ]


def test_the_cue_of_the_data_is_nowhere_in_a_prompt_whoever_spoke_last() -> None:
    last = [pasted(BOTH.cases()[at])[-1] for at in (0, 2, 4)]

    assert last == [
        "System: Thank you, one moment.",
        "User: Where in the library is A Field Guide to Fog?",
        "Result: {'key': 'q7w2e9'}",
    ]
    for case in BOTH.cases():
        assert "Generate API" not in plain(format_of("chatml", "json").prompt(case.opening))


def test_a_line_that_is_nothing_but_the_cue_leaves_no_line(tmp_path: Path) -> None:
    case = written(
        tmp_path,
        {"role": "user", "content": "Lamp 88 off."},
        {"role": "agent", "content": "Generate API Request:"},
    )

    assert pasted(case) == ["User: Lamp 88 off."]


def test_the_gold_call_is_not_in_its_own_prompt_with_or_without_its_fence() -> None:
    for case in BOTH.cases():
        assert label(case.calls).strip("`") not in "\n".join(pasted(case))


@pytest.mark.parametrize("role", ["system", "function", ""])
def test_a_line_by_a_speaker_that_nobody_knows_is_a_persons_mistake(
    tmp_path: Path, role: str
) -> None:
    with pytest.raises(DataError, match=f"row 0 .*a line by '{role}'"):
        written(tmp_path, {"role": role, "content": "hello"})


def test_parameters_are_json_schema_and_all_required() -> None:
    spec = next(t for t in BOTH.cases()[6].opening.tools if t.name == "WaterBeds")

    assert spec.required == ("beds", "start", "minutes")
    assert spec.properties["beds"] == {
        "type": "array",
        "items": {"type": "string"},
        "description": "Names of the beds.",
    }
    assert spec.properties["minutes"] == {"type": "integer", "description": "How long."}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_format_can_write_every_prompt(layout: str, dialect: str) -> None:
    for case in BOTH.cases():
        assert format_of(layout, dialect).prompt(case.opening)


def test_gold_is_perfect_on_every_metric() -> None:
    rows = [(BOTH.part(c), BOTH.score(c, BOTH.gold_reply(c)).scores) for c in BOTH.cases()]

    assert {metric.name: metric.of(rows) for metric in BOTH.about.metrics} == {
        metric.name: pytest.approx(0.0 if "unreadable" in metric.name else 100.0)
        for metric in BOTH.about.metrics
    }


@pytest.mark.parametrize(
    "silence", [Reply(CASE.opening, "spoke"), Reply(CASE.opening, "steps"), saying("")]
)
def test_silence_is_zero_on_every_metric(silence: Reply) -> None:
    verdict = BOTH.score(CASE, silence)

    assert verdict.kind == "no call"
    assert {m.of([("L-1", verdict.scores)]) for m in BOTH.about.metrics} == {0.0}


def test_the_paper_s_metric_is_of_the_very_text_and_the_canonical_one_of_the_call() -> None:
    text = "[BorrowBook(member_id='M2071', title='The Glass Orchard', days='14')]"
    scores = BOTH.score(CASE, saying(text, "pythonic")).scores

    assert scores["rougel"] == text_scores(text, label(CASE.calls)).rougel < 0.6
    assert scores["rougel_canonical"] == scores["exact"] == 1.0


def test_a_perfect_call_without_the_fence_of_the_label_is_exact_but_not_equal() -> None:
    verdict = BOTH.score(CASE, saying(label(CASE.calls).strip("`")))

    assert verdict.kind == ""
    assert verdict.scores["exact"] == 1.0
    assert 0.8 < verdict.scores["rougel"] < 1.0


def test_an_integer_may_be_given_where_the_tool_asks_for_one() -> None:
    (call,) = CASE.calls
    right = ToolCall(call.name, {**call.arguments, "days": 14})
    wrong = ToolCall(call.name, {**call.arguments, "member_id": 2071})

    assert BOTH.score(CASE, saying(label([right]))).kind == ""
    assert BOTH.score(CASE, saying(label([wrong]))).kind == "wrong argument"


def test_an_answer_that_breaks_off_is_a_mistake_of_form() -> None:
    verdict = BOTH.score(CASE, saying(label(CASE.calls)[3:-8]))

    assert verdict.kind == "format"
    assert verdict.scores["exact"] == 0.0
    assert verdict.scores["rougel_canonical"] == verdict.scores["rougel"] > 0.5


def test_a_malformed_answer_is_never_exact_even_where_no_call_was_due() -> None:
    case = CallCase("L-1", 0, CASE.opening, ())
    said = Said(Malformed("[{", "torn"), Completion("[{", "length", 0, 0), "")
    verdict = BOTH.score(case, Reply(case.opening, "malformed", (said,), "torn"))

    assert (verdict.kind, verdict.scores["exact"]) == ("format", 0.0)


def test_only_the_first_turn_of_a_reply_is_scored() -> None:
    late = (saying("wait").said[0], BOTH.gold_reply(CASE).said[0])

    assert BOTH.score(CASE, Reply(CASE.opening, "steps", late)).kind == "no call"


def test_a_reply_without_completions_is_read_from_its_dialogue() -> None:
    reply = Reply(CASE.opening.then(Assistant(calls=CASE.calls)), "spoke")

    assert BOTH.score(CASE, reply).kind == ""


def test_what_the_world_prevented_is_not_called_wrong() -> None:
    assert BOTH.score(CASE, Reply(CASE.opening, "unanswered")).kind == "not answered"


@settings(max_examples=40)
@given(st.text(max_size=80), st.sampled_from(sorted(DIALECTS)))
def test_garbage_is_scored_and_changes_nothing(text: str, dialect: str) -> None:
    reply = saying(text, dialect)
    before = copy.deepcopy((CASE, reply))

    verdict = BOTH.score(CASE, reply)

    assert verdict.kind != ""
    assert verdict.scores["exact"] == 0.0
    assert (CASE, reply) == before


@pytest.mark.parametrize(
    "content", ["{}", "[{}]", "[3]", "nonsense", '[{"query": [{"role": "x", "content": ""}]}]']
)
def test_a_broken_file_is_a_persons_mistake(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)

    with pytest.raises(DataError, match=r"rows\.json"):
        list(read_level(path, "L-1"))


def test_another_number_of_rows_than_the_real_files_have_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("[]")

    with pytest.raises(DataError, match=r"rows\.json: 0 rows in place of 399"):
        list(read_level(path, "L-1", 399))


def test_every_user_line_of_both_levels_is_held_out() -> None:
    texts = set(held_out_texts(SMALL))

    assert "Turn off lamp 88, please." in texts
    assert "How much is 3.5 times 12?" in texts


def test_a_user_line_is_held_out_without_the_cue_that_the_data_put_behind_it() -> None:
    texts = set(held_out_texts(SMALL))

    assert "Where in the library is A Field Guide to Fog?" in texts
    assert not [text for text in texts if "Generate API" in text]


# --- the real data ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> ApiBankHammer:
    return ApiBankHammer(sources.find("apibank"), ("L-1", "L-2"))


def _in_python(calls: Sequence[ToolCall]) -> str:
    made = [f"{c.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in calls]
    return f"[{', '.join(made)}]"


REFERENCE: list[tuple[str, Callable[[Sequence[ToolCall]], str], float, float]] = [
    ("gold", label, 100.0, 100.0),
    ("gold without fence", lambda calls: label(calls).strip("`"), 92.6, 91.6),
    ("no arguments", lambda calls: label([ToolCall(c.name, {}) for c in calls]), 68.8, 74.2),
    ("always an empty list", lambda calls: label([]), 30.3, 33.5),
    ("gold in Python", _in_python, 40.0, 36.0),
]


@pytest.mark.data
@pytest.mark.parametrize(("what", "answer", "first", "second"), REFERENCE)
def test_rouge_l_is_the_reference_value(
    real: ApiBankHammer,
    what: str,
    answer: Callable[[Sequence[ToolCall]], str],
    first: float,
    second: float,
) -> None:
    for level, value in (("L-1", first), ("L-2", second)):
        calls = [case.calls for case in real.cases() if case.level == level]
        scores = [text_scores(answer(c), label(c)).rougel for c in calls]
        assert 100 * sum(scores) / len(scores) == pytest.approx(value, abs=0.05), what


@pytest.mark.data
def test_the_real_files_have_399_and_127_rows_with_one_call_each(real: ApiBankHammer) -> None:
    assert real.about.version == "hammer, L-1 399, L-2 127"
    assert {len(case.calls) for case in real.cases()} == {1}


@pytest.mark.data
def test_the_labels_are_written_as_the_file_s_own_calls_are() -> None:
    path = sources.find("apibank").path("apibank/hammer/apibank_l1.json")
    lines = [m["content"] for row in json.loads(path.read_text()) for m in row["query"]]
    fenced = [text for text in lines if text.startswith("```")]

    assert len(fenced) == 269
    for text in fenced:
        turn = format_of("chatml", "json").read(text)
        assert isinstance(turn, Assistant)
        assert label(turn.calls) == text


@pytest.mark.data
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_real_prompt_can_be_written(real: ApiBankHammer, dialect: str) -> None:
    for case in real.cases():
        text = plain(format_of("chatml", dialect).prompt(case.opening))
        assert "Generate API Request" not in text


@pytest.mark.data
def test_every_line_of_a_real_prompt_has_its_speaker_and_every_call_is_json(
    real: ApiBankHammer,
) -> None:
    speakers = tuple(f"{name}: " for name in SPEAKERS.values())
    lines = [line for case in real.cases() for line in pasted(case)]
    calls = [line.removeprefix("Call: ") for line in lines if line.startswith("Call: ")]

    assert all(line.startswith(speakers) for line in lines)
    assert len(calls) == 269 + 106
    assert all({"name", "arguments"} == set(c) for call in calls for c in json.loads(call))


@pytest.mark.data
def test_no_real_user_line_is_held_out_with_the_cue() -> None:
    texts = list(held_out_texts(sources.find("apibank")))

    assert len(texts) == 1496
    assert not [text for text in texts if not text or "Generate API" in text]
