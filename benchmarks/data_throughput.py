"""How fast rows are made and encoded, beside the usual path, and in how much memory.

    python benchmarks/data_throughput.py                        # all SNIPS and SGD rows there are
    python benchmarks/data_throughput.py --data data/mix        # a folder that is built already
    python benchmarks/data_throughput.py --rows 300000 --ours-only    # repeated up to so many

Ours: `coalm data build` (read, check, compare with the benchmarks' test data, write parquet),
then ids and loss mask, then packing, from the parquet files to packed rows on disk. The usual
path: the same words as chat messages, a dataset in memory already, through TRL's SFTTrainer:
chat template, tokenisation, labels of the assistant's words alone, packing. It is timed once
more without the mask (every token learned), which is less work than ours. Both use as many
processes as there are cores and find nothing cached; they take turns, each round in another
order, so that a busy machine is busy for both. Memory is the sum of all processes' own pages
(PSS), looked at five times a second.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil

from coalm import models, shards, store
from coalm.bench.evaluate import held_out
from coalm.crew import cores
from coalm.formats import format_of
from coalm.formats.chat import opening_text
from coalm.mixture import DataSettings, Part, build
from coalm.train.rows.encoding import IGNORED, Encoding, encode_split
from coalm.train.rows.packed import Counts, PackedRows, pack_split
from coalm.types import Assistant, Observation, User

T = TypeVar("T")

LONGEST = 4096
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
)
"""The model's layout as a chat template that says what is learned, as TRL asks for."""


@dataclass(frozen=True, slots=True)
class Timed:
    seconds: float
    busy: float
    """Seconds of processor time, of all processes."""
    peak: int
    """Bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", default="snips,sgd-cra,sgd-dst")
    parser.add_argument("--data", type=Path, help="a data folder, instead of building one")
    parser.add_argument("--rows", type=int, default=0, help="repeat the rows up to so many")
    parser.add_argument("--first", type=int, help="encode so many rows of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--ours-only", action="store_true")
    given = parser.parse_args()
    folder = models.folder(given.model, print)
    with tempfile.TemporaryDirectory() as scratch:
        data = given.data or built(given, folder, Path(scratch))
        paths = ["ours"] if given.ours_only else ["ours", "usual", "unmasked"]
        measure(data, folder, given, paths)


def built(given: argparse.Namespace, folder: Path, scratch: Path) -> Path:
    parts = [Part(corpus=name) for name in given.corpora.split(",")]
    mix = scratch / "mix"
    if given.rows:
        first = build(_settings(folder, *parts), scratch / "first", processes=cores())
        own = scratch / "own.jsonl"
        repeated(scratch / "first", own, given.rows)
        parts = [Part(corpus="own", path=str(own))]
        print(f"{first.train:,} rows, repeated to {given.rows:,}", flush=True)
    settings = _settings(folder, *parts, keep=bool(given.rows))
    _, taken = timed(lambda: build(settings, mix, held_out=held_out(), processes=cores()))
    manifest = store.read_json(mix / "manifest.json")
    told("build", taken, manifest["train"], manifest["tokens"])
    return mix


def _settings(folder: Path, *parts: Part, keep: bool = False) -> DataSettings:
    return DataSettings(
        parts=parts,
        partial=True,
        tokenizer=str(folder),
        longest=LONGEST,
        valid_share=0.0,
        keep_duplicates=keep,
    )


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


def measure(data: Path, folder: Path, given: argparse.Namespace, paths: list[str]) -> None:
    found: dict[str, list[Timed]] = {path: [] for path in paths}
    print(f"{cores()} cores; packed rows of {LONGEST} tokens", flush=True)
    for number in range(given.rounds):
        for path in paths if number % 2 == 0 else reversed(paths):
            with tempfile.TemporaryDirectory() as fresh:
                found[path].append(one(path, data, folder, given.first, Path(fresh)))
    for path in paths[1:]:
        pairs = list(zip(found["ours"], found[path], strict=True))
        print(
            f"ours / {path}: {spread([theirs.seconds / ours.seconds for ours, theirs in pairs])} "
            f"times the rows/s, {spread([theirs.busy / ours.busy for ours, theirs in pairs])} "
            "times the rows in the same processor time"
        )


def spread(ratios: list[float]) -> str:
    """The median, and the least and the greatest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def one(path: str, data: Path, folder: Path, first: int | None, fresh: Path) -> Timed:
    """One path from beginning to end, with nothing cached."""
    if path == "ours":
        os.environ["COALM_CACHE"] = str(fresh)
        packed, taken = timed(lambda: ours(data, folder, first))
        made = packed.dataset()
    else:
        messages(data, fresh / "messages.jsonl", first)
        rows = loaded(fresh)
        made, taken = timed(lambda: prepared(rows, folder, fresh, masked=path == "usual"))
    counts, digest = compared(made)
    told(path, taken, counts.packed, counts.tokens)
    waste = 1 - counts.tokens / (counts.rows * LONGEST)
    print(
        f"  {counts.learned:,} learned, {counts.rows:,} packed rows, {waste:.2%} wasted; "
        f"rows {digest:016x}",
        flush=True,
    )
    return taken


