"""TRL's trainer, with logits computed where there is loss and nowhere else.

TRL projects the learned positions too, but in float32 and with entropies that nobody
reads here; on a CPU that takes as long as the rest of the model. And PEFT casts every
layer's input to the adapter's float32, only for autocast to cast it back.

It stops before a step that would spoil the weights: transformers leaves a loss that is no
number out of its log and takes the step.
"""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from coalm.train.looks.looking import looking
from coalm.train.many import processes
from coalm.train.many.trainer import for_many
from coalm.train.rows.encoding import IGNORED

if TYPE_CHECKING:
    import torch


class NotFinite(Exception):
    """A loss or a gradient that is infinite or no number; the weights are as they were before."""

    def __init__(self, what: str, step: int, rows: list[list[int]]) -> None:
        super().__init__(f"{what} in step {step}")
        self.what, self.step = what, step
        self.rows = rows
        """The token ids of the rows that it was computed from, without padding."""


def trainer_class() -> Any:
    """A subclass of `trl.SFTTrainer`; made late, because importing TRL takes seconds."""
    from peft.helpers import disable_input_dtype_casting
    from trl import SFTTrainer

    class LearnedTokens(looking(for_many(SFTTrainer))):  # type: ignore[misc, unused-ignore]  # untyped base
        """Cross-entropy over the learned tokens, in nats, averaged over the whole step's."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.since_step: list[dict[str, torch.Tensor]] = []  # whose gradients are in the step

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, "torch.Tensor"],
            return_outputs: bool = False,
            num_items_in_batch: "torch.Tensor | int | None" = None,
        ) -> Any:
            total, count, outputs = _total_loss(model, inputs)
            if processes.any_of(wrong := not total.isfinite()):
                what = "training loss" if model.training else "validation loss"
                self._stop(what, [inputs] if wrong else [])
            if not model.training:
                self.looked_at(float(total), int(count))
            if num_items_in_batch is None:
                loss = total / count
            else:
                loss = total / num_items_in_batch
                if self.args.average_tokens_across_devices:
                    # Counted over all devices, while gradients are averaged over them.
                    loss = loss * self.accelerator.num_processes
            return (loss, outputs) if return_outputs else loss

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            self.since_step.append(inputs)
            with disable_input_dtype_casting(self.model, active=self.is_adapter):
                return super().training_step(model, inputs, *args, **kwargs)

        def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
            # Called once a step, after clipping and before the optimizer.
            norm = super()._get_grad_norm(model, grad_norm=grad_norm)
            if norm is not None and not math.isfinite(norm):
                self._stop("gradient", self.since_step)
            self.since_step.clear()
            return norm

        def _stop(self, what: str, batches: list[dict[str, "torch.Tensor"]]) -> NoReturn:
            """End the run in every process, with the rows of those that saw what was wrong."""
            rows = [row for found in processes.collect(_rows(batches)) for row in found]
            raise NotFinite(what, self.state.global_step + 1, rows)

        @property
        def is_adapter(self) -> bool:
            return hasattr(self.model, "peft_config") and self.args.bf16

    return LearnedTokens


def _total_loss(model: Any, inputs: dict[str, "torch.Tensor"]) -> tuple[Any, Any, Any]:
    """The loss added up over the learned tokens, their number, and the model's outputs."""
    from torch.nn.functional import cross_entropy

    labels = inputs["labels"][:, 1:]
    learned = labels != IGNORED
    columns = learned.any(dim=0).nonzero().squeeze(1)
    given = {name: value for name, value in inputs.items() if name != "labels"}
    if "position_ids" in given:  # they say where a packed row begins, if no mask says otherwise
        given.pop("attention_mask", None)
    outputs = model(**given, logits_to_keep=columns, use_cache=False)
    logits = outputs.logits[learned[:, columns]].float()
    total = cross_entropy(logits, labels[learned], reduction="sum")
    return total, learned.sum(), outputs


def _rows(batches: list[dict[str, "torch.Tensor"]]) -> list[list[int]]:
    return [row for inputs in batches for row in _rows_of(inputs)]


def _rows_of(inputs: dict[str, "torch.Tensor"]) -> list[list[int]]:
    """The rows of a batch, without padding, and apart where they were packed."""
    import torch

    ids = inputs["input_ids"]
    mask = inputs.get("attention_mask", torch.ones_like(ids)).bool()
    if "position_ids" not in inputs:
        return [row[there].tolist() for row, there in zip(ids, mask, strict=True)]
    ids, places = ids[mask], inputs["position_ids"][mask]
    ends = [*(places == 0).nonzero().flatten().tolist(), len(ids)]
    return [ids[start:end].tolist() for start, end in pairwise(ends)]
