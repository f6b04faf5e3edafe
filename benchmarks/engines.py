"""The engine `openvino` beside `transformers`: how often they agree, and how fast they are.

    .venv/bin/python benchmarks/engines.py --parity             # 200 prompts, 48 new tokens
    .venv/bin/python benchmarks/engines.py --requests 48        # requests/s and tokens/s

Both engines run in one process, in turns, on the same prompts. `--parity` compares greedy
answers with those of transformers in float32 and tells, where two part, by how much float32
preferred its own token. The other run takes MultiWOZ's questions for the state: with
`--dialogues` whole dialogues, turn by turn, else a sample. No prompt comes twice, so no
answer and no prompt is in a cache because of the measurement. A busy machine disturbs
seconds more than CPU seconds; both are printed.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from coalm.bench.runner import sample
from coalm.bench.table import open_benchmark
from coalm.engines import Completion, Engine, Sampling, open_engine
from coalm.engines.openvino import OpenVino
from coalm.engines.transformers import Transformers
from coalm.formats import Piece, encode, format_of
from coalm.formats.tokens import ModelTokenizer

Prompts = list[list[Piece]]
END = "<|im_end|>"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="smollm2-135m", help="one that speaks ChatML")
    parser.add_argument("--parity", action="store_true")
    parser.add_argument("--requests", type=int, default=48, help="in each round, for each engine")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dialogues", action="store_true", help="whole dialogues, no sample")
    parser.add_argument("--prompts", type=int, default=200, help="of --parity, in all")
    parser.add_argument("--tokens", type=int, default=48, help="new tokens at most")
    parser.add_argument("--dtype", default="auto", help="of openvino")
    parser.add_argument("--beside", default="auto", help="of transformers, without --parity")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.parity:
        parity(given.model, given.dtype, given.prompts, given.tokens, given.seed)
    else:
        speed(given)


# --- how often they agree -----------------------------------------------------------------


def parity(model: str, dtype: str, wanted: int, tokens: int, seed: int) -> None:
    """Print how many greedy answers are the same, and what is known of the others."""
    fast = open_engine("openvino", model, dtype=dtype, note=print)
    exact = open_engine("transformers", model, dtype="fp32", note=print)
    assert isinstance(exact, Transformers)
    sampling = Sampling(max_tokens=tokens, end=END)
    names = ("multiwoz:dst-json", "apibank:hammer-l1", "bfcl:ast")
    same = of = 0
    margins: list[float] = []
    for at, name in enumerate(names):
        share = wanted * (at + 1) // len(names) - wanted * at // len(names)
        prompts = asked(name, share, seed)
        pairs = list(
            zip(
                prompts,
                exact.complete(prompts, sampling),
                fast.complete(prompts, sampling),
                strict=True,
            )
        )
        equal = sum(theirs == ours for _, theirs, ours in pairs)
        print(f"{name}: {equal} of {len(pairs)} answers are the same", flush=True)
        same, of = same + equal, of + len(pairs)
        for prompt, theirs, ours in pairs:
            if theirs != ours and isinstance(theirs, Completion) and isinstance(ours, Completion):
                margins.append(told(exact, prompt, theirs, ours))
    print(f"all: {same} of {of}, {100 * same / of:.1f}%  ({dtype}, {tokens} tokens, seed {seed})")
    if margins:
        print(f"margin where they part: median {statistics.median(margins):.4f} nats, "
              f"largest {max(margins):.4f}")


def told(exact: Transformers, prompt: list[Piece], theirs: Completion, ours: Completion) -> float:
    """By how many nats float32 prefers its own token where two answers part; it is printed."""
    import torch

    tokenizer = exact.tokenizer
    one, other = ([*tokenizer.text(a.text), tokenizer.control(END)] for a in (theirs, ours))
    shared = next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    ids = [*encode(prompt, tokenizer).ids, *one[:shared]]
    with torch.inference_mode():
        scores = exact.model(torch.tensor([ids])).logits[0, -1].float()
    margin = float(scores[one[shared]] - scores[other[shared]])
    words = [repr(tokenizer.decode([i])) for i in (one[shared], other[shared])]
    print(f"  part at token {shared}: {words[0]} before {words[1]} by {margin:.4f} nats")
    return margin


# --- how fast they are --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """What some requests took."""

    requests: int
    prompt: int
    new: int
    seconds: float
    cpu: float

    def line(self) -> str:
        """The rates, for a person."""
        return (
            f"{self.requests / self.seconds:6.2f} requests/s  "
            f"{self.prompt / self.seconds:7.0f} prompt tokens/s  "
            f"{self.new / self.seconds:6.0f} new tokens/s  "
            f"{self.seconds:6.1f} s  {self.cpu / self.requests:5.2f} CPU s a request"
        )


def speed(given: argparse.Namespace) -> None:
    """Print what both engines take for the same prompts, first alone for the prompts."""
    engines = {
        "transformers": open_engine("transformers", given.model, dtype=given.beside, note=print),
        "openvino": open_engine("openvino", given.model, dtype=given.dtype, note=print),
    }
    tokenizer = tokenizer_of(engines["openvino"])
    rounds = given.rounds + 1  # one more for the prompts alone
    total = given.requests * rounds
    whole = asked("multiwoz:dst-json", None if given.dialogues else total, given.seed)
    parts = [whole[at * given.requests : (at + 1) * given.requests] for at in range(rounds)]
    warm = asked("apibank:hammer-l1", 4, given.seed)
    for engine in engines.values():
        timed(engine, tokenizer, warm, 4)
    read = {n: timed(e, tokenizer, parts[0], 1) for n, e in engines.items()}
    for name, taken in read.items():
        print(f"{name:>12}, prompts alone: {taken.line()}", flush=True)
    ratios, cpus = [], []
    for part in parts[1:]:
        both = {n: timed(e, tokenizer, part, given.tokens) for n, e in engines.items()}
        for name, taken in both.items():
            print(f"{name:>12}: {taken.line()}", flush=True)
            left = taken.seconds - read[name].seconds * taken.prompt / read[name].prompt
            if left > 0:
                print(f"{'':>12}  about {taken.new / left:.0f} new tokens/s once prompts are read")
        ratios.append(both["transformers"].seconds / both["openvino"].seconds)
        cpus.append(both["transformers"].cpu / both["openvino"].cpu)
    print(
        f"openvino / transformers, requests/s: {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f}); for a CPU second: {statistics.median(cpus):.1f}"
    )


def timed(engine: Engine, tokenizer: ModelTokenizer, prompts: Prompts, tokens: int) -> Taken:
    """What an engine takes for some prompts."""
    sampling = Sampling(max_tokens=tokens, end=END)
    began, cpu = time.perf_counter(), time.process_time()
    answers = engine.complete(prompts, sampling)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    done = [a for a in answers if isinstance(a, Completion)]
    assert len(done) == len(prompts)
    read = sum(len(encode(prompt, tokenizer).ids) for prompt in prompts)
    return Taken(len(prompts), read, sum(a.completion_tokens for a in done), seconds, cpu)


def tokenizer_of(engine: Engine) -> ModelTokenizer:
    """An engine's tokenizer."""
    assert isinstance(engine, OpenVino)
    return engine.tokenizer


def asked(name: str, limit: int | None, seed: int) -> Prompts:
    """The first prompts of a benchmark's cases, as `coalm eval` would write them."""
    benchmark = open_benchmark(name)
    cases: Sequence[object] = sample(benchmark, benchmark.cases(), limit, seed)
    form = format_of("chatml", benchmark.about.dialect)
    return [form.prompt(benchmark.opening(case)) for case in cases]


if __name__ == "__main__":
    main()
