"""Paints what a model learns of a text: for a terminal, and as one HTML page.

Colour is never the only sign: learned text stands between ⟦ and ⟧. Text from a corpus
or a model is shown as it is, but can neither steer a terminal nor become markup.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from coalm.formats.pieces import Piece, Tokenizer, encode

if TYPE_CHECKING:
    from rich.text import Text

OPEN, CLOSE = "⟦", "⟧"
"""The signs around learned text."""

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]"  # the short ones
)
_CONTROL = re.compile(
    # all but tab and line break; signs that reverse or hide text, and the tags that are text
    # nobody sees; halves of characters
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def harmless(text: str) -> str:
    """The text without anything that could steer a terminal; tabs and line breaks stay."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def visible(text: str) -> str:
    """The text with a sign in place of each control character, for whoever looks for them.

    `⟨U+001B⟩` for escape: it can be shown anywhere, written to any file, and stand in any
    markup. (The signs that Unicode has for controls are in few fonts.)
    """
    return _CONTROL.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def lines_for_terminal(example: Sequence[Piece]) -> "Text":
    """One training text: learned parts on green between ⟦ and ⟧, markers in magenta."""
    from rich.text import Text

    painted = Text()
    for learned, pieces in _runs(example):
        painted.append(OPEN if learned else "", style="bold green")
        for piece in pieces:
            painted.append(visible(piece.text), style=_style(piece))
        painted.append(CLOSE if learned else "", style="bold green")
    return painted


def legend() -> "Text":
    """What the colours and signs of `lines_for_terminal` mean, on one line."""
    from rich.text import Text

    return Text.assemble(
        (OPEN, "bold green"),
        ("learned", "bold black on green"),
        (CLOSE, "bold green"),
        "   ",
        ("<|marker|>", "dim magenta"),
        "   shown, not learned",
    )


def _style(piece: Piece) -> str:
    # Black on green reads well on dark and on light terminals alike.
    if piece.learned:
        return "bold underline black on green" if piece.control else "bold black on green"
    return "dim magenta" if piece.control else ""


def _runs(example: Sequence[Piece]) -> Iterator[tuple[bool, Iterator[Piece]]]:
    """Neighbouring pieces that are learned, or not, together; empty ones are left out."""
    return groupby((p for p in example if p.text), key=lambda piece: piece.learned)


def page(
    samples: Iterable[tuple[str, list[list[Piece]]]],
    title: str,
    tokenizer: Tokenizer | None = None,
) -> str:
    """A self-contained HTML page of samples: each a name and its training texts.

    With a tokenizer, every text says how many of its tokens are learned.
    """
    body = "\n".join(_section(name, examples, tokenizer) for name, examples in samples)
    name = html.escape(visible(title))
    before, after = _PAGE.split("%BODY%")
    return before.replace("%TITLE%", name) + (body or _NOTHING) + after


def _section(name: str, examples: list[list[Piece]], tokenizer: Tokenizer | None) -> str:
    parts = [f"<section>\n<h2>{html.escape(visible(name))}</h2>"]
    for number, example in enumerate(examples, 1):
        said = [f"text {number} of {len(examples)}"] if len(examples) > 1 else []
        if tokenizer is not None:
            said.append(_counts(example, tokenizer))
        if said:
            parts.append(f'<p class="count">{", ".join(said)}</p>')
        parts.append(f"<pre>{_painted(example)}</pre>")
    return "\n".join([*parts, "</section>"])


def _counts(example: Sequence[Piece], tokenizer: Tokenizer) -> str:
    encoded = encode(example, tokenizer)
    total, learned = len(encoded.ids), sum(encoded.learned)
    share = f" ({100 * learned / total:.0f}%)" if total else ""
    return f"{total:,} tokens, {learned:,} learned{share}"


def _painted(example: Sequence[Piece]) -> str:
    parts = []
    for learned, pieces in _runs(example):
        inside = "".join(_element(piece) for piece in pieces)
        parts.append(f"<mark><b>{OPEN}</b>{inside}<b>{CLOSE}</b></mark>" if learned else inside)
    return "".join(parts)


def _element(piece: Piece) -> str:
    text = html.escape(visible(piece.text))
    return f"<i>{text}</i>" if piece.control else text


_NOTHING = "<p>There is nothing to show.</p>"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%TITLE%</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1b1f; --soft: #5c5c66;
  --box: #f5f5f7; --learned: #c9f2d0; --edge: #14702c; --marker: #8a1c8f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16161a; --ink: #e8e8ee; --soft: #a5a5b2; --box: #1f1f26;
    --learned: #164a25; --edge: #7fe39a; --marker: #e39ce8; } }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; overflow-wrap: anywhere; }
.count, .legend { color: var(--soft); font-size: .9rem; }
pre { background: var(--box); padding: .8rem; border-radius: .4rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, monospace; }
mark { background: var(--learned); color: inherit; border-bottom: 2px solid var(--edge); }
mark b { color: var(--edge); } i { color: var(--marker); font-style: normal; }
</style>
</head>
<body>
<h1>%TITLE%</h1>
<p class="legend"><mark><b>⟦</b>learned<b>⟧</b></mark> &nbsp; <i>&lt;|marker|&gt;</i>
&nbsp; everything else is shown to the model and not learned</p>
%BODY%
</body>
</html>
"""
