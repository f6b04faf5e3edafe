"""Whether the work that a text makes grows with its length or with the square of it."""

import gc
import time
from collections.abc import Callable, Iterator

UNITS = (
    *"[({'\"`<\\-~ \n\r9#=,",
    "not ",
    "a.",
    "a**",
    "lambda:",
    "[ ",
    "f(",
    "f(a=",
    "f(a=[",
    "f(a={'a':",
    "f(a=1),",
    "f(a='\\",
    '{"a":',
    '{"a":[',
    '{"a": {}, ',
    '[{"name":',
    '[{"name": "f", "arguments": {"a": ',
    "<tool_call>",
    "<tool_call>{",
    "</tool_call>",
    "<execute>",
    "<execute>f(a=1)</execute>",
    "<function_call>",
    "print(",
    "x = ",
    '{"tool_calls": [',
    "<think>",
    "\nAction: ",
    "\nAction: f(",
    "\nThought: ",
    "```",
    "\0",
    "\ud800",
    "0x",
    "'a' ",
    "f'{",
    "\\N{",
    "1,",
    "a=",
)
"""What an adversary repeats."""
AROUND = (
    ("", ""),
    ("[", "]"),
    ("[", "x"),
    ("[f(a=", ")]"),
    ("[f(", "=1)]"),
    ("Action: ", "(a=1)"),
    ('{"a": ', "}"),
    ('[{"name": "f", "arguments": {"a": "', '"}}]'),
    ("<tool_call>", "</tool_call>"),
    ("x\n[", "]"),
    ("<execute>", "</execute>"),
    ("<execute>print(f(a=", "))</execute>"),
    ("<function_call>", "</function_call>"),
    ('{"tool_calls": [{"function": {"name": "f", "arguments": "', '"}}]}'),
    ("```\n", "\n```"),
)
"""What is put before and behind it."""

LENGTH = 10_000
"""Characters of an adversary's text."""
INSTANT = 0.01
"""Seconds below which a clock tells nothing."""


def texts(length: int) -> Iterator[str]:
    """Each unit, over and over, in each surrounding; the same ones in the same order."""
    for unit in UNITS:
        for before, behind in AROUND:
            yield before + unit * (length // len(unit)) + behind


def steep(read: Callable[[str], object], short: str, long: str) -> bool:
    """Whether a text of four times the length takes more than eight times as long.

    What is over in no time is not steep; a suspicion must hold five times in a row.
    """
    if _seconds(read, long, 1) < INSTANT:
        return False
    return all(_looks_steep(read, short, long) for _ in range(5))


def _looks_steep(read: Callable[[str], object], short: str, long: str) -> bool:
    after = _seconds(read, long, 3)
    return after > INSTANT and after > 8 * _seconds(read, short, 3)


def _seconds(read: Callable[[str], object], text: str, times: int) -> float:
    """The shortest processor time of so many tries, the garbage of other tests left alone."""
    taken = []
    gc.disable()
    try:
        for _ in range(times):
            begun = time.process_time()
            read(text)
            taken.append(time.process_time() - begun)
    finally:
        gc.enable()
    return min(taken)
