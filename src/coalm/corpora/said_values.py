"""Times and numbers as people say them, written as databases do: `18:30`, `3`.

MultiWOZ writes its states so, SGD as they were heard ("half past 6 in the evening",
"three"). What cannot be read for sure is not read at all.
"""

import re

_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)
_NUMBERS = {word: number for number, word in enumerate(_WORDS)}
_PART = r"(?:in the |at )?(?P<part>morning|afternoon|evening|night)"
_HALF = r"(?P<half>[ap])\.? ?m\.?"
_CLOCK = re.compile(
    r"(?:(?P<before>morning|afternoon|evening|night) )?"
    r"(?:(?P<turn>half|quarter) (?P<side>past|to) )?"
    rf"(?P<hour>\d{{1,2}}|{'|'.join(_WORDS[1:13])})(?:[:.](?P<minute>\d\d))?"
    rf"(?: ?o ?clock)?(?: ?{_HALF}| ?{_PART})?"
)


def clock(text: str) -> str:
    """`HH:MM` for a time of the day; empty where the words do not say which it is."""
    plain = " ".join(re.sub("[\"'\N{RIGHT SINGLE QUOTATION MARK}]", " ", text.lower()).split())
    found = _CLOCK.fullmatch(plain)
    if found is None:
        return ""
    spelt = found["hour"]
    hour = int(spelt) if spelt.isdigit() else _NUMBERS[spelt]
    minute = int(found["minute"] or 0)
    part = found["part"] or found["before"]
    if (found["part"] and found["before"]) or (found["turn"] and found["minute"]):
        return ""
    if not found["half"] and not part:
        # Without a part of the day only what is written as a clock shows it is sure.
        return f"{hour:02}:{minute:02}" if found["minute"] and hour < 24 and minute < 60 else ""
    if not 0 <= hour <= 12 or minute > 59:
        return ""
    late = _late(found["half"] or part, hour)
    if late is None:
        return ""
    shift = {"past": 15, "to": -15}.get(found["side"] or "", 0) * (
        2 if found["turn"] == "half" else 1
    )
    whole = (late * 60 + minute + shift) % (24 * 60)
    return f"{whole // 60:02}:{whole % 60:02}"


def _late(part: str, hour: int) -> int | None:
    """The hour from 0 to 23 that is meant by one from 0 to 12 in a part of the day."""
    match part:
        case "a":
            return hour % 12
        case "morning":
            return hour if hour < 12 else None
        case "p" | "afternoon":
            return hour % 12 + 12
        case "evening":
            return hour + 12 if 3 < hour < 12 else None
        case _:  # at night: before or after midnight
            return hour + 12 if 6 < hour < 12 else None


def number(text: str) -> str:
    """The digits of a number up to twenty, with or without a unit of money; empty otherwise."""
    plain = text.strip().lower()
    if plain in _NUMBERS:
        return str(_NUMBERS[plain])
    found = re.fullmatch(r"\$?(\d{1,3}(?:,?\d{3})*)(?: (?:dollars|bucks))?", plain)
    return found[1].replace(",", "") if found else ""
