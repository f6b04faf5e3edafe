"""API-Bank in ToolRL's conversion: rows from tagged texts, and one exact call."""

import json
from collections import Counter
from pathlib import Path

import pytest

from coalm import sources
from coalm.bench.apibank import ApiBankToolRL, ApiBankToolRLPrompt
from coalm.bench.apibank.reading import read
from coalm.bench.apibank.toolrl_rows import read_file
from coalm.bench.apibank.turns import predicted, replied
from coalm.bench.base import Verdict
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, Dialogue, System, ToolCall, User

SMALL = Found(SOURCES["apibank-toolrl"], MINIATURE, "miniature")
TOOLRL = ApiBankToolRL(SMALL)
CASE = TOOLRL.cases()[1]
"""Ann sets a reminder, after she said who she is."""


def called(*calls: ToolCall) -> Verdict:
    return TOOLRL.score(CASE, replied(TOOLRL.opening(CASE), Assistant(calls=calls), ""))


def wrote(text: str) -> Verdict:
    return TOOLRL.score(CASE, predicted(TOOLRL.opening(CASE), read(text), text))


def test_the_tagged_text_is_a_conversation_again() -> None:
    assert [(line.speaker, line.text or line.result) for line in CASE.lines] == [
        ("User", "Remind me to water the ferns on April 2nd at nine."),
        ("AI", "Gladly. Who are you, and what is your secret word?"),
        ("User", "ann, and it is sea shell."),
        ("AI", "Thank you."),
        ("API", "{'token': 't0k3n4nn'}"),
        ("AI", "I know you now and set the reminder."),
    ]


def test_tools_are_read_in_both_layouts_of_the_data() -> None:
    tools = [{tool.name: tool.required for tool in case.tools} for case in TOOLRL.cases()]
    assert tools[3] == {"EmergencyKnowledge": ("symptom",)}
    assert tools[6] == {"KilnList": ("potter",), "KilnHeat": ("kiln",)}


def test_a_call_must_be_equal_to_the_letter() -> None:
    gold = CASE.call
    assert called(gold).kind == ""
    assert called(ToolCall(gold.name, {**gold.arguments, "content": "the ferns"})).kind
    kiln = TOOLRL.cases()[6]
    number = ToolCall(kiln.call.name, {"kiln": 3})
    verdict = TOOLRL.score(kiln, replied(TOOLRL.opening(kiln), Assistant(calls=(number,)), ""))
    assert (verdict.kind, verdict.scores["right"]) == ("wrong type", 0.0)


def test_one_right_call_of_several_is_right_but_not_the_first_and_not_alone() -> None:
    other = ToolCall("QueryReminder", {})
    scores = called(other, CASE.call).scores

    assert [scores[name] for name in ("right", "first", "alone", "toolrl")] == [1, 0, 0, 1]
    assert called(CASE.call, other).scores["first"] == 1.0


def test_bare_arguments_are_right_only_as_toolrl_counts() -> None:
    text = f"<tool_call>\n{json.dumps(dict(CASE.call.arguments))}\n</tool_call>"
    verdict = wrote(text)

    assert verdict.kind
    assert (verdict.scores["right"], verdict.scores["toolrl"]) == (0.0, 1.0)


def test_toolrl_s_own_form_is_read() -> None:
    row = {"name": CASE.call.name, "parameters": dict(CASE.call.arguments)}
    text = f"<think> x </think>\n<tool_call>\n{json.dumps(row)}\n</tool_call>"

    assert wrote(text).scores["alone"] == 1.0


def test_toolrl_s_own_words_are_asked_as_they_are() -> None:
    prompt = ApiBankToolRLPrompt(SMALL)
    opening = prompt.opening(CASE)

    assert opening == Dialogue((System(CASE.system), User(CASE.user)))


@pytest.mark.parametrize(
    "content", ["{}", "[1]", '[{"system": "", "user": "", "answer": []}]', "no"]
)
def test_a_broken_file_is_named_with_its_row(tmp_path: Path, content: str) -> None:
    path = tmp_path / "level-1-api_processed.json"
    path.write_text(content)

    with pytest.raises(DataError, match=r"level-1-api_processed\.json"):
        read_file(path, "L-1")


# --- the real data ------------------------------------------------------------------------


@pytest.mark.data
def test_the_real_files_have_399_67_and_131_rows_whose_gold_is_perfect() -> None:
    real = ApiBankToolRL(sources.find("apibank-toolrl"))

    assert real.about.version == "toolrl, L-1 399, L-2 67, L-3 131"
    for case in real.cases():
        scores = real.score(case, real.gold_reply(case)).scores
        assert (scores["right"], scores["alone"], scores["toolrl"]) == (1.0, 1.0, 1.0)


@pytest.mark.data
def test_six_real_rows_ask_for_a_tool_that_is_not_at_hand() -> None:
    real = ApiBankToolRL(sources.find("apibank-toolrl"))
    absent = [c for c in real.cases() if c.call.name not in {tool.name for tool in c.tools}]

    assert Counter(case.level for case in absent) == {"L-2": 6}
