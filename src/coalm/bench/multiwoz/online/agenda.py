"""The rule-based user: an agenda of tasks, worked off as the service's words allow.

A task is brought up with some of its wishes; the rest follow, by themselves or when asked for.
Where there is nothing of the kind, the user changes their mind as the goal says; when a
place is offered they ask for what they must be told, and then to book, taking other details
where the first are refused. After the last task they say thanks and goodbye. The user hears
only words: a table that was booked in silence is not booked for them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coalm.bench.multiwoz.online.atlas import Atlas, tells
from coalm.bench.multiwoz.online.hearing import LONGEST, Heard, heard
from coalm.bench.multiwoz.online.wishes import Task
from coalm.bench.multiwoz.online.words import Words

PATIENCE = 3
"""Answers in a row that bring a task no further, after which it is given up."""
ASKS = 2
"""Times that the same is asked for."""


@dataclass(slots=True)
class _Progress:
    """How far a task is."""

    task: Task
    changed: bool = False
    """Whether the user has turned to what they want in the end."""
    said: set[str] = field(default_factory=set)
    """Wishes that the service was told."""
    choice: str = ""
    """The place or train that the user talks about."""
    asked: dict[str, int] = field(default_factory=dict)
    """How often each thing was asked for."""
    told: set[str] = field(default_factory=set)
    booking: bool = False
    """Whether the user has asked to book."""
    full: bool = True
    """Whether the details that are not to be had are still asked for."""
    retrying: bool = False
    """Whether other details are to be asked for next."""
    booked: bool = False
    idle: int = 0
    """Answers in a row that brought it no further."""
    places: dict[str, str] = field(default_factory=dict)

    @property
    def wants(self) -> dict[str, str]:
        """What is asked for now."""
        first = self.task.first if self.task.first and not self.changed else self.task.wants
        return {**first, **self.places}

    @property
    def details(self) -> dict[str, str]:
        """What is booked now."""
        return {**self.task.book, **(self.task.full if self.full else {})}


class Agenda:
    """One user on their way through a goal; `hear` is given each answer in turn."""

    def __init__(self, tasks: tuple[Task, ...], atlas: Atlas, seed: str) -> None:
        self.atlas = atlas
        self.words = Words(seed)
        self._all = [_Progress(task) for task in tasks]
        self._at = 0

    @property
    def _now(self) -> _Progress:
        return self._all[self._at]

    def opening(self) -> str:
        """The user's first words."""
        return self._bring_up(first=True)

    def hear(self, text: str) -> str | None:
        """What the user says to an answer; None where they have nothing more to say."""
        now, text = self._now, text[:LONGEST]
        before = self._state(now)
        ears = heard(text, now.task.domain)
        self._take_in(now, ears, text)
        said = list(self._answers(now, ears))
        if now.task.first and not now.changed and self._must_change(now, ears):
            said = [self._change(now)]
        elif not said or now.choice or now.booked:
            said += self._step(now)
        now.idle = 0 if self._state(now) != before else now.idle + 1
        if now.idle > PATIENCE:
            said = []
        if said:
            return " ".join(said)
        if self._at + 1 == len(self._all):
            return None
        self._at += 1
        return self._bring_up(first=False)

    def goodbye(self) -> str:
        """The user's last words, which ask for no answer."""
        return self.words.pick(
            "Thank you, that is all I need. Goodbye.", "That was all, thanks a lot. Bye!"
        )

    # --- what is heard ---

    def _take_in(self, now: _Progress, ears: Heard, text: str) -> None:
        """Note what is offered, told and booked."""
        domain = now.task.domain
        names = self.atlas.named(text, domain)
        if domain == "train" and not names:
            names = self._trains_at(now, text)
        asked_for = now.wants.get("name")
        if names and asked_for:
            right = self.atlas.fitting(domain, {"name": asked_for})
            names = [name for name in names if name in right]
        if names and now.choice not in names:
            now.choice = names[0]
            now.asked.clear()
            now.told.clear()
        if now.booking or domain == "taxi":
            now.booked |= ears.booked
            if (ears.refused or ears.none) and now.full and now.task.full:
                now.full, now.retrying = False, True
        now.told |= {name for name in now.task.requests if self._is_told(now, name, text, ears)}

    def _is_told(self, now: _Progress, name: str, text: str, ears: Heard) -> bool:
        if name == "reference":
            return ears.code and now.booked
        if now.task.domain == "taxi":
            taxis = self.atlas.town.taxis
            kinds = (*taxis["taxi_colors"], *taxis["taxi_types"])
            return ears.phone if name == "phone" else any(tells(text, "", kind) for kind in kinds)
        row = self._row(now)
        if row and name not in row:  # nobody knows, so one answer is enough
            return now.asked.get(name, 0) > 0
        return name in row and tells(text, name, row[name])

    def _row(self, now: _Progress) -> Mapping[str, str]:
        if now.task.domain == "train":
            found = self.atlas.rows("train", tuple(sorted(now.task.wants.items())))
            return next((row for row in found if row["name"] == now.choice), {})
        return self.atlas.row(now.task.domain, now.choice)

    def _trains_at(self, now: _Progress, text: str) -> list[str]:
        """Trains that are offered by their time of departure."""
        found = self.atlas.rows("train", tuple(sorted(now.task.wants.items())))
        return [row["name"] for row in found if tells(text, "leave_at", row["leave_at"])]

    def _must_change(self, now: _Progress, ears: Heard) -> bool:
        """Whether what is asked for first is not to be had; an offer is of something else."""
        return ears.none or (now.said >= set(now.wants) and (bool(now.choice) or not ears.asked))

    # --- what is said ---

    def _answers(self, now: _Progress, ears: Heard) -> Iterator[str]:
        """Answers to what the user is asked for."""
        task = now.task
        known = {slot: now.wants[slot] for slot in now.wants if slot in ears.asked}
        booking = {slot: now.details[slot] for slot in now.details if slot in ears.asked}
        if task.domain == "train":
            booking = {slot: value for slot, value in booking.items() if slot not in known}
        if known:
            now.said |= set(known)
            yield self.words.inform(task.domain, known)
        if booking and not now.booked:
            now.booking = True
            yield self.words.details(task.domain, booking)
        open_ = sorted(ears.asked - set(known) - set(booking))
        if not task.book and ears.asked & {"people", "stay", "time"}:
            yield self.words.pick("I do not need a booking, thank you.", "No booking, thanks.")
        open_ = [slot for slot in open_ if slot not in ("people", "stay", "time", "day", "name")]
        if open_ and not known and not now.choice:
            yield self.words.indifferent(open_)

    def _change(self, now: _Progress) -> str:
        """The user turns to what they want in the end."""
        before, now.changed, now.choice = now.wants, True, ""
        other = {s: v for s, v in now.wants.items() if before.get(s) != v}
        gone = [slot for slot in before if slot not in now.wants]
        now.said = {slot for slot in now.said if slot in now.wants} | set(other)
        return self.words.instead(now.task.domain, other, gone)

    def _step(self, now: _Progress) -> list[str]:
        """What the user says of their own accord; nothing where the task is done."""
        task, domain = now.task, now.task.domain
        unsaid = [slot for slot in now.wants if slot not in now.said]
        if unsaid and not now.booked:
            chosen = self.words.few(unsaid, 2)
            now.said |= set(chosen)
            return [self.words.inform(domain, {slot: now.wants[slot] for slot in chosen})]
        if domain == "taxi":
            return self._ask(now) if now.booked else [self._nag(now)]
        if not now.choice and not now.booked:
            return [self._nag(now)]
        asking = self._ask(now)
        if asking:
            return asking
        if task.book and not now.booked:
            again, now.booking = now.booking, True
            if now.retrying:
                now.retrying = False
                return [self.words.rather(domain, {s: task.book[s] for s in task.full})]
            return [self.words.book(domain, now.details, again)]
        return []

    def _ask(self, now: _Progress) -> list[str]:
        open_ = [
            name
            for name in now.task.requests
            if name not in now.told
            and now.asked.get(name, 0) < ASKS
            and (now.booked or name != "reference")
        ]
        chosen = self.words.few(open_, 2)
        for name in chosen:
            now.asked[name] = now.asked.get(name, 0) + 1
        return [self.words.ask(chosen)] if chosen else []

    def _nag(self, now: _Progress) -> str:
        """All that was said once more."""
        said = self.words.inform(now.task.domain, now.wants) if now.wants else ""
        start = self.words.pick("Could you look it up, please?", "What can you find for me?")
        if now.task.domain == "taxi":
            start = "Please book the taxi."
        return f"{start} {said}".strip()

    def _bring_up(self, *, first: bool) -> str:
        now = self._now
        chosen = {one.task.domain: one.choice for one in self._all}
        now.places = {
            end: chosen.get(domain) or f"the {domain}" for end, domain in now.task.places.items()
        }
        slots = self.words.few(list(now.wants), 2)
        now.said = set(slots)
        return self.words.want(now.task, {slot: now.wants[slot] for slot in slots}, first)

    @staticmethod
    def _state(now: _Progress) -> tuple[object, ...]:
        asked = sum(now.asked.values())
        return (
            *(now.changed, len(now.said), now.choice, asked, len(now.told)),
            *(now.booking, now.full, now.booked),
        )
