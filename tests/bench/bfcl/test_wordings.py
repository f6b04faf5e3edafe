"""BFCL's 26 wordings: answers read as officially, and what is left of a result file."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from coalm.bench.bfcl import Case, Data, miniature
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.judge import verdict
from coalm.bench.bfcl.reading import Unreadable
from coalm.bench.bfcl.sensitivity import chosen
from coalm.bench.bfcl.wordings import read_wording, score_wordings
from coalm.formats.dialects.calls import write_calls
from coalm.types import ToolCall

from .mutants import mutate, spoilt
from .test_parity import data, official, theirs  # noqa: F401  fixtures

FORMS = ("python", "json", "verbose_xml", "concise_xml")
CALL = ToolCall("f", {"a": "x", "b": 2, "c": [1, "y"], "d": True, "e": 1.5})
KINDS = {str: "string", bool: "boolean", int: "integer", float: "float", list: "array"}


def written(calls: Sequence[ToolCall], form: str, tagged: bool) -> str:
    """Calls in one of the forms that BFCL's prompt asks for."""
    match form:
        case "python":
            text = f"[{write_calls(tuple(calls))}]"
        case "json":
            rows = [{"function": c.name, "parameters": c.arguments} for c in calls]
            text = f"```json\n{json.dumps(rows, default=str)}\n```"
        case _:
            text = f"<functions>{''.join(_xml(c, form) for c in calls)}</functions>"
    return f"<TOOLCALL>{text}</TOOLCALL>" if tagged else text


def _xml(call: ToolCall, form: str) -> str:
    inner = ""
    for name, value in call.arguments.items():
        kind, said = KINDS.get(type(value), "dict"), str(value)
        head = f"<param name={quoteattr(str(name))} type={quoteattr(kind)}"
        inner += (
            f"{head} value={quoteattr(said)}/>"
            if form == "verbose_xml"
            else f"{head}>{escape(said)}</param>"
        )
    inner = f"<params>{inner}</params>" if form == "verbose_xml" else inner
    return f"<function name={quoteattr(call.name)}>{inner}</function>"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tagged", [False, True])
def test_what_is_written_in_a_form_is_read_in_it(form: str, tagged: bool) -> None:
    text = written([CALL, CALL], form, tagged)
    if form == "json" and tagged:
        text = text.replace("`", "")
    assert read_wording(text, form, tagged=tagged) == (CALL, CALL)
    if tagged:
        bare = written([CALL], form, False)
        assert isinstance(read_wording(bare, form, tagged=True), Unreadable)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        None,
        ["f"],
        "x" * 1_000_000,
        "[{" * 20_000,
        "[" + "{}, " * 12_000 + "{}x]",
        "<functions>" * 4_000,
        "<functions><function/></functions>",
        '<functions><function name="f"><param/></function></functions>',
        '<!DOCTYPE a [<!ENTITY b "c">]><functions>&b;</functions>',
        '[{"function": "f", "parameters": [1]}]',
        '[{"function": 3, "parameters": {}}]',
        '[{"function": "f"}]',
    ],
)
def test_odd_answers_are_no_calls_and_no_trouble(form: str, text: object) -> None:
    for tagged in (False, True):
        found = read_wording(text, form, tagged=tagged)
        assert isinstance(found, Unreadable) or all(isinstance(c, ToolCall) for c in found)
        assert isinstance(found, Unreadable) or not any(c.arguments for c in found)


def _file(each: dict[str, Sequence[bool]], questions: Sequence[Case]) -> dict[str, object]:
    """The answers of a result file: by wording, which questions are right."""
    found: dict[str, object] = {}
    for form, rights in each.items():
        wording = (
            f"ret_fmt={form}&tool_call_tag=False&func_doc_fmt=json&prompt_fmt=plaintext"
            "&style=classic"
        )
        for case, right in zip(questions, rights, strict=False):
            answer = written(gold_calls(case), form, False) if right else "no"
            found[f"format_sensitivity_{len(found)}:{wording}:{case.id}"] = answer
    return found


def test_mean_worst_and_spread_are_over_questions_with_every_wording() -> None:
    questions = chosen(miniature())
    answers = _file(
        {"python": [True] * 4, "json": [True, False, False, True], "concise_xml": [True] * 3},
        questions,
    )
    found = score_wordings({**answers, "format_sensitivity_9:no:wording": "x"}, miniature())
    assert found is not None
    assert found.questions == 3
    assert [round(f.value, 1) for f in found.by_wording] == [100.0, 33.3, 100.0]
    assert found.mean.value == pytest.approx(700 / 9)
    assert found.worst.value == pytest.approx(100 / 3)
    assert found.spread.value == pytest.approx(200 / 3)
    assert found.deviation == pytest.approx(38.49, abs=0.01)
    assert len(found.problems) == 2
    assert score_wordings({}, miniature()) is None


def test_the_command_scores_such_a_file(tmp_path: Path) -> None:
    path = tmp_path / "result" / "m" / "BFCL_v4_format_sensitivity_result.json"
    path.parent.mkdir(parents=True)
    answers = _file({"python": [True] * 4, "json": [False] * 4}, chosen(miniature()))
    path.write_text("".join(json.dumps({"id": k, "result": v}) + "\n" for k, v in answers.items()))
    command = [sys.executable, "-c", "from coalm.cli import main; main()", "score", "bfcl"]
    done = subprocess.run(
        [*command, "--miniature", "--results", str(tmp_path / "result")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Format sensitivity: m" in done.stdout
    assert "100.00 [100.0, 100.0]" in done.stdout
    left = tmp_path / "result-scores" / "m"
    assert json.loads((left / "format_sensitivity.json").read_text())["figures"]["spread"] == {
        "score": 100.0,
        "interval": [100.0, 100.0],
    }
    assert len((left / "format_sensitivity.jsonl").read_text().splitlines()) == 8


def near(questions: Sequence[Case], each: int, seed: int) -> list[tuple[int, str, str]]:
    """Right answers in every form, and answers near to them."""
    rng = random.Random(seed)
    rows: list[tuple[int, str, str]] = []
    for number, case in enumerate(questions):
        for n in range(each):
            form, tagged = FORMS[n % 4], rng.random() < 0.5
            calls = [ToolCall(c.name, dict(c.arguments)) for c in gold_calls(case)]
            if n >= 8 and rng.random() < 0.6:
                mutate(rng, calls)
            text = written(calls, form, tagged)
            if rng.random() < 0.3:
                text = text.replace("```json\n", "").replace("\n```", "")
            if n >= 8:
                for _ in range(rng.choice((0, 0, 1, 2))):
                    text = spoilt(rng, text)
            rows.append((number, f"wording:{form}:{tagged}", text))
    return rows


@pytest.mark.data
@pytest.mark.slow
def test_verdicts_are_the_official_ones(data: Data, official: list[str]) -> None:  # noqa: F811
    questions = chosen(data)
    assert len(questions) == 200
    answers = near(questions, 40, 7)
    wrong: list[Any] = []
    for (number, style, text), said in zip(
        answers, theirs(official, list(questions), answers), strict=True
    ):
        _, form, tag = style.split(":")
        read = read_wording(text, form, tagged=tag == "True")
        mine = verdict(questions[number], read).scores["right"] == 1.0
        if mine != (said == "right"):
            wrong.append((questions[number].id, style, text, said))
    rights = sum(
        verdict(questions[n], read_wording(t, s.split(":")[1], tagged=s.endswith("True"))).scores[
            "right"
        ]
        for n, s, t in answers
    )
    assert not wrong, (len(wrong), wrong[:5])
    assert rights > 2000, rights
