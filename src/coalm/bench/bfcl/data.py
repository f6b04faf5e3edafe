"""BFCL's questions and answers, read from its wheel or from our miniature.

The wheel is versioned data here: it is fetched, checked and read as a zip, and never
installed or imported. Its questions and answers are Apache-2.0.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm import sources
from coalm.errors import DataError
from coalm.types import Assistant, Json, System, ToolSpec, Turn, User

PACKAGE, VERSION = "bfcl-eval", "2026.3.23"
SHA256 = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"

Wants = Literal["these calls", "no call", "any call"]


@dataclass(frozen=True, slots=True)
class Category:
    """A part of the benchmark: one file of questions, and one of answers where calls are due."""

    name: str
    title: str
    """The name of its score in tables."""
    wants: Wants = "these calls"


CATEGORIES: Mapping[str, Category] = {
    c.name: c
    for c in (
        Category("simple_python", "Simple (AST)"),
        Category("multiple", "Multiple (AST)"),
        Category("parallel", "Parallel (AST)"),
        Category("parallel_multiple", "Parallel multiple (AST)"),
        Category("irrelevance", "Irrelevance", "no call"),
        Category("live_simple", "Live simple (AST)"),
        Category("live_multiple", "Live multiple (AST)"),
        Category("live_parallel", "Live parallel (AST)"),
        Category("live_parallel_multiple", "Live parallel multiple (AST)"),
        Category("live_irrelevance", "Live irrelevance", "no call"),
        Category("live_relevance", "Live relevance", "any call"),
    )
}
"""Every single-turn category in Python, by the name that BFCL's files bear."""

_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
"""BFCL's names for types where JSON Schema has others; `any` is no restriction at all."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question, the functions on offer, and the calls that would be right."""

    id: str
    category: Category
    turns: tuple[Turn, ...]
    functions: tuple[Mapping[str, Any], ...]
    """As BFCL writes them; the matcher goes by its type names."""
    wanted: tuple[Mapping[str, Mapping[str, list[Any]]], ...] = ()
    """For each call its name, and for each argument the values that are accepted."""

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The functions as a model is shown them, dots in their names kept."""
        return tuple(
            ToolSpec(f["name"], f["description"], _schema(f["parameters"])) for f in self.functions
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Where the files are: the wheel, or a folder that is laid out as inside it."""

    path: Path
    version: str
    """What a score says of its data."""

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The lines of one file below the data folder; a `DataError` if it is not there."""
        try:
            if self.path.is_dir():
                text = (self.path / name).read_text(encoding="utf-8")
            else:
                with zipfile.ZipFile(self.path) as wheel:
                    text = wheel.read(f"bfcl_eval/data/{name}").decode()
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as e:
            raise DataError(f"{self.path}: {name} is not readable: {e}") from None

    def cases(self, category: Category) -> list[Case]:
        """The cases of a category, in the benchmark's order."""
        questions = self.rows(f"BFCL_v4_{category.name}.json")
        answers: dict[str, Any] = {}
        if category.wants == "these calls":
            rows = self.rows(f"possible_answer/BFCL_v4_{category.name}.json")
            answers = {row["id"]: row["ground_truth"] for row in rows}
        try:
            return [_case(row, category, answers) for row in questions]
        except (KeyError, TypeError, IndexError) as e:
            raise DataError(f"{self.path}: {category.name}: a row lacks {e}") from None


def miniature() -> Data:
    """A few cases in BFCL's format, written for this project."""
    return Data(sources.MINIATURE / "bfcl", "miniature")


def find() -> Data:
    """The wheel from the cache or the package index; the miniature where there is neither.

    A wheel that is there but is not the one we know is a `DataError`.
    """
    kept = (sources.cache() / "wheels").glob(f"bfcl_eval-{VERSION}-*.whl")
    if os.environ.get("COALM_OFFLINE") and not any(kept):
        return miniature()
    try:
        return Data(sources.wheel(PACKAGE, VERSION, SHA256), f"{PACKAGE} {VERSION}")
    except DataError as e:
        if "sha256" in str(e):
            raise
        return miniature()


def held_out_texts(data: Data | None = None) -> list[str]:
    """What users say in all of BFCL's single-turn questions, to keep out of training data."""
    data = data or find()
    names = [*CATEGORIES, "simple_java", "simple_javascript"]
    if data.path.is_dir():
        names = [name for name in names if (data.path / f"BFCL_v4_{name}.json").exists()]
    return [
        message["content"]
        for name in names
        for row in data.rows(f"BFCL_v4_{name}.json")
        for message in row["question"][0]
        if message["role"] == "user"
    ]


def _case(row: Mapping[str, Any], category: Category, answers: Mapping[str, Any]) -> Case:
    wanted = answers[row["id"]] if category.wants == "these calls" else ()
    turns = tuple(_turn(message["role"], message["content"]) for message in row["question"][0])
    return Case(row["id"], category, turns, tuple(row["function"]), tuple(wanted))


def _turn(role: str, text: str) -> Turn:
    match role:
        case "system":
            return System(text)
        case "assistant":
            return Assistant(text)
        case _:
            return User(text)


def _schema(schema: Mapping[str, Any]) -> dict[str, Json]:
    """The schema with JSON Schema's type names, at every depth."""
    found: dict[str, Json] = {}
    for key, value in schema.items():
        match key, value:
            case "type", "any":
                pass
            case "type", str():
                found[key] = _TYPES.get(value, value)
            case "properties", dict():
                found[key] = {n: _schema(s) if isinstance(s, dict) else s for n, s in value.items()}
            case "items", dict():
                found[key] = _schema(value)
            case _:
                found[key] = value
    return found
