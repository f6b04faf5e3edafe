"""Every answer of an endpoint, kept as it comes: what was paid for is never asked again.

A line an answer, with a key that is a hash of the route and the whole request (model,
prompt or messages, tools, sampling). So a run that was killed in the middle of a batch, or
of a conversation, goes on with the very next request.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.endpoints import Answer, Refused, ToolUse, Unanswered, Usage

Route = Literal["chat", "completions"]

ANSWERS = "answers.jsonl"
"""The file's name in a run folder."""


def key_of(route: str, body: Mapping[str, Any]) -> str:
    """The name of a request: equal requests have equal names."""
    text = json.dumps([route, body], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Journal:
    """The answers so far, in memory and on disk; without a folder in memory alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / ANSWERS if folder else None
        self._answers: dict[str, Answer] = {}
        self.usage = Usage()
        """What all of them took together, those of earlier sittings included."""
        rows = store.read_log(self._path) if self._path else []
        for row in rows:
            self._take(row["key"], _answer(row))

    def get(self, key: str) -> Answer | None:
        """The answer to a request, if it has one."""
        return self._answers.get(key)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer, on disk before anything is made of it."""
        if self._path:
            store.append(self._path, [{"key": key} | _row(answer)])
        self._take(key, answer)

    def _take(self, key: str, answer: Answer) -> None:
        self._answers[key] = answer
        self.usage += answer.usage


class Kept:
    """Stands for a server that is asked no more: it gives the answers that a folder has."""

    def __init__(self, model: str, folder: Path) -> None:
        self.model = model
        self._journal = Journal(folder)

    def ask(
        self, route: Route, bodies: Sequence[Mapping[str, Any]]
    ) -> list[Answer | Unanswered | Refused]:
        """The kept answer to each request; what has none was refused as too long."""
        keys = [key_of(route, {"model": self.model, **body}) for body in bodies]
        return [self._journal.get(key) or Refused("the prompt is too long", 400) for key in keys]


def _row(answer: Answer) -> dict[str, Any]:
    row = asdict(answer)
    return {name: row[name] for name in row if row[name]}


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        text=row.get("text", ""),
        ended=row.get("ended", ""),
        usage=Usage(**row.get("usage", {})),
        calls=tuple(ToolUse(**call) for call in row.get("calls", ())),
        endpoint=row.get("endpoint", ""),
        refusal=row.get("refusal", ""),
        reasoning=row.get("reasoning", ""),
        logprobs=row.get("logprobs"),
    )
