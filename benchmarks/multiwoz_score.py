"""Inform and Success of MultiWOZ's own test responses, and how long scoring 1,000 dialogues takes.

    .venv/bin/python benchmarks/multiwoz_score.py --runs 5

The system turns of the 2.1 test set are delexicalised from the databases and scored with gold
states of 2.1 and 2.4, by both evaluators' rules; then a prediction file of all 1,000
dialogues is scored in this process and through the command line, each so many times. Prints
the figures, and the fastest and the median seconds, on the clock and of the processor; nothing
is kept between two runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from coalm import sources
from coalm.bench.multiwoz.delexicalise import open_delexicaliser
from coalm.bench.multiwoz.predictions import Predicted, read_predictions
from coalm.bench.multiwoz.success import LAB, STANDARD, open_venues
from coalm.bench.multiwoz.success.placeholders import facts
from coalm.bench.multiwoz.success.references import gold_states, read_references
from coalm.bench.multiwoz.success.scoring import read_turns_of, score
from coalm.bench.multiwoz.success.values import spelt
from coalm.bench.multiwoz.upstream import dialogues
from coalm.report.multiwoz_success import headline


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    found = sources.find("multiwoz")
    references = read_references(found, "test")
    said = {
        row.id: tuple(Predicted(entry["text"], None, None) for entry in row.log[1::2])
        for row in dialogues(found, "test")
    }
    delexicaliser = open_delexicaliser(found)
    for which in ("gold21", "gold24"):
        gold = gold_states(found, "test", which)
        how, turns = read_turns_of(
            said,
            gold=gold,
            domains=None,
            lexical=True,
            delexicaliser=lambda: delexicaliser,
            states=which,
        )
        for rules in (STANDARD, LAB):
            scores = score(turns, how, references.dialogues, open_venues(found, rules))
            print(f"{which}, {rules.name} rules, {len(scores.judged)}: {headline(scores)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "predictions.json")
        gold = gold_states(found, "test", "gold21")
        rows = {
            id: [
                {"response": delexicaliser.text(turn.response), "state": state}
                for turn, state in zip(of, gold[id], strict=True)
            ]
            for id, of in said.items()
        }
        path.write_text(json.dumps(rows), encoding="utf-8")

        def in_process() -> None:
            facts.cache_clear()
            spelt.cache_clear()
            read = read_predictions(path)
            held = read_references(found, "test").dialogues
            how, turns = read_turns_of(
                read, gold=None, domains=None, lexical=None, delexicaliser=lambda: delexicaliser
            )
            score(turns, how, held, open_venues(found))

        command = [sys.executable, "-c", "from coalm.cli import main; main()", "score", "multiwoz"]

        def as_command() -> None:
            subprocess.run(
                [*command, "--predictions", str(path)], check=True, stdout=subprocess.DEVNULL
            )

        _timed(f"{len(rows)} dialogues, in process", in_process, given.runs)
        _timed(f"{len(rows)} dialogues, coalm score multiwoz", as_command, given.runs)


def _timed(what: str, do: Callable[[], None], runs: int) -> None:
    took, busy = [], []
    for _ in range(runs):
        start, worked = time.perf_counter(), _worked()
        do()
        took.append(time.perf_counter() - start)
        busy.append(_worked() - worked)
    print(
        f"{what}: fastest {min(took):.2f} s, median {statistics.median(took):.2f} s; "
        f"of the processor {min(busy):.2f} s, median {statistics.median(busy):.2f} s"
    )


def _worked() -> float:
    """Processor seconds of this process and those it started."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
