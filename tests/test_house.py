"""The house rules, as tests: which way imports point, sizes, names, docstrings, deviations."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "coalm"
FILES = sorted(SOURCE.rglob("*.py"))
each = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))

LEVELS = (
    {"errors", "types"},
    {"store", "recipe", "shards", "crew"},
    {"sources", "corpora", "formats", "devices"},
    {"weights"},
    {"models", "endpoints"},
    {"cra", "plus", "published", "mixture", "export", "train", "engines"},
    {"agent"},
    {"bench"},
    {"report", "serve"},
    {"cli"},
)
"""Imports point down this list, from a later line to an earlier one or within one package."""

STRANGERS = ({"train", "bench"}, {"corpora", "formats"}, {"train", "mixture"}, {"train", "engines"})
"""Pairs that never import each other although the list would allow it."""

FORBIDDEN = {"utils", "helpers", "common", "misc", "base_utils"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 60


def level(name: str) -> int:
    return next(i for i, names in enumerate(LEVELS) if name in names)


def package(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The packages of coalm that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("coalm.")}
    return found - {"__version__"}


def wrong_imports(mine: str, theirs: set[str]) -> set[str]:
    return {
        other
        for other in theirs - {mine}
        if level(other) > level(mine) or any({mine, other} <= pair for pair in STRANGERS)
    }


@each
def test_imports_only_point_down(path: Path) -> None:
    if path != SOURCE / "__init__.py":  # the door names what it opens to
        assert not wrong_imports(package(path), imported(path))


def test_an_import_that_points_up_is_caught() -> None:
    assert wrong_imports("formats", {"agent"}) == {"agent"}
    assert wrong_imports("bench", {"train", "engines"}) == {"train"}
    assert wrong_imports("formats", {"corpora"}) == {"corpora"}
    assert not wrong_imports("report", {"bench", "store"})


@each
def test_a_file_is_short_named_for_what_it_holds_and_says_so(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST_FILE
    assert path.stem not in FORBIDDEN
    assert ast.get_docstring(ast.parse(path.read_text()))


@each
def test_no_function_is_long(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


@each
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    if package(path) == "cli":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"print", "exit", "quit", "sys.exit"}


@each
def test_nothing_a_model_or_a_file_says_is_run(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {
                "eval",
                "exec",
                "pickle.load",
                "pickle.loads",
                "torch.load",
                "os.system",
            }


def test_code_and_docs_agree_on_the_deviations() -> None:
    mark = re.compile(r"Deviation (D\d+)")
    in_code = {m for p in FILES for m in mark.findall(p.read_text())}
    in_docs = set(re.findall(r"^## (D\d+)", (ROOT / "docs/deviations.md").read_text(), re.M))
    assert in_code == in_docs


def test_nothing_cites_a_deviation_that_is_not_explained() -> None:
    explained = set(re.findall(r"^## (D\d+)", (ROOT / "docs/deviations.md").read_text(), re.M))
    for path in [*FILES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]:
        assert set(re.findall(r"\bD\d{2,3}\b", path.read_text())) <= explained, path


def test_the_settings_explain_themselves() -> None:
    from dataclasses import fields

    from coalm.bench.evaluate import EvalSettings
    from coalm.mixture import DataSettings, Part
    from coalm.recipe import help_texts
    from coalm.serve.settings import ServeSettings
    from coalm.train import Lora, TrainSettings
    from coalm.train.settings import Fsdp, Quant

    kinds = (DataSettings, Part, TrainSettings, Lora, Quant, Fsdp, EvalSettings, ServeSettings)
    for kind in kinds:
        names = {f.name for f in fields(kind)}
        assert set(help_texts(kind)) == names, kind.__name__


def test_the_door_opens_without_heavy_libraries() -> None:
    script = (
        "import sys, coalm, coalm.cli; "
        "heavy = {'torch', 'transformers', 'pyarrow', 'datasets', 'matplotlib', 'pydantic'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_door_is_there() -> None:
    import coalm

    for name in coalm.__all__:
        assert getattr(coalm, name) is not None
    with pytest.raises(AttributeError):
        _ = coalm.nothing_of_the_kind
