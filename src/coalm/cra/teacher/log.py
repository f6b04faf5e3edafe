"""Every answer of a teacher, written at once: `answers.jsonl`, keyed by the request's content."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.endpoints import Answer, Usage
from coalm.errors import DataError

ANSWERS = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept."""

    key: str
    """Hash of the request that it answers."""
    id: str
    """The sample that it is about."""
    text: str
    ended: str
    refusal: str = ""
    endpoint: str = ""
    max_tokens: int = 0
    """The room that the answer had."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    """Whether the endpoint said what it used."""
    without: tuple[str, ...] = ()
    """Fields of the request that the endpoint did not take."""

    @property
    def usage(self) -> Usage:
        """What it used."""
        return Usage(self.prompt_tokens, self.completion_tokens, 1, int(not self.counted))

    def cut_below(self, max_tokens: int) -> bool:
        """Whether it was cut off in less room than there is now."""
        return self.ended == "length" and self.max_tokens < max_tokens

    @classmethod
    def of(
        cls, answer: Answer, key: str, name: str, max_tokens: int, without: tuple[str, ...] = ()
    ) -> "Kept":
        """What is kept of an answer."""
        return cls(
            key,
            name,
            answer.text,
            answer.ended,
            answer.refusal,
            answer.endpoint,
            max_tokens,
            answer.usage.prompt_tokens,
            answer.usage.completion_tokens,
            not answer.usage.uncounted,
            without,
        )


class Log:
    """The answers of a folder, and those that come; opened by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, Kept] = {}
        self._usage: dict[str, Usage] = {}
        for number, row in enumerate(store.read_log(path), 1):
            try:
                kept = _kept(row)
            except (TypeError, KeyError, ValueError) as e:
                raise DataError(
                    f"{path}:{number}: not an answer of a teacher: {e}; move the file away"
                ) from None
            self._remember(kept)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Kept | None:
        """The answer to a request, if there is one."""
        return self._kept.get(key)

    def add(self, *answers: Kept) -> None:
        """Keep answers; they are on disk when this returns."""
        store.append(self.path, [{k: v for k, v in asdict(a).items() if v} for a in answers])
        for answer in answers:
            self._remember(answer)

    def usage(self, key: str) -> Usage:
        """What a request took, all its answers together."""
        return self._usage.get(key, Usage())

    def _remember(self, kept: Kept) -> None:
        self._kept[kept.key] = kept
        self._usage[kept.key] = self.usage(kept.key) + kept.usage


def _kept(row: object) -> Kept:
    if not isinstance(row, dict):
        raise TypeError("no JSON object")
    known = {name: row[name] for name in Kept.__dataclass_fields__ if name in row}
    fields: dict[str, Any] = {"text": "", "ended": "", "counted": False} | known
    kept = Kept(**fields | {"without": tuple(row.get("without", ()))})
    if not isinstance(kept.text, str) or not isinstance(kept.key, str):
        raise TypeError("text and key must be strings")
    return kept


@contextmanager
def opened(folder: Path) -> Iterator[Log]:
    """The log of a folder, for one process at a time; a second one is told so."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{folder}: another run is writing here; wait for it or choose another folder"
            ) from None
        yield Log(folder / ANSWERS)
