"""The folder of a run: what was asked and answered, whose it is, and what came of it.

`outcomes.jsonl` holds one line a case, `unanswered.jsonl` what the world kept from
being answered, `run.json` whose run it is, `scores.json` the figures at the end. Answers
that a smaller limit does not count wait in `aside.jsonl`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from coalm import store
from coalm.agent import Reply
from coalm.bench.base import Benchmark, Teller
from coalm.bench.stats import Figure, Scored, figure
from coalm.engines.journal import ANSWERS
from coalm.errors import RecipeError
from coalm.formats import Malformed

C = TypeVar("C")

OUTCOMES, UNANSWERED, ASIDE = "outcomes.jsonl", "unanswered.jsonl", "aside.jsonl"
RUN, SCORES = "run.json", "scores.json"
"""The files of a run folder."""

OURS = (OUTCOMES, UNANSWERED, ASIDE, SCORES, ANSWERS, RUN)
"""All that a run may leave in its folder; what says whose it is comes last."""

FREE = frozenset({"limit", "batch", "label"})
"""What may differ between a run and its continuation: no case's score depends on it."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a run has to say at its end."""

    figures: tuple[Figure, ...]
    """One for each metric that has cases; a metric over no case has no figure."""
    cases: int
    """Scored."""
    available: int
    """Cases of the whole benchmark."""
    not_answered: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of error, the most frequent first."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """Spent on the cases, earlier sittings included; on what the cache gave, none."""
    cached: int = 0
    """Model answers that were taken from the cache: no figure of speed may count them."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Cases of the whole benchmark, by part."""

    @property
    def main(self) -> Figure | None:
        """The headline, if it has cases."""
        return next((f for f in self.figures if f.main), None)


def outcomes(out: Path) -> list[dict[str, Any]]:
    """The answered cases of a run folder; of a case answered twice, the later answer."""
    return list({row["id"]: row for row in store.read_log(out / OUTCOMES)}.values())


def known(out: Path, shas: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By id, the answers that the folder has to the very prompts that would be asked now."""
    rows = [*store.read_log(out / ASIDE), *store.read_log(out / OUTCOMES)]
    return {row["id"]: row for row in rows if shas.get(row["id"]) == row["prompt_sha"]}


def settle(out: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Leave in `outcomes.jsonl` what is counted and no more, in the benchmark's order."""
    had = store.read_log(out / OUTCOMES)
    if had == list(rows):
        return
    counted = {row["id"] for row in rows}
    waiting = {row["id"]: row for row in [*store.read_log(out / ASIDE), *had]}
    _rewrite(out / ASIDE, [row for name, row in waiting.items() if name not in counted])
    _rewrite(out / OUTCOMES, rows)


def scored(out: Path) -> list[Scored]:
    """The cases of a run folder as `stats.figure` and `stats.difference` take them."""
    return [_scored(row) for row in outcomes(out)]


def claim(out: Path, benchmark: Benchmark[C], seed: int, identity: Mapping[str, Any]) -> None:
    """Say in `run.json` whose folder this is; a `RecipeError` if it is another run's."""
    about = benchmark.about
    ours = {
        "benchmark": about.benchmark,
        "protocol": about.protocol,
        "version": about.version,
        "libraries": dict(about.libraries),
        "max_steps": about.max_steps,
        "max_tokens": about.max_tokens,
        "seed": seed,
        **identity,
    }
    path = out / RUN
    if not path.exists():
        if store.read_log(out / OUTCOMES):
            raise RecipeError(f"{out} holds outcomes but no {RUN}; choose another --out")
        store.write_json(path, ours)
        return
    theirs = store.read_json(path)
    plain = json.loads(json.dumps(ours))  # tuples as the lists that they became on disk
    differ = [
        f"{name} was {theirs.get(name)!r} and is {plain.get(name)!r}"
        for name in sorted({*theirs, *plain} - FREE)
        if theirs.get(name) != plain.get(name)
    ]
    if differ:
        raise RecipeError(
            f"{out} belongs to another run: {'; '.join(differ)}. "
            "Choose another --out, or delete the folder"
        )


def forget(folders: Sequence[Path]) -> None:
    """Delete what runs left in their folders, and nothing else.

    Where one of them holds something and is no run's, it is a `RecipeError` and all stay.
    """
    there = [out for out in folders if out.exists()]
    for out in there:
        if not out.is_dir() or (any(out.iterdir()) and not (out / RUN).is_file()):
            raise RecipeError(f"{out} is no folder of a run, it has no {RUN}: nothing was deleted")
    for out in there:
        for name in OURS:
            (out / name).unlink(missing_ok=True)


def sha(text: str) -> str:
    """Sixteen hex digits of a prompt, by which an answer is known to be to it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def outcome(benchmark: Benchmark[C], case: C, reply: Reply, prompt_sha: str) -> dict[str, Any]:
    """The line of a case that was answered, judged."""
    return {
        "id": benchmark.id(case),
        "part": benchmark.part(case),
        "prompt_sha": prompt_sha,
        "prompt": clean(reply.said[0].prompt if reply.said else ""),
        "raw": [clean(said.completion.text) for said in reply.said],
        "gold": clean(benchmark.gold(case)),
        "prompt_tokens": sum(said.completion.prompt_tokens for said in reply.said),
        "completion_tokens": sum(said.completion.completion_tokens for said in reply.said),
        "cut": sum(said.completion.ended == "length" for said in reply.said),
        **({"cached": n} if (n := sum(said.completion.cached for said in reply.said)) else {}),
    } | judged(benchmark, case, reply)


def judged(benchmark: Benchmark[C], case: C, reply: Reply) -> dict[str, Any]:
    """The part of a case's line that the scorer decides."""
    verdict = benchmark.score(case, reply)
    return {
        "ended": reply.ended,
        "answer": clean(_told(benchmark, case, reply)),
        "unread": [clean(said.turn.why) for said in reply.said if isinstance(said.turn, Malformed)],
        "scores": dict(verdict.scores),
        "kind": verdict.kind,
        "note": clean(verdict.note),
    }


def _told(benchmark: Benchmark[C], case: C, reply: Reply) -> str:
    return benchmark.told(case, reply) if isinstance(benchmark, Teller) else readable(reply)


def readable(reply: Reply) -> str:
    """What the model's turns came to, one thing a line, whatever dialect it speaks."""
    lines = []
    for said in reply.said:
        if isinstance(said.turn, Malformed):
            lines.append(f"unreadable ({said.turn.why}): {said.turn.text}")
            continue
        lines += [f"thought: {said.turn.thought}"] if said.turn.thought else []
        lines += [said.turn.text] if said.turn.text else []
        lines += [
            f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.arguments.items())})"
            for call in said.turn.calls
        ]
    return "\n".join(lines)


