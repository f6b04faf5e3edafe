"""Training speed beside plain TRL's: learned tokens a second, padding, memory.

    .venv/bin/python benchmarks/train_throughput.py data/quickstart --rows 64 --rounds 2

Each way trains on the same rows, drawn by a seed, once through, in a process of its own, and
the ways take turns: a noisy machine is noisy for all, and only the ratios mean something. The
first step of each is left out. `plain TRL` is `trl.SFTTrainer` on the rows' ids and labels with
its own defaults, but for what all share: batch size, precision, adapter, no recomputation.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from coalm import models
from coalm.devices import pick
from coalm.train import TrainSettings
from coalm.train.methods import adapter
from coalm.train.rows.encoding import IGNORED, EncodedRows, Encoding, encode_split
from coalm.train.rows.feeding import collator, feed
from coalm.train.trainer import trainer_class

WAYS = ("plain TRL", "coalm", "coalm, packed")


@dataclass(frozen=True)
class Found:
    """What one way came to, the first step left out."""

    learned: float
    """Learned tokens a second."""
    learned_cpu: float
    """Learned tokens a second of CPU time, which a busy machine disturbs less."""
    tokens: float
    """Tokens a second, padding not counted."""
    padding: float
    """The share of places without a token."""
    gib: float
    """The most memory that the process held, on a GPU the GPU's."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a data folder")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--method", default="lora", choices=("lora", "full"))
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(asdict(measured(given))))
        return
    found: dict[str, list[Found]] = {name: [] for name in WAYS}
    for _ in range(given.rounds):
        for name in WAYS:
            command = [sys.executable, *sys.argv, "--way", name]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found[name].append(Found(**json.loads(said.splitlines()[-1])))
            print(f"{name:14}" + line(found[name][-1]), flush=True)
    for name in WAYS[1:]:
        ratios = [
            statistics.median(getattr(one, rate) for one in found[name])
            / statistics.median(getattr(one, rate) for one in found[WAYS[0]])
            for rate in ("learned", "learned_cpu")
        ]
        said = "{:.2f}, for a CPU second {:.2f}".format(*ratios)
        print(f"{name} / plain TRL, learned tokens a second: {said}")


def line(found: Found) -> str:
    """For a person."""
    return (
        f"{found.learned:8.1f} learned tokens/s{found.tokens:8.0f} tokens/s"
        f"{found.padding:7.1%} padding{found.gib:6.1f} GiB"
        f"{found.learned_cpu:8.1f} learned tokens/CPU s"
    )


def measured(given: argparse.Namespace) -> Found:
    """One way, once through the rows."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    plain = given.way == WAYS[0]
    device = pick()
    settings = TrainSettings(
        model=given.model,
        method=given.method,
        master=given.method == "full",
        batch=given.batch,
        max_length=given.max_length,
        packing=given.way == WAYS[2],
        seed=given.seed,
    )
    folder = models.folder(given.model, lambda _: None)
    rows = picked(encoded(given, folder), given)
    data = rows.dataset() if plain else feed(rows, settings).dataset
    tokenizer = AutoTokenizer.from_pretrained(folder)
    kind = counting(SFTTrainer if plain else trainer_class())
    with tempfile.TemporaryDirectory() as scratch, models.quiet():
        trainer = kind(
            model=models.load(
                AutoModelForCausalLM, folder, torch.float32 if settings.master else device.dtype
            ),
            args=SFTConfig(
                output_dir=scratch,
                num_train_epochs=1,
                per_device_train_batch_size=given.batch,
                bf16=device.bf16,
                use_cpu=device.device == "cpu",
                activation_checkpointing=False,
                max_length=None,
                dataset_kwargs={"skip_prepare_dataset": True},
                train_sampling_strategy="random" if plain or settings.packed else "group_by_length",
                dataloader_pin_memory=device.device != "cpu",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=given.seed,
            ),
            train_dataset=data,
            processing_class=tokenizer,
            data_collator=None if plain else collator(settings, tokenizer.pad_token_id or 0),
            peft_config=adapter(settings),
        )
        trainer.train()
    found: Found = trainer.found()
    return found


def encoded(given: argparse.Namespace, folder: Path) -> EncodedRows:
    """All rows of the data."""
    how = Encoding(folder, "chatml", "json", rows=False, longest=given.max_length)
    return encode_split(given.data, "train", how)


def picked(rows: EncodedRows, given: argparse.Namespace) -> EncodedRows:
    """Some of them, drawn by the seed, as a file of their own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = rows.dataset().data.table
    chosen = sorted(Random(given.seed).sample(range(len(table)), min(given.rows, len(table))))
    path = Path(tempfile.mkdtemp()) / "some.arrow"
    some = table.take(pa.array(chosen))
    with path.open("wb") as file, pa.ipc.new_stream(file, some.schema) as writer:
        writer.write_table(some)
    tokens = int(pc.sum(pc.list_value_length(some["input_ids"])).as_py())
    return EncodedRows(path, len(chosen), tokens, 0, 0)


def counting(kind: Any) -> Any:
    """A trainer that counts what its steps hold."""

    class Counting(kind):  # type: ignore[misc]
        steps = learned = tokens = places = 0
        began = used = 0.0

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            self.steps += 1
            if self.steps == 2:
                self.began, self.used = time.perf_counter(), time.process_time()
            if self.steps > 1:
                ids = inputs["input_ids"]
                self.places += ids.numel()
                self.tokens += int(inputs["attention_mask"].sum())
                self.learned += int((inputs["labels"] != IGNORED).sum())
            return super().training_step(model, inputs, *args, **kwargs)

        def found(self) -> Found:
            import torch

            spent, used = time.perf_counter() - self.began, time.process_time() - self.used
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if torch.cuda.is_available():
                peak = torch.cuda.max_memory_allocated()
            padding = 1 - self.tokens / self.places
            rates = self.learned / spent, self.learned / used, self.tokens / spent
            return Found(*rates, padding, peak / 2**30)

    return Counting


if __name__ == "__main__":
    main()
