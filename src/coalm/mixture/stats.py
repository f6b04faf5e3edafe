"""What is in a data folder, in numbers: counted row by row, with one batch in memory."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from coalm import shards, store
from coalm.errors import DataError, unknown
from coalm.formats import Tokenizer, encode, format_of
from coalm.mixture.lengths import at_most, bin_of, together
from coalm.mixture.manifest import Manifest, read_manifest

NAMES = 50_000
"""Function names that are counted at a time; beyond, those seen once are forgotten. Masked
corpora give every row names of its own, which would fill the memory and say nothing."""

Progress = Callable[[int, int], None]
"""Rows counted, and of how many."""


@dataclass(slots=True)
class Counts:
    """What was counted of one corpus, or of all."""

    rows: int = 0
    groups: set[int] = field(default_factory=set)
    """Hashes of the source dialogues."""
    users: int = 0
    """User turns."""
    assistants: int = 0
    """Assistant turns, all of which are learned."""
    with_calls: int = 0
    """Rows that call a tool."""
    with_thoughts: int = 0
    """Rows with a thought."""
    without_calls: int = 0
    """Rows that have tools and call none."""
    parallel: int = 0
    """Rows with several calls in one turn."""
    tools: int = 0
    """Tools of all rows."""
    most_tools: int = 0
    dialects: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    forgotten: int = 0
    """Calls of functions that were too many to remember; each was rare."""
    tokens: int | None = None
    """Tokens of all rows; None where they were not measured."""
    learned: int | None = None
    lengths: Mapping[int, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Count another corpus as well."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.groups |= other.groups
        self.most_tools = max(self.most_tools, other.most_tools)
        self.dialects.update(other.dialects)
        self.functions.update(other.functions)
        self.lengths = together((self.lengths, other.lengths))
        self.tokens = _sum(self.tokens, other.tokens)
        self.learned = _sum(self.learned, other.learned)

    def plain(self, top: int = 20) -> dict[str, Any]:
        """As JSON: sums, shares and the `top` most frequent functions."""
        return {
            **{name: getattr(self, name) for name in _SUMS},
            "groups": len(self.groups),
            "most_tools": self.most_tools,
            "dialects": dict(self.dialects.most_common()),
            "functions": dict(self.functions.most_common(top)),
            "tokens": self.tokens,
            "learned": self.learned,
            "lengths": dict(self.lengths),
            "within": {f"{q:.0%}": at_most(self.lengths, q) for q in (0.5, 0.9, 0.95, 0.99, 1.0)}
            if self.lengths
            else {},
        }


_SUMS = (
    "rows",
    "users",
    "assistants",
    "with_calls",
    "with_thoughts",
    "without_calls",
    "parallel",
    "tools",
    "forgotten",
)


@dataclass(frozen=True, slots=True)
class Stats:
    """A data folder in numbers."""

    corpora: Mapping[str, Counts]
    total: Counts
    licences: Mapping[str, tuple[str, ...]]
    """Licence -> the corpora that it covers."""
    measured: str
    """How tokens were counted; empty where they were not."""
    notes: tuple[str, ...]
    """What a reader of the numbers should know."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Counts tokens anew: a tokenizer, and how rows are written for it."""

    name: str
    tokenizer: Tokenizer
    layout: str
    dialect: str
    """For rows that name none."""

    def lengths(self, row: Mapping[str, str]) -> tuple[int, int]:
        """Tokens of a row, and how many of them are learned."""
        sample = store.load_sample(row)
        fmt = format_of(self.layout, sample.dialect or self.dialect)
        texts = [encode(text, self.tokenizer) for text in fmt.examples(sample.dialogue)]
        return sum(len(t.ids) for t in texts), sum(sum(t.learned) for t in texts)


