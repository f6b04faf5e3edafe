"""Protocol `apibank:hammer`: the next call of a conversation, as text and as a call.

Paper 5.1 reports ROUGE-L on API-Bank's levels 1 and 2, taken here as LLaMA-Factory's predict
step computes it over Hammer's conversion, on the very text that the model wrote. Such a score
measures form first: with every name right and no argument at all it is 68.8 (L-1) or 74.2
(L-2), a perfect call without the code fence of the labels gets 92.6 or 91.6, and a perfect
call in Python's syntax 40.0 or 36.0. So exact match and F1 over names and arguments stand
beside it. `ROUGE-L (canonical)` is not in the paper: it is taken after the calls that were
read have been rewritten as the labels are, so that models with other dialects can be compared.
It cannot stand beside published figures.

Silence scores 0 on every metric. Text metrics of a malformed answer are those of its text.
The conversation itself shows calls as JSON whatever dialect is asked for, so `Exact match (any
dialect)` stands beside the strict figure: there an answer may be in any way of writing.
"""

import json
from collections.abc import Sequence

from coalm import sources
from coalm.agent import Reply
from coalm.bench import calls, rouge
from coalm.bench.apibank.levels import chosen, suffix
from coalm.bench.apibank.reading import read
from coalm.bench.apibank.rows import COUNTS, LEVELS, CallCase, read_level
from coalm.bench.apibank.turns import calls_of, first, legibility, legible
from coalm.bench.base import About, Metric, Verdict, mean, micro_f1
from coalm.engines import Completion, Said
from coalm.formats import Malformed
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, ToolCall

MAX_TOKENS = 192
"""New tokens an answer. The longest gold call takes SmolLM2 131 in JSON."""


class ApiBankHammer:
    """API-Bank's call tasks: 399 rows of level 1, 127 of level 2; all of them if none is named."""

    def __init__(self, found: Found | None = None, levels: Sequence[str] = ()) -> None:
        self.levels = chosen(levels, LEVELS)
        self.found = found or sources.find("apibank")
        self._cases: tuple[CallCase, ...] | None = None

    @property
    def about(self) -> About:
        """Names, versions, metrics; the version counts the rows of each level."""
        parts = [self.part(case) for case in self.cases()]
        rows = ", ".join(f"{level} {parts.count(level)}" for level in self.levels)
        return About(
            "apibank",
            f"hammer{suffix(self.levels, LEVELS)}",
            f"hammer{'' if self.found.real else ' miniature'}, {rows}",
            _metrics(self.levels),
            rouge.versions(),
            max_tokens=MAX_TOKENS,
        )

    def cases(self) -> Sequence[CallCase]:
        """Every row, level by level; the files are read once."""
        if self._cases is None:
            self._cases = tuple(
                case
                for level in self.levels
                for case in read_level(
                    self.found.path(LEVELS[level]), level, COUNTS[level] if self.found.real else 0
                )
            )
        return self._cases

    def id(self, case: CallCase) -> str:
        """`level/row`, such as `L-1/017`."""
        return f"{case.level}/{case.number:03}"

    def part(self, case: CallCase) -> str:
        """The level."""
        return case.level

    def opening(self, case: CallCase) -> Dialogue:
        """The conversation up to the call."""
        return case.opening

    def gold(self, case: CallCase) -> str:
        """The label that text metrics compare with."""
        return label(case.calls)

    def gold_reply(self, case: CallCase) -> Reply:
        """The gold calls, written as the label is."""
        turn = Assistant(calls=case.calls)
        said = Said(turn, Completion(label(case.calls), "stop", 0, 0), "")
        return Reply(case.opening.then(turn), "steps", (said,))

    def score(self, case: CallCase, reply: Reply) -> Verdict:
        """Judge the first turn of a reply, as text and as calls."""
        turn, text = first(case.opening, reply)
        made = calls_of(turn)
        text = text or (label(made) if made else "")
        match = calls.compare(case.calls, made, case.opening.tools)
        wanted = label(case.calls)
        raw = rouge.text_scores(text, wanted)
        canonical = rouge.text_scores(label(made), wanted) if made else raw
        exact = match.exact and isinstance(turn, Assistant)
        scores = {
            "rouge1": raw.rouge1,
            "rouge2": raw.rouge2,
            "rougel": raw.rougel,
            "bleu4": raw.bleu4,
            "rougel_canonical": canonical.rougel,
            "exact": float(exact),
            "exact_any": float(exact or _exact_in_any(case, text)),
            **match.names.scores("name_"),
            **match.arguments.scores("argument_"),
            **legible(turn, text),
        }
        if reply.ended == "unanswered":
            return Verdict(scores, "not answered", reply.why)
        if isinstance(turn, Malformed):
            return Verdict(scores, "format", turn.why)
        return Verdict(scores, match.kind, match.note)


def label(made: Sequence[ToolCall]) -> str:
    """Calls as Hammer's files write them: a JSON list inside a code fence, on one line.

    Reproduces the reference scores above; text outside ASCII, which the real labels have
    nowhere, is kept as it is.
    """
    rows = [{"name": call.name, "arguments": dict(call.arguments)} for call in made]
    return f"```{json.dumps(rows, ensure_ascii=False)}```"


def _exact_in_any(case: CallCase, text: str) -> bool:
    """Whether the text holds the gold calls in any way of writing."""
    made = read(text).calls
    return bool(made) and calls.compare(case.calls, made, case.opening.tools).exact


def _metrics(levels: Sequence[str]) -> tuple[Metric, ...]:
    """The paper's figure and the exact match first; where levels are two, each by level too."""
    each = levels if len(levels) > 1 else ()
    return (
        mean("ROUGE-L", "rougel", main=True),
        mean("Exact match", "exact", main=True),
        mean("ROUGE-1", "rouge1"),
        mean("ROUGE-2", "rouge2"),
        mean("BLEU-4", "bleu4"),
        mean("ROUGE-L (canonical)", "rougel_canonical"),
        mean("Exact match (any dialect)", "exact_any"),
        micro_f1("Name F1", "name_"),
        micro_f1("Argument F1", "argument_"),
        *(
            metric
            for level in each
            for metric in (
                mean(f"ROUGE-L ({level})", "rougel", only=level),
                mean(f"ROUGE-1 ({level})", "rouge1", only=level),
                mean(f"ROUGE-2 ({level})", "rouge2", only=level),
                mean(f"BLEU-4 ({level})", "bleu4", only=level),
                mean(f"Exact match ({level})", "exact", only=level),
                micro_f1(f"Name F1 ({level})", "name_", only=level),
                micro_f1(f"Argument F1 ({level})", "argument_", only=level),
            )
        ),
        *legibility(),
    )
