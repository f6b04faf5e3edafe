"""Table 1 beside what was built."""

from coalm.published.table1 import MEANT, PRINTED, RELEASED, Built, compare, markdown

BUILT = {
    "snips": Built(13_084, 6_000_000),
    "hammer": Built(10, 8_000, partial="ten rows in place of 67,500"),
    "sgd-cra": Built(142_659, 130_000_000, left_out=3),
}


def test_the_printed_parts_add_up_to_the_printed_total() -> None:
    total = PRINTED["Total"]
    parts = [line for line in PRINTED.values() if line is not total]

    assert sum(p.rows for p in parts) == total.rows
    assert sum(p.tokens for p in parts) == total.tokens
    assert sum(RELEASED.values()) == 311_639


def test_the_printed_tokens_a_row_follow_from_the_parts_but_not_in_the_total() -> None:
    for name, line in PRINTED.items():
        follows = abs(line.tokens / line.rows - line.per_row) < 0.01
        assert follows is (name != "Total")


def test_the_swapped_names_are_put_right_and_it_is_said() -> None:
    table = compare(BUILT, "a tokenizer")
    hammer = next(row for row in table.rows if row.part == "hammer")

    assert hammer.paper == PRINTED["ToolAce"]
    assert hammer.apart == 10 - 202_500
    assert any("swapped" in reason for reason in hammer.reasons)
    assert {MEANT[p] for p in MEANT} == set(PRINTED) - {"Total"}


def test_a_reason_is_given_for_every_part_that_differs() -> None:
    by_part = {row.part: row for row in compare(BUILT, "a tokenizer").rows}

    assert "the source is here in part only: ten rows" in " ".join(by_part["hammer"].reasons)
    assert by_part["toolace"].reasons[0] == "not in this recipe"
    assert by_part["toolace"].apart is None
    assert "as many rows as the released data set" in " ".join(by_part["snips"].reasons)
    assert by_part["sgd-cra"].apart == 60_423
    assert "3 rows were left out" in " ".join(by_part["sgd-cra"].reasons)
    assert by_part["total"].built == Built(155_753, 136_008_000, left_out=3)
    assert "plain mean of the four lines (760.90); tokens by rows give 677.8" in " ".join(
        by_part["total"].reasons
    )


def test_snips_from_the_original_files_is_explained() -> None:
    [row, *_] = compare({"snips": Built(13_784, 1)}, "x").rows
    assert row.apart == 700
    assert "700 rows more than the usual split" in " ".join(row.reasons)


def test_a_part_that_the_paper_does_not_have_stands_without_its_figures() -> None:
    row = next(r for r in compare({"glaive": Built(5, 50)}, "x").rows if r.part == "glaive")
    assert (row.paper, row.apart) == (None, None)
    assert row.reasons == ("not a part of the paper's mixture",)


def test_the_table_is_written_as_markdown() -> None:
    lines = markdown(compare(BUILT, "SmolLM2's tokenizer")).splitlines()

    assert lines[0].startswith("| part | paper: rows | tokens | a row | built: rows |")
    assert lines[2] == ("| snips | 13,028 | 12,278,780 | 942.49 | 13,084 | 6,000,000 | 458.6 | 0 |")
    assert lines[4] == "| toolace | 13,819 | 10,199,147 | 738.05 | - | - | - | - |"
    assert lines[6].startswith("| total | 311,583 |")
    assert all(line.count("|") == 9 for line in lines[:7])
    assert "counted with SmolLM2's tokenizer" in lines[8]
    assert sum(line.startswith("- ") for line in lines) >= 7


def test_nothing_built_is_no_division_by_zero() -> None:
    assert "| total | 311,583 | 211,184,321 | 760.90 | 0 | 0 | 0.0 | -311,639 |" in markdown(
        compare({}, "x")
    )
