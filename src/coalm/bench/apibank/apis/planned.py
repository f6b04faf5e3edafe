"""The APIs of API-Bank's level 3, where calls are compared and not run.

Upstream holds their databases in code, which is no data of ours. Each gives its result by its
parameters alone, and upstream asks for equal parameters beside equal results, so comparing
the parameters in each API's own way comes to the same.
"""

from collections.abc import Mapping

from coalm.bench.apibank.apis.base import Alike, closed_up, exact, words


def written(one: object, other: object) -> bool:
    """Whether both are texts with something in them."""
    return all(isinstance(text, str) and bool(text.strip()) for text in (one, other))


ALIKE: Mapping[str, Mapping[str, Alike]] = {
    "EmailReminder": {"content": written},
    "AddMeeting": {"meeting_topic": words},
    "Calculator": {"formula": closed_up},
}
"""By API and parameter, how it is compared where it is not by equality."""


def differs(name: str, gold: Mapping[str, object], said: Mapping[str, object]) -> str:
    """The first parameter in which two calls of an API are not alike; empty if none."""
    ways = ALIKE.get(name, {})
    for parameter in {**gold, **said}:
        one, other = gold.get(parameter), said.get(parameter)
        if one is None or other is None or not ways.get(parameter, exact)(one, other):
            return parameter
    return ""
