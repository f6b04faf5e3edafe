"""BFCL's own decoders and checkers, run from its wheel in a process of their own.

    python -I official.py WHEEL_FOLDER PARSERS_FOLDER < lines

The wheel is unpacked, not installed; what it imports of vendors is replaced by empty
modules, and its tree-sitter parsers are the pinned ones. The first line lists the cases,
`[id, category, functions, answers]`; each further line asks `[case number, style, answer]`
where the style is `prompt`, `fc` (function calling) or `calls` (calls already decoded);
`-dots` after it lets function names keep their dots. `wording:FORM:TAG` is a text in a form
of the test of format sensitivity. Each answer is `right` or `wrong`, or `crash` and the error
where the official code falls over.
"""

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import sys
import types
import warnings
from typing import Any

VENDORS = (
    "filelock",
    "tenacity",
    "openai",
    "overrides",
    "numpy",
    "pandas",
    "dotenv",
    "tqdm",
    "bfcl_eval.constants.model_config",
    "bfcl_eval.model_handler.base_handler",
    "bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker",
    "bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils",
)


class Empty(types.ModuleType):
    """A module that has every name, each a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "MODEL_CONFIG_MAPPING":
            return {
                "dots": types.SimpleNamespace(underscore_to_dot=False),
                "underscores": types.SimpleNamespace(underscore_to_dot=True),
            }
        return type(name, (), {"__init__": lambda self, *a, **k: None, "__call__": _itself})


def _itself(_: Any, function: Any) -> Any:
    return function


class Vendors(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the vendors' modules, all of them empty."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in VENDORS or name.split(".")[0] in VENDORS:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> Any:
        return Empty(spec.name)

    def exec_module(self, module: Any) -> None:
        module.__path__ = []


def main() -> None:
    wheel, parsers = sys.argv[1:]
    os.environ["BFCL_PROJECT_ROOT"] = wheel
    sys.path[:0] = [parsers, wheel]
    sys.meta_path.insert(0, Vendors())
    warnings.simplefilter("ignore")

    enums = importlib.import_module("bfcl_eval.constants.enums")
    eval_runner = importlib.import_module("bfcl_eval.eval_checker.eval_runner")
    checker = importlib.import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
    openai = importlib.import_module("bfcl_eval.model_handler.api_inference.openai_completion")
    handler = openai.OpenAICompletionsHandler
    python = (enums.Language.PYTHON, enums.ReturnFormat.PYTHON)
    languages = {
        "simple_java": (enums.Language.JAVA, enums.ReturnFormat.JAVA),
        "simple_javascript": (enums.Language.JAVASCRIPT, enums.ReturnFormat.JAVASCRIPT),
    }

    def verdict(case: Any, style: str, answer: Any) -> bool:
        name, category, functions, answers = case
        if style.startswith("wording:"):
            _, asked_for, tag = style.split(":")
            reader = types.SimpleNamespace(is_fc_model=False)
            reader.decode_ast = lambda *args: handler.decode_ast(reader, *args)
            row = {"id": name, "function": functions}
            language, form = enums.Language.PYTHON, enums.ReturnFormat(asked_for)
            found = eval_runner._evaluate_single_ast_entry(
                reader, name, answer, answers, row, "dots", category, language, form, tag == "True"
            )
            return bool(found["valid"])
        style, _, dots = style.partition("-")
        language, form = languages.get(category, python)
        model = "dots" if dots or style != "fc" else "underscores"
        if style == "calls":
            found = checker.ast_checker(functions, answer, answers, language, category, model)
            return bool(found["valid"])
        reader = types.SimpleNamespace(is_fc_model=style == "fc")
        reader.decode_ast = lambda result, language, has_tool_call_tag: handler.decode_ast(
            reader, result, language, has_tool_call_tag
        )
        row = {"id": name, "function": functions}
        if "relevance" in category:
            found = eval_runner._evaluate_single_relevance_entry(
                reader, name, answer, row, model, category
            )
        else:
            found = eval_runner._evaluate_single_ast_entry(
                reader, name, answer, answers, row, model, category, language, form
            )
        return bool(found["valid"])

    said, sys.stdout = sys.stdout, sys.stderr  # the official code prints
    cases = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        number, style, answer = json.loads(line)
        try:
            print("right" if verdict(cases[number], style, answer) else "wrong", file=said)
        except Exception as e:
            print("crash", type(e).__name__, file=said)


if __name__ == "__main__":
    main()
