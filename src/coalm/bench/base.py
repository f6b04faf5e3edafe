"""What a benchmark is: cases, how each opens, how each is scored, what is reported.

A benchmark is named with its protocol (`apibank:hammer`); a score without one means
nothing. Per case it leaves plain numbers, and the reported figures are functions of
many cases' numbers, so intervals come from resampling the cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar, runtime_checkable

from coalm.agent import Agent, Reply
from coalm.bench.kinds import Kind as Kind  # everyone takes it from here
from coalm.engines import Speaker
from coalm.types import Dialogue

C = TypeVar("C")
D = TypeVar("D", contravariant=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case, scored."""

    scores: Mapping[str, float]
    """Numbers by name; what they mean is the metrics' business."""
    kind: Kind = ""
    """What was wrong, in a word; empty when nothing was."""
    note: str = ""
    """What was wrong, for a person."""


Sums = tuple[float, float]
"""What stands above and below the line of a metric."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure over many cases: a mean, or a ratio of sums such as micro F1, times 100."""

    name: str
    """The name in tables: `JGA`, `ROUGE-L`, `Exact match`."""
    numerator: tuple[tuple[str, float], ...]
    """Score names and weights whose sum over the cases stands above the line."""
    denominator: tuple[tuple[str, float], ...] = ()
    """Likewise below it; empty means the number of cases."""
    only: str = ""
    """Count only the cases whose `part` this is; empty means all."""
    main: bool = False
    """Whether this is the benchmark's headline."""
    how: Literal["ratio", "worst", "spread"] = "ratio"
    """A ratio of sums; or, of the means of the scores above the line, the lowest, or the
    highest minus the lowest."""
    over: str = ""
    """Count only the cases whose score of this name is above 0; empty means all."""

    def counts(self, part: str, scores: Mapping[str, float]) -> bool:
        """Whether a case is one of those that the metric is over."""
        return self.only in ("", part) and (not self.over or scores.get(self.over, 0.0) > 0.0)

    def of(self, rows: Sequence[tuple[str, Mapping[str, float]]]) -> float:
        """The figure, 0 to 100, over `(part, scores)` of some cases; 0 over none."""
        kept = [scores for part, scores in rows if self.counts(part, scores)]
        sums = [self.sums(scores) for scores in kept]
        return self.value([_total(column) for column in zip(*sums, strict=True)])

    def sums(self, scores: Mapping[str, float]) -> tuple[Sums, ...]:
        """What one case adds above and below the line; of several means, for each of them."""
        if self.how != "ratio":
            return tuple((w * scores.get(name, 0.0), 1.0) for name, w in self.numerator)
        above = sum(w * scores.get(name, 0.0) for name, w in self.numerator)
        below = sum(w * scores.get(name, 0.0) for name, w in self.denominator)
        return ((above, below if self.denominator else 1.0),)

    def value(self, sums: Sequence[Sums]) -> float:
        """The figure, 0 to 100, from the sums over the cases."""
        found = [100.0 * above / below if below else 0.0 for above, below in sums]
        match self.how:
            case _ if not found:
                return 0.0
            case "worst":
                return min(found)
            case "spread":
                return max(found) - min(found)
            case _:
                return found[0]


def mean(name: str, score: str, *, only: str = "", main: bool = False) -> Metric:
    """The mean of one score over the cases, times 100."""
    return Metric(name, ((score, 1.0),), (), only, main)


def micro_f1(name: str, prefix: str = "", *, only: str = "", main: bool = False) -> Metric:
    """2 TP / (2 TP + FP + FN) over the sums of `PREFIXtp`, `PREFIXfp`, `PREFIXfn`, times 100."""
    return Metric(
        name,
        ((f"{prefix}tp", 2.0),),
        ((f"{prefix}tp", 2.0), (f"{prefix}fp", 1.0), (f"{prefix}fn", 1.0)),
        only,
        main,
    )


def ratio(name: str, above: str, below: str, *, main: bool = False) -> Metric:
    """The sum of one score over the sum of another, over the cases that have the other."""
    return Metric(name, ((above, 1.0),), ((below, 1.0),), main=main, over=below)


def precision(name: str, prefix: str = "") -> Metric:
    """TP / (TP + FP) over the sums of `PREFIXtp`, `PREFIXfp`, times 100; 0 if nothing was said."""
    return Metric(name, ((f"{prefix}tp", 1.0),), ((f"{prefix}tp", 1.0), (f"{prefix}fp", 1.0)))


def recall(name: str, prefix: str = "") -> Metric:
    """TP / (TP + FN) over the sums of `PREFIXtp`, `PREFIXfn`, times 100."""
    return Metric(name, ((f"{prefix}tp", 1.0),), ((f"{prefix}tp", 1.0), (f"{prefix}fn", 1.0)))


@dataclass(frozen=True, slots=True)
class About:
    """What a score must say of itself."""

    benchmark: str
    """`multiwoz`, `apibank`, `bfcl`."""
    protocol: str
    """`dst-json`, `hammer`, `ast`."""
    version: str
    """Of the data: `2.4`, `hammer`, `bfcl-eval 2026.3.23`."""
    metrics: tuple[Metric, ...]
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of the libraries that the metrics come from."""
    dialect: str = "json"
    """How calls are asked for where the recipe does not say."""
    asked: str = ""
    """How the model is asked where no dialect decides it: `as-written`, in the benchmark's own
    words; `every-syntax`, in each in turn."""
    max_steps: int = 1
    """Model steps a reply; 1 where only the first turn is scored."""
    max_tokens: int = 128
    """New tokens a model step."""


class Benchmark(Protocol[C]):
    """`C` is the benchmark's own case type."""

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        ...

    def cases(self) -> Sequence[C]:
        """Every case, in the benchmark's order."""
        ...

    def id(self, case: C) -> str:
        """A name for the case that stays the same for good."""
        ...

    def part(self, case: C) -> str:
        """The category or level that the case belongs to, by which a sample is balanced."""
        ...

    def opening(self, case: C) -> Dialogue:
        """What the model is shown, up to where it is to speak."""
        ...

    def gold(self, case: C) -> str:
        """The right answer, for a person to read."""
        ...

    def gold_reply(self, case: C) -> Reply:
        """A reply that must score perfectly."""
        ...

    def score(self, case: C, reply: Reply) -> Verdict:
        """Judge a reply; never raises, whatever the reply is, and changes nothing."""
        ...


@runtime_checkable
class Player(Protocol[D]):
    """A benchmark that leads its conversations itself, where one reply is not all of them.

    What comes back holds every step of the whole conversation.
    """

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` if the benchmark cannot be played with that speaker."""
        ...

    def play(self, cases: Sequence[D], agent: Agent) -> list[Reply]:
        """A reply for each case, in order; `unanswered` where any step of it was not answered."""
        ...


@runtime_checkable
class Teller(Protocol[D]):
    """A benchmark that says itself what a reply came to, where its turns in a row say little."""

    def told(self, case: D, reply: Reply) -> str:
        """The reply, for a person to read."""
        ...


def _total(pairs: Sequence[Sums]) -> Sums:
    return sum(above for above, _ in pairs), sum(below for _, below in pairs)


def replies(benchmark: Benchmark[C], agent: Agent, cases: Sequence[C]) -> list[Reply]:
    """What comes of asking some cases side by side, in their order."""
    if isinstance(benchmark, Player):
        played: list[Reply] = benchmark.play(cases, agent)
        return played
    return agent.replies([benchmark.opening(case) for case in cases])
