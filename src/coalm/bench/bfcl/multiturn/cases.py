"""BFCL's multi-turn cases, and where the wheel keeps what they need.

Questions, gold calls, function documents, prompts and environments are read from the
wheel at run time; nothing of them is copied into this project.
"""

import ast
import contextlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coalm import sources
from coalm.bench.bfcl.categories import MULTI_TURN
from coalm.bench.bfcl.data import Data
from coalm.errors import DataError, RecipeError, unknown
from coalm.types import Json, ToolSpec

CATEGORIES: Mapping[str, str] = {name: c.title for name, c in MULTI_TURN.items()}
"""The four categories by the name that BFCL's files bear, and the names of their scores."""

PACKAGE = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
"""Where the wheel keeps the environments."""

_CONSTANTS = "bfcl_eval/constants/default_prompts.py"
_TYPES = {"dict": "object", "float": "number", "tuple": "array"}


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation: what the user says in each turn, and the calls that would be right."""

    id: str
    category: str
    said: tuple[str, ...]
    """The user's words, a turn each; empty where functions are brought instead."""
    gold: tuple[tuple[str, ...], ...]
    """The gold calls of each turn, as text; none where none can be made yet."""
    functions: tuple[Mapping[str, Any], ...]
    """On offer from the beginning, as BFCL writes them."""
    late: Mapping[int, tuple[Mapping[str, Any], ...]]
    """By turn, the functions that are brought only then (miss_func)."""
    classes: tuple[str, ...]
    """The environments."""
    config: Mapping[str, Any]
    """The state of each at the beginning."""

    @property
    def scene(self) -> dict[str, Any]:
        """What the worker needs to bring the environments up."""
        long = "long_context" in self.id.rpartition("_")[0]
        return {"classes": self.classes, "config": self.config, "long": long}


def cases(data: Data, category: str) -> list[Case]:
    """The cases of a category, in the benchmark's order."""
    if category not in CATEGORIES:
        raise RecipeError(unknown("multi-turn category", category, CATEGORIES))
    answers = data.rows(f"possible_answer/BFCL_v4_{category}.json")
    gold = {row["id"]: row["ground_truth"] for row in answers}
    documents: dict[str, list[dict[str, Any]]] = {}
    homes = _homes(data)
    found = []
    try:
        for row in data.rows(f"BFCL_v4_{category}.json"):
            for name in row["involved_classes"]:
                if name not in documents:
                    documents[name] = data.rows(f"multi_turn_func_doc/{homes[name]}.json")
            functions = [f for name in row["involved_classes"] for f in documents[name]]
            found.append(_case(row, category, gold[row["id"]], functions))
    except (KeyError, TypeError, IndexError, AttributeError) as e:
        raise DataError(f"{data.path}: {category}: a row lacks {e}") from None
    return found


def _case(
    row: Mapping[str, Any],
    category: str,
    gold: Sequence[Sequence[str]],
    functions: list[dict[str, Any]],
) -> Case:
    late = {}
    for turn, names in row.get("missed_function", {}).items():
        late[int(turn)] = tuple(_taken(functions, name) for name in names)
    return Case(
        id=row["id"],
        category=category,
        said=tuple("\n\n".join(m["content"] for m in turn) for turn in row["question"]),
        gold=tuple(tuple(calls) for calls in gold),
        functions=tuple(functions),
        late=late,
        classes=tuple(row["involved_classes"]),
        config=row["initial_config"],
    )