def ours(data: Path, folder: Path, first: int | None) -> PackedRows:
    how = Encoding(folder, "chatml", "json", rows=False, longest=LONGEST)
    return pack_split(encode_split(data, "train", how, limit=first), LONGEST)


# --- the usual path -----------------------------------------------------------------------


def messages(folder: Path, out: Path, first: int | None) -> None:
    """The rows as a user of TRL has them, in the same words; not part of what is timed."""
    with out.open("w", encoding="utf-8") as file:
        for sample in islice(shards.read_split(folder, "train"), first):
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


def loaded(fresh: Path) -> Any:
    """The messages as a dataset; not part of what is timed."""
    import datasets
    import trl  # noqa: F401  what is imported is in nobody's time

    datasets.disable_progress_bars()
    lines, cache = str(fresh / "messages.jsonl"), str(fresh / "cache")
    return datasets.load_dataset("json", data_files=lines, cache_dir=cache)["train"]


def prepared(rows: Any, folder: Path, fresh: Path, *, masked: bool) -> Any:
    """What SFTTrainer makes of conversational rows before the first step."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = CHATML
    small = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
    trainer = SFTTrainer(
        model=LlamaForCausalLM(small),
        args=SFTConfig(
            output_dir=str(fresh / "out"),
            max_length=LONGEST,
            packing=True,
            assistant_only_loss=masked,
            dataset_num_proc=cores(),
            use_cpu=True,
            bf16=False,
            report_to="none",
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    return trainer.train_dataset


# --- what both made -----------------------------------------------------------------------


def compared(packed: Any) -> tuple[Counts, int]:
    """What is in packed rows of TRL's columns, and a number that is equal for equal rows.

    Of the ids and labels of each row, whichever packed row it is in.
    """
    found, digest = Counts(), 0
    for batch in packed.with_format("numpy").iter(256):
        rows = zip(batch["input_ids"], batch["labels"], batch["seq_lengths"], strict=True)
        for ids, labels, lengths in rows:
            learned = int((labels != IGNORED).sum())
            found += Counts(1, len(lengths), len(ids), learned)
            ends = np.cumsum([0, *lengths])
            for start, end in pairwise(ends):
                one = np.stack([ids[start:end], labels[start:end]]).astype(np.int32)
                digest += int.from_bytes(hashlib.blake2b(one.tobytes(), digest_size=8).digest())
    return found, digest % 2**64


# --- measuring ----------------------------------------------------------------------------


def timed(do: Callable[[], T]) -> tuple[T, Timed]:
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, _memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, before = time.perf_counter(), sum(os.times()[:4])
    try:
        made = do()
    finally:
        seconds, busy = time.perf_counter() - began, sum(os.times()[:4]) - before
        done.set()
        watcher.join()
    return made, Timed(seconds, busy, peak)


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
        f"{what}: {rows:,} rows, {tokens:,} tokens, {taken.seconds:.1f} s, "
        f"{rows / taken.seconds:,.0f} rows/s, {tokens / taken.seconds:,.0f} tokens/s, "
        f"peak {taken.peak / 2**30:.2f} GiB, {taken.busy:.1f} s of processor time",
        flush=True,
    )


if __name__ == "__main__":
    main()
