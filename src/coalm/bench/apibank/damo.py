"""Protocol `apibank:damo`: API-Bank as its authors judge it (Li et al. 2023).

Where a call is due, it is run against the API's database, and is right if it does what the gold
call does: `API accuracy`. Where a reply is due, it is compared with the reference: `ROUGE-L`.
Levels 1 (399 calls, 375 replies; APIs described), 2 (135, 103; the tool searcher comes first) and
3 (245, 50; a requirement of several calls, each asked with the right ones before it). `judging`
says how a call is judged, `replies` how a reply is.

`damo-prompt` asks in the data's own words, loaded at run time, and reads an answer in any form.
"""

from collections.abc import Sequence
from dataclasses import replace

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.bench.apibank import pasted
from coalm.bench.apibank.calltext import MARK, write_call
from coalm.bench.apibank.damo_rows import FILES, DamoCase, Due, read_cases
from coalm.bench.apibank.databases import read_databases
from coalm.bench.apibank.judging import Court, Judgement, basis_of, results_of_old
from coalm.bench.apibank.levels import chosen, suffix
from coalm.bench.apibank.library import library
from coalm.bench.apibank.own_words import in_own_words, played
from coalm.bench.apibank.reading import read
from coalm.bench.apibank.replies import bare, rouge_l
from coalm.bench.apibank.turns import (
    calls_of,
    first,
    legibility,
    legible,
    predicted,
    replied,
)
from coalm.bench.base import About, Kind, Metric, Verdict, mean, ratio
from coalm.engines import Speaker
from coalm.formats import Malformed
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, System, User

MAX_TOKENS = 256
"""New tokens an answer; the longest reply has 206 words, the longest call 131 tokens."""

POOR = 0.2
"""ROUGE-L below which a reply is said to miss what was to be told, as upstream's log does."""

LEVELS = tuple(dict.fromkeys(level for level, _ in FILES))

BASES = ("executed", "compared", "searched")


class ApiBankDamo:
    """API-Bank's own test set: calls that are executed, replies that are compared."""

    def __init__(
        self,
        found: Found | None = None,
        levels: Sequence[str] = (),
        *,
        only: Due | None = None,
        fresh: bool = False,
    ) -> None:
        self.only = only
        self.levels = chosen(levels, LEVELS)
        self.found = found or sources.find("apibank-damo")
        self.fresh = fresh
        self._all: tuple[DamoCase, ...] = ()
        self._court: Court | None = None

    @property
    def about(self) -> About:
        """Names, versions, metrics; the version counts the rows."""
        rows = [
            f"{part} {sum(case.part == part for case in self.cases())}"
            for part in dict.fromkeys(case.part for case in self.cases())
        ]
        name = "damo" if self.found.real else "damo miniature"
        how = ", fresh databases" if self.fresh else ""
        return About(
            "apibank",
            f"{self._name}{suffix(self.levels, LEVELS)}",
            f"{name}{how}, {', '.join(rows)}",
            _metrics(self.levels, self.only),
            max_tokens=MAX_TOKENS,
        )

    @property
    def _name(self) -> str:
        return "damo"

    def cases(self) -> Sequence[DamoCase]:
        """Every row, level by level, calls before replies; the files are read once."""
        return [
            case
            for case in self._rows()
            if case.level in self.levels and self.only in (None, case.due)
        ]

    def id(self, case: DamoCase) -> str:
        """`L-1/DIALOGUE#ROW`, in level 3 `L-3/REQUIREMENT#CALL`."""
        return case.id

    def part(self, case: DamoCase) -> str:
        """`L-1 calls`, `L-1 replies` and so on."""
        return case.part

    def opening(self, case: DamoCase) -> Dialogue:
        """The conversation in one message, as `apibank:hammer` shows it."""
        if case.due == "reply":
            return pasted.opening(pasted.REPLY, case.lines, case.tools)
        words = pasted.CALL if case.level == "L-1" else pasted.SEARCH
        return pasted.opening(words, case.lines, case.tools)

    def gold(self, case: DamoCase) -> str:
        """The call as the data writes it, or the reply."""
        return case.text

    def gold_reply(self, case: DamoCase) -> Reply:
        """The gold call, or the reference reply."""
        turn = Assistant(calls=(case.call,)) if case.call else Assistant(case.text)
        return replied(self.opening(case), turn, "" if case.call else case.text)

    def score(self, case: DamoCase, reply: Reply) -> Verdict:
        """Judge the first turn of a reply."""
        turn, text = first(self.opening(case), reply)
        scores = legible(turn, text) | {f"due_{case.due}": 1.0}
        if case.due == "call":
            scores |= {f"by_{basis}": float(basis == basis_of(case)) for basis in BASES}
        if reply.ended == "unanswered":
            return Verdict(scores, "not answered", reply.why)
        if case.due == "reply":
            kind, note, likeness = _told(case, turn, text)
            return Verdict(scores | {"reply_rougel": likeness}, kind, note)
        judged = self._judged(case, turn)
        right = float(not judged.kind)
        return Verdict(
            scores | {"right": right, f"right_{judged.basis}": right}, judged.kind, judged.note
        )

    def court(self) -> Court:
        """What judges: the databases and the libraries of tools, read once."""
        if self._court is None:
            self._court = Court(
                read_databases(self.found),
                {level: library(self._rows(), level) for level in LEVELS},
                results_of_old(self._rows()),
                self.fresh,
            )
        return self._court

    def _rows(self) -> tuple[DamoCase, ...]:
        """The rows of all levels: what a search finds is in any of them."""
        if not self._all:
            self._all = tuple(read_cases(self.found, LEVELS))
        return self._all

    def _judged(self, case: DamoCase, turn: Assistant | Malformed) -> Judgement:
        basis = basis_of(case)
        if isinstance(turn, Malformed):
            return Judgement(basis, "format", turn.why)
        made = calls_of(turn)
        assert case.call is not None
        if not made:
            return Judgement(basis, "no call", f"no call, where {case.call.name} was due")
        if len(made) > 1:
            return Judgement(basis, "wrong count", f"{len(made)} calls in place of one")
        return self.court().judge(case, made[0])


