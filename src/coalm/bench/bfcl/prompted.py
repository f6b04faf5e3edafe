"""The protocol `bfcl:single-prompt`: BFCL's own words ask, its own spelling is read.

The default system prompt is put together from the wheel at run time, as for the protocol of
several turns; an answer is read as the official harness reads a prompted model's, Java and
JavaScript with their grammars. The turn markers are the run's.

Deviation D77: what the harness adds to the functions' descriptions (which language they are
of, that Java and JavaScript values are texts) is said in our own words, and only for Java
and JavaScript. Where a question brings a system message, it follows the prompt, as there.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from coalm.agent import Agent, Reply
from coalm.bench.base import Verdict
from coalm.bench.bfcl.answers import calls_of
from coalm.bench.bfcl.categories import CATEGORIES
from coalm.bench.bfcl.data import Case, Data, find
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.grammars import read_source
from coalm.bench.bfcl.judge import Read, verdict
from coalm.bench.bfcl.multiturn.cases import system_prompt
from coalm.bench.bfcl.multiturn.play import as_written, dialect_of
from coalm.bench.bfcl.protocol import LONG, BfclAst
from coalm.bench.bfcl.reading import Unreadable
from coalm.engines import Completion, Said, Speaker
from coalm.errors import RecipeError
from coalm.formats.dialects.calls import write_calls
from coalm.types import Assistant, Dialogue, System


class BfclPrompted(BfclAst):
    """BFCL's single-turn categories in its own prompting mode: a `Benchmark` and a `Player`."""

    def __init__(self, data: Data | None = None, categories: Sequence[str] = ()) -> None:
        self._data = data or find()
        there = [name for name, c in CATEGORIES.items() if self._data.has(c)]
        chosen = categories or there
        super().__init__(self._data, chosen, protocol="single-prompt", max_tokens=LONG)
        self._about = replace(self._about, dialect="pythonic", asked="as-written")

    def opening(self, case: Case) -> Dialogue:
        """BFCL's system prompt with the functions in it, and the question."""
        return asked_in_its_words(self._data, case)

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` for another dialect; a `MissingExtra` if the grammars are missing."""
        spoken = dialect_of(speaker)
        if spoken not in ("", "pythonic"):
            raise RecipeError(
                "bfcl:single-prompt asks for calls as BFCL does, in Python's spelling, and not in "
                f"the dialect {spoken!r}: leave the dialect out"
            )
        for language in {case.category.language for case in self.cases()} - {"python"}:
            with contextlib.suppress(Unreadable):
                read_source("f()", language)

    def play(self, cases: Sequence[Case], agent: Agent) -> list[Reply]:
        """One answer to each question, its text as it is."""
        speaker = as_written(agent.speaker)
        return replace(agent, speaker=speaker).replies([self.opening(case) for case in cases])

    def gold_reply(self, case: Case) -> Reply:
        """The text of a right answer."""
        said = Said(Assistant(text := gold_text(case)), Completion(text, "stop", 0, 0), "")
        return Reply(self.opening(case).then(said.turn), "spoke", (said,))  # type: ignore[arg-type]

    def score(self, case: Case, reply: Reply) -> Verdict:
        """Judge the text of the first step."""
        return judged_text(case, reply.said[0].completion.text if reply.said else None)


def asked_in_its_words(data: Data, case: Case) -> Dialogue:
    """The question as BFCL's harness asks a prompted model."""
    words = system_prompt(data, [dict(f) for f in _shown(case)])
    match case.turns:
        case (System(text), *rest):
            return Dialogue((System(f"{words}\n\n{text}"), *rest))
        case turns:
            return Dialogue((System(words), *turns))


def judged_text(case: Case, text: str | None) -> Verdict:
    """The verdict on a prompted model's text; on none at all, that there is nothing to read."""
    if text is None:  # what was never reached is nobody's merit
        found = verdict(case, Unreadable("no answer"))
        return Verdict(dict.fromkeys(found.scores, 0.0), "format", "no answer")
    read: Read
    try:
        read = calls_of(text, "prompt", case.category.language)
    except Unreadable as e:
        read = e
    return verdict(case, read)


def gold_text(case: Case) -> str:
    """A right answer as a prompted model writes it."""
    calls = gold_calls(case)
    if not calls:
        return "[]"
    plain = f"[{write_calls(calls)}]"
    if case.category.language == "python":
        return plain
    texts = [_in_source(calls[0].name, calls[0].arguments, quoted) for quoted in (True, False)]
    return next((t for t in texts if not judged_text(case, t).kind), texts[0])


def _in_source(name: str, arguments: Mapping[str, Any], quoted: bool) -> str:
    def one(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False) if quoted else str(value)

    return f"[{name}({', '.join(f'{k}={one(v)}' for k, v in arguments.items())})]"


def _shown(case: Case) -> Sequence[Mapping[str, Any]]:
    """The functions as they stand in the prompt."""
    if case.category.language == "python":
        return case.functions
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": {**tool.parameters, "type": "dict"},
        }
        for tool in case.tools
    ]
