"""Whether a tool could serve a request, judged by words: its name, description, parameters.

Crude on purpose, and careful in one direction: a tool counts as able unless most of what the
request says in the words of the right tool's name is never mentioned by the other, which
shares far fewer words with the request.
"""

import re
from functools import lru_cache

from coalm.corpora.wording import spaced
from coalm.types import ToolCall, ToolSpec

_COMMON = frozenset(  # a text, since a list of these would be a hundred lines
    """a an and any are as at be by can could data detail details do does for from get give given
    have help how i if in info inform information into is it its list make me my need of on or our
    out over please provide record report return retrieve service set show specific specified tell
    that the their them then there these this to tool up use used user using value want was we what
    when where which who will with would you your about add api based between check compute create
    current fetch find generate id like look name new number obtain one other perform query request
    result search send some than type update""".split()  # noqa: SIM905
)
_ABOUT = re.compile(r"(?:info|information|details?|data|profile|overview)$", re.IGNORECASE)
_ALIKE = {
    **dict.fromkeys(("fare", "cost", "quote", "rate", "fee", "pricing"), "price"),
    **dict.fromkeys(("forecast", "temperature", "climate"), "weather"),
    **dict.fromkeys(("flick", "film", "cinema"), "movie"),
    **dict.fromkeys(("song", "track", "playlist"), "music"),
    **dict.fromkeys(("hotel", "lodging", "room"), "accommodation"),
    **dict.fromkeys(("car", "automobile", "auto"), "vehicle"),
    **dict.fromkeys(("stock", "share", "equity"), "stock"),
    **dict.fromkeys(("timetable", "agenda", "calendar"), "schedule"),
    **dict.fromkeys(("recommendation", "suggestion", "recommend", "suggest"), "recommend"),
    **dict.fromkeys(("analysi", "analyse", "analyze", "assess", "evaluat"), "analysis"),
    **dict.fromkeys(("score", "rating", "metric", "measure", "index", "value"), "level"),
    **dict.fromkeys(("policy", "regulation", "legal", "legislation", "rule"), "law"),
    **dict.fromkeys(("statistic", "stat", "figure", "analytic"), "statistics"),
    **dict.fromkeys(("apply", "enroll", "register", "sign", "submit", "join"), "enroll"),
    **dict.fromkeys(("email", "letter"), "mail"),
    **dict.fromkeys(("picture", "photo", "photograph"), "image"),
    **dict.fromkeys(("doctor", "physician"), "doctor"),
    **dict.fromkeys(("book", "booking", "reserv", "reservation"), "reserve"),
}
"""Words that often mean the same; too many here only costs rows."""


def able(tool: ToolSpec, request: str, right: ToolSpec, call: ToolCall) -> bool:
    """Whether `tool` might serve a request as well as `right`, which is called for it."""
    heard = words(request)
    asked = _name_words(right) & heard
    theirs = words_of(tool)
    if 2 * len(asked & theirs) >= len(asked):
        return True
    if max(2, len(words_of(right) & heard) // 2 + 1) <= len(theirs & heard):
        return True
    # "Information about X" may hold whatever is asked of an X.
    if _ABOUT.search(tool.name) and theirs & heard:
        return True
    # The same parameters beside a word in common: perhaps the same tool under another name.
    mine = {spaced(name) for name in call.arguments}
    return (
        bool(mine) and mine <= {spaced(name) for name in tool.properties} and bool(asked & theirs)
    )


@lru_cache(maxsize=20_000)
def words(text: str) -> frozenset[str]:
    """The words of a text that say what it is about, without their endings."""
    plain = (_stem(word) for word in re.findall(r"[^\W\d_]{2,}", spaced(text)))
    return frozenset(_ALIKE.get(word, word) for word in plain if word not in _COMMON)


def words_of(tool: ToolSpec) -> frozenset[str]:
    """The words of a tool's name, description and parameters' names."""
    return words(" ".join([tool.name, tool.description, *tool.properties]))


def _name_words(tool: ToolSpec) -> frozenset[str]:
    return words(tool.name)


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word.removesuffix(ending)
    return word
