"""Every answer of an endpoint, kept as it comes: what was paid for is never asked again.

A line an answer, with a key that is a hash of the route and the whole request (model,
prompt or messages, tools, sampling). So a run that was killed in the middle of a batch, or
of a conversation, goes on with the very next request.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coalm import store
from coalm.endpoints import Answer, ToolUse, Usage

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


def _row(answer: Answer) -> dict[str, Any]:
    row = asdict(answer)
    return {name: row[name] for name in row if row[name] and name != "logprobs"}


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        text=row.get("text", ""),
        ended=row.get("ended", ""),
        usage=Usage(**row.get("usage", {})),
        calls=tuple(ToolUse(**call) for call in row.get("calls", ())),
        endpoint=row.get("endpoint", ""),
        refusal=row.get("refusal", ""),
        reasoning=row.get("reasoning", ""),
    )
