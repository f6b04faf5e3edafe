"""How long to wait before trying again."""

import email.utils
import math
import random
import time
from collections.abc import Mapping

LONGEST = 30.0
"""Seconds of the longest pause."""


def pause(first: float, tries: int, rng: random.Random) -> float:
    """Seconds before the next try after `tries` failed ones: doubled each time, jittered.

    Between half and the whole of the doubling, so that many who failed together do not
    come back together.
    """
    whole = min(LONGEST, first * 2.0 ** min(max(tries - 1, 0), 30))
    return whole * (0.5 + 0.5 * rng.random())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` (or OpenAI's `retry-after-ms`) asks for, if any."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        said = headers.get(name)
        if said is None:
            continue
        try:
            seconds = float(said) / unit
        except ValueError:
            date = email.utils.parsedate_tz(said)
            seconds = email.utils.mktime_tz(date) - time.time() if date else math.nan
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
