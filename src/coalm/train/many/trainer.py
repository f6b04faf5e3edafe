"""What a trainer of transformers does differently when a run has several processes.

The rows of one step are those that a single process would take in it, however many share them,
and a checkpoint can be gone on from by another number of processes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coalm.train.many import processes, resharding
from coalm.train.rows.encoding import IGNORED
from coalm.train.rows.even import Filled, LongestFirst, with_blank
from coalm.train.rows.feeding import lengths
from coalm.train.rows.order import Order


def for_many(base: Any) -> Any:
    """A subclass of a trainer's class that is right for one process and for many."""
    return _going_on(_looking(_dealing(base)))


def _dealing(base: Any) -> Any:
    """Rows are dealt out evenly, in an order that processes do not change."""

    class Dealing(base):  # type: ignore[misc, unused-ignore]  # untyped base
        def _get_dataloader(
            self,
            dataset: Any,
            description: str,
            batch_size: int,
            sampler_fn: Callable[[Any], Any],
            **more: Any,
        ) -> Any:
            if self.args.world_size == 1:
                return super()._get_dataloader(dataset, description, batch_size, sampler_fn, **more)
            rows = with_blank(dataset, self.processing_class.pad_token_id)
            order = Filled(sampler_fn(dataset), batch_size * self.args.world_size)
            return super()._get_dataloader(rows, description, batch_size, lambda _: order, **more)

        def _get_train_sampler(self, train_dataset: Any = None) -> Order:
            grouped = self.args.train_sampling_strategy == "group_by_length"
            step = self.args.train_batch_size * self.args.gradient_accumulation_steps
            return Order(
                lengths(self.train_dataset if train_dataset is None else train_dataset),
                together=step * self.args.world_size if grouped else 1,
                seed=self.args.seed,
                epoch=lambda: int(self.state.epoch or 0),
            )

        def _get_eval_sampler(self, eval_dataset: Any) -> Any:
            return LongestFirst(lengths(eval_dataset))

        def _track_num_input_tokens(self, inputs: Any) -> None:
            if self.args.world_size > 1 and "attention_mask" in inputs:
                rows = (inputs["labels"] != IGNORED).any(dim=1, keepdim=True)  # but blank ones
                inputs = {**inputs, "attention_mask": inputs["attention_mask"] * rows}
            super()._track_num_input_tokens(inputs)

    return Dealing


def _looking(base: Any) -> Any:
    """The validation loss is over all processes' tokens, and FSDP is there on CPUs too."""

    class Looking(base):  # type: ignore[misc, unused-ignore]  # untyped base
        def create_accelerator_and_postprocess(self) -> None:
            # To look for unused weights takes time in each step; a dense model has none.
            self.args.ddp_find_unused_parameters = _has_experts(self.model)
            with _fsdp_on_cpu(self.args):
                super().create_accelerator_and_postprocess()

        def _prepare_for_training(self, *args: Any, **kwargs: Any) -> Any:
            prepared = super()._prepare_for_training(*args, **kwargs)
            if self.is_fsdp_enabled:
                resharding.answer_together(self.model)
            return prepared

        seen: tuple[float, int] = (0.0, 0)

        def looked_at(self, total: float, count: int) -> None:
            """Add up the losses of the validation rows, and the tokens that they are of."""
            self.seen = self.seen[0] + total, self.seen[1] + count

        def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **more: Any) -> Any:
            # The trainer takes the mean of the batches' means, which depends on the batches.
            self.seen = 0.0, 0
            found = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **more)
            totals, counts = zip(*processes.collect(self.seen), strict=True)
            found.metrics[f"{metric_key_prefix}_loss"] = sum(totals) / sum(counts)
            return found

    return Looking


def _going_on(base: Any) -> Any:
    """Checkpoints are whole, and gone on from with or without FSDP."""

    class GoingOn(base):  # type: ignore[misc, unused-ignore]  # untyped base
        def _save_rng_state(self, output_dir: str) -> None:
            super()._save_rng_state(output_dir)
            processes.wait()  # what is written after this says that the checkpoint is whole

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            sharded = resharding.is_sharded(Path(resume_from_checkpoint))
            if sharded and not self.is_fsdp_enabled:
                resharding.join_weights(self.model, Path(resume_from_checkpoint))
            elif self.is_fsdp_enabled and not sharded:
                resharding.check_version(self.accelerator.state.fsdp_plugin.fsdp_version)
                resharding.share_weights(self.model, Path(resume_from_checkpoint))
            else:
                super()._load_from_checkpoint(resume_from_checkpoint, model)

        def _load_best_model(self) -> None:
            best = self.state.best_model_checkpoint
            if resharding.is_sharded(Path(best)) == self.is_fsdp_enabled:
                super()._load_best_model()
            else:
                self._load_from_checkpoint(best)

        def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
            sharded = checkpoint is not None and resharding.is_sharded(Path(checkpoint))
            if sharded and not self.is_fsdp_enabled:
                resharding.join_optimizer(self.model, self.optimizer, Path(str(checkpoint)))
            whole = checkpoint is not None and self.is_fsdp_enabled and not sharded
            self.is_fsdp_enabled &= not whole  # to read the file of a run without FSDP
            super()._load_optimizer_and_scheduler(checkpoint)
            self.is_fsdp_enabled |= whole
            if whole:
                resharding.share_optimizer(self.optimizer)

    return GoingOn


def _has_experts(model: Any) -> bool:
    return any("expert" in name for name, _ in model.named_parameters())


@contextmanager
def _fsdp_on_cpu(arguments: Any) -> Iterator[None]:
    """Let accelerate use FSDP on CPUs too, where it is of use to try a run out.

    It asks for FSDP only where it finds several accelerators, and else copies the model to each
    process without a word.
    """
    from accelerate import PartialState  # type: ignore[import-untyped, unused-ignore]
    from accelerate.utils import DistributedType  # type: ignore[import-untyped, unused-ignore]

    state = PartialState()
    if state.distributed_type != DistributedType.MULTI_CPU or not _wants_fsdp(arguments):
        yield
        return
    state.distributed_type = DistributedType.MULTI_XPU
    yield


def _wants_fsdp(arguments: Any) -> bool:
    from coalm.train.methods import fsdp_from_outside

    return arguments.fsdp_plugin_args is not None or fsdp_from_outside()
