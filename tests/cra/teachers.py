"""Teachers for tests: what a server of `tests.endpoints.server` says about the miniature."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from coalm.cra.teacher import Task, Teaching, TeachSettings
from coalm.cra.teacher.answer import specimen
from coalm.sources import MINIATURE, SOURCES, Found
from tests.endpoints.server import Request, Say, Step

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
ALL = 8
"""Dialogues of the miniature."""
MARK = " All right."
"""What these teachers add to each thought, to be told from the annotation."""


def teaching(model: str = "teacher", **settings: Any) -> Teaching:
    return Teaching(MINI, TeachSettings(model, **settings))


def tasks(model: str = "teacher", **settings: Any) -> list[Task]:
    return [t for t in teaching(model, **settings).tasks() if isinstance(t, Task)]


def good(task: Task) -> dict[str, Any]:
    """A sound answer whose thoughts are not the annotation's own."""
    answer: dict[str, Any] = json.loads(specimen(task.skeleton))
    for entry in answer["turns"]:
        for key in ("thought", "thought1", "thought2"):
            if key in entry:
                entry[key] += MARK
    return answer


@cache
def _by_prompt() -> dict[str, Task]:
    return {task.messages[-1]["content"]: task for task in tasks()}


def task_of(request: Request) -> Task:
    """The dialogue that a request is about."""
    return _by_prompt()[request.prompt]


def sound(request: Request) -> Say:
    """A server's behaviour: a sound answer."""
    return Say(json.dumps(good(task_of(request))))


def sound_after(seconds: float) -> Callable[[Request], Step]:
    """The same, each after a while."""
    return lambda request: replace(sound(request), after=seconds)