def clean(text: str) -> str:
    """The text with what UTF-8 cannot carry replaced: a model may have written anything."""
    return text.encode("utf-8", "replace").decode()


def tally(
    benchmark: Benchmark[C], rows: Sequence[Mapping[str, Any]], *, available: int, missing: int
) -> Scores:
    """The scores of some outcomes, of which `missing` more were wanted."""
    cases = [_scored(row) for row in rows]
    figures = (figure(cases, metric) for metric in benchmark.about.metrics)
    return Scores(
        figures=tuple(f for f in figures if f.n),
        cases=len(rows),
        available=available,
        not_answered=missing,
        kinds=dict(Counter(row["kind"] for row in rows if row["kind"]).most_common()),
        prompt_tokens=sum(row["prompt_tokens"] for row in rows),
        completion_tokens=sum(row["completion_tokens"] for row in rows),
        seconds=round(sum(row["seconds"] for row in rows), 1),
        cached=sum(row.get("cached", 0) for row in rows),
        parts=dict(Counter(map(benchmark.part, benchmark.cases()))),
    )


def write_scores(
    out: Path,
    benchmark: Benchmark[C],
    scores: Scores,
    *,
    limit: int | None,
    seed: int,
    identity: Mapping[str, Any],
) -> None:
    """`scores.json`: the figures, how each is computed, and everything they depend on."""
    about = benchmark.about
    sums = {
        (m.name, m.only): {
            "numerator": m.numerator,
            "denominator": m.denominator,
            "how": m.how,
            "over": m.over,
        }
        for m in about.metrics
    }
    row = {
        "benchmark": about.benchmark,
        "protocol": about.protocol,
        "version": about.version,
        "libraries": dict(about.libraries),
        "label": identity.get("label", ""),
        "model": identity.get("model", ""),
        "identity": dict(identity),
        "limit": limit,
        "seed": seed,
        **{name: value for name, value in asdict(scores).items() if name != "figures"},
        "metrics": [asdict(f) | sums[f.name, f.only] for f in scores.figures],
    }
    store.write_json(out / SCORES, row)


def _rewrite(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        store.write_text(path, "".join(store.compact(row) + "\n" for row in rows))
    else:
        path.unlink(missing_ok=True)


def _scored(row: Mapping[str, Any]) -> Scored:
    return Scored(row["id"], row["part"], row["scores"])
