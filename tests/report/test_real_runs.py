"""What the runner leaves behind, for each real benchmark in miniature, is what a report reads."""

from pathlib import Path

from coalm.bench.runner import RunSettings, run
from coalm.bench.table import PROTOCOLS, open_benchmark
from coalm.engines import Engine, Model, Unanswered
from coalm.engines.scripted import Answering, Scripted
from coalm.formats import format_of
from coalm.report import build
from coalm.report.compare import NAMES
from coalm.report.plots import chosen
from coalm.report.runs import ORDER, find
from coalm.report.view import page

FORMAT = format_of("chatml", "json")


def _evaluate(out: Path, label: str, engine: Engine, only: str = "") -> None:
    for benchmark, protocols in PROTOCOLS.items():
        for protocol in protocols:
            if only not in ("", f"{benchmark}:{protocol}"):
                continue
            opened = open_benchmark(f"{benchmark}:{protocol}", miniature=True)
            own = format_of("chatml", opened.about.dialect)
            run(
                opened,
                Model(engine, own if protocol.endswith("-prompt") else FORMAT),
                out / label / f"{benchmark}.{protocol}",
                RunSettings(limit=4),
                identity={
                    "label": label,
                    "model": {"name": f"{label}-model", "sha256": "0f" * 8},
                    "format": "chatml/json",
                },
            )


def test_every_benchmark_is_reported(tmp_path: Path) -> None:
    _evaluate(tmp_path, "base", Answering(lambda prompt: ""))
    _evaluate(tmp_path, "tuned", Answering(lambda prompt: "<b>[]</b>"))

    written = build([tmp_path], tmp_path / "report")

    page = written.html.read_text(encoding="utf-8")
    assert {row.benchmark for row in written.summary} == {
        f"{NAMES[name]} ({protocol})" for name, kinds in PROTOCOLS.items() for protocol in kinds
    }
    assert all(list(row.values) == ["base", "tuned"] for row in written.summary)
    assert any(row.paper_8b == "92.8‡" for row in written.summary)
    assert any(row.paper_8b == "30.4†" for row in written.summary)
    assert "&lt;b&gt;[]&lt;/b&gt;" in page
    assert "chatml/json" in page
    assert "tuned-model" in page
    assert "0f" * 8 in page
    for label in ("base, native", "base, prompting", "tuned, native", "CoALM 70B (paper)"):
        assert label in page
    assert "coalm eval tuned-model --bench bfcl:ast --limit 4 --seed 0 --layout chatml" in page


def test_cases_that_the_world_lost_are_told(tmp_path: Path) -> None:
    lost = Scripted([Unanswered("time-out"), "[]"])
    benchmark = open_benchmark("bfcl:ast", miniature=True)
    run(benchmark, Model(lost, FORMAT), tmp_path / "bfcl.ast", RunSettings(limit=2))

    written = build([tmp_path], tmp_path / "report")

    assert "1 case was not answered and left out of the scores" in written.headline[0]


def test_every_benchmark_of_the_table_has_a_name_and_a_place() -> None:
    assert set(PROTOCOLS) == set(NAMES) == set(ORDER)


def test_a_long_table_is_cut_to_what_leads_and_what_the_paper_has(tmp_path: Path) -> None:
    benchmark = open_benchmark("multiwoz:react-offline", miniature=True)
    fmt = format_of("chatml", "react")
    model = Model(Answering(lambda prompt: "System: hm"), fmt)
    run(benchmark, model, tmp_path / "multiwoz.react-offline")
    [table] = page(find([tmp_path]), "t").tables

    shown = [row.metric for row in table.rows]
    assert len(shown) < 20 < len(table.more)
    beside = ("JGA fuzzy as the paper", "Success", "Success, completed dialogues")
    assert {"JGA", *beside} <= set(shown)
    assert [row.metric for row in chosen(table.rows)] == ["JGA", *beside[:2]]
    assert len({*shown, *(row.metric for row in table.more)}) == len(shown) + len(table.more)
    written = build([tmp_path], tmp_path / "report")
    for text in (written.html.read_text(), written.md.read_text()):
        assert f"{len(table.more)} more figures" in text
        assert table.more[-1].metric in text
    assert [row.metric for row in written.summary] == shown


def test_why_answers_hold_no_call_is_told_by_model(tmp_path: Path) -> None:
    _evaluate(tmp_path, "base", Answering(lambda prompt: "[f(a=1)]"), "apibank:hammer")
    _evaluate(tmp_path, "tuned", Answering(lambda prompt: ""), "apibank:hammer")

    text = build([tmp_path], tmp_path / "report").md.read_text()

    assert "| a call, but in pythonic (no call) | 4 (100%) | 0 (0%) |" in text
    assert "| nothing was written (no call) | 0 (0%) | 4 (100%) |" in text
