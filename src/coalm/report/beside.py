"""Which figure of the paper may stand beside which of ours, and how far they compare.

A figure of ours that the paper does not report gets none: a dash is better than a
number that measures something else.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from coalm.report.paper import APIBANK, BFCL, MULTIWOZ, PaperTable

Likeness: TypeAlias = Literal["same measure", "other protocol"]
"""The paper's own measure asked a little differently, or its quantity by another protocol."""


LEADING = ("Success", "JGA", "ROUGE-L L-1", "ROUGE-L L-2", "Overall")
"""The columns of Tables 2 to 4 that the ablation of Table 5 goes by."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A column of a table of the paper that measures the same quantity as a metric of ours."""

    table: PaperTable
    column: str
    likeness: Likeness
    """How near the two are; nothing here is the paper's own run, so there is no `same`."""
    note: str
    """Where ours departs."""

    @property
    def leads(self) -> bool:
        """Whether the column is one that the paper's text speaks of (Table 5 repeats it)."""
        return self.column in LEADING

    def printed(self, models: tuple[str, ...]) -> tuple[str | None, ...]:
        """The paper's figures for some of its models, in their order, as it prints them."""
        return tuple(self.table.printed(model, self.column) for model in models)


@dataclass(frozen=True, slots=True)
class _Rule:
    benchmark: str
    protocol: str
    metric: str
    """The metric's name, with the part it counts, as `_plain` writes them."""
    table: PaperTable
    column: str
    likeness: Likeness
    note: str


_DST = (
    "the whole state is asked for as JSON after every turn and values must be equal "
    "(deviation D20), and a sample is balanced over the depth of turns, so a little shallower "
    "than the test set"
)
_REACT = (
    "the paper's exact protocol is not published and ours follows a reconstruction of it in "
    "words of our own (deviation D91)"
)
_STATE = (
    f"{_REACT}; as in its code 'any' is dropped and values match fuzzily, but turns in which "
    "nothing can be read count as wrong (deviation D93)"
)
_ALL = (
    f"{_REACT}; bookings are the gold ones, as in the corpus evaluator, and every dialogue with a "
    "goal counts; the paper's denominator may have left out those in which a turn failed"
)
_COMPLETED = (
    f"{_REACT}; bookings are the gold ones, and dialogues with a turn without an answer are left "
    "out, as the paper's denominator may have left them out: read it beside Success over all"
)
_PASTED = (
    "the conversation is pasted into one message as in Hammer's evaluation, but the words around "
    "it and the way the tools are shown are the run's own (deviation D21)"
)
_RELEVANCE = (
    "today's data has 16 cases where the paper's rows count 18 or 41, and the answer is asked "
    "for in the run's own format (deviation D30)"
)

_TODAY = "today's data has 16 cases where the paper's rows count 18 or 41 (deviation D77)"

_LEVELS = tuple(
    _Rule(
        "apibank",
        "hammer",
        f"{measure} l {level}",
        APIBANK,
        f"{printed} L-{level}",
        "same measure",
        _PASTED,
    )
    for measure, printed in (
        ("rouge l", "ROUGE-L"),
        ("rouge 1", "ROUGE-1"),
        ("rouge 2", "ROUGE-2"),
        ("bleu 4", "BLEU-4"),
    )
    for level in (1, 2)
)

_RULES: tuple[_Rule, ...] = (
    _Rule("multiwoz", "dst-json", "jga", MULTIWOZ, "JGA", "other protocol", _DST),
    *(
        _Rule("multiwoz", "react-offline", metric, MULTIWOZ, column, "same measure", note)
        for metric, column, note in (
            ("jga fuzzy as the paper", "JGA", _STATE),
            ("success", "Success", _ALL),
            ("success completed dialogues", "Success", _COMPLETED),
        )
    ),
    *_LEVELS,
    _Rule("bfcl", "ast", "live relevance", BFCL, "Relevance", "same measure", _RELEVANCE),
    _Rule("bfcl", "single", "live relevance", BFCL, "Relevance", "same measure", _RELEVANCE),
    _Rule("bfcl", "single-prompt", "live relevance", BFCL, "Relevance", "same measure", _TODAY),
)

_ABSENT = {
    "bfcl": "The paper prints aggregates of BFCL's categories (Table 4: Non-Live AST, Live, "
    "Multi-Turn ...); single categories such as simple are not in it, and its irrelevance "
    "column averages live and non-live questions.",
    "apibank:hammer": "The paper prints ROUGE and BLEU of each level (Table 3); figures over both "
    "levels, exact match, function names and arguments are not in it.",
    "apibank": "The paper's API-Bank figures (Table 3) are text overlap on Hammer's conversion "
    "(apibank:hammer); nothing of this protocol is in it.",
    "multiwoz:dst-json": "The paper prints Success and JGA (Table 2); slot figures are not in it.",
    "multiwoz:react-offline": "The paper prints Success and JGA (Table 2). Its JGA stands beside "
    "ours as its code counts; the strict one, which keeps dontcare, is the harder measure. "
    "Inform, slots and single domains are not in it.",
    "multiwoz": "The paper plays MultiWOZ offline, with the gold history before each turn; its "
    "Success (Table 2) judges words by the corpus evaluator and is another quantity than this one.",
}


def absent(benchmark: str, protocol: str) -> str:
    """What the paper leaves out that such a run has, in a sentence; empty where that is unknown."""
    family = _family(protocol)[0]
    return _ABSENT.get(f"{benchmark}:{family}") or _ABSENT.get(benchmark, "")


def beside(benchmark: str, protocol: str, metric: str, only: str = "") -> Beside | None:
    """The paper's counterpart of a metric of ours; None where it has none."""
    family, level = _family(protocol)
    only = only or level
    # A figure over one part of the cases is not the figure over all of them.
    named = metric if _plain(only) in _plain(metric) else f"{metric} {only}"
    for rule in _RULES:
        if (rule.benchmark, rule.protocol, rule.metric) == (benchmark, family, _plain(named)):
            return Beside(rule.table, rule.column, rule.likeness, rule.note)
    return None


def _family(protocol: str) -> tuple[str, str]:
    """`hammer-l2` -> `hammer`, `L-2`: one level of a protocol is that protocol, on that level."""
    found = re.fullmatch(r"(.+)-l(\d)", protocol)
    return (found[1], f"L-{found[2]}") if found else (protocol, "")


def _plain(name: str) -> str:
    """Lower-case words: `ROUGE-L (level 1)` and `ROUGE-L L-1` become `rouge l l 1`."""
    words = re.sub(r"[^a-z0-9]+", " ", re.sub(r"([a-z])(\d)", r"\1 \2", name.lower())).split()
    return " ".join("l" if word in ("level", "lv") else word for word in words)
