"""How long BFCL's 800 gold conversations take to judge, a fresh process each time.

    python benchmarks/bfcl_multiturn.py [--workers 2] [--times 3]

Prints the seconds of each time, start-up and the environments' worker included, and what
the import alone takes. The wheel must be in the cache, or a network there.
"""

import argparse
import subprocess
import sys
import time

SCORE = """
import sys
from coalm.bench.bfcl import find
from coalm.bench.bfcl.multiturn import CATEGORIES, cases, score_results

data, right = find(), 0
for category in CATEGORIES:
    gold = {
        case.id: [[list(calls)] if calls else [] for calls in case.gold]
        for case in cases(data, category)
    }
    found = score_results(category, gold, data, workers=int(sys.argv[1]))
    right += sum(verdict.kind == "" for verdict in found.values())
print(right)
"""
IMPORT = "import coalm.bench.bfcl.multiturn"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    for _ in range(asked.times):
        took, right = timed(SCORE, str(asked.workers))
        print(f"gold: {right} right in {took:.1f} s with {asked.workers} workers")
    bare = min(timed("")[0] for _ in range(5))
    whole = min(timed(IMPORT)[0] for _ in range(5))
    print(f"import: {whole - bare:.2f} s")


def timed(script: str, *arguments: str) -> tuple[float, str]:
    """Seconds that a fresh Python takes for a script, and what it prints."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - begun, done.stdout.strip()


if __name__ == "__main__":
    main()
