"""`docs/paper.md` speaks of files that exist and of states that it defines."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Claim |")
]


def test_every_file_it_names_exists() -> None:
    named = re.findall(r"`(src/[^`]+)`", PAGE)

    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_claim_has_a_place_and_a_state() -> None:
    states = ("done", "differs", "part", "not yet", "can be measured")

    assert {len(row) for row in ROWS} == {3}
    assert [row for row in ROWS if not row[2].startswith(states)] == []


def test_what_is_not_done_at_all_names_no_file() -> None:
    done = [row for row in ROWS if row[1] == "–"]  # noqa: RUF001

    assert all(row[2].startswith("not yet") for row in done)
