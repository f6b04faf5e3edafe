"""A trainer that looks at the validation rows without a trace, asks questions, saves the best."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from coalm.train.looks.best import is_over

if TYPE_CHECKING:
    from coalm.train.looks.answers import Answers


def looking(base: Any) -> Any:
    """A subclass of a trainer of transformers; see `answers` and `best`."""

    class Looking(base):  # type: ignore[misc, unused-ignore]  # untyped base
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.answers: Answers | None = None
            self.saves_best = False

        def evaluate(self, *args: Any, **kwargs: Any) -> Any:
            with undisturbed():
                return super().evaluate(*args, **kwargs)

        def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
            # What is in these metrics is logged, and judged by who seeks the best.
            found = super().evaluation_loop(*args, **kwargs)
            if self.answers and self.is_in_train:
                told = self.answers.look(self)
                found.metrics.update({f"eval_{name}": value for name, value in told.items()})
            return found

        def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
            # Gone on with after its last step, in the middle of an epoch, it would take one more.
            if is_over(self):
                self.control.should_training_stop = True
            else:
                super()._run_epoch(*args, **kwargs)

        def _determine_best_metric(self, *args: Any, **kwargs: Any) -> bool:
            # Called after each look: a best one that is not saved could not be kept.
            better = bool(super()._determine_best_metric(*args, **kwargs))
            self.control.should_save |= better and self.saves_best
            return better

    return Looking


@contextmanager
def undisturbed() -> Iterator[None]:
    """Random numbers go on afterwards as if nothing had been drawn in between."""
    import random

    import numpy as np
    import torch

    begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call, unused-ignore]
    devices = [torch.cuda.current_device()] if begun else []
    python, numbers = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)
