"""The protocol `bfcl:sensitivity`: the same questions under several output syntaxes.

Each question is asked once in each of four dialects and once in BFCL's own prompting
mode, by one model in one run, so that syntaxes are compared question by question. The
questions are the 200 that BFCL V4 names for its own test of format sensitivity, all of
them with calls due.

Deviation D78: BFCL's test varies the wording of its prompt in 26 ways; ours varies the
syntax in which a model is asked to call, because models that were tuned to one fail there
(facts about CoALM 70B: near zero in another one).
"""

import json
import zipfile
from collections.abc import Sequence
from typing import Any

from coalm.agent import Agent, Reply
from coalm.bench.base import About, Kind, Metric, Verdict, mean
from coalm.bench.bfcl.categories import CATEGORIES
from coalm.bench.bfcl.data import Case, Data, find
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.judge import verdict
from coalm.bench.bfcl.multiturn.play import AsWritten, dialect_of
from coalm.bench.bfcl.prompted import (
    asked_in_its_words,
    gold_text,
    judged_text,
)
from coalm.bench.bfcl.protocol import LONG, Questions
from coalm.bench.bfcl.reading import Unreadable
from coalm.engines import Completion, Polyglot, Said, Speaker, Unanswered
from coalm.errors import DataError, RecipeError
from coalm.formats import DIALECTS, Malformed
from coalm.formats.dialects.calls import write_calls
from coalm.types import Assistant, Dialogue

PROMPTING = "bfcl"
"""The name of the benchmark's own prompting mode among the syntaxes."""

ASKED = ("pythonic", "json", "react", "hermes")
"""The dialects that are compared: these four and no other, so that figures stay comparable."""

SYNTAXES = (*ASKED, PROMPTING)
"""What every question is asked in, in this order."""

_FILE = "BFCL_v4_format_sensitivity.json"


class BfclSensitivity(Questions):
    """The same questions in every syntax: a `Benchmark` and a `Player`; a case is a question."""

    def __init__(self, data: Data | None = None) -> None:
        self._data = data or find()
        about = About(
            benchmark="bfcl",
            protocol="sensitivity",
            version=self._data.version,
            metrics=_metrics(),
            asked="every-syntax",
            max_steps=len(SYNTAXES),
            max_tokens=LONG,
        )
        super().__init__(about, chosen(self._data))

    def check(self, speaker: Speaker) -> None:
        """A `RecipeError` if the speaker knows one syntax only, or was given one."""
        if not isinstance(speaker, Polyglot):
            raise RecipeError("bfcl:sensitivity needs a model that can be asked in any dialect")
        if dialect_of(speaker) not in ("", self._about.dialect):
            raise RecipeError("bfcl:sensitivity asks in every dialect: leave the dialect out")

    def play(self, cases: Sequence[Case], agent: Agent) -> list[Reply]:
        """For each question one reply with a step for every syntax."""
        replies = [Reply(self.opening(case), "spoke") for case in cases]
        for syntax in SYNTAXES:
            answers = self._spoken(agent.speaker, syntax).speak(
                [self._asked(case, syntax) for case in cases], agent.sampling
            )
            replies = [_heard(*pair) for pair in zip(replies, answers, strict=True)]
        return replies

    def gold(self, case: Case) -> str:
        """Right calls, one spelling of them."""
        return f"[{write_calls(gold_calls(case))}]"

    def gold_reply(self, case: Case) -> Reply:
        """A right answer in every syntax."""
        turn, text = Assistant(calls=gold_calls(case)), gold_text(case)
        said = [
            Said(turn, Completion(DIALECTS[name].write(turn), "stop", 0, 0), "") for name in ASKED
        ]
        said.append(Said(Assistant(text), Completion(text, "stop", 0, 0), ""))
        return Reply(self.opening(case), "spoke", tuple(said))

    def score(self, case: Case, reply: Reply) -> Verdict:
        """Judge each step in its syntax: `right_SYNTAX`, their mean, all and any."""
        scores: dict[str, float] = {}
        wrong: list[tuple[str, Kind, str]] = []
        for number, syntax in enumerate(SYNTAXES):
            said = reply.said[number] if number < len(reply.said) else None
            found = _judged(case, syntax, said)
            scores[f"right_{syntax}"] = found.scores["right"]
            scores[f"unreadable_{syntax}"] = found.scores.get("unreadable", 0.0)
            if found.kind:
                wrong.append((syntax, found.kind, found.note))
        right = len(SYNTAXES) - len(wrong)
        scores |= {
            "right": right / len(SYNTAXES),
            "every": float(not wrong),
            "some": float(right > 0),
        }
        note = "; ".join(f"{syntax}: {kind}, {note}" for syntax, kind, note in wrong)
        return Verdict(scores, wrong[0][1] if wrong else "", note)

    def _spoken(self, speaker: Speaker, syntax: str) -> Speaker:
        if not isinstance(speaker, Polyglot):
            raise RecipeError("bfcl:sensitivity needs a model that can be asked in any dialect")
        return speaker.in_dialect(AsWritten() if syntax == PROMPTING else DIALECTS[syntax])

    def _asked(self, case: Case, syntax: str) -> Dialogue:
        return asked_in_its_words(self._data, case) if syntax == PROMPTING else self.opening(case)


