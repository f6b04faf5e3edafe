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
from typing import Any

from coalm import sources
from coalm.bench.bfcl.categories import ALL, CATEGORIES, MULTI_TURN, Category
from coalm.errors import DataError
from coalm.types import Assistant, Json, System, ToolSpec, Turn, User

PACKAGE, VERSION = "bfcl-eval", "2026.3.23"
SHA256 = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"

_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
"""BFCL's names for types where JSON Schema has others; `any` is no restriction at all."""

_SOURCE = {"java": "Java", "javascript": "JavaScript"}


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
    expected: tuple[str, ...] = ()
    """In an executable category: the right calls, as Python."""

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The functions as a model is shown them, dots in their names kept.

        Java and JavaScript values are asked for as text, in that language's own spelling:
        that is what the official harness asks for and what its checker takes.
        Deviation D73: the notes that say so are in our own words.
        """
        source = _SOURCE.get(self.category.language)
        return tuple(
            ToolSpec(
                f["name"],
                f"{f['description']} (a {source} function)" if source else f["description"],
                _spelled(f["parameters"], source) if source else _schema(f["parameters"]),
            )
            for f in self.functions
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

    def has(self, category: Category) -> bool:
        """Whether the questions of a category are there: the miniature has only a few."""
        if self.path.is_dir():
            return (self.path / questions_file(category)).exists()
        return True

    def cases(self, category: Category) -> list[Case]:
        """The cases of a single-turn category, in the benchmark's order."""
        questions = self.rows(questions_file(category))
        try:
            answers = self._answers(category)
            return [_case(row, category, answers) for row in questions]
        except (KeyError, TypeError, IndexError) as e:
            raise DataError(f"{self.path}: {category.name}: a row lacks {e}") from None

    def ids(self, category: Category) -> list[str]:
        """The ids of a category's questions, those of several turns included."""
        return [str(row["id"]) for row in self.rows(questions_file(category))]

    def _answers(self, category: Category) -> dict[str, Any]:
        """By id, the accepted calls, or the right ones of an executable category."""
        if category.wants == "these calls":
            rows = self.rows(f"possible_answer/BFCL_v4_{category.name}.json")
        elif category.name == "rest":
            # The answers hold what a server said in 2024; the calls are in this file.
            name = "unused_datasets/executable_eval_sanity_check/"
            rows = self.rows(f"{name}api_status_check_ground_truth_rest.json")
            return {f"rest_{row['idx']}": (row["ground_truth"],) for row in rows}
        elif category.wants == "these results":
            rows = self.rows(f"unused_datasets/possible_answer/BFCL_v4_{category.name}.json")
        else:
            return {}
        return {row["id"]: row["ground_truth"] for row in rows}


def questions_file(category: Category) -> str:
    """Where a category's questions are, below the data folder."""
    folder = "unused_datasets/question/" if category.section == "executable" else ""
    return f"{folder}BFCL_v4_{category.name}.json"


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


def counts(data: Data) -> dict[str, tuple[int, int]]:
    """By category: how many questions the data has, and how many BFCL V3 had."""
    every = [*CATEGORIES.values(), *MULTI_TURN.values()]
    return {c.name: (len(data.ids(c)), c.then) for c in every if data.has(c)}


def held_out_texts(data: Data | None = None) -> list[str]:
    """What users say in all of BFCL's questions, to keep out of training data."""
    data = data or find()
    return [
        message["content"]
        for category in ALL.values()
        if data.has(category)
        for row in data.rows(questions_file(category))
        for turn in row["question"]
        for message in turn
        if message["role"] == "user"
    ]


def _case(row: Mapping[str, Any], category: Category, answers: Mapping[str, Any]) -> Case:
    found = tuple(answers[row["id"]]) if answers else ()
    turns = tuple(_turn(message["role"], message["content"]) for message in row["question"][0])
    run = category.wants == "these results"
    wanted, expected = ((), found) if run else (found, ())
    return Case(row["id"], category, turns, tuple(row["function"]), wanted, expected)


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


def _spelled(parameters: Mapping[str, Any], source: str) -> dict[str, Json]:
    """A schema all of whose parameters are texts that spell a value of a language's type."""

    def one(schema: Mapping[str, Any]) -> dict[str, Json]:
        inner = schema.get("items", {}).get("type")
        kind = f"{schema['type']} of {inner}" if inner else str(schema["type"])
        how = "any value" if kind == "any" else f"a value of type {kind}"
        said = f"{schema.get('description', '')} Give {how} as {source} source text.".strip()
        if schema.get("properties"):
            said += f" Its entries: {json.dumps(schema['properties'], ensure_ascii=False)}"
        if "default" in schema:
            said += f" Default: {json.dumps(schema['default'], ensure_ascii=False)}"
        return {"type": "string", "description": said}

    return {
        "type": "object",
        "properties": {name: one(s) for name, s in parameters["properties"].items()},
        "required": list(parameters.get("required", ())),
    }
