"""An agent that knows the goal, to prove that every goal can be reached.

It understands as much of the user's words as it must (which domain, what is asked for,
whether to book), looks everything up with the tools as any agent does, and says what it found in
plain sentences. What it cannot do without the tools' answers it does not do.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from coalm.bench.multiwoz.online.wishes import VENUES, Task
from coalm.bench.multiwoz.online.words import ASKED
from coalm.engines import Completion, Said, Sampling, Unanswered
from coalm.types import Assistant, Dialogue, Observation, ToolCall, User

_TOPICS = {
    "restaurant": r"\ba restaurant\b|\ba place to eat\b",
    "hotel": r"\bto stay\b",
    "attraction": r"\ban attraction\b|\ba place to visit\b|\bsomething to see\b",
    "train": r"\ba train\b",
    "taxi": r"\ba taxi\b",
}
_BOOK = re.compile(
    r"\bbook\b|\bbuy\b|^for \d|\bthen please try\b|\binstead\?|\d tickets?, please", re.I
)
_QUERIES = {d: f"query_{d}s" for d in (*VENUES, "train")}
_BOOKS = {"restaurant": "book_restaurant", "hotel": "book_hotel", "train": "buy_train_tickets"}


class Oracle:
    """A `Speaker` that plays one case, whose tasks it was told."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = {task.domain: task for task in tasks}

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """The next step in each dialogue."""
        return [self._said(self._turn(dialogue)) for dialogue in dialogues]

    def _said(self, turn: Assistant) -> Said:
        return Said(turn, Completion(turn.text, "stop", 0, 0), "")

    def _turn(self, dialogue: Dialogue) -> Assistant:
        heard = [turn.text for turn in dialogue.turns if isinstance(turn, User)]
        domain = self._domain(heard)
        task = self.tasks[domain]
        answer = self._fresh_answer(dialogue)
        if domain == "taxi":
            return self._taxi(task, dialogue, answer)
        wants = self._wanted(task, heard)
        if _BOOK.search(heard[-1]) and task.book:
            found = self._found(dialogue, domain)
            if answer is None and found:
                return self._book(task, found, heard)
            if answer is not None and "reference" in answer:
                return Assistant(f"It is booked. The reference number is {answer['reference']}.")
            if answer is not None and "error" in answer:
                return Assistant("I am sorry, it is fully booked then. Shall we try another?")
        if answer is None:
            return Assistant(calls=(ToolCall(_QUERIES[domain], wants),))
        if not answer.get("hits"):
            return Assistant(f"I am sorry, there is no such {domain}.")
        return Assistant(self._offer(answer["hits"][0], domain, heard[-1], dialogue))

    def _domain(self, heard: Sequence[str]) -> str:
        """The domain that was brought up last."""
        for text in reversed(heard):
            for domain in self.tasks:
                if re.search(_TOPICS[domain], text):
                    return domain
        return next(iter(self.tasks))

    def _wanted(self, task: Task, heard: Sequence[str]) -> dict[str, Any]:
        """What is asked for now: the first wishes until the user has changed their mind."""
        changed = any(
            text.startswith(("In that case", "Then how about", "Could it")) or _indifferent(text)
            for text in heard
        )
        return dict(task.first if task.first and not changed else task.wants)

    def _book(self, task: Task, found: Mapping[str, Any], heard: Sequence[str]) -> Assistant:
        retried = any(re.search(r"then please try|instead\?", text, re.I) for text in heard)
        details = {**task.book, **({} if retried else task.full)}
        if task.domain == "train":
            which = {k: found[k] for k in ("train_id", "day", "departure", "destination")}
            which["leave_at"] = found["leave_at"]
            return Assistant(calls=(ToolCall("buy_train_tickets", {**which, **details}),))
        return Assistant(calls=(ToolCall(_BOOKS[task.domain], {"name": found["name"], **details}),))

    def _taxi(self, task: Task, dialogue: Dialogue, answer: Mapping[str, Any] | None) -> Assistant:
        if answer is not None:
            return Assistant(f"A {answer.get('car')} will come; phone {answer.get('phone')}.")
        ends = dict(task.wants)
        for end, domain in task.places.items():
            ends[end] = str(self._found(dialogue, domain).get("name", ""))
        done = self._last(dialogue, "book_taxi")
        if done:
            return Assistant(f"A {done.get('car')} will come; phone {done.get('phone')}.")
        return Assistant(calls=(ToolCall("book_taxi", ends),))

    def _offer(self, hit: Mapping[str, Any], domain: str, asked: str, dialogue: Dialogue) -> str:
        name = hit.get("name") or hit.get("train_id")
        said = [f"I found {name}."]
        for slot, word in ASKED.items():
            if re.search(rf"\bthe {re.escape(word)}\b", asked):
                value = hit.get(slot, "not known")
                if slot == "reference":
                    booked = self._last(dialogue, _BOOKS.get(domain, ""))
                    value = booked.get("reference", "not known")
                said.append(f"The {word} is {_spoken(slot, value)}.")
        return " ".join(said)

    def _found(self, dialogue: Dialogue, domain: str) -> Mapping[str, Any]:
        """The first hit of the last query that had any."""
        hits = self._last(dialogue, _QUERIES[domain]).get("hits") or [{}]
        first: Mapping[str, Any] = hits[0]
        return first

    def _last(self, dialogue: Dialogue, tool: str) -> Mapping[str, Any]:
        for turn in reversed(dialogue.turns):
            if isinstance(turn, Observation) and turn.tool == tool:
                answer = _object(turn.text)
                if answer.get("hits") or "booked" in answer:
                    return answer
        return {}

    def _fresh_answer(self, dialogue: Dialogue) -> Mapping[str, Any] | None:
        """What the tool gave back since the user spoke; None where nothing was asked yet."""
        last = dialogue.turns[-1]
        return _object(last.text) if isinstance(last, Observation) else None


def _indifferent(text: str) -> bool:
    return text.startswith(("I do not mind about", "I have no preference for"))


def _spoken(slot: str, value: object) -> str:
    if slot in ("internet", "parking"):
        return "there" if value == "yes" else "not there"
    return f"{value} stars" if slot == "stars" else str(value)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"error": text}
    return value if isinstance(value, dict) else {"error": text}
