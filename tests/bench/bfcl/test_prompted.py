"""BFCL asked in its own words, and in every syntax: what is sent, read and reported."""

from pathlib import Path
from typing import Any

import pytest

from coalm.agent import Agent
from coalm.bench.base import Verdict
from coalm.bench.bfcl import Case, miniature
from coalm.bench.bfcl.categories import IMPOSSIBLE
from coalm.bench.bfcl.data import Data, find
from coalm.bench.bfcl.prompted import BfclPrompted
from coalm.bench.bfcl.sensitivity import ASKED, SYNTAXES, BfclSensitivity, chosen
from coalm.bench.outcomes import outcomes
from coalm.bench.runner import RunSettings, run
from coalm.bench.table import open_benchmark
from coalm.engines import Model, Said, Sampling, Unanswered
from coalm.engines.scripted import Answering, Scripted
from coalm.errors import DataError, RecipeError
from coalm.formats import DIALECTS, format_of, plain
from coalm.types import Assistant, Dialogue, System, User

PROMPTED = BfclPrompted(miniature())
SPREAD = BfclSensitivity(miniature())
CASES = {case.id: case for case in PROMPTED.cases()}
LOST_IN_JAVA = ("simple_java_1", "simple_java_67", "simple_java_68")
"""Maps of prompted Java lose their entries in the official reader, whatever is written."""


def _played(benchmark: Any, case: Case, *texts: str) -> Verdict:
    fmt = format_of("chatml", benchmark.about.dialect)
    [reply] = benchmark.play([case], Agent(Model(Scripted([*texts]), fmt), {}, 1))
    found: Verdict = benchmark.score(case, reply)
    return found


def test_the_benchmarks_words_come_first_and_the_questions_own_after_them() -> None:
    case = CASES["simple_python_1"]
    [system, user] = PROMPTED.opening(case).turns
    assert isinstance(system, System)
    assert isinstance(user, User)
    assert system.text.startswith("You keep house.")
    assert '"set_lamp"' in system.text
    told = Case(case.id, case.category, (System("Be kind."), *case.turns), case.functions)
    [both, *_] = PROMPTED.opening(told).turns
    assert both == System(f"{system.text}\n\nBe kind.")


def test_only_the_markers_are_the_runs() -> None:
    case = CASES["simple_python_1"]
    engine = Scripted(["[set_lamp()]"])
    model = Model(engine, format_of("llama3", "pythonic"))
    PROMPTED.play([case], Agent(model, {}, 1))
    opening = PROMPTED.opening(case)
    assert engine.seen == [plain(format_of("llama3", "pythonic").prompt(opening))]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[set_lamp(room='kitchen', brightness=40, colour='warm')]", ""),
        ("```\nset_lamp(room='kitchen', brightness=40, colour='warm')\n```", ""),
        # Read as the harness reads it, where a dialect of ours would not.
        ("[set_lamp(room='kitchen', brightness=10*4, colour='warm')]", ""),
        ("The lamp is on.", "format"),
        ('[{"name": "set_lamp", "arguments": {"room": "kitchen"}}]', "format"),
        ("[set_lamp(room='hall', brightness=40, colour='warm')]", "wrong argument"),
    ],
)
def test_an_answer_is_read_as_the_harness_reads_it(text: str, kind: str) -> None:
    assert _played(PROMPTED, CASES["simple_python_1"], text).kind == kind


def test_java_is_read_as_java_and_its_values_are_asked_for_as_texts() -> None:
    case = CASES["simple_java_0"]
    assert "Java source text" in plain(format_of("chatml", "json").prompt(PROMPTED.opening(case)))
    right = PROMPTED.gold_reply(case).said[0].completion.text
    assert _played(PROMPTED, case, right).kind == ""
    assert _played(PROMPTED, case, right.replace("(", "(.", 1)).kind


def test_another_dialect_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    engine = Scripted([])
    for benchmark in (PROMPTED, SPREAD):
        with pytest.raises(RecipeError, match="leave the dialect out"):
            run(benchmark, Model(engine, format_of("chatml", "hermes")), tmp_path)
    assert not engine.seen

    class Mute:
        def speak(self, dialogues: Any, sampling: Sampling) -> list[Said | Unanswered]:
            raise AssertionError(dialogues)

    with pytest.raises(RecipeError, match="any dialect"):
        run(SPREAD, Mute(), tmp_path)


