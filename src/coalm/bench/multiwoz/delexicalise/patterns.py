"""What is known by its shape: numbers of telephones, postcodes, references, trains, hours, prices.

A telephone, a postcode or a train that no database has stays as it is: a system that makes
one up has not told it. References are made up by whoever books, so these go by shape.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from coalm.bench.multiwoz.delexicalise.lexicon import Lexicon


class Span(NamedTuple):
    """A stretch of text and the placeholder that stands for it."""

    start: int
    end: int
    placeholder: str


_PHONE = re.compile(r"(?<![\w\[.])\(?\+?\d(?:[\s\-().]{0,2}\d){8,11}(?![\w\]])")
_POSTCODE = re.compile(
    r"(?<![^\W_])([a-z])[\s.]{0,2}([a-z])[\s.,]{0,2}(\d)[\s.,]{0,2}(\d?)[\s.,]{0,3}"
    r"(\d)[\s.,]{0,2}([a-z])[\s.]{0,2}([a-z])(?![^\W_])",
    re.IGNORECASE,
)
_TRAIN = re.compile(r"(?<!\w)(tr)[\s\-#]?(\d{4})(?!\w)", re.IGNORECASE)
_CUED = re.compile(
    r"(?<!\w)(?:reference|ref|confirmation|booking)[\s.]*(?:number|num|no|code|id|\#)?[\s.#]*"
    r"(?:(?:is|was|being|of)(?!\w))?[\s:=#,\-\"'(*]*([a-z0-9]{5,10})(?![^\W_])",
    re.IGNORECASE,
)
_MIXED = re.compile(r"(?<![\w\[])(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{8}(?!\w)", re.IGNORECASE)
_TIME = re.compile(
    r"(?<![\w:.])(?:\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?)(?![\w:])",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"(?<!\w)(?:[£$]\s?\d+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?\s?(?:pounds?|gbp|quid)\b"
    r"|\d+\.\d{2}(?![\d.]))",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?<![\w\[.:,£$#\-])\d{1,3}(?![\w\].:,\-]*\w)")
_RIDE = re.compile(r"(?<!\w)(?:taxi|cab|car|driver|pick(?:ed)? (?:you )?up)(?!\w)", re.IGNORECASE)
_WORD_ENDS = ("ed", "ing", "able", "tion", "ment", "ly")


def spans(text: str, lexicon: Lexicon) -> Iterator[Span]:
    """What the patterns find; the spans may overlap."""
    yield from _references(text, lexicon)
    if not re.search(r"\d", text):
        return
    yield from _phones(text, lexicon)
    for match in _POSTCODE.finditer(text):
        placeholder = lexicon.postcodes.get("".join(match.groups()).lower())
        if placeholder:
            yield Span(match.start(), match.end(), placeholder)
    for match in _TRAIN.finditer(text):
        if f"TR{match[2]}" in lexicon.trains:
            yield Span(match.start(), match.end(), "train_id")
    for pattern, placeholder in (
        (_TIME, "value_time"),
        (_PRICE, "value_price"),
        (_COUNT, "value_count"),
    ):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), placeholder)


def _phones(text: str, lexicon: Lexicon) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        digits = "".join(c for c in match[0] if c.isdigit())
        digits = digits.removeprefix("44") if match[0].startswith("+") else digits
        start = match.start() + match[0].startswith("(") * (")" not in match[0])
        for known in (digits, f"0{digits}"):
            if known in lexicon.phones:
                yield Span(start, match.end(), lexicon.phones[known])
                break
        else:
            # A taxi's telephone is drawn anew for each booking.
            if digits.startswith("07") or _RIDE.search(text):
                yield Span(start, match.end(), "taxi_phone")


def _references(text: str, lexicon: Lexicon) -> Iterator[Span]:
    for match in _CUED.finditer(text):
        code = match[1]
        mixed = any(c.isdigit() for c in code)
        shouted = code.isupper() and len(code) >= 6
        # Eight letters can be a reference too; in lower case they can be a word.
        letters = len(code) == 8 and not code.lower().endswith(_WORD_ENDS)
        letters = letters and not match[0].lower().startswith("booking")
        verb = re.search(r"(?:is|was|:|#)[\s:=#,\-\"'(*]*\Z", text[: match.start(1)], re.IGNORECASE)
        if (mixed or shouted or (letters and verb)) and not _known(code, lexicon):
            yield Span(match.start(1), match.end(1), "value_reference")
    for match in _MIXED.finditer(text):
        turns = len(re.findall(r"[a-z](?=\d)|\d(?=[a-z])", match[0], re.IGNORECASE))
        if (turns > 1 or match[0].isupper()) and not _known(match[0], lexicon):
            yield Span(match.start(), match.end(), "value_reference")


def _known(code: str, lexicon: Lexicon) -> bool:
    """Whether what looks like a reference is something else that is known."""
    return (
        code.lower() in lexicon.postcodes
        or code.upper() in lexicon.trains
        or re.fullmatch(r"tr\d{4}", code, re.IGNORECASE) is not None
    )
