"""Training speed of our loss beside plain TRL's, on the same rows, model and steps.

    .venv/bin/python benchmarks/train_throughput.py data/quickstart --steps 4 --rounds 2

Both run in one process, in turns, so that a noisy machine is noisy for both; only the ratio
means something. Prints tokens/s (padding not counted) of each round and the ratio of medians.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from coalm import models
from coalm.devices import pick
from coalm.train.encoding import EncodedRows, Encoding, encode_split
from coalm.train.trainer import trainer_class


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a data folder")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    given = parser.parse_args()

    from trl import SFTTrainer

    folder = models.folder(given.model, print)
    how = Encoding(folder, layout="chatml", dialect="json", rows=False, longest=1024)
    rows = encode_split(given.data, "train", how)
    kinds = {"plain TRL": SFTTrainer, "coalm": trainer_class()}
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    with models.quiet():
        for _ in range(given.rounds):
            for name, kind in kinds.items():
                rates[name].append(rate(kind, folder, rows, given.steps, given.batch))
                print(f"{name}: {rates[name][-1]:.0f} tokens/s", flush=True)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(f"coalm / plain TRL: {medians['coalm'] / medians['plain TRL']:.2f}")


def rate(kind: Any, folder: Path, rows: EncodedRows, steps: int, batch: int) -> float:
    """Tokens a second of one short run, the first step (warm-up) left out."""
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        began = tokens = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 1:
                self.began, self.tokens = time.perf_counter(), state.num_input_tokens_seen
            self.rate = (state.num_input_tokens_seen - self.tokens) / (
                time.perf_counter() - self.began + 1e-9
            )

    clock, device = Clock(), pick()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SFTConfig(
            output_dir=scratch,
            max_steps=steps + 1,
            per_device_train_batch_size=batch,
            bf16=device.bf16,
            use_cpu=device.device == "cpu",
            activation_checkpointing=False,
            include_num_input_tokens_seen="non_padding",
            train_sampling_strategy="group_by_length",
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        kind(
            model=models.load(AutoModelForCausalLM, folder, device.dtype),
            args=arguments,
            train_dataset=rows.dataset(),
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear"),
            callbacks=[clock],
        ).train()
    return float(clock.rate)


if __name__ == "__main__":
    main()
