"""How long scoring 1,000 dialogues of predicted states takes, start-up included.

    .venv/bin/python benchmarks/multiwoz_dst_score.py --runs 5

Takes MultiWOZ 2.1's states as predictions for 2.4's 7,368 test turns (they need
`COALM_DATA`), writes them as a prediction file, and runs the command line as a user would.
Prints wall and CPU time of the fastest and the median run, and what each normalisation
does to the figures, which is the table of docs/protocols/multiwoz-dst-json.md.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from commands import timed

from coalm import sources
from coalm.bench.multiwoz.state import NORMALISATIONS, Normalise, normalise
from coalm.bench.multiwoz.tracked_files import Gold, read_gold
from coalm.bench.multiwoz.tracked_score import score_states


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    found = sources.find("multiwoz")
    gold, older = read_gold(found), read_gold(found, "21")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "states.jsonl")
        turns = write(older, path)
        start = [sys.executable, "-c", "from coalm.cli import main; main()"]
        score = [*start, "score", "multiwoz-dst", "--predictions", str(path)]
        timed(f"{turns} turns of {len(older)} dialogues", score, given.runs)
    effects(gold, older)


def write(states: Gold, path: Path) -> int:
    """The states as a prediction file; gives back how many turns there are."""
    rows = [
        {"dialogue_id": name, "turn_idx": turn, "predict": dict(state)}
        for name, of in states.items()
        for turn, state in enumerate(of)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def effects(gold: Gold, older: Gold) -> None:
    """What each normalisation does to 2.1's states, scored against 2.4's."""
    said = {(name, turn): state for name, of in older.items() for turn, state in enumerate(of)}
    usual = Normalise().names
    rows = {"as usual": normalise()}
    for name in NORMALISATIONS:
        switched = normalise([], [name]) if name in usual else normalise([name])
        rows[f"{'without' if name in usual else 'with'} {name}"] = switched
    rows |= {"with all": normalise(["all"]), "without any": normalise([], ["all"])}
    for what, rules in rows.items():
        scores = score_states(gold, said, rules)
        shown = [scores.value(name) for name in ("JGA", "JGA fuzzy", "Slot F1")]
        print(f"{what:20}" + "".join(f"{value:8.2f}" for value in shown))


if __name__ == "__main__":
    main()
