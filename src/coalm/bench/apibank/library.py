"""The tool searcher: which API a few keywords find.

Deviation D96: upstream compares sentence embeddings of a downloaded model. Ours ranks the
APIs by the words of their names and descriptions (BM25), so that no model is needed. Keywords
that are the gold ones give what the data says they gave; other keywords are right if the
search finds the same API.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coalm.bench.apibank.apis.okapi import ranked
from coalm.bench.apibank.damo_rows import DamoCase
from coalm.types import ToolSpec

NAME = "ToolSearcher"
KEYWORDS = "keywords"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_COMMON = frozenset(
    (
        *("a", "an", "and", "api", "are", "as", "be", "by", "for", "from", "get", "given", "in"),
        *("includes", "into", "is", "it", "of", "on", "or", "that", "the", "this", "to", "user"),
        *("users", "which", "who", "whose", "with", "parameter", "parameters", "takes"),
    )
)
_ENDINGS = (
    *("ations", "ation", "ating", "ators", "ator", "ates", "ated", "ate", "ings", "ing"),
    *("ers", "er", "ies", "ied", "es", "ed", "s"),
)
_NAME_WEIGHT = 3
"""How often the words of a name count: what is searched for is mostly called so."""


@dataclass(frozen=True, slots=True)
class Library:
    """The APIs of a level, to be searched."""

    tools: Mapping[str, ToolSpec]

    def best(self, keywords: str) -> str:
        """The name of the API that fits best; empty where none has a word of the keywords."""
        names = sorted(self.tools)
        called = next((name for name in names if same_keywords(name, keywords)), "")
        if called:
            return called
        scores = ranked(stems(keywords), [_document(self.tools[name]) for name in names])
        best = max(range(len(names)), key=lambda n: (scores[n], -n), default=0)
        return names[best] if names and scores[best] > 0 else ""


def library(cases: Iterable[DamoCase], level: str) -> Library:
    """Every API that some case of the level has at hand, calls or is shown by a search.

    Levels 1 and 2 share theirs.
    """
    levels = ("L-3",) if level == "L-3" else ("L-1", "L-2")
    found: dict[str, ToolSpec] = {}
    for case in cases:
        if case.level not in levels:
            continue
        for tool in (*case.tools, *_shown(case)):
            if tool.name != NAME:
                found.setdefault(tool.name, tool)
    return Library(found)


def _shown(case: DamoCase) -> list[ToolSpec]:
    results = (line.result for line in case.lines if line.call and line.call.name == NAME)
    return [ToolSpec(name, said, {}) for result in results for name, said in results_of(result)]


def results_of(result: str) -> list[tuple[str, str]]:
    """Name and description of each API in a search's result as the data shows it."""
    try:
        value = ast.literal_eval(result.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    if isinstance(value, dict) and "output" in value:  # level 3 shows the whole answer
        value = value["output"]
    rows = value if isinstance(value, list) else [value]
    return [
        (str(row["name"]), str(row.get("description", "")))
        for row in rows
        if isinstance(row, dict) and "name" in row
    ]


def same_keywords(one: str, other: str) -> bool:
    """Whether two searches are for the same words, written together or apart."""
    return _words(one) == _words(other)


def stems(text: str) -> list[str]:
    """The words that matter, cut to where their endings begin: `registering` -> `regist`."""
    return [_stem(word) for word in _words(text) if word not in _COMMON]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text[:2_000])]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    return word.rstrip("ey") if len(word) > 4 else word


def _document(tool: ToolSpec) -> Sequence[str]:
    return [*stems(tool.name) * _NAME_WEIGHT, *stems(tool.description)]
