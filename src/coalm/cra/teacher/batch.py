"""The same requests as a vendor's batch file, and its answers read back.

The layout is that of OpenAI's batch endpoint, one request or answer a line; other vendors
and `vllm run-batch` read and write it too. A request is named by the hash that the log is
keyed by, so answers find their dialogues whatever their order.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coalm import store
from coalm.cra.teacher.log import Kept, Log
from coalm.cra.teacher.tasks import Task, Teaching, Unfit
from coalm.endpoints.values import read
from coalm.errors import DataError

URL = "/v1/chat/completions"
MOST_ROWS, MOST_BYTES = 50_000, 200_000_000
"""What OpenAI takes in one file; others take more."""


@dataclass(slots=True)
class Taken:
    """What a file of answers held."""

    new: int = 0
    known: int = 0
    """Answers that the log had already."""
    strangers: int = 0
    """Answers to requests that these settings do not make."""
    failed: Counter[str] = field(default_factory=Counter)
    """Requests that the vendor did not answer, by reason; they stay open."""


def write(teaching: Teaching, log: Log, path: Path) -> int:
    """Write the requests that are open, one a line; returns how many."""
    count = 0
    with store.atomic(path) as file:
        for task in teaching.tasks():
            attempt = teaching.standing(task, log).attempt if isinstance(task, Task) else None
            if isinstance(task, Unfit) or attempt is None:
                continue
            key, body = task.key(attempt), task.body(attempt)
            row = {"custom_id": key, "method": "POST", "url": URL, "body": body}
            file.write(store.compact(row) + "\n")
            count += 1
    return count


def take(teaching: Teaching, log: Log, path: Path) -> Taken:
    """Add a file's answers to the log: all of them, or none where a line is broken."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; it should hold the answers of a batch")
    names = {
        task.key(attempt): task.skeleton.id
        for task in teaching.tasks()
        if isinstance(task, Task)
        for attempt in range(teaching.settings.tries)
    }
    taken, new = Taken(), dict[str, Kept]()
    for number, row in store.read_jsonl(path):
        key = row.get("custom_id")
        if not isinstance(key, str) or not ("response" in row or "error" in row):
            raise DataError(
                f"{path}:{number}: no answer of a batch: it lacks "
                f"{'custom_id' if not isinstance(key, str) else 'response'}"
            )
        if key not in names:
            taken.strangers += 1
            continue
        body = _body(row)
        if isinstance(body, str):
            taken.failed[body] += 1
            continue
        try:
            answer = read(body, "batch")
        except ValueError as e:
            raise DataError(f"{path}:{number}: {e}") from None
        kept = log.get(key)
        room = teaching.settings.max_tokens
        if key in new or (kept is not None and not kept.cut_below(room)):
            taken.known += 1
            continue
        new[key] = Kept.of(answer, key, names[key], room)
        taken.new += 1
    if taken.strangers and not (taken.new or taken.known or taken.failed):
        raise DataError(
            f"{path}: none of its {taken.strangers} answers belongs to these requests; give the "
            "model, split, limit and sampling that the batch was written with"
        )
    log.add(*new.values())
    return taken


def _body(row: Mapping[str, Any]) -> Mapping[str, Any] | str:
    """The completion in a line of answers, or why there is none."""
    response = row.get("response")
    error = row.get("error")
    if isinstance(response, Mapping) and not error:
        status = response.get("status_code", 200)
        body = response.get("body", response)
        if status == 200 and isinstance(body, Mapping):
            return body
        inner = body.get("error") if isinstance(body, Mapping) else None
        return f"HTTP {status}: {_message(inner or body)}"
    return _message(error) or "no response"


def _message(error: object) -> str:
    said = error.get("message") if isinstance(error, Mapping) else error
    return " ".join(str(said or "").split())[:200]
