"""Small data folders for the tests of what is done with one, written without a build."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coalm import shards, store
from coalm.mixture.manifest import Manifest, PartReport, write
from coalm.types import (
    Assistant,
    Dialogue,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    User,
)

FIND_BUS = ToolSpec(
    "find_bus",
    "Find a bus.",
    {
        "type": "object",
        "properties": {
            "to": {"type": "string", "description": "Where to."},
            "seats": {"type": "integer", "default": 1},
        },
        "required": ["to"],
    },
)
CLOCK = ToolSpec("clock", "The time.", {"type": "object", "properties": {}, "required": []})

TALK = Sample(
    "sgd-cra/train/1",
    "sgd-cra",
    Dialogue(
        (
            System("Today is Friday."),
            User("Anything to Ely tonight?"),
            Assistant("", "I need the buses.", (ToolCall("find_bus", {"to": "Ely"}),)),
            Observation('{"bus": "TR9"}', "find_bus"),
            Assistant("The TR9.", "There is one."),
            User("Thanks!"),
            Assistant("Safe travels."),
        ),
        (FIND_BUS, CLOCK),
    ),
    "sgd/1",
    "react",
)
"""Thoughts, a call, a result, words."""

TWICE = Sample(
    "toolace/train/2",
    "toolace",
    Dialogue(
        (
            User("What is the time, and a bus to Ely for two?"),
            Assistant(
                "", "", (ToolCall("clock", {}), ToolCall("find_bus", {"to": "Ely", "seats": 2}))
            ),
            Observation("19:00", "clock"),
            Observation('{"bus": "TR9"}', "find_bus"),
            Assistant("It is seven, and the TR9 goes."),
        ),
        (FIND_BUS, CLOCK),
    ),
    "toolace/2",
)
"""Two calls in one turn, and a result for each."""

NOTHING = Sample(
    "hammer/train/3",
    "hammer",
    Dialogue((User("Write me a poem."), Assistant()), (CLOCK,)),
    "hammer/3",
)
"""A request that no tool fits."""

BESIDE = Sample(
    "glaive/train/4",
    "glaive",
    Dialogue(
        (User("The time?"), Assistant("Let me look.", "", (ToolCall("clock", {}),))), (CLOCK,)
    ),
    "glaive/4",
)
"""Words beside a call, and no result."""

WHOLE = Sample(
    "published/train/5",
    "published",
    Dialogue((System("Fill the slots."), User("User: a table"), Assistant("System: {}"))),
    "published/5",
    "verbatim",
)
"""A row that is given whole."""

EVERY = (TALK, TWICE, NOTHING, BESIDE, WHOLE)


def data_folder(
    path: Path,
    train: Sequence[Sample] = EVERY,
    valid: Sequence[Sample] = (),
    *,
    of: int = 1,
    **told: Any,
) -> Path:
    """Write a data folder of these samples, its training rows in `of` shards."""
    path.mkdir(parents=True)
    for number in range(of):
        name = shards.shard_name("train", number, of)
        shards.write_samples(path / name, train[number::of])
    shards.write_samples(path / shards.shard_name("valid", 0, 1), valid)
    write(path, manifest(path, train, valid, **told))
    return path


def manifest(path: Path, train: Sequence[Sample], valid: Sequence[Sample], **told: Any) -> Manifest:
    """The manifest of such a folder; `told` replaces any of its fields."""
    ours, theirs = Counter(s.corpus for s in train), Counter(s.corpus for s in valid)
    parts = [part(name, ours[name], theirs[name]) for name in sorted({*ours, *theirs})]
    recipe = {
        "parts": [{"corpus": p.corpus, "rows": None} for p in parts],
        "seed": 42,
        "tokenizer": "bytes",
        "layout": "chatml",
        "dialect": "json",
        "out": str(path),
    }
    fields: dict[str, Any] = {
        "made_by": "coalm 0.1.0",
        "recipe": recipe,
        "recipe_hash": "0123456789abcdef",
        "parts": tuple(parts),
        "train": len(train),
        "valid": len(valid),
        "tokens": sum(p.tokens for p in parts),
        "learned": sum(p.learned for p in parts),
        "decontamination": {
            "ngram": 13,
            "benchmarks": {"multiwoz": {"texts": 7368, "dropped": 2}},
        },
        "files": {p.name: store.sha256(p) for p in sorted(path.glob("*.parquet"))},
    }
    return Manifest(**{**fields, **told})


def part(corpus: str, train: int, valid: int = 0, **told: Any) -> PartReport:
    """What became of a part; rows count 200 tokens each, a tenth of them learned."""
    rows = train + valid
    fields: dict[str, Any] = {
        "corpus": corpus,
        "title": f"{corpus}, the corpus",
        "address": f"example.org/{corpus}",
        "licences": ("CC-BY-SA-4.0",) if corpus.startswith("sgd") else ("Apache-2.0",),
        "origin": "mirror",
        "partial": "",
        "files": {f"{corpus}.json": "0" * 64},
        "read": rows,
        "skipped": {},
        "dropped": {},
        "subsets": {},
        "train": train,
        "valid": valid,
        "tokens": 200 * rows,
        "learned": 20 * rows,
        "lengths": {128: rows},
    }
    return PartReport(**{**fields, **told})