def _taken(functions: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Take the first function of that name out of the list."""
    at = next(i for i, function in enumerate(functions) if function["name"] == name)
    return functions.pop(at)


def tools(functions: Sequence[Mapping[str, Any]]) -> tuple[ToolSpec, ...]:
    """Functions as our formats show them: JSON Schema's names for types, at every depth."""
    return tuple(ToolSpec(f["name"], f["description"], _schema(f["parameters"])) for f in functions)


def _schema(schema: Mapping[str, Any]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in schema.items():
        match key, value:
            case "type", str():
                if value != "any":
                    found[key] = _TYPES.get(value, value)
            case "properties", dict():
                found[key] = {n: _schema(s) if isinstance(s, dict) else s for n, s in value.items()}
            case "items", dict():
                found[key] = _schema(value)
            case _:
                found[key] = value
    return found


@cache
def constants(data: Data) -> Mapping[str, Any]:
    """The benchmark's prompts by the names that it gives them; literals only, nothing is run."""
    try:
        if data.path.is_dir():
            text = (data.path / "environments" / "default_prompts.py").read_text("utf-8")
        else:
            with zipfile.ZipFile(data.path) as wheel:
                text = wheel.read(_CONSTANTS).decode()
    except (OSError, KeyError, zipfile.BadZipFile) as e:
        raise DataError(f"{data.path}: its prompts are not readable: {e}") from None
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                with contextlib.suppress(ValueError):
                    found[name] = _constant(value, found)
    return found


def _constant(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _constant(left, known) + _constant(right, known)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_constant(k, known): _constant(v, known) for k, v in pairs if k}
        case _:
            return ast.literal_eval(node)


def system_prompt(data: Data, functions: Sequence[Mapping[str, Any]]) -> str:
    """The benchmark's default system prompt, put together as its harness does.

    Python calls without a tag, functions as JSON, plain text, the classic wording.
    """
    known = constants(data)
    try:
        words = known["PROMPT_STYLE_TEMPLATES"]["classic"]
        form = words["tool_call_no_tag"].format(
            output_format=known["OUTPUT_FORMAT_MAPPING"]["python"],
            param_types=known["PARAM_TYPE_MAPPING"]["python"],
        )
        offer = words["available_tools"].format(
            format="json", functions=json.dumps(list(functions), indent=4)
        )
        template: str = known["PROMPT_TEMPLATE_MAPPING"]["plaintext"]
        return template.format(
            persona=words["persona"],
            task=words["task"],
            tool_call_format=form,
            multiturn_behavior=words["multiturn_behavior"],
            available_tools=offer,
        )
    except KeyError as e:
        raise DataError(f"{data.path}: its prompts lack {e}") from None


def brought(data: Data, functions: Sequence[Mapping[str, Any]], *, shown: bool) -> str:
    """What the user says when functions are brought late; `shown` writes them out there."""
    known = constants(data)
    if not shown:
        return str(known["DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC"])
    template: str = known["DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_PROMPTING"]
    return template.format(functions=list(functions))


def unpacked(data: Data) -> tuple[Path, Path, str]:
    """The import root, the folder of environments and their package.

    From a wheel they are unpacked into the cache, once, and compared with it each time.
    """
    if data.path.is_dir():
        folder = data.path / "environments"
        return folder, folder, ""
    below = PACKAGE.replace(".", "/")
    code = _code(data.path, below)
    root = sources.cache() / "environments" / data.path.stem
    folder = root / below
    there = {f"{below}/{p.name}": p.read_bytes() for p in folder.glob("*.py")}
    if there != code:
        root.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=root.parent))
        for name, text in code.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(text)
        # Packages above, empty, so that no other bfcl_eval on this machine is taken.
        for depth in range(1, below.count("/") + 1):
            (draft / Path(*below.split("/")[:depth]) / "__init__.py").touch()
        shutil.rmtree(root, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was quicker with the same files
            draft.rename(root)
        shutil.rmtree(draft, ignore_errors=True)
    return root, folder, PACKAGE


def _code(wheel: Path, below: str) -> dict[str, bytes]:
    """The modules of a folder inside the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.startswith(below) and n.endswith(".py")]
            code = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile) as e:
        raise DataError(f"{wheel}: {e}") from None
    if not code:
        raise DataError(f"{wheel}: there are no environments in it")
    return code


def _homes(data: Data) -> dict[str, str]:
    """Which module each environment class is defined in; its documents bear the same name."""
    if data.path.is_dir():
        folder = data.path / "environments"
        texts = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}
    else:
        code = _code(data.path, PACKAGE.replace(".", "/"))
        texts = {Path(name).stem: text.decode() for name, text in code.items()}
    return {
        name: module
        for module, text in texts.items()
        for name in re.findall(r"^class (\w+)", text, re.MULTILINE)
    }
