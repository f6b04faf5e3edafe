"""Run folders as the runner leaves them, small and made up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from coalm import store
from coalm.bench.base import Metric, mean, micro_f1
from coalm.bench.stats import Scored, figure

PROMPT = "<|im_start|>user\nI need a train to Ely.<|im_end|>\n<|im_start|>assistant\n"

METRICS: Mapping[str, tuple[Metric, ...]] = {
    "multiwoz.dst-json": (mean("JGA", "joint", main=True), micro_f1("Slot F1")),
    "apibank.hammer": (
        mean("ROUGE-L", "rougel", main=True),
        mean("Exact match", "exact", main=True),
        mean("ROUGE-L (L-1)", "rougel", only="L-1"),
    ),
    "bfcl.ast": (mean("Simple (AST)", "right", only="simple_python", main=True),),
}


@dataclass(frozen=True, slots=True)
class Folders:
    """Writes evaluation folders below one folder."""

    root: Path

    def bench(
        self, home: str, name: str, cases: Sequence[dict[str, Any]], /, **fields: Any
    ) -> Path:
        """One benchmark's folder with the scores that follow from its cases."""
        folder = self.root / home / name
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(case) + "\n" for case in cases)
        (folder / "outcomes.jsonl").write_text(text)
        rows = [Scored(c["id"], c["part"], c["scores"]) for c in cases]
        measured = [(m, figure(rows, m)) for m in METRICS[name]]
        benchmark, _, protocol = name.partition(".")
        scores = {
            "benchmark": benchmark,
            "protocol": protocol,
            "version": "2.4",
            "libraries": {},
            "label": home,
            "model": "smollm2-135m",
            "identity": {"format": "chatml+json", "command": f"coalm eval --label {home}"},
            "limit": None,
            "seed": 0,
            "cases": len(cases),
            "available": 7368,
            "not_answered": 0,
            "kinds": {},
            "prompt_tokens": 1000,
            "completion_tokens": 100,
            "seconds": 12.5,
            "metrics": [
                asdict(f) | {"numerator": m.numerator, "denominator": m.denominator}
                for m, f in measured
            ],
        }
        store.write_json(folder / "scores.json", scores | fields)
        return folder

    def multiwoz(self, home: str, right: int, /, *, of: int = 30, **fields: Any) -> Path:
        """MultiWOZ with the first so many cases right."""
        cases = [
            case(
                f"MUL{n:04}#0",
                {"joint": float(n < right), "tp": 2.0, "fp": 0.0, "fn": float(n >= right)},
                kind="" if n < right else ("wrong state", "format")[n % 2],
                part=("1-2", "3-5", "6+")[n % 3],
            )
            for n in range(of)
        ]
        return self.bench(home, "multiwoz.dst-json", cases, **fields)


def case(
    name: str, scores: Mapping[str, float], *, kind: str = "", part: str = "1-2", **fields: Any
) -> dict[str, Any]:
    """One line of `outcomes.jsonl`."""
    return {
        "id": name,
        "part": part,
        "prompt_sha": "0" * 16,
        "prompt": PROMPT,
        "raw": ['{"train-destination": "ely"}'],
        "gold": '{"train-destination": "ely", "train-day": "monday"}',
        "prompt_tokens": 30,
        "completion_tokens": 10,
        "seconds": 0.1,
        "ended": "spoke",
        "answer": '{"train-destination": "ely"}',
        "scores": dict(scores),
        "kind": kind,
        "note": "train-day is missing" if kind else "",
    } | fields


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Where run folders are made."""
    return Folders(tmp_path / "runs" / "quickstart")
