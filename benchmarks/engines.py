"""The engine `openvino` beside `transformers`: how often they agree, and how fast they are.

    .venv/bin/python benchmarks/engines.py --parity             # 200 prompts, 48 new tokens
    .venv/bin/python benchmarks/engines.py --requests 48        # requests/s and tokens/s

Both engines run in one process, in turns, on the same prompts. `--parity` looks whether each
token of openvino's greedy answers is the one that transformers in float32 finds likeliest,
and tells by how much where it is not. The other run takes MultiWOZ's questions for the state: with
`--dialogues` whole dialogues, turn by turn, else a sample. No prompt comes twice, so no
answer and no prompt is in a cache because of the measurement. A busy machine disturbs
seconds more than CPU seconds; both are printed.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from coalm.bench.runner import sample
from coalm.bench.table import open_benchmark
from coalm.engines import Completion, Engine, Sampling, open_engine
from coalm.engines.openvino import OpenVino
from coalm.engines.transformers import Transformers
from coalm.formats import Piece, encode, format_of
from coalm.formats.tokens import ModelTokenizer

Prompts = list[list[Piece]]
NAMES = ("multiwoz:dst-json", "apibank:hammer-l1", "bfcl:ast")
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
        parity(given)
    else:
        speed(given)


# --- how often they agree -----------------------------------------------------------------


class Remembering:
    """A tokenizer that remembers which ids a text was decoded from."""

    def __init__(self, tokenizer: ModelTokenizer) -> None:
        self.tokenizer = tokenizer
        self.ids: dict[str, tuple[int, ...]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def decode(self, ids: Sequence[int]) -> str:
        text = self.tokenizer.decode(ids)
        self.ids[text] = tuple(ids)
        return text


def parity(given: argparse.Namespace) -> None:
    """Print how many greedy answers are those of float32, and what is known of the others."""
    fast = open_engine("openvino", given.model, dtype=given.dtype, note=print)
    exact = open_engine("transformers", given.model, dtype="fp32", note=print)
    assert isinstance(exact, Transformers)
    assert isinstance(fast, OpenVino)
    seen = Remembering(fast.tokenizer)
    fast = replace(fast, tokenizer=cast(ModelTokenizer, seen))
    sampling = Sampling(max_tokens=given.tokens, end=END)
    found: list[Apart | None] = []
    for at, name in enumerate(NAMES):
        share = given.prompts * (at + 1) // len(NAMES) - given.prompts * at // len(NAMES)
        prompts = asked(name, share, given.seed)
        came = []
        for prompt, answer in zip(prompts, fast.complete(prompts, sampling), strict=True):
            assert isinstance(answer, Completion)
            end = [seen.control(END)] if answer.ended == "stop" else []
            came.append(apart(exact, encode(prompt, seen).ids, [*seen.ids[answer.text], *end]))
        for one in filter(None, came):
            print(f"  {one.line(seen)}")
        same = sum(one is None for one in came)
        print(f"{name}: {same} of {len(came)} answers are the same", flush=True)
        found += came
    same = sum(one is None for one in found)
    print(f"all: {same} of {len(found)}, {100 * same / len(found):.1f}% ({given.dtype})")


@dataclass(frozen=True, slots=True)
class Apart:
    """Where an answer leaves what float32 would have said, and how near that was."""

    token: int
    ours: int
    theirs: int
    margin: float
    """How much higher float32's own token scores, in logits."""

    def line(self, tokenizer: Any) -> str:
        """For a person."""
        ours, theirs = (tokenizer.tokenizer.decode([i]) for i in (self.ours, self.theirs))
        return f"token {self.token}: {ours!r} for {theirs!r}, {self.margin:.4f} apart in float32"


def apart(exact: Transformers, prompt: Sequence[int], answer: Sequence[int]) -> Apart | None:
    """The first token that greedy decoding in float32 would not have taken; None if there is none.

    One pass over prompt and answer: an answer is the greedy one if each token of it is the
    likeliest after those before it.
    """
    import torch

    with torch.inference_mode():
        ids = torch.tensor([[*prompt, *answer]])
        scores = exact.model(ids, logits_to_keep=len(answer) + 1).logits[0, :-1].float()
    best = scores.argmax(dim=-1).tolist()
    for at, (theirs, ours) in enumerate(zip(best, answer, strict=True)):
        if theirs != ours:
            return Apart(at, ours, theirs, float(scores[at, theirs] - scores[at, ours]))
    return None


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
