"""The protocols `bfcl:ast` and `bfcl:single`: one turn, its calls compared (Paper 5).

`ast` has two categories, `single` every single-turn one of BFCL V3, the retired executable
ones among them. `coalm score bfcl` has the leaderboard's own figures.

Deviation D30: the answer is asked for and read in the run's own dialect, without BFCL's
system prompt and its note on Python syntax; the official prompting mode asks for
`[f(a=1)]` and reads it with Python's parser. What is judged, and how, is the same.
Deviation D31: a subset of BFCL V3, so there is no overall score; and no mean of the
parts, because a weighted sum over a sample would only resemble the official one.
Deviation D32: an argument that a model writes as a Python tuple counts as a list; the
official checker refuses a tuple where the schema says array.
"""

from collections.abc import Iterable, Sequence

from coalm.agent import Reply
from coalm.bench.base import About, Metric, Verdict, mean
from coalm.bench.bfcl.categories import CATEGORIES, Category
from coalm.bench.bfcl.data import Case, Data, find
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.judge import verdict
from coalm.bench.bfcl.reading import Unreadable
from coalm.engines import Completion, Said
from coalm.errors import RecipeError, unknown
from coalm.formats import Malformed
from coalm.formats.dialects.calls import write_calls
from coalm.types import Assistant, Dialogue

DEFAULT = ("simple_python", "irrelevance")

LONG = 768
"""New tokens for any single-turn category: the longest right answer, of four calls, has 600."""


class Questions:
    """What every single-turn protocol of BFCL has in common: its questions."""

    def __init__(self, about: About, cases: Iterable[Case]) -> None:
        self._about = about
        self._cases = tuple(cases)

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        return self._about

    def cases(self) -> Sequence[Case]:
        """Every question, a category after the other."""
        return self._cases

    def id(self, case: Case) -> str:
        """BFCL's own id."""
        return case.id

    def part(self, case: Case) -> str:
        """The category."""
        return case.category.name

    def opening(self, case: Case) -> Dialogue:
        """The user's question and the functions on offer."""
        return Dialogue(case.turns, case.tools)


class BfclAst(Questions):
    """BFCL's single-turn categories, or some of them: a `Benchmark`."""

    def __init__(
        self,
        data: Data | None = None,
        categories: Sequence[str] = DEFAULT,
        *,
        protocol: str = "ast",
        # The longest right call of the default categories takes SmolLM2 103 tokens.
        max_tokens: int = 128,
    ) -> None:
        for name in categories:
            if name not in CATEGORIES:
                raise RecipeError(unknown("BFCL category", name, CATEGORIES))
        data = data or find()
        chosen = [CATEGORIES[name] for name in categories]
        about = About(
            benchmark="bfcl",
            protocol=protocol,
            version=data.version,
            metrics=tuple(_metrics(chosen)),
            max_steps=1,
            max_tokens=max_tokens,
        )
        super().__init__(about, (case for category in chosen for case in data.cases(category)))

    def gold(self, case: Case) -> str:
        """Right calls, one spelling of them."""
        calls = gold_calls(case)
        return f"[{write_calls(calls)}]" if calls else "no call"

    def gold_reply(self, case: Case) -> Reply:
        """A reply with the right calls, or with none."""
        turn = Assistant(calls=gold_calls(case))
        said = Said(turn, Completion("", "stop", 0, 0), "")
        dialogue = self.opening(case).then(turn)
        return Reply(dialogue, "steps" if turn.calls else "spoke", (said,))

    def score(self, case: Case, reply: Reply) -> Verdict:
        """Judge the first turn: `right`, `name` (the right functions), `unreadable`."""
        turn = reply.said[0].turn if reply.said else Assistant()
        if isinstance(turn, Malformed):
            return verdict(case, Unreadable(turn.why))
        return verdict(case, turn.calls if isinstance(turn, Assistant) else ())


def single_turn(data: Data) -> BfclAst:
    """The protocol `bfcl:single`: every single-turn category that the data has."""
    chosen = [name for name, category in CATEGORIES.items() if data.has(category)]
    return BfclAst(data, chosen, protocol="single", max_tokens=LONG)


def _metrics(chosen: Sequence[Category]) -> Iterable[Metric]:
    """A score a category; beside it how often the functions' names alone are right.

    Where no call is due, an unreadable one is right as well, so their share is shown. Where
    results are due, the items that are judged by executing them have a score of their own.
    """
    for category in chosen:
        name = category.name
        yield mean(category.title, "right", only=name, main=category is chosen[0])
        if category.wants in ("no call", "any call"):
            yield mean(f"{category.title}, unreadable", "unreadable", only=name)
            continue
        kind = category.title.removesuffix(" (AST)")
        title = "Function name" if name == "simple_python" else f"{kind}, function name"
        yield mean(title, "name", only=name)
        if category.wants == "these results" and name != "rest":
            title = f"{category.title}, those executed and not matched"
            yield Metric(title, (("right_executed", 1.0),), (("executed", 1.0),), name)
