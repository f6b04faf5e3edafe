"""TRL's trainer, with logits computed where there is loss and nowhere else.

TRL projects the learned positions too, but in float32 and with entropies that nobody
reads here; on a CPU that takes as long as the rest of the model. And PEFT casts every
layer's input to the adapter's float32, only for autocast to cast it back.
"""

from typing import TYPE_CHECKING, Any

from coalm.train.encoding import IGNORED

if TYPE_CHECKING:
    import torch


def trainer_class() -> Any:
    """A subclass of `trl.SFTTrainer`; made late, because importing TRL takes seconds."""
    from peft.helpers import disable_input_dtype_casting
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class LearnedTokens(SFTTrainer):  # type: ignore[misc, unused-ignore]  # untyped base
        """Cross-entropy over the learned tokens, in nats, averaged over the whole step's."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, "torch.Tensor"],
            return_outputs: bool = False,
            num_items_in_batch: "torch.Tensor | int | None" = None,
        ) -> Any:
            labels = inputs["labels"][:, 1:]
            learned = labels != IGNORED
            columns = learned.any(dim=0).nonzero().squeeze(1)
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                logits_to_keep=columns,
                use_cache=False,
            )
            logits = outputs.logits[learned[:, columns]].float()
            total = cross_entropy(logits, labels[learned], reduction="sum")
            if num_items_in_batch is None:
                loss = total / learned.sum()
            else:
                loss = total / num_items_in_batch
                if self.args.average_tokens_across_devices:
                    # Counted over all devices, while gradients are averaged over them.
                    loss = loss * self.accelerator.num_processes
            return (loss, outputs) if return_outputs else loss

        def training_step(self, model: Any, *args: Any, **kwargs: Any) -> Any:
            with disable_input_dtype_casting(self.model, active=self.is_adapter):
                return super().training_step(model, *args, **kwargs)

        @property
        def is_adapter(self) -> bool:
            return hasattr(self.model, "peft_config") and self.args.bf16

    return LearnedTokens
