"""Plays a benchmark: cases in, one line a case out, scores at the end.

A run is a folder that grows by a batch at a time. What it already holds is never asked
again, so a run can be stopped at any moment and taken up later. What the world kept
from being answered is noted beside it, is not scored, and is asked again the next time.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from coalm import store
from coalm.agent import Agent
from coalm.bench.base import Benchmark, Player, replies
from coalm.bench.outcomes import (
    OUTCOMES,
    SCORES,
    UNANSWERED,
    Scores,
    claim,
    clean,
    judged,
    known,
    outcome,
    outcomes,
    settle,
    sha,
    tally,
    write_scores,
)
from coalm.bench.retold import retold
from coalm.bench.split import Shard
from coalm.engines import Model, Sampling, Speaker
from coalm.errors import DataError, RecipeError
from coalm.formats import Format, plain
from coalm.types import Dialogue

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How much of a benchmark is played, and how."""

    limit: int | None = None
    """At most so many cases, in equal shares of the parts; empty means all."""
    seed: int = 0
    """Chooses the cases where there is a limit; the same for every model."""
    batch: int = 32
    """Cases that are asked side by side."""
    max_tokens: int | None = None
    """New tokens a model step, where it is not what the benchmark allows."""
    shard: Shard | None = None
    """The share of the chosen cases that is played here; all of them if not given."""


def run(
    benchmark: Benchmark[C],
    speaker: Speaker,
    out: Path,
    settings: RunSettings | None = None,
    *,
    identity: Mapping[str, Any] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
    note: Callable[[str], None] = lambda text: None,
) -> Scores:
    """Play the benchmark, or what is left of it, into the folder `out`, and score it.

    `identity` says whose run it is (model, format, engine ...); a folder of another one
    is refused. `progress` is told how many of how many cases are done and the headline
    so far; `note` what a person should know.
    """
    settings, identity = settings or RunSettings(), identity or {}
    if settings.batch < 1:
        raise RecipeError(f"batch must be at least 1, not {settings.batch}")
    if isinstance(benchmark, Player):
        benchmark.check(speaker)
    cases = benchmark.cases()
    chosen = sample(benchmark, cases, settings.limit, settings.seed)
    if settings.shard:
        chosen = [case for case in chosen if settings.shard.holds(benchmark.id(case))]
        identity = {**identity, "shard": str(settings.shard)}
    claim(out, benchmark, settings.seed, identity)
    texts = {benchmark.id(case): asked(speaker, benchmark.opening(case)) for case in chosen}
    shas = {name: sha(text) for name, text in texts.items()}
    kept = known(out, shas)
    if kept:
        note(f"{len(kept)} of {len(chosen)} cases were answered before and are kept")
    (out / UNANSWERED).unlink(missing_ok=True)
    rank = _order(speaker, texts)
    left = sorted(
        (case for case in chosen if benchmark.id(case) not in kept),
        key=lambda case: rank[benchmark.id(case)],
    )
    agent = _agent(benchmark, speaker, settings)
    progress(len(kept), len(chosen), _so_far(benchmark, kept))
    begun_with = len(kept)
    for start in range(0, len(left), settings.batch):
        batch = left[start : start + settings.batch]
        kept |= {row["id"]: row for row in _play(benchmark, agent, batch, shas, out)}
        progress(begun_with + start + len(batch), len(chosen), _so_far(benchmark, kept))
    rows = [kept[name] for name in shas if name in kept]
    settle(out, rows)
    scores = tally(benchmark, rows, available=len(cases), missing=len(chosen) - len(rows))
    if scores.cached:
        note(f"{scores.cached} answers came from the cache; `seconds` does not count them")
    if scores.not_answered:
        note(f"{scores.not_answered} cases were not answered; run again to ask them once more")
    write_scores(
        out, benchmark, scores, limit=settings.limit, seed=settings.seed, identity=identity
    )
    return scores


