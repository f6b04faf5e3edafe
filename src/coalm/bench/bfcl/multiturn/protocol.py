"""The protocols `bfcl:multi-turn` and `bfcl:multi-turn-prompt` (Paper 5, BFCL V3).

The first offers the functions as tools of the run's format and takes calls in its dialect;
the second asks in BFCL's own words, as its harness asks a prompted model. Environments,
turns and verdict are the same.

Deviation D75: results are shown to the model as observations in both, each on its own;
and where functions are tools, an answer that cannot be read at all ends the turn without a
place in the dialogue.
"""

import ast
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from coalm.agent import Agent, Reply
from coalm.bench.base import About, Metric, Verdict, mean
from coalm.bench.bfcl.data import Data, find
from coalm.bench.bfcl.multiturn.cases import CATEGORIES, Case, cases
from coalm.bench.bfcl.multiturn.decode import from_calls
from coalm.bench.bfcl.multiturn.environment import Environments, Limits
from coalm.bench.bfcl.multiturn.play import Manner, dialect_of, play
from coalm.bench.bfcl.multiturn.scoring import verdict
from coalm.engines import Completion, Said, Speaker
from coalm.errors import RecipeError
from coalm.types import Assistant, Dialogue, Observation, ToolCall

MAX_STEPS = 20
"""After so many steps of one turn, the next that calls is the last."""


class BfclMultiTurn:
    """BFCL's conversations: a `Benchmark` that plays its cases itself, a `Player`."""

    def __init__(
        self,
        data: Data | None = None,
        categories: Sequence[str] = tuple(CATEGORIES),
        *,
        prompted: bool = False,
        limits: Limits | None = None,
    ) -> None:
        data = data or find()
        self._cases = tuple(case for name in categories for case in cases(data, name))
        self._manner = Manner(data, prompted)
        classes = [kind for case in self._cases for kind in case.classes]
        self._environments = Environments(data, classes, limits)
        self._about = About(
            benchmark="bfcl",
            protocol="multi-turn-prompt" if prompted else "multi-turn",
            version=data.version,
            metrics=tuple(_metrics(categories)),
            libraries=_libraries(),
            dialect="pythonic",
            asked="as-written" if prompted else "",
            max_steps=MAX_STEPS,
            max_tokens=256,
        )

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        return self._about

    def cases(self) -> Sequence[Case]:
        """Every case, a category after the other."""
        return self._cases

    def id(self, case: Case) -> str:
        """BFCL's own id."""
        return case.id

    def part(self, case: Case) -> str:
        """The category."""
        return case.category

    def opening(self, case: Case) -> Dialogue:
        """The user's first words and the functions on offer."""
        return self._manner.opening(case)

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` where BFCL's own words are to be asked in another dialect."""
        spoken = dialect_of(speaker)
        if self._manner.prompted and spoken not in ("", "pythonic"):
            raise RecipeError(
                "bfcl:multi-turn-prompt asks for calls as BFCL does, in Python's spelling, and not "
                f"in the dialect {spoken!r}: leave the dialect out"
            )

    def play(self, cases: Sequence[Case], agent: Agent) -> list[Reply]:
        """The whole conversation of each case."""
        return play(cases, agent, self._manner, self._environments)

    def gold(self, case: Case) -> str:
        """The gold calls, a line each turn."""
        return "\n".join(", ".join(calls) or "(no call)" for calls in case.gold)

    def gold_reply(self, case: Case) -> Reply:
        """A conversation with the gold calls; its observations are left empty."""
        dialogue, said = self.opening(case), []
        for number, calls in enumerate(case.gold):
            if number:
                dialogue = self._manner.next_turn(case, number, dialogue)
            for turn in self._gold_turns(case, calls):
                said.append(Said(turn, Completion(turn.text, "stop", 0, 0), ""))
                seen = [Observation("", call.name) for call in turn.calls]
                dialogue = dialogue.then(turn, *seen)
        return Reply(dialogue, "spoke", tuple(said))

    def score(self, case: Case, reply: Reply) -> Verdict:
        """Judge the calls of each turn; see `scoring.verdict`."""
        return verdict(self._environments, case, self._manner.turns(reply.said))

    def close(self) -> None:
        """End the worker; it starts again when it is needed."""
        self._environments.close()

    def _gold_turns(self, case: Case, calls: Sequence[str]) -> list[Assistant]:
        made = tuple(_gold_call(case, call) for call in calls)
        if not made:
            return [Assistant()]
        if self._manner.prompted:
            return [Assistant(f"[{', '.join(from_calls(made))}]"), Assistant()]
        return [Assistant(calls=made), Assistant()]


def _gold_call(case: Case, text: str) -> ToolCall:
    """A gold call as a tool call: arguments without a name get that of their place."""
    node = ast.parse(text.strip(), mode="eval").body
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise TypeError(f"{case.id}: {text!r} is not a call")
    name = node.func.id
    offered = [*case.functions, *(f for late in case.late.values() for f in late)]
    document = next(f for f in reversed(offered) if f["name"] == name)
    given = dict(zip(document["parameters"]["properties"], node.args, strict=False))
    given |= {word.arg: word.value for word in node.keywords if word.arg}
    return ToolCall(name, {key: ast.literal_eval(value) for key, value in given.items()})


def _libraries() -> dict[str, str]:
    """What the environments compute with beside Python; without it they say so themselves."""
    try:
        return {"mpmath": version("mpmath")}
    except PackageNotFoundError:
        return {}


def _metrics(categories: Sequence[str]) -> list[Metric]:
    """All or nothing over all and by category, shares of turns, the mask."""
    return [
        mean("Multi-turn", "right", main=True),
        *(mean(CATEGORIES[name], "right", only=name) for name in categories),
        mean("Multi-turn, turns", "turns"),
        mean("Multi-turn, turns from gold", "turns_from_gold"),
        Metric("Multi-turn, possible cases", (("possible_right", 1.0),), (("possible", 1.0),)),
    ]