def stats(
    folder: Path,
    splits: Sequence[str] = shards.SPLITS,
    *,
    measure: Measure | None = None,
    progress: Progress = lambda _done, _of: None,
) -> Stats:
    """Count a data folder. Tokens come from its manifest, or from `measure` where one is given."""
    manifest = read_manifest(folder)
    for split in splits:
        if split not in shards.SPLITS:
            raise DataError(unknown("split", split, shards.SPLITS))
    found: dict[str, _Counting] = {}
    of = sum(manifest.train if split == "train" else manifest.valid for split in splits)
    for done, (place, row) in enumerate(rows(folder, splits), 1):
        name = str(row.get("corpus") or "own")
        counting = found.setdefault(name, _Counting())
        try:
            counting.count(row, measure)
        except (ValueError, KeyError, TypeError, AttributeError, DataError) as e:
            raise DataError(f"{place}: a broken row: {e!r}; build the folder anew") from None
        if done % 1000 == 0:
            progress(done, of)
    corpora = {name: found[name].finished() for name in sorted(found)}
    notes = [] if measure or tuple(splits) != shards.SPLITS else _taken_over(corpora, manifest)
    total = Counts(tokens=0, learned=0)
    for counts in corpora.values():
        total.add(counts)
    how = measure.name if measure else f"tokenizer {manifest.recipe.get('tokenizer')}, as built"
    return Stats(
        corpora,
        total,
        licences(manifest),
        how if total.tokens is not None else "",
        (*notes, *([] if total.rows == of else [_disagreement(total.rows, of)])),
    )


def rows(folder: Path, splits: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and raw columns of every row of some splits of a data folder."""
    for split in splits:
        for path in shards.shards(folder, split):
            for number, row in shards.parquet_rows(path):
                yield f"{path}:{number}", row


class _Counting:
    """Counts of one corpus while they are made."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.lengths: Counter[int] = Counter()
        self.tokens = self.learned = 0
        self.measured = False

    def count(self, row: Mapping[str, Any], measure: Measure | None) -> None:
        counts, turns = self.counts, json.loads(row["turns"])
        counts.rows += 1
        group = str(row.get("group") or row["id"])
        counts.groups.add(int.from_bytes(blake2b(group.encode(), digest_size=8).digest()))
        counts.dialects[str(row.get("dialect") or "")] += 1
        tools = _tools(row.get("tools") or "[]")
        counts.tools += tools
        counts.most_tools = max(counts.most_tools, tools)
        calls = thoughts = parallel = False
        for turn in turns:
            if turn["role"] == "user":
                counts.users += 1
            elif turn["role"] == "assistant":
                counts.assistants += 1
                thoughts = thoughts or "thought" in turn
                made = turn.get("calls") or ()
                calls, parallel = calls or bool(made), parallel or len(made) > 1
                counts.functions.update(call["name"] for call in made)
        counts.with_calls += calls
        counts.with_thoughts += thoughts
        counts.parallel += parallel
        counts.without_calls += bool(tools) and not calls
        if len(counts.functions) > NAMES:
            self._forget()
        if measure:
            self.measured = True
            tokens, learned = measure.lengths(row)
            self.tokens += tokens
            self.learned += learned
            self.lengths[bin_of(tokens)] += 1

    def finished(self) -> Counts:
        if self.measured:
            self.counts.tokens, self.counts.learned = self.tokens, self.learned
            self.counts.lengths = dict(sorted(self.lengths.items()))
        return self.counts

    def _forget(self) -> None:
        rare = [name for name, times in self.counts.functions.items() if times == 1]
        self.counts.forgotten += len(rare)
        for name in rare:
            del self.counts.functions[name]


@lru_cache(maxsize=256)
def _tools(text: str) -> int:
    # Tool lists repeat from row to row in most corpora.
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("its tools are no list")  # noqa: TRY004  caught and placed above
    return len(found)


def _taken_over(corpora: Mapping[str, Counts], manifest: Manifest) -> list[str]:
    """Put the manifest's tokens and lengths beside the counts; what could not be is told."""
    notes = []
    for name, counts in corpora.items():
        parts = [part for part in manifest.parts if part.corpus == name]
        if sum(part.kept for part in parts) != counts.rows:
            notes.append(f"{name}: its tokens are not in the manifest; --tokenizer counts them")
            continue
        counts.tokens = sum(part.tokens for part in parts)
        counts.learned = sum(part.learned for part in parts)
        counts.lengths = together(part.lengths for part in parts)
        if sum(counts.lengths.values()) != counts.rows:
            counts.lengths = {}
    if any(not counts.lengths for counts in corpora.values()):
        notes.append("the manifest lacks the lengths of some rows; --tokenizer measures them")
    return notes


def _disagreement(rows: int, of: int) -> str:
    return f"the manifest says {of:,} rows and the shards hold {rows:,}; build the folder anew"


def licences(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Licence -> the corpora of a folder that it covers."""
    found: dict[str, list[str]] = {}
    for part in manifest.parts:
        for licence in part.licences if part.kept else ():
            found.setdefault(licence, []).append(part.corpus)
    return {licence: tuple(dict.fromkeys(corpora)) for licence, corpora in sorted(found.items())}


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