class ApiBankDamoPrompt(ApiBankDamo):
    """The same, asked in the data's own words; every form of answer counts."""

    @property
    def about(self) -> About:
        """As without; no dialect has a say in how it is asked."""
        return replace(super().about, asked="as-written")

    @property
    def _name(self) -> str:
        return "damo-prompt"

    def opening(self, case: DamoCase) -> Dialogue:
        """The instruction and the input of the row, as they are."""
        return Dialogue((System(case.instruction.strip()), User(case.asked.strip())))

    def gold_reply(self, case: DamoCase) -> Reply:
        """The gold answer as the data writes it."""
        text = f"{MARK} {write_call(case.call)}" if case.call else case.text
        return predicted(self.opening(case), read(text), text)

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` for who cannot be asked in plain text."""
        in_own_words(speaker)

    def play(self, cases: Sequence[DamoCase], agent: Agent) -> list[Reply]:
        """One answer to each row, its text read in every form."""
        return played(agent, [self.opening(case) for case in cases])


def _told(case: DamoCase, turn: Assistant | Malformed, text: str) -> tuple[Kind, str, float]:
    """What is wrong with a reply, and how like the reference it is."""
    words = turn.text if isinstance(turn, Assistant) and turn.text else text
    likeness = round(rouge_l(bare(words), bare(case.text)), 4)
    made = calls_of(turn)
    if made and likeness < 1.0:  # one reference of the data is a call itself
        return "needless call", f"called {made[0].name}, where a reply was due", likeness
    if likeness < POOR:
        return "missing information", f"ROUGE-L {likeness:.2f} to the reference", likeness
    return "", "", likeness


def _metrics(levels: Sequence[str], only: Due | None) -> tuple[Metric, ...]:
    """Calls first, replies second; each by level where there are several, then how judged."""
    each = levels if len(levels) > 1 else ()
    calls = (
        ratio("API accuracy", "right", "due_call", main=True),
        *(mean(f"API accuracy ({level})", "right", only=f"{level} calls") for level in each),
        *(
            ratio(f"API accuracy, calls {basis}", f"right_{basis}", f"by_{basis}")
            for basis in BASES
        ),
    )
    told = (
        ratio("Reply ROUGE-L", "reply_rougel", "due_reply", main=True),
        *(
            mean(f"Reply ROUGE-L ({level})", "reply_rougel", only=f"{level} replies")
            for level in each
        ),
    )
    return (
        *(calls if only != "reply" else ()),
        *(told if only != "call" else ()),
        *legibility(),
    )
