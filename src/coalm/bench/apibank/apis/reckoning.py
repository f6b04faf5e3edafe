"""Formulas of whole numbers, worked out without running anything: + - * / and brackets."""

import re

from coalm.bench.apibank.apis.base import Refused

DEEPEST = 40
"""Brackets within brackets."""
_PIECE = re.compile(r"\d+|[-+*/()]")


def reckoned(formula: str) -> float:
    """The value; `Refused` for what is no formula of whole numbers with an operator in it."""
    text = formula.replace(" ", "")
    pieces = _PIECE.findall(text)
    if "".join(pieces) != text or not set("+-*/") & set(text) or len(text) > 400:
        raise Refused("no formula")
    try:
        value, rest = _sum(pieces, 0, 0)
    except (ZeroDivisionError, OverflowError, IndexError):
        raise Refused("no formula") from None
    if rest != len(pieces):
        raise Refused("no formula")
    return value


def _sum(pieces: list[str], place: int, depth: int) -> tuple[float, int]:
    value, place = _product(pieces, place, depth)
    while place < len(pieces) and pieces[place] in "+-":
        other, after = _product(pieces, place + 1, depth)
        value, place = (value + other if pieces[place] == "+" else value - other), after
    return value, place


def _product(pieces: list[str], place: int, depth: int) -> tuple[float, int]:
    value, place = _one(pieces, place, depth)
    while place < len(pieces) and pieces[place] in "*/":
        other, after = _one(pieces, place + 1, depth)
        value, place = (value * other if pieces[place] == "*" else value / other), after
    return value, place


def _one(pieces: list[str], place: int, depth: int) -> tuple[float, int]:
    piece = pieces[place]
    if piece.isdigit():
        return float(piece), place + 1
    if piece != "(" or depth >= DEEPEST:
        raise Refused("no formula")
    value, after = _sum(pieces, place + 1, depth + 1)
    if pieces[after] != ")":
        raise Refused("no formula")
    return value, after + 1
