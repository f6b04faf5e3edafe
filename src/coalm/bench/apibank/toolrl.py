"""Protocol `apibank:toolrl`: one exact call, as ToolRL's evaluation counts (Qian et al. 2025).

399, 67 and 131 rows of three levels, with every tool at hand. `Accuracy` is ToolRL's own: some
call of the answer is the gold one, name and arguments equal as JSON, types included. Its script
prints one figure for each level and one for all rows. `First call` asks that of the first call,
`One call` that there is no other.

Deviation D98: ToolRL's script takes a JSON object that is no call for the arguments of the right
tool, whose name the answer need not say. Ours does not. `Accuracy (as ToolRL counts)` does.

`toolrl-prompt` asks in ToolRL's own words, loaded at run time, and reads an answer in any form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.bench import calls
from coalm.bench.apibank import pasted
from coalm.bench.apibank.levels import chosen, suffix
from coalm.bench.apibank.own_words import in_own_words, played
from coalm.bench.apibank.reading import read, toolrl_calls
from coalm.bench.apibank.toolrl_rows import FILES, ToolRLCase, read_cases
from coalm.bench.apibank.turns import calls_of, first, legibility, legible, predicted, replied
from coalm.bench.base import About, Metric, Verdict, mean
from coalm.engines import Speaker
from coalm.formats import Malformed
from coalm.formats.dialects import dialect
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, System, ToolCall, User

MAX_TOKENS = 256
"""New tokens an answer. ToolRL allows 4,096, because its models think first."""

LEVELS = tuple(FILES)


class ApiBankToolRL:
    """API-Bank in ToolRL's conversion: one call, exactly."""

    def __init__(self, found: Found | None = None, levels: Sequence[str] = ()) -> None:
        self.levels = chosen(levels, LEVELS)
        self.found = found or sources.find("apibank-toolrl")
        self._cases: tuple[ToolRLCase, ...] = ()

    @property
    def about(self) -> About:
        """Names, versions, metrics; the version counts the rows of each level."""
        parts = [case.level for case in self.cases()]
        rows = ", ".join(f"{level} {parts.count(level)}" for level in self.levels)
        return About(
            "apibank",
            f"{self._name}{suffix(self.levels, LEVELS)}",
            f"toolrl{'' if self.found.real else ' miniature'}, {rows}",
            _metrics(self.levels),
            max_tokens=MAX_TOKENS,
        )

    @property
    def _name(self) -> str:
        return "toolrl"

    def cases(self) -> Sequence[ToolRLCase]:
        """Every row, level by level; the files are read once."""
        if not self._cases:
            self._cases = tuple(read_cases(self.found, self.levels))
        return self._cases

    def id(self, case: ToolRLCase) -> str:
        """`level/row`, such as `L-1/017`."""
        return case.id

    def part(self, case: ToolRLCase) -> str:
        """The level."""
        return case.level

    def opening(self, case: ToolRLCase) -> Dialogue:
        """The conversation in one message, as `apibank:hammer` shows it."""
        return pasted.opening(pasted.CALL, case.lines, case.tools)

    def gold(self, case: ToolRLCase) -> str:
        """The call as JSON."""
        return dialect("json").write(Assistant(calls=(case.call,)))

    def gold_reply(self, case: ToolRLCase) -> Reply:
        """The gold call."""
        return replied(self.opening(case), Assistant(calls=(case.call,)), "")

    def score(self, case: ToolRLCase, reply: Reply) -> Verdict:
        """Judge the first turn of a reply."""
        turn, text = first(self.opening(case), reply)
        made = calls_of(turn)
        match = calls.compare([case.call], made[:1], case.tools)
        right = [_equal(call, case.call) for call in made]
        some = any(right)
        scores = {
            "right": float(some),
            "first": float(right[:1] == [True]),
            "alone": float(right == [True]),
            "toolrl": float(some or _as_toolrl(text, case.call)),
            **legible(turn, text),
        }
        if reply.ended == "unanswered":
            return Verdict(scores, "not answered", reply.why)
        if isinstance(turn, Malformed):
            return Verdict(scores, "format", turn.why)
        if some:
            return Verdict(scores)
        if match.kind:
            return Verdict(scores, match.kind, match.note)
        return Verdict(scores, "wrong type", f"{case.call.name}: not equal to the letter")


class ApiBankToolRLPrompt(ApiBankToolRL):
    """The same, asked in ToolRL's own words; every form of answer counts."""

    @property
    def about(self) -> About:
        """As without; no dialect has a say in how it is asked."""
        return replace(super().about, asked="as-written")

    @property
    def _name(self) -> str:
        return "toolrl-prompt"

    def opening(self, case: ToolRLCase) -> Dialogue:
        """The system prompt and the message of the row, as they are."""
        return Dialogue((System(case.system), User(case.user)))

    def gold_reply(self, case: ToolRLCase) -> Reply:
        """The gold call as JSON."""
        text = self.gold(case)
        return predicted(self.opening(case), read(text), text)

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` for who cannot be asked in plain text."""
        in_own_words(speaker)

    def play(self, cases: Sequence[ToolRLCase], agent: Agent) -> list[Reply]:
        """One answer to each row, its text read in every form."""
        return played(agent, [self.opening(case) for case in cases])


def _equal(said: ToolCall, gold: ToolCall) -> bool:
    return said.name == gold.name and said.arguments == gold.arguments


def _as_toolrl(text: str, gold: ToolCall) -> bool:
    """Whether ToolRL's script would count the text as right."""
    return any(
        _equal(found, gold) if isinstance(found, ToolCall) else _same(found, gold.arguments)
        for found in toolrl_calls(text)
    )


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return dict(one) == dict(other)


def _metrics(levels: Sequence[str]) -> tuple[Metric, ...]:
    """ToolRL's figure first, of all rows and by level."""
    each = levels if len(levels) > 1 else ()
    return (
        mean("Accuracy", "right", main=True),
        *(mean(f"Accuracy ({level})", "right", only=level) for level in each),
        mean("First call", "first"),
        mean("One call", "alone"),
        mean("Accuracy (as ToolRL counts)", "toolrl"),
        *legibility(),
    )
