"""How long scoring BFCL takes: gold answers of every single-turn category, start-up included.

    .venv/bin/python benchmarks/bfcl_score.py --runs 5

Writes right answers in the official layout into a temporary folder, then runs the command
line as a user would, and a process that imports `coalm.bench.bfcl`, each so many times.
Prints the fastest and the median of both, and fails if an answer is scored wrong that can be
right.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from commands import timed

from coalm.bench.bfcl import CATEGORIES, Case, Data, find
from coalm.bench.bfcl.categories import IMPOSSIBLE
from coalm.bench.bfcl.gold import gold_calls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    data = find()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "result")
        items = write_gold(data, results / "gold")
        start = [sys.executable, "-c", "from coalm.cli import main; main()"]
        score = [*start, "score", "bfcl", "--results", str(results)]
        timed(f"score {items} items", [*score, "--out", f"{folder}/out"], given.runs)
        lines = Path(folder, "out/gold/verdicts.jsonl").read_text(encoding="utf-8").splitlines()
        wrong = [row["id"] for row in map(json.loads, lines) if not row["right"]]
        assert set(wrong) <= set(IMPOSSIBLE), wrong
    timed("import", [sys.executable, "-c", "import coalm.bench.bfcl"], given.runs)


def write_gold(data: Data, folder: Path) -> int:
    """Right answers of every single-turn category, as a prompted model leaves them."""
    items = 0
    for category in CATEGORIES.values():
        cases = data.cases(category)
        section = "live" if category.section == "live" else "non_live"
        path = folder / section / f"BFCL_v4_{category.name}_result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"id": case.id, "result": written(case)} for case in cases]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        items += len(cases)
    return items


def written(case: Case) -> str:
    """The right calls as text."""
    source = case.category.language != "python"
    calls = []
    for call in gold_calls(case):
        given = call.arguments.items()
        values = ", ".join(f"{k}={_text(v) if source else repr(v)}" for k, v in given)
        calls.append(f"{call.name}({values})")
    return f"[{', '.join(calls)}]"


def _text(value: object) -> str:
    """Source text as it is where it is a plain value, else in quotes: so the checker reads it."""
    text = str(value)
    if text in ("true", "false") or _is_number(text):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


def _is_number(text: str) -> bool:
    try:
        float(text.rstrip("LfFdDn"))
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
