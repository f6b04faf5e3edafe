"""Answers on disk, by model: what a model said to a prompt is never computed twice.

One SQLite file a model in the cache folder, named by the hash of its weights. Processes may
use it side by side. A file that grows over its bound loses the answers that were used least
lately; deleting a file costs nothing but time.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import sources
from coalm.engines.base import Completion
from coalm.errors import ModelError

BOUND = 1 << 30
"""Bytes that one model's answers may take."""

_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON answers (used);
CREATE TABLE IF NOT EXISTS model (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_AT_ONCE = 500
"""Keys in one question: SQLite takes a limited number of parameters."""


def folder() -> Path:
    """Where the files are: `answers` in the cache folder."""
    return sources.cache() / "answers"


@dataclass(frozen=True)
class Answers:
    """The answers of one model; `name` is kept beside them, for a person."""

    path: Path
    name: str = ""
    bound: int = BOUND

    @classmethod
    def of(cls, sha256: str, name: str = "") -> "Answers":
        """Those of the model whose weights have that hash."""
        return cls(folder() / f"{sha256}.sqlite", name)

    def get(self, keys: Sequence[str]) -> dict[str, Completion]:
        """By key, the answers that are there; they count as used now."""
        if not self.path.exists():
            return {}
        found: dict[str, Completion] = {}
        with self._opened() as db:
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = db.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some)
                found |= {key: _completion(json.loads(answer)) for key, answer in rows}
                db.execute(
                    f"UPDATE answers SET used = ? WHERE key IN ({marks})", (time.time(), *some)
                )
        return found

    def put(self, answers: Mapping[str, Completion]) -> None:
        """Keep some answers, on disk before this returns."""
        if not answers:
            return
        now = time.time()
        rows = [(key, json.dumps(_row(answer)), now) for key, answer in answers.items()]
        with self._opened() as db:
            db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
            if self.name:
                db.execute("INSERT OR IGNORE INTO model VALUES (?)", (self.name,))
        self._prune()

    def count(self) -> int:
        """How many answers there are."""
        with self._opened() as db:
            [(number,)] = db.execute("SELECT COUNT(*) FROM answers")
            return int(number)

    def names(self) -> list[str]:
        """The names under which the model was asked."""
        with self._opened() as db:
            return [name for (name,) in db.execute("SELECT name FROM model ORDER BY name")]

    def delete(self) -> None:
        """Take the file away, and what SQLite has beside it."""
        for tail in ("", "-journal"):
            self.path.with_name(self.path.name + tail).unlink(missing_ok=True)

    def _prune(self) -> None:
        """Drop the quarter that was used least lately while the file is over its bound."""
        if self.path.stat().st_size <= self.bound:
            return
        with self._opened() as db:
            while _bytes(db) > self.bound:
                gone = db.execute(
                    "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used "
                    "LIMIT (SELECT COUNT(*) / 4 + 1 FROM answers))"
                ).rowcount
                db.commit()
                if not gone:
                    break
            db.execute("PRAGMA incremental_vacuum").fetchall()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection for one piece of work, committed at its end."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=60)
            try:
                db.executescript(_SCHEMA)
                with db:
                    yield db
            finally:
                db.close()
        except (sqlite3.Error, ValueError, KeyError, TypeError, OSError) as e:
            raise ModelError(
                f"the cache of answers {self.path} cannot be used: {e}; delete the file, set "
                "COALM_CACHE to another folder, or add --no-cache"
            ) from None


def every() -> list[Answers]:
    """The answers of all models that are kept here."""
    return [Answers(path) for path in sorted(folder().glob("*.sqlite"))]


def _bytes(db: sqlite3.Connection) -> int:
    """Bytes in use, free pages left out."""
    [(size,)] = db.execute("PRAGMA page_size")
    [(pages,)] = db.execute("PRAGMA page_count")
    [(free,)] = db.execute("PRAGMA freelist_count")
    return int(size * (pages - free))


def _row(answer: Completion) -> dict[str, Any]:
    return {
        "text": answer.text,
        "ended": answer.ended,
        "tokens": [answer.prompt_tokens, answer.completion_tokens],
        "logprobs": answer.logprobs,
    }


def _completion(row: Mapping[str, Any]) -> Completion:
    logprobs = row["logprobs"]
    read, written = row["tokens"]
    told = None if logprobs is None else tuple(logprobs)
    return Completion(row["text"], row["ended"], read, written, told, cached=True)
