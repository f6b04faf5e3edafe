"""BFCL's categories: what each wants, how many questions it has today and had in V3's time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Wants = Literal["these calls", "no call", "any call", "these results", "these states"]
"""What makes an answer right; the last is for conversations of several turns."""

Language = Literal["python", "java", "javascript"]
"""What the functions of a category are written in."""

Section = Literal["non-live", "executable", "live", "multi-turn"]
"""The part of the leaderboard that a category belongs to."""


@dataclass(frozen=True, slots=True)
class Category:
    """A part of the benchmark: one file of questions, and one of answers where calls are due."""

    name: str
    """As in the names of today's files, `BFCL_v4_NAME.json`."""
    title: str
    """The name of its score in tables."""
    section: Section
    then: int
    """Questions when BFCL was at V3, the time of the paper's Table 4."""
    wants: Wants = "these calls"
    language: Language = "python"
    before: str = ""
    """Its name in V3's files, where that was another."""

    @property
    def single(self) -> bool:
        """Whether its questions are of one turn."""
        return self.section != "multi-turn"


_ALL = (
    Category("simple_python", "Simple (AST)", "non-live", 400, before="simple"),
    Category("simple_java", "Simple Java (AST)", "non-live", 100, language="java", before="java"),
    Category(
        "simple_javascript",
        "Simple JavaScript (AST)",
        "non-live",
        50,
        language="javascript",
        before="javascript",
    ),
    Category("multiple", "Multiple (AST)", "non-live", 200),
    Category("parallel", "Parallel (AST)", "non-live", 200),
    Category("parallel_multiple", "Parallel multiple (AST)", "non-live", 200),
    Category("irrelevance", "Irrelevance", "non-live", 240, "no call"),
    Category("exec_simple", "Simple (executable)", "executable", 100, "these results"),
    Category("exec_multiple", "Multiple (executable)", "executable", 50, "these results"),
    Category("exec_parallel", "Parallel (executable)", "executable", 50, "these results"),
    Category(
        "exec_parallel_multiple",
        "Parallel multiple (executable)",
        "executable",
        40,
        "these results",
    ),
    Category("rest", "REST (executable)", "executable", 70, "these results"),
    Category("live_simple", "Live simple (AST)", "live", 258),
    Category("live_multiple", "Live multiple (AST)", "live", 1053),
    Category("live_parallel", "Live parallel (AST)", "live", 16),
    Category("live_parallel_multiple", "Live parallel multiple (AST)", "live", 24),
    Category("live_irrelevance", "Live irrelevance", "live", 882, "no call"),
    Category("live_relevance", "Live relevance", "live", 18, "any call"),
    Category("multi_turn_base", "Multi-turn base", "multi-turn", 200, "these states"),
    Category("multi_turn_miss_func", "Multi-turn miss func", "multi-turn", 200, "these states"),
    Category("multi_turn_miss_param", "Multi-turn miss param", "multi-turn", 200, "these states"),
    Category(
        "multi_turn_long_context", "Multi-turn long context", "multi-turn", 200, "these states"
    ),
)

ALL: Mapping[str, Category] = {c.name: c for c in _ALL}
"""Every category of V3 by its name today, in the leaderboard's order."""

CATEGORIES: Mapping[str, Category] = {c.name: c for c in _ALL if c.single}
"""The single-turn ones."""

MULTI_TURN: Mapping[str, Category] = {c.name: c for c in _ALL if not c.single}
"""Those of several turns, which `coalm.bench.bfcl.multiturn` judges."""

IMPOSSIBLE = (
    "simple_java_36",
    "simple_java_65",
    "live_simple_106-63-0",
    "live_simple_112-68-0",
    "live_multiple_862-181-3",
    "live_multiple_964-207-0",
)
"""Items of bfcl-eval 2026.3.23 that no answer gets right, by the official checker or by ours.

A required parameter has no accepted value, the accepted ones name a parameter that the
function has not, or a Java text cannot spell them. They count as wrong, as officially.
"""


def today(name: str) -> str:
    """The name that a category of V3 has today; any other name comes back as it is."""
    return next((c.name for c in _ALL if c.before == name), name)


def today_id(id: str) -> str:
    """Likewise for the id of a question: `simple_7` is `simple_python_7` now."""
    name, line, number = id.rpartition("_")
    return f"{today(name)}{line}{number}"
