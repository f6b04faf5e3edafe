"""What there is to teach: the dialogues of an SGD split, a request for each, and a verdict.

Dialogues are read anew for each pass rather than held: a split has many thousands.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from coalm import store
from coalm.corpora.sgd import ARCHIVE, Service, SgdDialogue, dialogues, schema
from coalm.cra.annotated import annotated
from coalm.cra.check import check
from coalm.cra.findings import Finding
from coalm.cra.teacher.answer import Mistake, told
from coalm.cra.teacher.log import Kept, Log
from coalm.cra.teacher.prompt import INSTRUCTION, RESPONSE_FORMAT, SCHEMA, messages
from coalm.endpoints import Usage
from coalm.errors import DataError, RecipeError, unknown
from coalm.sources import Found
from coalm.types import Sample

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class TeachSettings:
    """Which dialogues are asked, of whom, and how answers are drawn."""

    model: str
    """The teacher's name at its endpoint."""
    split: str = "train"
    """Which split of SGD."""
    limit: int | None = None
    """At most so many dialogues, the first ones; empty means all."""
    temperature: float = 0.7
    """Of the draw; at 0 nothing is asked a second time."""
    seed: int = 0
    """Seed of the first attempt; each further one takes the next number."""
    max_tokens: int = 4096
    """The longest answer, in tokens; one that meets the limit is no answer."""
    attempts: int = 2
    """How often a dialogue may be asked until an answer is sound."""
    schema: bool = True
    """Have the endpoint hold the answer to the schema, where it can."""

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise RecipeError(unknown("split", self.split, SPLITS))
        if not self.model:
            raise RecipeError(
                "the teacher needs a model name; an endpoint lists its own at /models"
            )

    @property
    def tries(self) -> int:
        """Attempts that make sense: at temperature 0 the second answer is the first."""
        return self.attempts if self.temperature > 0 else 1

    def sampling(self, attempt: int) -> dict[str, Any]:
        """The part of a request that says how the answer is drawn."""
        return {"temperature": self.temperature, "seed": self.seed + attempt}

    def instruction_hash(self) -> str:
        """Changes when the instruction or the schema of the answer does."""
        return store.content_hash([INSTRUCTION, SCHEMA])


@dataclass(frozen=True)
class Task:
    """One dialogue to be taught, and the request that asks for it."""

    dialogue: SgdDialogue
    skeleton: Sample
    """The sample as SGD's annotations give it; the teacher's thoughts take the place of its own."""
    settings: TeachSettings

    @cached_property
    def messages(self) -> list[dict[str, str]]:
        """The prompt."""
        return messages(self.skeleton)

    @cached_property
    def _prompt(self) -> str:
        return store.content_hash(self.messages)

    def key(self, attempt: int) -> str:
        """Names the request by its content: model, prompt, sampling.

        Not by the room for the answer: an answer that ended by itself holds for any room.
        """
        drawn = self.settings.sampling(attempt)
        return store.content_hash([self.settings.model, self._prompt, drawn])

    def body(self, attempt: int) -> dict[str, Any]:
        """The body of the chat completion request."""
        body: dict[str, Any] = {
            "model": self.settings.model,
            "messages": self.messages,
            "max_tokens": self.settings.max_tokens,
            **self.settings.sampling(attempt),
        }
        if self.settings.schema:
            body["response_format"] = RESPONSE_FORMAT
        return body


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a task is, by the answers that there are."""

    sample: Sample | None = None
    """The sound sample, if one of the answers gave it."""
    reasons: tuple[Mistake, ...] = ()
    """Why the last answer was turned down."""
    attempt: int | None = None
    """The attempt that is to be asked next; None where nothing is left to ask."""
    answers: tuple[Kept, ...] = ()
    """The answers that were looked at."""
    usage: Usage = field(default_factory=Usage)
    """What all of them took."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A dialogue that no teacher could make sound, because SGD itself is at fault."""

    id: str
    reasons: tuple[Mistake, ...]


class Teaching:
    """A split of SGD as tasks for one teacher."""

    def __init__(self, found: Found, settings: TeachSettings) -> None:
        self.found, self.settings = found, settings
        self.path: Path = found.path(ARCHIVE.replace("train", settings.split))
        if not self.path.exists():
            raise DataError(f"{self.path}: SGD's {settings.split} split is not there")
        self.services: Mapping[str, Service] = schema(self.path)
        # Verdicts of this process: the check is most of a pass, and there are several passes.
        self._unfit: dict[str, tuple[Mistake, ...]] = {}
        self._wrong: dict[str, tuple[Mistake, ...]] = {}

    def tasks(self, only: Collection[str] | None = None) -> Iterator[Task | Unfit]:
        """What is to be asked, in the order of the files; dialogues that SGD got wrong too.

        `only` names the dialogues that are wanted, by SGD's ids; else all within the limit.
        """
        for dialogue in islice(dialogues(self.path), self.settings.limit):
            if only is not None and dialogue.id not in only:
                continue
            sample = annotated(dialogue, self.services, split=self.settings.split)
            wrong = self._unfit.get(sample.id)
            if wrong is None:
                # Not worth a teacher's time: what is wrong with more than the thoughts, which
                # are the teacher's to write.
                found = check(sample, dialogue, self.services)
                wrong = tuple(_mistake(f) for f in found if f.kind != "thought disagrees")
                self._unfit[sample.id] = wrong
            yield Unfit(sample.id, wrong) if wrong else Task(dialogue, sample, self.settings)

    def standing(self, task: Task, log: Log) -> Standing:
        """Where a task stands; answers are judged anew each time, so a better check counts."""
        # Deviation D55: the paper filtered nothing; here an unsound answer is asked again
        # with another seed, and left out in the end.
        reasons: tuple[Mistake, ...] = ()
        seen, usage = list[Kept](), Usage()
        for attempt in range(self.settings.tries):
            kept = log.get(key := task.key(attempt))
            usage += log.usage(key)
            if kept is None or kept.cut_below(self.settings.max_tokens):
                return Standing(None, reasons, attempt, tuple(seen), usage)
            seen.append(kept)
            judged = self._judged(task, kept)
            if isinstance(judged, Sample):
                return Standing(judged, (), None, tuple(seen), usage)
            reasons = judged
        return Standing(None, reasons, None, tuple(seen), usage)

    def _judged(self, task: Task, kept: Kept) -> Sample | tuple[Mistake, ...]:
        if kept.ended == "length":
            return (Mistake("an answer cut off at its length", f"{kept.max_tokens} tokens"),)
        if not kept.text:
            return (Mistake("no words in the answer", kept.refusal or kept.ended),)
        sample = told(task.skeleton, kept.text)
        if isinstance(sample, Mistake):
            return (sample,)
        wrong = self._wrong.get(kept.key)
        if wrong is None:
            wrong = tuple(map(_mistake, check(sample, task.dialogue, self.services)))
            self._wrong[kept.key] = wrong
        return wrong or sample


def _mistake(finding: Finding) -> Mistake:
    """What the check of all CRA samples found, as a teacher's mistake."""
    return Mistake(finding.kind, f"turn {finding.turn}: {finding.note}")