def rescore(out: Path, benchmark: Benchmark[C], fmt: Format | None = None) -> Scores:
    """Judge the kept answers again, as after a scorer was mended; no model is asked.

    Replaces outcomes and scores of the folder. `fmt` is the run's own if not given; a chat
    has none, and its answers are read from the folder's log of them. A case that the
    benchmark no longer has, or whose prompt is another now, is a `DataError`.
    """
    cases = benchmark.cases()
    found = {benchmark.id(case): case for case in cases}
    before, rows = store.read_json(out / SCORES), []
    identity = before["identity"]
    settings = RunSettings(seed=before["seed"], max_tokens=identity.get("max_tokens"))
    speaker_for = retold(out, identity, benchmark.about, fmt)
    for row in outcomes(out):
        case, speaker = found.get(row["id"]), speaker_for(row["raw"])
        if case is None or sha(asked(speaker, benchmark.opening(case))) != row["prompt_sha"]:
            raise DataError(f"{out}: case {row['id']!r} is not the one that was answered")
        [reply] = replies(benchmark, _agent(benchmark, speaker, settings), [case])
        again = [clean(said.completion.text) for said in reply.said]
        if again != row["raw"][: len(again)]:
            raise DataError(f"{out}: the answers to case {row['id']!r} are not all there any more")
        rows.append(row | judged(benchmark, case, reply))
    settle(out, rows)
    scores = tally(benchmark, rows, available=len(cases), missing=before["not_answered"])
    write_scores(
        out, benchmark, scores, limit=before["limit"], seed=before["seed"], identity=identity
    )
    return scores


def sample(benchmark: Benchmark[C], cases: Sequence[C], limit: int | None, seed: int) -> list[C]:
    """At most `limit` cases, as many of each part as of any other while there are some.

    Chosen by a hash of seed and id, so every model is asked the same ones, and a
    larger limit adds to what a smaller one chose.
    """
    if limit is not None and limit < 1:
        raise RecipeError(f"limit must be at least 1, not {limit}; leave it out for all cases")
    if limit is None or limit >= len(cases):
        return list(cases)
    parts: dict[str, list[tuple[str, int]]] = {}
    for at, case in enumerate(cases):
        key = hashlib.sha256(f"{seed}:{benchmark.id(case)}".encode()).hexdigest()
        parts.setdefault(benchmark.part(case), []).append((key, at))
    # One of each part in turn, the largest part first, so that what is left over is its.
    queues = [sorted(keys) for _, keys in sorted(parts.items(), key=lambda p: (-len(p[1]), p[0]))]
    rounds = range(len(queues[0]))
    order = [queue[turn][1] for turn in rounds for queue in queues if turn < len(queue)]
    return [cases[at] for at in sorted(order[:limit])]


def asked(speaker: Speaker, opening: Dialogue) -> str:
    """What the model will be shown: the prompt itself where the speaker has a format."""
    if isinstance(speaker, Model):
        return plain(speaker.format.prompt(opening))
    return store.compact([store.dump_turns(opening.turns), store.dump_tools(opening.tools)])


def _agent(benchmark: Benchmark[C], speaker: Speaker, settings: RunSettings) -> Agent:
    about = benchmark.about
    longest = settings.max_tokens or about.max_tokens
    return Agent(speaker, {}, about.max_steps, Sampling(max_tokens=longest, seed=settings.seed))


def _order(speaker: Speaker, texts: Mapping[str, str]) -> dict[str, int]:
    """By id, when a case is asked, given the prompts."""
    # The longest first: if memory does not hold, it shows at once; and the prompts of
    # a batch are about equally long, so that little of it is padding. An engine that keeps
    # what it has read wants those together that begin alike, such as a dialogue's turns.
    alike = bool(getattr(getattr(speaker, "engine", None), "shares_prefixes", False))
    keys = {name: (text if alike else "", -len(text), name) for name, text in texts.items()}
    return {name: at for at, name in enumerate(sorted(keys, key=keys.__getitem__))}


def _play(
    benchmark: Benchmark[C], agent: Agent, batch: Sequence[C], shas: Mapping[str, str], out: Path
) -> list[dict[str, Any]]:
    """Ask a batch, put what came back on disk, and give back what was answered."""
    begun = time.monotonic()
    came = replies(benchmark, agent, batch)
    # What came from the cache took no time, so the others took all of it.
    timed = [not reply.said or not all(s.completion.cached for s in reply.said) for reply in came]
    each = round((time.monotonic() - begun) / max(1, sum(timed)), 4)
    rows, lost = [], []
    for case, reply, fresh in zip(batch, came, timed, strict=True):
        name = benchmark.id(case)
        if reply.ended == "unanswered":
            lost.append({"id": name, "part": benchmark.part(case), "why": clean(reply.why)})
        else:
            seconds = {"seconds": each if fresh else 0.0}
            rows.append(outcome(benchmark, case, reply, shas[name]) | seconds)
    for path, lines in ((out / OUTCOMES, rows), (out / UNANSWERED, lost)):
        if lines:
            store.append(path, lines)
    return rows


def _so_far(benchmark: Benchmark[C], kept: Mapping[str, Mapping[str, Any]]) -> str:
    headline = next((m for m in benchmark.about.metrics if m.main), None)
    if headline is None or not kept:
        return ""
    rows = [(row["part"], row["scores"]) for row in kept.values()]
    return f"{headline.name} {headline.of(rows):.1f}"
