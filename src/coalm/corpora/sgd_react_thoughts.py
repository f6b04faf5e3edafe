"""Thoughts of an agent that keeps a dialogue's state: what changed, and what follows from it."""

import re
from collections.abc import Mapping, Sequence

from coalm.corpora.wording import listed, one_of, spaced
from coalm.types import ToolCall

_SAID = frozenset({"yes", "no"})
_AWKWARD = re.compile(
    r"\b(?:by|at|on|in|to|from|for|pricey)$|^(?:how|which|in|on|with|going|leaving|has|is|takes|s"
    r"erves|offers|plays|live|good|free|at|from|depart|leave|collect|bring|back|where|share|can)\b"
)
"""Names after which `the NAME is VALUE` would not be a sentence."""


def why(
    values: Mapping[str, str],
    changed: Sequence[str],
    old: Mapping[str, str],
    call: ToolCall,
    *,
    books: bool,
    key: str,
) -> str:
    """What the turn changed, and which call follows from it."""
    name = call.name
    if not changed:
        options: tuple[str, ...] = (
            f"The user agrees and every detail is known, so I call {name}.",
            f"That is a yes, and nothing is missing; {name} can run.",
            f"Agreed. I call {name} with the details as they stand.",
        )
        return one_of(options, key, "agreed")
    news = listed([_news(slot, values[slot], old.get(slot, "")) for slot in changed])
    kept = [s for s in call.arguments if s not in changed]
    rest = "all else" if len(kept) > 3 else listed([spaced(s) for s in kept])
    still = f"; {rest} {'stay' if 1 < len(kept) < 4 else 'stays'} as before" if kept else ""
    if books:
        options = (
            f"Now {news}{still}. That is all it needs, so I call {name}.",
            f"The user settled the last detail: {news}. I call {name}.",
            f"As {news}, nothing is missing any more; {name} can run.",
        )
    else:
        options = (
            f"Now {news}{still}. I look it up with {name}.",
            f"This turn settles something: {news}. I call {name} with all that is known.",
            f"What changed is that {news}{still}, so {name} has to run.",
            f"I note that {news}, and search with {name}.",
        )
    return one_of(options, key, "why")


def _news(slot: str, value: str, old: str) -> str:
    name = spaced(slot)
    if value == "dontcare":
        return f"any {name} will do"
    now = (
        f"{name} = {value}" if _AWKWARD.search(name) or value in _SAID else f"the {name} is {value}"
    )
    return f"{now} instead of {'any' if old == 'dontcare' else old}" if old else now


def nothing(key: str) -> str:
    """Why no call is made: the turn changed nothing."""
    return one_of(
        (
            "Nothing new was settled, so no call is needed; I answer.",
            "The user changed nothing that a tool would need. I reply in words.",
            "There is no new detail to look up or book, so I just answer.",
            "No slot changed in this turn; I go on with the conversation.",
        ),
        *(key, "nothing"),
    )
