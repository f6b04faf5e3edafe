"""Requests that lack a required argument, answered with a question, then carried out.

Made from single-turn rows with one call: the phrase that gives one argument is cut out of
the request, where it stands there once and the rest is still a sentence. The model asks
for what is missing and calls nothing; in the longer form the user then gives it, and the
call follows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coalm.corpora.masking import Row
from coalm.corpora.overlap import able
from coalm.corpora.records import chance
from coalm.corpora.wording import one_of, spaced
from coalm.types import Assistant, Dialogue, Json, Sample, ToolCall, ToolSpec, User

_LEADS = "in|at|on|for|from|to|by|with|of|about|near|using|within|under|into"
_STOPS = frozenset(
    f"{_LEADS}|and|or|the|a|an|is|are|between|than|as|that|my|this|be|per|via|through".split("|")
)
_TAIL = r"(?=[.?!]?$|[.?!]\s|\s(?:in|at|on|for|from|to|with|using|by)\s)"
_HANGING = re.compile(
    r"(?:\w(?:ed|ing)|written|given|made|known|held|born|taken|set|found|based)$"
    r"|\band (?:an? |the )?\w+(?: \w+)?$",
    re.IGNORECASE,
)
"""Ends that wait for what was cut off: `a book written`, `a width of 88 and a height`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A request without one of its required arguments."""

    query: str
    argument: str
    value: Json


def make(
    row: Row, corpus: str, *, share: float, answered: float = 0.5, seed: int = 42
) -> Iterator[Sample]:
    """For a share of the rows that allow it, the request with a gap and the question for it.

    In a share `answered` of these the conversation goes on to the call.
    """
    # Deviation D66: rows that the paper's mixture does not have.
    if chance(seed, row.id, "clarify") >= share:
        return
    gap = gap_of(row, seed)
    if gap is None:
        return
    key = f"{seed}/{row.id}"
    call = row.answers[0]
    tool = next(tool for tool in row.tools if tool.name == call.name)
    turns: list[User | Assistant] = [User(gap.query), Assistant(question(tool, gap.argument, key))]
    if chance(seed, row.id, "answered") < answered:
        turns += [User(_reply(gap, key)), Assistant(calls=(call,))]
    yield Sample(f"{row.id}/clarify", corpus, Dialogue(tuple(turns), row.tools), row.id)


def gap_of(row: Row, seed: int) -> Gap | None:
    """The row's request without one required argument, if one can be taken out cleanly."""
    if len(row.answers) != 1:
        return None
    call = row.answers[0]
    tool = next((tool for tool in row.tools if tool.name == call.name), None)
    if tool is None:
        return None
    names = [
        n
        for n in tool.required
        if n in call.arguments and not _default(tool, n) and _speaks(tool, n, row.query)
    ]
    for name in sorted(names, key=lambda n: chance(seed, row.id, n, "gap")):
        query = without(row.query, call.arguments[name], spaced(name))
        if query is None or not _others_stay(row.query, query, call, name):
            continue
        others = [other for other in row.tools if other.name != tool.name]
        if any(able(other, query, tool, call) for other in others):
            return None  # another tool may need nothing that is missing
        return Gap(query, name, call.arguments[name])
    return None


def without(query: str, value: Json, name: str) -> str | None:
    """The request without the phrase that gives a value; None where that is not clean."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    if not text or len(re.findall(rf"(?<!\w){re.escape(text)}(?!\w)", query, re.IGNORECASE)) != 1:
        return None
    own = "|".join(map(re.escape, sorted({*name.split(), "id", "name"}, key=len, reverse=True)))
    phrase = re.compile(
        rf",?\s({_LEADS})\s(?:(?:the|a|an|my|our|this|that|specific|given|following)\s)?"
        rf"(?:(?:{own})\s){{0,3}}(?:(?:of|is|as|named|called|titled)\s)?"
        rf"[\"'\u201c]?{re.escape(text)}[\"'\u201d]?{_TAIL}",
        re.IGNORECASE,
    )
    found = phrase.search(query)
    if found is None:
        return None
    left, right = query[: found.start()], query[found.end() :]
    before = re.findall(r"[\w']+", left.lower())
    rest = f"{left}{right}"
    if len(before) < 3 or before[-1] in _STOPS or _HANGING.search(left):
        return None
    if before[-1] in name.split() and found[1].lower() == "of":
        return None  # "with a percentage" is no sentence without its number
    if rest.count('"') % 2 or rest.count("(") != rest.count(")"):
        return None
    after = re.findall(r"^\s(\w+)", right.lower())
    # "from 5 to 10" without its beginning says something else.
    return None if after == ["to"] and text.isdigit() else rest


def _others_stay(query: str, shorter: str, call: ToolCall, name: str) -> bool:
    """Whether no other argument was cut out together with this one."""
    return all(
        (str(value).lower() in query.lower()) == (str(value).lower() in shorter.lower())
        for other, value in call.arguments.items()
        if other != name
    )


def _default(tool: ToolSpec, name: str) -> bool:
    schema = tool.properties.get(name)
    return isinstance(schema, dict) and schema.get("default") not in (None, "")


def _speaks(tool: ToolSpec, name: str, query: str) -> bool:
    """Whether a parameter's name is a word that a person knows; masked ones are not."""
    schema = tool.properties.get(name)
    told = str(schema.get("description") or "") if isinstance(schema, dict) else ""
    heard = set(re.findall(r"\w+", f"{told} {query}".lower()))
    return bool(set(spaced(name).split()) & heard)


def question(tool: ToolSpec, argument: str, key: str) -> str:
    """The question for one argument, in one of many wordings."""
    name = spaced(argument)
    schema = tool.properties.get(argument)
    values = schema.get("enum") if isinstance(schema, dict) else None
    choice = f" It can be {', '.join(map(str, values[:6]))}." if isinstance(values, list) else ""
    return one_of(
        (
            f"Which {name} do you mean?{choice}",
            f"Could you tell me the {name}?{choice}",
            f"I can do that, but I still need the {name}. What is it?{choice}",
            f"What {name} should I use?{choice}",
            f"One thing is missing: the {name}. Could you give it to me?{choice}",
            f"To go on I need to know the {name}.{choice}",
            f"Please tell me the {name}, then I can take care of it.{choice}",
            f"You did not mention the {name}. What should it be?{choice}",
        ),
        *(key, "question"),
    )


def _reply(gap: Gap, key: str) -> str:
    name = spaced(gap.argument)
    value = str(gap.value)
    return one_of(
        (
            value,
            f"{value}, please.",
            f"It is {value}.",
            f"The {name} is {value}.",
            f"Oh, right: {value}",
            f"Use {value} as the {name}.",
        ),
        *(key, "reply"),
    )
