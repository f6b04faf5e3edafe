"""What a run tells while it trains: metrics.jsonl for machines, a callback for people."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    step: int
    steps: int
    loss: float | None
    """Of the last logged steps, nats a learned token."""
    tokens_per_second: float | None
    """Tokens trained on a second, padding left out, since this process began."""
    seconds_left: float | None


_TOKENS = "num_input_tokens_seen"

Watch = Callable[[Progress], None]


def metrics_callback(path: Path, watch: Watch) -> Any:
    """A `TrainerCallback` that appends to `path` at each log and calls `watch` at each step."""
    from transformers import TrainerCallback

    class Metrics(TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
        def __init__(self) -> None:
            self.began = 0.0
            self.first_step = 0
            self.first_tokens: float | None = None
            self.loss: float | None = None
            self.rate: float | None = None
            self.rate_began = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began, self.first_step = time.monotonic(), state.global_step
            _forget_after(path, state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            done = state.global_step - self.first_step
            spent = time.monotonic() - self.began
            left = spent / done * (state.max_steps - state.global_step)
            watch(Progress(state.global_step, state.max_steps, self.loss, self.rate, left))

        def on_log(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            row: dict[str, Any] = {"step": state.global_step, **_plain(given["logs"])}
            if "loss" in row and _TOKENS in row:
                self.loss = row["loss"]
                if self.first_tokens is not None:
                    spent = time.monotonic() - self.rate_began
                    self.rate = (row[_TOKENS] - self.first_tokens) / max(spent, 1e-9)
                    row["tokens_per_second"] = round(self.rate, 1)
                else:
                    self.first_tokens, self.rate_began = row[_TOKENS], time.monotonic()
            store.append(path, [row])

    return Metrics()


def _forget_after(path: Path, step: int) -> None:
    """Drop the lines of steps that a resumed run is about to take again."""
    rows = store.read_log(path)
    kept = [row for row in rows if row["step"] <= step]
    if len(kept) < len(rows):
        store.write_text(path, "".join(store.compact(row) + "\n" for row in kept))


def _plain(logs: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in logs.items()}
