"""CRA from a teacher: any model behind an OpenAI-compatible endpoint writes the thoughts.

A dialogue of SGD is one request. `prompt` says what is asked, `answer` reads what comes
back, `tasks` joins both to SGD, `log` keeps every answer, `run` asks and writes out.
"""

from coalm.cra.teacher.log import ANSWERS, Log, opened
from coalm.cra.teacher.run import Progress, Survey, Taught, ask, settle, survey
from coalm.cra.teacher.tasks import Task, Teaching, TeachSettings, Unfit

__all__ = [
    "ANSWERS",
    "Log",
    "Progress",
    "Survey",
    "Task",
    "Taught",
    "TeachSettings",
    "Teaching",
    "Unfit",
    "ask",
    "opened",
    "settle",
    "survey",
]