@pytest.mark.data
def test_gold_can_be_written_for_every_question_of_the_real_data() -> None:
    if find().version == "miniature":
        pytest.skip("BFCL's wheel is not at hand")
    real = BfclPrompted(find())
    wrong = [c.id for c in real.cases() if real.score(c, real.gold_reply(c)).kind]
    assert sorted(wrong) == sorted({*IMPOSSIBLE, *LOST_IN_JAVA})
    spread = BfclSensitivity(find())
    assert len(spread.cases()) == 200
    assert not [c.id for c in spread.cases() if spread.score(c, spread.gold_reply(c)).kind]


# --- every syntax -------------------------------------------------------------------------


def _texts(case: Case) -> list[str]:
    return [said.completion.text for said in SPREAD.gold_reply(case).said]


def test_each_question_is_asked_once_in_every_syntax() -> None:
    case = SPREAD.cases()[0]
    engine = Scripted([*_texts(case)])
    SPREAD.play([case], Agent(Model(engine, format_of("chatml", "json")), {}, 1))
    assert len(engine.seen) == len(SYNTAXES) == 5
    for seen, name in zip(engine.seen, ASKED, strict=False):
        assert seen == plain(format_of("chatml", name).prompt(SPREAD.opening(case)))
    assert "You keep house." in engine.seen[-1]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_one_broken_syntax_is_told_from_the_others(syntax: str) -> None:
    case = SPREAD.cases()[0]
    texts = _texts(case)
    texts[SYNTAXES.index(syntax)] = "I would rather not."
    found = _played(SPREAD, case, *texts)
    assert found.scores[f"right_{syntax}"] == 0.0
    assert found.scores["right"] == pytest.approx(1 - 1 / len(SYNTAXES))
    assert (found.scores["every"], found.scores["some"]) == (0.0, 1.0)
    assert found.kind
    assert found.note.startswith(f"{syntax}: ")


def test_a_run_reports_mean_worst_and_spread(tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        case = next(
            c for c in SPREAD.cases() for t in c.turns if isinstance(t, User) and t.text in prompt
        )
        texts = dict(zip(SYNTAXES, _texts(case), strict=True))
        dialect = next((n for n in ASKED if DIALECTS[n].instructions(case.tools) in prompt), "bfcl")
        right = dialect in ("json", "bfcl") or (dialect == "react" and case.id.endswith("1"))
        return texts[dialect] if right else "no"

    model = Model(Answering(answer), format_of("chatml", "json"))
    scores = run(SPREAD, model, tmp_path, RunSettings(batch=2))
    found = {f.name: f.value for f in scores.figures}
    n = len(SPREAD.cases())
    assert found["In json"] == found["In bfcl"] == found["Spread"] == 100.0
    assert found["In react"] == pytest.approx(100 / n)
    assert found["Worst syntax"] == found["In hermes"] == 0.0
    assert found["Mean of syntaxes"] == pytest.approx(100 * (2 + 1 / n) / len(SYNTAXES))
    assert all(len(row["raw"]) == len(SYNTAXES) for row in outcomes(tmp_path))


def test_a_question_with_one_syntax_unanswered_is_not_scored(tmp_path: Path) -> None:
    lost = Scripted(["x", Unanswered("503"), "x", "x", "x"])
    model = Model(lost, format_of("chatml", "json"))
    scores = run(SPREAD, model, tmp_path, RunSettings(limit=1))
    assert (scores.cases, scores.not_answered) == (0, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"simple_python": ["simple_python_999"]}', "simple_python_999"),
        ('{"nothing": []}', "nothing"),
        ("[1]", "not readable"),
        ("{", "not readable"),
    ],
)
def test_a_broken_list_of_questions_is_named(tmp_path: Path, text: str, said: str) -> None:
    for path in miniature().path.rglob("*.json"):
        copy = tmp_path / path.relative_to(miniature().path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "BFCL_v4_format_sensitivity.json").write_text(text)
    with pytest.raises(DataError, match=said):
        chosen(Data(tmp_path, "broken"))


def test_both_protocols_are_in_the_table() -> None:
    for name in ("bfcl:single-prompt", "bfcl:sensitivity"):
        assert open_benchmark(name, miniature=True).about.version == "miniature"
    assert isinstance(SPREAD.opening(SPREAD.cases()[0]), Dialogue)
    assert isinstance(SPREAD.gold_reply(SPREAD.cases()[0]).said[0].turn, Assistant)
