"""How fast rows are made and encoded, beside the usual path, and in how much memory.

    python benchmarks/data_throughput.py                     # all SNIPS and SGD rows there are
    python benchmarks/data_throughput.py --rows 300000       # repeated until there are so many

Ours: `coalm data build` (read, check, compare with the benchmarks' test data, write parquet),
then ids and loss mask once, then best-fit packing. The usual path: the same rows as chat
messages through `datasets.map` with a chat template, as TRL's SFTTrainer prepares them, and
the same packing. Both use as many processes as there are cores, and run one after the other.
Memory is the sum of all processes' own pages (PSS), looked at five times a second.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from coalm import models, shards, store
from coalm.bench.evaluate import held_out
from coalm.crew import cores
from coalm.formats import format_of
from coalm.formats.chat import opening_text
from coalm.mixture import DataSettings, Part, build
from coalm.train.encoding import Encoding, encode_split
from coalm.types import Assistant, Observation, User

LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Timed:
    seconds: float
    peak: int
    """Bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", default="snips,sgd-cra,sgd-dst")
    parser.add_argument("--rows", type=int, default=0, help="repeat the rows up to so many")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--ours-only", action="store_true")
    given = parser.parse_args()
    folder = models.folder(given.model, print)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["COALM_CACHE"] = scratch  # so that nothing is found encoded already
        measure(given, folder, Path(scratch))


def measure(given: argparse.Namespace, folder: Path, scratch: Path) -> None:
    import transformers  # noqa: F401  what both paths import is in neither's time
    import trl  # noqa: F401

    parts = [Part(corpus=name) for name in given.corpora.split(",")]
    mix = scratch / "mix"
    if given.rows:
        first = build(_settings(folder, *parts), scratch / "first", processes=cores())
        own = scratch / "own.jsonl"
        repeated(scratch / "first", own, given.rows)
        parts = [Part(corpus="own", path=str(own))]
        print(f"{first.train:,} rows, repeated to {given.rows:,}", flush=True)
    settings = _settings(folder, *parts, keep=bool(given.rows))
    made = timed(lambda: build(settings, mix, held_out=held_out(), processes=cores()))
    manifest = store.read_json(mix / "manifest.json")
    rows, tokens = manifest["train"], manifest["tokens"]
    print(f"{rows:,} rows, {tokens:,} tokens, {cores()} cores")
    told("build", made, rows, tokens)

    how = Encoding(folder, "chatml", "json", rows=False, longest=LONGEST)
    found: list[Any] = []
    ours = timed(lambda: found.append(packed(encode_split(mix, "train", how).dataset())))
    told("encode + mask + pack", ours, rows, tokens)
    print(f"  {len(found[0]):,} packed rows of {LONGEST}")
    if not given.ours_only:
        lines = scratch / "messages.jsonl"
        messages(mix, lines)
        usual = timed(lambda: found.append(prepared(lines, folder, scratch / "cache")))
        told("usual path: map, template, TRL", usual, rows, tokens)
        print(f"  {len(found[1]):,} packed rows of {LONGEST}")
        print(f"encode + mask + pack / usual: {usual.seconds / ours.seconds:.2f} times the rows/s")
        both = made.seconds + ours.seconds
        print(f"build as well / usual: {usual.seconds / both:.2f} times the rows/s")


def _settings(folder: Path, *parts: Part, keep: bool = False) -> DataSettings:
    return DataSettings(
        parts=parts,
        partial=True,
        tokenizer=str(folder),
        longest=LONGEST,
        valid_share=0.0,
        keep_duplicates=keep,
    )


def packed(dataset: Any) -> Any:
    """TRL's own best-fit packing, for both paths."""
    from trl import pack_dataset

    return pack_dataset(dataset, LONGEST, "bfd", {"num_proc": cores()})


def repeated(folder: Path, out: Path, rows: int) -> None:
    with out.open("w", encoding="utf-8") as file:
        count = 0
        while count < rows:
            for sample in shards.read_split(folder, "train"):
                row = store.dump_sample(sample) | {"id": f"{sample.id}~{count}"}
                file.write(store.compact(row) + "\n")
                count += 1
                if count == rows:
                    return


def messages(folder: Path, out: Path) -> None:
    """The rows as a user of TRL has them, in the same words; not part of what is timed."""
    with out.open("w", encoding="utf-8") as file:
        for sample in shards.read_split(folder, "train"):
            dialect = format_of("chatml", sample.dialect or "json").dialect
            told = opening_text(sample.dialogue, dialect)
            turns = [{"role": "system", "content": told}] if told else []
            for turn in sample.dialogue.turns:
                match turn:
                    case Assistant():
                        turns.append({"role": "assistant", "content": dialect.write(turn)})
                    case Observation():
                        turns.append({"role": "tool", "content": dialect.observed(turn)})
                    case User(text):
                        turns.append({"role": "user", "content": text})
            file.write(store.compact({"messages": turns}) + "\n")


def prepared(lines: Path, folder: Path, cache: Path) -> Any:
    """What SFTTrainer makes of conversational rows before the first step."""
    import datasets
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    small = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
    rows = datasets.load_dataset("json", data_files=str(lines), cache_dir=str(cache))["train"]
    trainer = SFTTrainer(
        model=LlamaForCausalLM(small),
        args=SFTConfig(
            output_dir=str(cache / "out"),
            max_length=LONGEST,
            packing=True,
            dataset_num_proc=cores(),
            use_cpu=True,
            bf16=False,
            report_to="none",
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    return trainer.train_dataset


def timed(do: Callable[[], object]) -> Timed:
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, _memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        do()
    finally:
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
    return Timed(seconds, peak)


def _memory() -> int:
    """Bytes of this process and those that it started."""
    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def told(what: str, taken: Timed, rows: int, tokens: int) -> None:
    print(
        f"{what}: {taken.seconds:.1f} s, {rows / taken.seconds:,.0f} rows/s, "
        f"{tokens / taken.seconds:,.0f} tokens/s, peak {taken.peak / 2**30:.2f} GiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
