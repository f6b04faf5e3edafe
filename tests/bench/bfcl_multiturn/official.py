"""BFCL's own checker for conversations, as a script: run in a process of its own.

Reads `[row, gold, mode, result]` a line, writes `right`, `wrong` or `crash`. Each case runs
in a fork, since the checker keeps its instances in module globals, and some environments
keep state in theirs. Modules of vendors, which the decoding imports on its way, are stood
in for. In mode `decoded` a step is a list of calls already.
"""

import importlib
import json
import os
import sys
import types
from typing import Any


class Anything(types.ModuleType):
    """A module that has every name; nothing in it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return {}


sys.path.insert(0, sys.argv[1])
for stranger in (
    "tenacity",
    "bfcl_eval.utils",
    "bfcl_eval.constants.enums",
    "bfcl_eval.model_handler",
    "bfcl_eval.model_handler.parser.java_parser",
    "bfcl_eval.model_handler.parser.js_parser",
    "bfcl_eval.model_handler.parser.json_parser",
    "bfcl_eval.model_handler.parser.xml_parser",
):
    sys.modules[stranger] = Anything(stranger)


class ReturnFormat:
    """The name of the one that is used, and of those that are compared with it."""

    PYTHON = "python"
    JAVA = JAVASCRIPT = VERBOSE_XML = CONCISE_XML = JSON = "another"


sys.modules["bfcl_eval.constants.enums"].ReturnFormat = ReturnFormat  # type: ignore[attr-defined]
sys.modules["bfcl_eval.constants.enums"].ModelStyle = object  # type: ignore[attr-defined]
sys.modules["bfcl_eval.model_handler"].__path__ = [f"{sys.argv[1]}/bfcl_eval/model_handler"]

from bfcl_eval.eval_checker.multi_turn_eval import (  # type: ignore[import-not-found]  # noqa: E402
    multi_turn_checker,
)
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils import (  # type: ignore[import-not-found]  # noqa: E402
    is_empty_execute_response,
)

official = importlib.import_module("bfcl_eval.model_handler.utils")


def decode(step: Any, mode: str) -> Any:
    if mode == "raw":
        return official.default_decode_execute_prompting(step)
    return official.convert_to_function_call(step) if mode == "objects" else step


def verdict(row: Any, gold: Any, mode: str, result: Any) -> str:
    if not isinstance(result, list) or len(result) != len(gold):
        return "wrong"
    turns = []
    for turn in result:
        steps = []
        for step in turn:
            try:
                calls = decode(step, mode)
                if is_empty_execute_response(calls):
                    continue
            except Exception:
                continue
            steps.append(calls)
        turns.append(steps)
    category = row["id"].rsplit("_", 1)[0]
    try:
        found = multi_turn_checker.multi_turn_checker(turns, gold, row, category, "model")
    except Exception as e:
        return f"crash {type(e).__name__}"
    return "right" if found["valid"] else f"wrong {found['error_type'].removeprefix('multi_turn:')}"


def main() -> None:
    for line in sys.stdin:
        theirs, ours = os.pipe()
        pid = os.fork()
        if pid == 0:
            said = "crash"
            try:
                said = verdict(*json.loads(line))
            finally:
                os.write(ours, said.encode())
                os._exit(0)
        os.close(ours)
        os.waitpid(pid, 0)
        sys.stdout.write(os.read(theirs, 200).decode() + "\n")
        os.close(theirs)


main()
