"""The paper's tables hold what the paper prints, and stand only beside their like."""

import pytest

from coalm.bench.table import PROTOCOLS, open_benchmark
from coalm.report.beside import absent, beside
from coalm.report.paper import BFCL, SIZES, TABLES, PaperTable


@pytest.mark.parametrize(
    ("table", "model", "column", "figure"),
    [
        (2, "CoALM 8B", "JGA", 30.4),
        (2, "CoALM 405B", "Success", 66.7),
        (2, "GPT4o", "Success", 75.5),
        (2, "GPT 3.5 Turbo", "Success", None),
        (3, "CoALM 8B", "ROUGE-L L-1", 92.8),
        (3, "CoALM 70B", "ROUGE-L L-2", 83.2),
        (3, "Hammer 2.0 7B", "BLEU-4 L-2", 58.4),
        (3, "nc-latent-tod-step-2", "ROUGE-1 L-1", 14.3),
        (4, "CoALM 8B", "Overall", 54.11),
        (4, "CoALM 405B", "Relevance", 100.0),
        (4, "GPT4o", "Multi-Turn", 34.62),
        (4, "Llama 3.1 405B Instruct", "Non-Live Exec", 84.70),
        (5, "CoALM-IT w/o CRA", "MultiWOZ JGA", 34.5),
        (5, "CoALM 8B", "BFCL Overall", 53.7),
    ],
)
def test_a_cell_is_as_printed(table: int, model: str, column: str, figure: float | None) -> None:
    assert TABLES[table].of(model, column) == figure


@pytest.mark.parametrize(("number", "models"), [(2, 15), (3, 12), (4, 11), (5, 5)])
def test_every_model_and_column_is_there(number: int, models: int) -> None:
    table = TABLES[number]

    assert len(table.rows) == models
    assert all(len(row) == len(table.columns) for row in table.rows.values())
    assert all(f is None or 0 <= f <= 100 for row in table.rows.values() for f in row)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.number != 5])
def test_every_table_has_the_papers_three_models(table: PaperTable) -> None:
    assert all(table.of(size, table.columns[0]) is not None for size in SIZES)


def test_the_ablation_agrees_with_the_other_tables_where_the_paper_does() -> None:
    assert TABLES[5].of("CoALM 8B", "MultiWOZ JGA") == TABLES[2].of("CoALM 8B", "JGA")
    assert TABLES[5].of("CoALM 8B", "API-Bank ROUGE-L L-2") == TABLES[3].of(
        "CoALM 8B", "ROUGE-L L-2"
    )


def test_an_unknown_model_has_no_figure_and_an_unknown_column_is_our_mistake() -> None:
    assert BFCL.of("Some Model", "Live") is None
    with pytest.raises(KeyError):
        BFCL.of("CoALM 8B", "Simple")


@pytest.mark.parametrize("name", ["ROUGE-L (L-1)", "ROUGE-L L-1", "ROUGE-L (level 1)"])
def test_a_level_is_found_however_it_is_written(name: str) -> None:
    found = beside("apibank", "hammer", name, "L-1")

    assert found is not None
    assert found.column == "ROUGE-L L-1"
    assert found.likeness == "same measure"


@pytest.mark.parametrize(
    ("benchmark", "protocol", "metric", "only"),
    [
        ("bfcl", "ast", "Simple (AST)", "simple_python"),
        ("bfcl", "ast", "Irrelevance", "irrelevance"),
        ("multiwoz", "dst-json", "Slot F1", ""),
        ("multiwoz", "dst-json", "JGA (turns 1-2)", "1-2"),
        ("multiwoz", "dst-json", "JGA", "1-2"),
        ("apibank", "hammer", "ROUGE-L", ""),
        ("apibank", "hammer", "ROUGE-L (canonical)", ""),
        ("apibank", "damo", "ROUGE-L (L-1)", "L-1"),
        ("apibank", "damo", "API accuracy", ""),
        ("apibank", "damo-l1", "Reply ROUGE-L", ""),
        ("apibank", "toolrl", "Accuracy (L-1)", "L-1"),
        ("multiwoz", "online", "Success", ""),
        ("multiwoz", "react-offline", "JGA", ""),
        ("multiwoz", "react-offline", "JGA fuzzy", ""),
        ("multiwoz", "react-offline", "Inform", ""),
        ("multiwoz", "react-offline", "Success hotel", ""),
        ("multiwoz", "react-offline", "Success, own bookings", ""),
    ],
)
def test_what_the_paper_does_not_report_has_nothing_beside_it(
    benchmark: str, protocol: str, metric: str, only: str
) -> None:
    assert beside(benchmark, protocol, metric, only) is None


@pytest.mark.parametrize(
    ("metric", "column", "said"),
    [
        ("JGA fuzzy as the paper", "JGA", "fuzzily"),
        ("Success", "Success", "every dialogue with a goal counts"),
        ("Success, completed dialogues", "Success", "left out"),
    ],
)
def test_the_paper_s_success_and_jga_stand_beside_the_agent_s(
    metric: str, column: str, said: str
) -> None:
    found = beside("multiwoz", "react-offline", metric)

    assert found is not None
    assert (found.column, found.likeness) == (column, "same measure")
    assert said in found.note
    assert "reconstruction" in found.note


def test_the_paper_s_rows_stand_beside_metrics_that_the_agent_really_has() -> None:
    about = open_benchmark("multiwoz:react-offline", miniature=True).about
    there = [m.name for m in about.metrics if beside("multiwoz", "react-offline", m.name)]

    assert there == ["JGA fuzzy as the paper", "Success", "Success, completed dialogues"]


@pytest.mark.parametrize("measure", ["ROUGE-L", "ROUGE-1", "ROUGE-2", "BLEU-4"])
def test_one_level_alone_has_that_level_s_figure(measure: str) -> None:
    for only in ("", "L-2"):
        found = beside("apibank", "hammer-l2", measure, only)
        assert found is not None
        assert found.column == f"{measure} L-2"


@pytest.mark.parametrize("name", [f"{b}:{p}" for b, known in PROTOCOLS.items() for p in known])
def test_every_protocol_says_what_the_paper_leaves_out(name: str) -> None:
    assert absent(*name.split(":"))


def test_relevance_is_the_one_category_that_is_a_column_of_its_own() -> None:
    found = beside("bfcl", "ast", "Live relevance", "live_relevance")

    assert found is not None
    assert found.printed(SIZES) == ("77.78", "72.22", "100.00")
    assert beside("bfcl", "ast", "Live relevance, unreadable", "live_relevance") is None


def test_another_protocol_is_said_to_be_another() -> None:
    found = beside("multiwoz", "dst-json", "JGA")

    assert found is not None
    assert found.likeness == "other protocol"
    assert "JSON" in found.note