def chosen(data: Data) -> list[Case]:
    """The questions that BFCL names for the purpose; a `DataError` if one is not there."""
    found = []
    for name, ids in _named(data).items():
        if name not in CATEGORIES:
            raise DataError(f"{data.path}: {_FILE} names {name!r}, which is no category")
        cases = {case.id: case for case in data.cases(CATEGORIES[name])}
        lacking = [id for id in ids if id not in cases]
        if lacking:
            raise DataError(f"{data.path}: {_FILE} names {lacking[0]!r}, which is no question")
        found += [cases[id] for id in ids]
    return found


def _named(data: Data) -> dict[str, list[str]]:
    """By category, the ids in the benchmark's list, in its order."""
    try:
        if data.path.is_dir():
            text = (data.path / _FILE).read_text(encoding="utf-8")
        else:
            with zipfile.ZipFile(data.path) as wheel:
                text = wheel.read(f"bfcl_eval/data/{_FILE}").decode()
        found: Any = json.loads(text)
        return {str(name): [str(id) for id in ids] for name, ids in found.items()}
    except (OSError, KeyError, ValueError, AttributeError, TypeError, zipfile.BadZipFile) as e:
        raise DataError(f"{data.path}: {_FILE} is not readable: {e}") from None


def _heard(reply: Reply, answer: Said | Unanswered) -> Reply:
    """The reply with one more step; what was once not answered stays so."""
    if reply.ended == "unanswered":
        return reply
    if isinstance(answer, Unanswered):
        return Reply(reply.dialogue, "unanswered", (), answer.why)
    return Reply(reply.dialogue, "spoke", (*reply.said, answer))


def _judged(case: Case, syntax: str, said: Said | None) -> Verdict:
    if syntax == PROMPTING:
        return judged_text(case, said.completion.text if said else None)
    turn = said.turn if said else Assistant()
    if isinstance(turn, Malformed):
        return verdict(case, Unreadable(turn.why))
    return verdict(case, turn.calls)


def _metrics() -> tuple[Metric, ...]:
    """The mean, then how far the syntaxes are apart, then each of them."""
    each = tuple((f"right_{syntax}", 1.0) for syntax in SYNTAXES)
    return (
        mean("Mean of syntaxes", "right", main=True),
        Metric("Worst syntax", each, how="worst"),
        Metric("Spread", each, how="spread"),
        mean("Right in every syntax", "every"),
        mean("Right in some syntax", "some"),
        *(mean(f"In {syntax}", f"right_{syntax}") for syntax in SYNTAXES),
        *(mean(f"In {syntax}, unreadable", f"unreadable_{syntax}") for syntax in SYNTAXES),
    )
