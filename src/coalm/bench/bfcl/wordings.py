"""BFCL V4's own test of format sensitivity: 200 questions under 26 wordings of its prompt.

A result file `BFCL_v4_format_sensitivity_result.json` names the wording in each id. An
answer is read in the form that its wording asks for (Python, JSON, two kinds of XML; in a
`<TOOLCALL>` tag or not) as the official decoders read it, and judged like any other.

Deviation D79: an answer longer than 50,000 characters is wrong, and JSON is cut out of an
answer by a search that finds what the official pattern finds and cannot run away.
"""

import ast
import json
import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coalm.bench.base import Metric, Verdict
from coalm.bench.bfcl.data import Case, Data
from coalm.bench.bfcl.judge import verdict
from coalm.bench.bfcl.reading import LONGEST, UNREADABLE, Unreadable, bracketed, read_python
from coalm.bench.bfcl.sensitivity import chosen
from coalm.bench.stats import Figure, Scored, figure
from coalm.types import ToolCall

_ID = re.compile(r"format_sensitivity_\d+:([^:]+):([^:]+)")
_WORDING = re.compile(
    r"ret_fmt=(?P<form>python|json|verbose_xml|concise_xml)&tool_call_tag=(?P<tag>True|False)"
    r"&func_doc_fmt=(python|xml|json)&prompt_fmt=(plaintext|markdown)&style=(classic|experimental)"
)
_JSON_BEGIN, _JSON_END = re.compile(r"\[\s*\{"), re.compile(r"\}\s*\]")


@dataclass(frozen=True, slots=True)
class Wordings:
    """What one model's answers under several wordings come to."""

    questions: int
    """With an answer under every wording that there is."""
    verdicts: Mapping[tuple[str, str], Verdict]
    """By wording and question."""
    by_wording: tuple[Figure, ...]
    """The share of right answers under each, in the order of their names."""
    mean: Figure
    worst: Figure
    spread: Figure
    """Best minus worst wording: the leaderboard's maximal delta."""
    deviation: float
    """The leaderboard's standard deviation over the wordings, in points."""
    problems: tuple[str, ...]


def score_wordings(answers: Mapping[str, object], data: Data) -> Wordings | None:
    """Judge the answers of a result file, by id; None where no question has all wordings.

    Questions that lack an answer under some wording are left out of every figure, so that
    wordings are compared on the same questions.
    """
    cases = {case.id: case for case in chosen(data)}
    verdicts: dict[tuple[str, str], Verdict] = {}
    odd = 0
    for id, answer in answers.items():
        found = _ID.fullmatch(id)
        wording = _WORDING.fullmatch(found.group(1)) if found else None
        if not found or not wording or found.group(2) not in cases:
            odd += 1
            continue
        case = cases[found.group(2)]
        read = read_wording(answer, wording["form"], tagged=wording["tag"] == "True")
        verdicts[found.group(1), case.id] = verdict(case, read)
    names = sorted({wording for wording, _ in verdicts})
    whole = [id for id in cases if all((name, id) in verdicts for name in names)]
    problems = [f"{odd} answers are to no wording or question of this data"] if odd else []
    if len(whole) < len(cases):
        problems.append(
            f"{len(cases) - len(whole)} of {len(cases)} questions lack an answer under some "
            "wording and are left out"
        )
    if not names or not whole:
        return None
    return _counted(cases, names, whole, verdicts, problems)


def read_wording(answer: object, form: str, *, tagged: bool) -> tuple[ToolCall, ...] | Unreadable:
    """The calls of an answer in the form that was asked for."""
    if not isinstance(answer, str) or len(answer) > LONGEST:
        return Unreadable(f"no text of up to {LONGEST} characters")
    try:
        if not tagged and form == "python":
            return read_python(answer)
        text = bracketed(answer)
        if tagged:
            _, begun, rest = text.partition("<TOOLCALL>")
            inside, ended, _ = rest.partition("</TOOLCALL>")
            if not begun or not ended:
                return Unreadable("no <TOOLCALL> in it")
            text = inside.strip()
        return _READERS[form](text)
    except Unreadable as e:
        return e
    except (*UNREADABLE, ET.ParseError) as e:
        return Unreadable(f"not {form}: {str(e)[:120]}")


def _counted(
    cases: Mapping[str, Case],
    names: list[str],
    whole: list[str],
    verdicts: Mapping[tuple[str, str], Verdict],
    problems: list[str],
) -> Wordings:
    rows = [
        Scored(
            id,
            cases[id].category.name,
            {name: verdicts[name, id].scores["right"] for name in names},
        )
        for id in whole
    ]
    each = tuple((name, 1.0) for name in names)
    by_wording = tuple(figure(rows, Metric(name, ((name, 1.0),))) for name in names)
    values = [one.value for one in by_wording]
    return Wordings(
        len(whole),
        verdicts,
        by_wording,
        figure(rows, Metric("Mean", tuple((name, 1.0 / len(names)) for name in names))),
        figure(rows, Metric("Worst", each, how="worst")),
        figure(rows, Metric("Spread", each, how="spread")),
        statistics.stdev(values) if len(values) > 1 else 0.0,
        tuple(problems),
    )


def _json(text: str) -> tuple[ToolCall, ...]:
    """Officially a pattern finds the list: from its first `[{` to the next `}]`."""
    first, last = text.find("["), text.rfind("]")
    text = text[first : last + 1] if 0 <= first < last else text
    begin = _JSON_BEGIN.search(text)
    end = _JSON_END.search(text, begin.end()) if begin else None
    if begin and end:
        text = text[begin.start() : end.end()]
    try:
        rows = json.loads(text)
    except json.JSONDecodeError:
        return ()
    found = [(r["function"], r["parameters"]) for r in rows if isinstance(r, dict)]
    return tuple(_call(name, arguments) for name, arguments in found)


def _verbose_xml(text: str) -> tuple[ToolCall, ...]:
    calls = []
    for function in _functions(text):
        inner = function.find("params")
        arguments = {
            p.attrib.get("name"): _typed(p.attrib.get("value", ""), p)
            for p in (function if inner is None else inner).findall("param")
        }
        calls.append(_call(function.attrib["name"], arguments))
    return tuple(calls)


def _concise_xml(text: str) -> tuple[ToolCall, ...]:
    return tuple(
        _call(
            function.attrib["name"],
            {
                p.attrib["name"]: _typed((p.text or "").strip(), p)
                for p in function.findall("param")
            },
        )
        for function in _functions(text)
    )


def _functions(text: str) -> list[ET.Element]:
    begin = text.find("<functions>")
    end = text.find("</functions>", begin)
    if begin < 0 or end < 0:
        raise Unreadable("no <functions> in it")
    return ET.fromstring(text[begin:end] + "</functions>").findall("function")


def _typed(text: str, parameter: ET.Element) -> Any:
    match parameter.attrib.get("type", "string"):
        case "integer":
            return int(text)
        case "float":
            return float(text)
        case "boolean":
            return text.lower() == "true"
        case "null":
            return None
        case "array" | "tuple" | "object" | "dict":
            return ast.literal_eval(text)
        case _:
            return text


def _call(name: object, arguments: object) -> ToolCall:
    if not isinstance(name, str) or not isinstance(arguments, dict) or None in arguments:
        raise Unreadable("a call without a name or without arguments, or one without a name")
    return ToolCall(name, arguments)


_READERS: Mapping[str, Callable[[str], tuple[ToolCall, ...]]] = {
    "python": lambda text: read_python(text, as_is=True),
    "json": _json,
    "verbose_xml": _verbose_xml,
    "concise_xml": _concise_xml,
}
