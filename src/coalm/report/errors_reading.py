"""Why answers could not be read, or held no call: in words that are the same for many cases.

A model's answer is tried in every dialect, so that a model which knows how to call, and
writes it otherwise than it was asked to, can be told from one that does not.
"""

import re
from collections import Counter
from collections.abc import Sequence

from coalm.formats import DIALECTS
from coalm.report.errors_runs import Ran
from coalm.report.runs import Case
from coalm.types import Assistant

LONGEST = 110
"""Characters of a reason."""

RIGHT = "right"
"""How the tables call a case without an error."""

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMBER = re.compile(r"(?<![A-Za-z_\d])-?(?![45]\d\d\b)\d+(?:\.\d+)?")
"""Numbers but those that may be the status of an HTTP answer, which tells most."""
_LIKE_CALL = re.compile(
    r"[\"']?(?:name|arguments)[\"']?\s*:|\w\(\s*\w+\s*=|</?tool_call>|\bAction\b:"
)
"""What words seldom hold and calls do, whatever their dialect."""


def unread(run: Ran) -> Counter[tuple[str, str]]:
    """How often each (kind, reason), over the cases that were not read or not a call.

    The kind is `right` where an answer that cannot be read is right, as in BFCL's
    irrelevance.
    """
    found = ((case.kind or RIGHT, reason(case, run.dialect)) for case in run.cases)
    return Counter((kind, why) for kind, why in found if why)


def reason(case: Case, asked: str = "") -> str:
    """Why an answer could not be read, or what it was in the place of a call; else empty.

    `asked` is the dialect that it was asked in.
    """
    if not (case.unread or case.kind in ("format", "no call") or case.ended == "malformed"):
        return ""
    if not any(text.strip() for text in case.raw):
        return "nothing was written"
    other = spoken(case.raw[0], asked) if len(case.raw) == 1 else ""
    if other:
        why = f"a call, but in {other}"
    elif case.kind == "no call" and not case.unread:
        like = any(_LIKE_CALL.search(text) for text in case.raw)
        why = "something like a call that cannot be read" if like else "words alone"
    else:
        why = same_words(case.unread[0] if case.unread else case.note) or "not said"
    if case.cut:
        why = f"cut off, no room for more tokens: {why}"
    return why


def spoken(text: str, asked: str = "") -> str:
    """A dialect, other than the one asked for, in which a text holds calls; empty if none.

    Marked calls are looked for first: a line `Action: f(a=1)` is a call in Python's syntax
    too, of a function with an odd name.
    """
    for name, dialect in reversed(DIALECTS.items()):
        turn = dialect.read(text) if name != asked else None
        if isinstance(turn, Assistant) and turn.calls:
            return name
    return ""


def same_words(why: str) -> str:
    """A reason without what is one case's own: quoted text, numbers, further lines.

    An error kind before a colon stays, so do the words of the reader.
    """
    plain = _NUMBER.sub("N", _QUOTED.sub("'…'", " ".join(why.split())))
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def lost(run: Ran) -> Counter[str]:
    """How often each reason why a case was not answered."""
    return Counter(same_words(one.why) or "not said" for one in run.lost)


def reading_rows(runs: Sequence[Ran]) -> list[tuple[str, str, list[int]]]:
    """Kind, reason and how often in each run; the most frequent first, kind by kind."""
    counted = [unread(run) for run in runs]
    total = sum(counted, Counter[tuple[str, str]]())
    of_kind = Counter[str]()
    for (kind, _), n in total.items():
        of_kind[kind] += n
    order = sorted(total, key=lambda key: (-of_kind[key[0]], key[0], -total[key], key[1]))
    return [(kind, why, [one[kind, why] for one in counted]) for kind, why in order]
