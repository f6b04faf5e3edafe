"""How many questions a second Cambridge's databases answer, through the tools as agents use them.

    python benchmarks/multiwoz_database.py                  # 10,000 questions, seed 0
    python benchmarks/multiwoz_database.py --profile

The questions are those of the test dialogues: for every turn and domain what its gold state
asks for, in random order, one in ten with a name, food or station misspelt. `cold` is a town
that was just opened; `warm` asks the same once more. Each question goes the whole way: arguments
checked, names understood, SQL, the answer as JSON.
"""

import argparse
import cProfile
import pstats
import time
from random import Random
from typing import Any

from coalm import sources
from coalm.agent.cambridge import Cambridge, open_cambridge
from coalm.bench.multiwoz.turns import TEST, read_turns

Question = tuple[str, dict[str, Any]]
_PARAMETERS = {"leaveat": "leave_at", "arriveby": "arrive_by"}
_OPEN = ("name", "food", "departure", "destination")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    asked = questions(given.questions, Random(given.seed))
    town = open_cambridge()
    print(town.found.describe())
    for state in ("cold", "warm"):
        seconds, cpu = timed(town, asked)
        rate = len(asked) / seconds
        print(f"{state}: {rate:,.0f} questions/s ({len(asked) / cpu:,.0f} a second of CPU)")
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(timed, town, asked)
        pstats.Stats(profile).sort_stats("tottime").print_stats(15)


def questions(most: int, random: Random) -> list[Question]:
    """The tools' names and arguments."""
    found: list[Question] = []
    for case in read_turns(sources.find("multiwoz").path(TEST)):
        by_domain: dict[str, dict[str, str]] = {}
        for slot, value in case.state.items():
            domain, _, name = slot.partition("-")
            if domain != "taxi" and not name.startswith("book"):
                wanted = by_domain.setdefault(domain, {})
                wanted[_PARAMETERS.get(name, name)] = value.split("|")[0]
        found += [(f"query_{domain}s", wanted) for domain, wanted in by_domain.items()]
    random.shuffle(found)
    return [_spelt(question, random) for question in found[:most]]


def timed(town: Cambridge, asked: list[Question]) -> tuple[float, float]:
    """Seconds by the clock and of the processor for all questions."""
    begun, cpu = time.perf_counter(), time.process_time()
    for name, wanted in asked:
        town.tools[name](wanted)
    return time.perf_counter() - begun, time.process_time() - cpu


def _spelt(question: Question, random: Random) -> Question:
    """One in ten with a letter left out of something that may be misspelt."""
    name, wanted = question
    slots = [slot for slot in _OPEN if len(wanted.get(slot, "")) > 4]
    if not slots or random.random() > 0.1:
        return question
    slot = random.choice(slots)
    at = random.randrange(1, len(wanted[slot]) - 1)
    return name, {**wanted, slot: wanted[slot][:at] + wanted[slot][at + 1 :]}


if __name__ == "__main__":
    main()
