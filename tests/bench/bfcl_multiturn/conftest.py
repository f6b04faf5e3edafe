"""A folder of cases in BFCL's layout, with an environment full of traps."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl import Data
from coalm.bench.bfcl.multiturn import Environments, Limits

TRAP = '''
import os, socket, subprocess, time

COUNT = []


class Base:
    def inherited(self):
        return "yes"


class Trap(Base):
    def __init__(self):
        self.marks = []
        self._hidden = 0

    def _load_scenario(self, scenario, long_context=False):
        self.marks = scenario.get("marks", [])
        self.long = long_context

    def mark(self, text="x"):
        self.marks.append(text)
        self._hidden += 1

    def shared(self):
        return "Trap"

    def count(self):
        COUNT.append(1)
        return {"count": len(COUNT)}

    def forever(self):
        while True:
            pass

    def compute(self):
        return 7 ** 10 ** 9

    def busy(self, seconds):
        begun = time.process_time()
        while time.process_time() - begun < seconds:
            pass

    def wait(self, seconds):
        time.sleep(seconds)

    def swell(self, megabytes):
        self.kept = bytearray(megabytes * 2**20)

    def deep(self):
        return self.deep()

    def call_home(self):
        socket.create_connection(("127.0.0.1", 9))

    def write(self, path):
        with open(path, "w") as file:
            file.write("x")

    def spawn(self):
        return str(subprocess.run(["true"]))

    def leave(self):
        os._exit(0)

    def long_answer(self, length):
        return "x" * length

    def exits(self):
        raise SystemExit

    def fails(self, text="broken"):
        raise ValueError(text)

    def odd(self):
        return {"set": {1}}

    def same(self, value):
        return value


class Other:
    """Without a state of its own."""

    def shared(self):
        return "Other"
'''


def documents(*names: str) -> list[dict[str, Any]]:
    """A bare document for each function."""
    empty = {"type": "dict", "properties": {}, "required": []}
    return [{"name": name, "description": name, "parameters": empty} for name in names]


@pytest.fixture
def trapped(tmp_path: Path) -> Data:
    """Data whose only environment module is the trap; its cases are for a test to write."""
    for name in ("environments", "multi_turn_func_doc", "possible_answer"):
        (tmp_path / name).mkdir()
    (tmp_path / "environments" / "trap.py").write_text(TRAP)
    lines = documents("mark", "forever", "swell", "fails")
    _write(tmp_path / "multi_turn_func_doc" / "trap.json", lines)
    return Data(tmp_path, "traps")


def write_cases(data: Data, gold: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Cases of the base category with these gold calls, all about the trap."""
    _write(
        data.path / "BFCL_v4_multi_turn_base.json",
        [
            {
                "id": name,
                "question": [[{"role": "user", "content": f"turn {n}"}] for n in range(len(turns))],
                "initial_config": {},
                "involved_classes": ["Trap"],
            }
            for name, turns in gold.items()
        ],
    )
    _write(
        data.path / "possible_answer" / "BFCL_v4_multi_turn_base.json",
        [{"id": name, "ground_truth": turns} for name, turns in gold.items()],
    )


@pytest.fixture
def environments(trapped: Data) -> Iterator[Environments]:
    """The trap's environments under tight limits."""
    limits = Limits(call_s=0.3, case_s=1.0, memory_mb=600)
    with Environments(trapped, ["Trap", "Other"], limits) as found:
        yield found


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
