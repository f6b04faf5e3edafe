"""How many CRA rows SGD gives by each way of counting, beside the 82,236 of the released data.

    .venv/bin/python benchmarks/cra_rows.py

Counts the dialogues that are here and, where the annotation of 2019 is there for the rest of
the train split, all 16,142: turns are counted in it, and calls, which it lacks, are estimated
from the acts of the system's turn (the share of calls among turns with the same acts).
"""

import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coalm.corpora.sgd import ARCHIVE
from coalm.published.table1 import RELEASED
from coalm.sources import find

OLDER = "sgd/older_annotation_2019.tar.gz"
Acts = frozenset[str]


def main() -> None:
    """Count and print."""
    found = find("sgd")
    shares: dict[Acts, list[int]] = defaultdict(lambda: [0, 0])
    here: Counter[str] = Counter()
    for dialogue in dialogues(found.path(ARCHIVE)):
        here["dialogues"] += 1
        for turn in answers(dialogue):
            called = any("service_call" in frame for frame in turn["frames"])
            here["turns"] += 1
            here["calls"] += called
            share = shares[acts(turn)]
            share[0] += called
            share[1] += 1
    rest, estimated = Counter[str](), 0.0
    older = found.path(OLDER)
    for dialogue in dialogues(older, "train") if older.exists() else ():
        rest["dialogues"] += 1
        for turn in answers(dialogue):
            rest["turns"] += 1
            calls, of = shares.get(acts(turn), (0, 1))
            estimated += calls / of
    whole = here + rest
    show(
        (here["dialogues"], here["turns"], here["calls"]),
        (whole["dialogues"], whole["turns"], round(here["calls"] + estimated)),
    )


def show(here: tuple[int, int, int], whole: tuple[int, int, int]) -> None:
    """The table, as Markdown."""
    paper = RELEASED["sgd-cra"]
    lines = [
        f"| way of counting | {here[0]:,} dialogues | {whole[0]:,} dialogues | {paper:,} of it |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, turns, calls in (
        ("an action and a response row a call, a response row an answer", 1, 1),
        ("a row an answer", 1, 0),
        ("an action and a response row a call, nothing else", 0, 2),
        ("an action row a call", 0, 1),
        ("a response row an answer without a call", 1, -1),
    ):
        few, many = (turns * t + calls * c for _, t, c in (here, whole))
        lines.append(f"| {name} | {few:,} | {many:,} | {paper / many:.3f} |")
    print("\n".join(lines))


def dialogues(archive: Path, within: str = "") -> Iterator[dict[str, Any]]:
    """The dialogues of the files whose path holds that word."""
    with tarfile.open(archive) as files:
        for member in files:
            opened = files.extractfile(member) if member.isfile() else None
            if opened and "dialogues_" in member.name and within in member.name:
                yield from json.load(opened)


def answers(dialogue: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The system's turns."""
    return (turn for turn in dialogue["turns"] if turn["speaker"] == "SYSTEM")


def acts(turn: dict[str, Any]) -> Acts:
    """The kinds of acts of a turn."""
    return frozenset(act["act"] for frame in turn["frames"] for act in frame["actions"])


if __name__ == "__main__":
    main()
