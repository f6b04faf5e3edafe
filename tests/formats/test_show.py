"""What is learned can be seen, on a terminal and on a page, and text stays text."""

import io
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from coalm.formats import Piece, format_of
from coalm.formats.show import harmless, legend, lines_for_terminal, page, visible
from coalm.formats.tokens import ByteTokenizer
from coalm.types import Assistant, Dialogue, Observation, ToolCall, User

HOSTILE = "<script>alert(1)</script> [red]x[/red] \x1b[31mred\x1b]0;title\x07 &amp;"
DIALOGUE = Dialogue(
    (
        User(HOSTILE),
        Assistant("", "Look it up.", (ToolCall("find", {"to": "ely"}),)),
        Observation("TR9", "find"),
        Assistant("TR9."),
    )
)
EXAMPLES = format_of("chatml", "react").examples(DIALOGUE)


def learned(painted: str) -> list[str]:
    return re.findall(r"⟦(.*?)⟧", painted, re.DOTALL)


def test_learned_text_stands_between_signs_with_its_end_marker() -> None:
    assert learned(lines_for_terminal(EXAMPLES[0]).plain) == [
        "Thought: Look it up.\nAction: find(to='ely')<|im_end|>",
        "System: TR9.<|im_end|>",
    ]


def test_without_the_signs_nothing_but_the_text_is_left() -> None:
    painted = lines_for_terminal(EXAMPLES[0]).plain
    whole = "".join(piece.text for piece in EXAMPLES[0])
    assert painted.replace("⟦", "").replace("⟧", "") == visible(whole)


def test_a_terminal_shows_colours_but_obeys_no_escape_of_the_data() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=200)
    console.print(lines_for_terminal(EXAMPLES[0]))
    console.print(legend())
    assert "\x1b]0;title" not in out.getvalue()
    assert "[red]x[/red]" in out.getvalue()
    assert "⟨U+001B⟩[31mred⟨U+001B⟩]0;title⟨U+0007⟩" in out.getvalue()


class Reader(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.marked = 0
        self.learned: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(v) for k, v in attrs if k in ("src", "href")]
        if tag == "mark":
            self.marked += 1
            self.learned.append("")

    def handle_endtag(self, tag: str) -> None:
        self.marked -= tag == "mark"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.marked:
            self.learned[-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_a_page_marks_what_is_learned_and_asks_nobody_for_anything() -> None:
    html = page([("snips/1", EXAMPLES)], "What is learned")
    seen = read(html)

    assert seen.learned[1:] == [
        "⟦Thought: Look it up.\nAction: find(to='ely')<|im_end|>⟧",
        "⟦System: TR9.<|im_end|>⟧",
    ]
    assert seen.links == []
    assert "script" not in seen.tags
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html


def test_a_page_counts_tokens_when_it_is_given_a_tokenizer() -> None:
    pieces = [Piece("<|s|>", control=True), Piece("abc"), Piece("defghi", learned=True)]
    html = page([("a", [pieces]), ("b", [pieces, pieces])], "t", ByteTokenizer())
    assert html.count("10 tokens, 6 learned (60%)") == 3
    assert "text 2 of 2, 10 tokens" in html
    assert "tokens" not in page([("a", [pieces])], "t")


def test_an_empty_page_says_so() -> None:
    assert "nothing to show" in page([], "t")
    assert page([("a", [[]])], "t", ByteTokenizer()).count("0 tokens, 0 learned<") == 1


@given(st.text(), st.text())
def test_any_text_survives_the_page_as_text(name: str, text: str) -> None:
    plain = page([], "t")
    html = page([(name, [[Piece(text, learned=True)]])], name)
    seen = read(html)
    extra = {"h2", "pre", "section", "mark", "b"}
    assert set(seen.tags) <= set(read(plain).tags) | extra
    if text:
        assert seen.learned[1] == f"⟦{visible(text)}⟧"


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m31A\x07\\\x9b\x00\r\nab\u202e\ud800")))
def test_harmless_text_has_no_control_left(text: str) -> None:
    clean = harmless(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", clean)
    assert harmless(clean) == clean
    clean.encode()


def test_whole_escape_sequences_go_and_words_stay() -> None:
    assert harmless("a\x1b[2J\x1b[1;31mb\x1b]8;;http://x\x1b\\c\x1b]52;c;aGk=\x07d\te\r\nf") == (
        "abcd\te\nf"
    )


def test_ordinary_text_of_any_script_is_shown_as_it_is() -> None:
    for told in ("naïve 漢字 🙂\n\ttab", "می‌خواهم", "👩‍👩‍👧"):
        assert visible(told) == harmless(told) == told


@pytest.mark.parametrize(
    ("hidden", "sign"),
    [
        ("\x1b", "⟨U+001B⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\u2060", "⟨U+2060⟩"),
    ],
)
def test_what_hides_in_a_text_is_written_out(hidden: str, sign: str) -> None:
    assert visible(f"a{hidden}b") == f"a{sign}b"
    assert "b" in harmless(f"a{hidden}\nb")


@given(st.text(st.characters()))
def test_what_is_visible_can_be_written_and_shown_anywhere(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert visible(shown) == shown
    assert all(c.isprintable() or c in "\t\n" or unicodedata.category(c) != "Cc" for c in shown)
