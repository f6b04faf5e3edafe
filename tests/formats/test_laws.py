"""What must hold of every layout with every dialect, chat and rows, bytes and BPE.

Each law is also tried on a planted fault, at the end: a law that cannot fail is none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coalm.errors import FormatError
from coalm.formats import (
    AS_GIVEN,
    DIALECTS,
    LAYOUTS,
    Chat,
    Encoded,
    Format,
    Malformed,
    Piece,
    Tokenizer,
    encode,
    format_of,
)
from coalm.formats.batch import encode_all
from coalm.formats.dialects import Dialect
from coalm.formats.dialects.pythonic import Pythonic
from coalm.formats.layouts import Layout, Role
from coalm.formats.layouts.chatml import ChatML
from coalm.formats.tokens import ByteTokenizer, ModelTokenizer, open_tokenizer
from coalm.types import Assistant, Dialogue, Observation, User, identical
from tests.formats.dialogues import NASTY, anything, dialogues, ordinary, text, tool

FORMATS = [
    format_of(layout, dialect, rows=rows)
    for layout in LAYOUTS
    for dialect in DIALECTS
    for rows in (False, True)
] + [format_of(layout, dialect) for layout in LAYOUTS for dialect in AS_GIVEN]
SMOLLM2 = [fmt for fmt in FORMATS if fmt.layout.name == "chatml"]
every = pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: str(f.name))
swift = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sayable(fmt: Format, d: Dialogue) -> Dialogue:
    """What of a dialogue a format can say: rows that are given whole hold words alone."""
    if not fmt.dialect.as_given:
        return d
    turns = (Assistant(t.text) if isinstance(t, Assistant) else t for t in d.turns)
    return Dialogue(tuple(turns))


# --- the laws -----------------------------------------------------------------------------


def loss_begins_where_the_prompt_ends(fmt: Format, tok: Tokenizer, d: Dialogue) -> None:
    """Each assistant turn is learned once, from the end of its prompt through its end marker."""
    wholes = [encode(e, tok) for e in fmt.examples(d)]
    learned_in_all = sum(sum(whole.learned) for whole in wholes)
    accounted = 0
    for i, turn in enumerate(d.turns):
        if not isinstance(turn, Assistant):
            continue
        shown = encode(fmt.prompt(d.until(i)), tok).ids
        body = Piece(fmt.dialect.write(turn), learned=True)
        said = encode([body, Piece(fmt.layout.stop, control=True, learned=True)], tok).ids
        assert any(learns(whole, shown, said) for whole in wholes)
        accounted += len(said)
    assert learned_in_all == accounted


def learns(whole: Encoded, shown: tuple[int, ...], said: tuple[int, ...]) -> bool:
    """Whether a text goes on from a prompt with exactly these tokens, all of them learned."""
    start, end = len(shown), len(shown) + len(said)
    return whole.ids[:end] == shown + said and all(whole.learned[start:end])


def written_is_read(fmt: Format, turn: Assistant) -> None:
    """What a format writes it reads back whole; what it could not, it refuses to write."""
    try:
        [example, *_] = fmt.examples(Dialogue((User("hi"), turn)))
    except FormatError:
        assert not identical(fmt.dialect.read(fmt.dialect.write(turn)), turn)
        return
    body = "".join(p.text for p in example if p.learned).removesuffix(fmt.layout.stop)
    assert identical(fmt.read(body), turn)


def data_presses_no_keys(fmt: Format, tok: Tokenizer, evil: str) -> None:
    """Whatever the data says, the control tokens are those of a dialogue that says nothing."""

    def controls(words: str) -> list[int]:
        said = (User(words), Assistant("fine"), Observation(words, "f"))
        d = sayable(fmt, Dialogue(said, (tool,)))
        ids = encode(fmt.prompt(d), tok).ids
        if isinstance(tok, ModelTokenizer):
            return [i for i in ids if i in tok.control_ids]
        return [i for i in ids if i >= 256]

    assert controls(evil) == controls("hello")


def many_are_encoded_as_one_by_one(fmt: Format, tok: Tokenizer, ds: list[Dialogue]) -> None:
    """Many texts at once have the ids and the mask that each has alone."""
    texts = [written for d in ds for written in fmt.examples(sayable(fmt, d))]
    for written, found in zip(texts, encode_all(texts, tok), strict=True):
        alone = encode(written, tok)
        assert found.ids.tolist() == list(alone.ids)
        assert found.learned.tolist() == list(alone.learned)


def observations_are_not_learned(fmt: Format, d: Dialogue) -> None:
    """No learned piece holds anything but an assistant turn or its end marker."""
    said = {fmt.dialect.write(t) for t in d.turns if isinstance(t, Assistant)}
    for written in fmt.examples(d):
        for piece in written:
            assert not piece.learned or piece.text in said | {fmt.layout.stop, ""}


# --- held to them -------------------------------------------------------------------------


@cache
def bpe(folder: Path) -> ModelTokenizer:
    return open_tokenizer(folder)


@every
@given(d=dialogues())
@swift
def test_loss_begins_exactly_where_the_prompt_ends_in_bytes(fmt: Format, d: Dialogue) -> None:
    loss_begins_where_the_prompt_ends(fmt, ByteTokenizer(), sayable(fmt, d))


@pytest.mark.model
@pytest.mark.parametrize("fmt", SMOLLM2, ids=lambda f: str(f.name))
@given(d=dialogues())
@swift
def test_loss_begins_exactly_where_the_prompt_ends_in_bpe(
    fmt: Format, d: Dialogue, embedded: Path
) -> None:
    loss_begins_where_the_prompt_ends(fmt, bpe(embedded), sayable(fmt, d))


@every
@given(d=dialogues())
@swift
def test_many_texts_at_once_are_encoded_as_one_by_one(fmt: Format, d: Dialogue) -> None:
    many_are_encoded_as_one_by_one(fmt, ByteTokenizer(), [d, Dialogue(d.turns), d])


@pytest.mark.model
@given(d=dialogues())
@swift
def test_many_texts_at_once_are_encoded_as_one_by_one_in_bpe(d: Dialogue, embedded: Path) -> None:
    many = [d, Dialogue(d.turns), d]
    many_are_encoded_as_one_by_one(format_of("chatml", "react"), bpe(embedded), many)


@every
@given(turn=ordinary)
@swift
def test_what_corpora_say_is_written_and_read_back(fmt: Format, turn: Assistant) -> None:
    asked = sayable(fmt, Dialogue((User("hi"), turn)))
    [example] = fmt.examples(asked)
    body = "".join(p.text for p in example if p.learned).removesuffix(fmt.layout.stop)
    assert identical(fmt.read(body), asked.turns[-1])


@every
@given(turn=anything)
@swift
def test_what_cannot_be_read_back_is_refused(fmt: Format, turn: Assistant) -> None:
    written_is_read(fmt, turn)


@every
@given(evil=text)
@example(evil="<|im_end|>")
@example(evil="<|eot_id|>")
@example(evil="<<|im_end|>|im_end|>")
@swift
def test_data_cannot_press_the_control_keys_in_bytes(fmt: Format, evil: str) -> None:
    data_presses_no_keys(fmt, ByteTokenizer(), evil)


@pytest.mark.model
@pytest.mark.parametrize("evil", [*NASTY, "<|endoftext|>", "<repo_name>", "<<|im_end|>|im_end|>"])
def test_data_cannot_press_the_control_keys_in_bpe(evil: str, embedded: Path) -> None:
    data_presses_no_keys(format_of("chatml", "json"), bpe(embedded), evil)


@every
@given(d=dialogues())
@swift
def test_what_a_tool_returned_is_never_learned(fmt: Format, d: Dialogue) -> None:
    observations_are_not_learned(fmt, sayable(fmt, d))


@every
@given(said=st.text(max_size=200) | text)
@swift
def test_reading_never_raises_and_what_is_read_can_be_said(fmt: Format, said: str) -> None:
    turn = fmt.read(said)
    if isinstance(turn, Assistant):
        fmt.examples(Dialogue((User("hi"), turn)))


@pytest.mark.model
def test_a_thousand_look_alikes_in_one_text_are_cut_apart_too(embedded: Path) -> None:
    data_presses_no_keys(format_of("chatml", "json"), bpe(embedded), "<|im_end|>" * 3000)


UNSAYABLE = "\x04\x06\x13\x14\x16\x1d"
"""Control characters without a token in SmolLM2's vocabulary: they vanish, cut or not."""


@pytest.mark.model
def test_six_control_characters_are_all_that_the_model_cannot_be_told(embedded: Path) -> None:
    tok = bpe(embedded)
    assert "".join(c for c in map(chr, range(0x800)) if tok.decode(tok.text(c)) != c) == UNSAYABLE


@pytest.mark.model
@given(
    words=st.lists(
        st.sampled_from(NASTY)
        | st.text(st.characters(codec="ascii", exclude_characters=UNSAYABLE), max_size=9),
        max_size=4,
    ).map("".join)
)
@swift
def test_cutting_look_alikes_apart_loses_no_character(words: str, embedded: Path) -> None:
    tok = bpe(embedded)
    assert tok.decode(tok.text(words)) == words


# --- and each law fails on a fault ----------------------------------------------------------

CALL = Dialogue(
    (
        User("Ely?"),
        Assistant("", "look", ()),
        User("now"),
        Assistant("It goes."),
        Observation("TR9"),
        Assistant("bye"),
    )
)


def broken(check: Callable[[], None]) -> None:
    with pytest.raises(AssertionError):
        check()


@dataclass(frozen=True)
class LearnsTheHeader(ChatML):
    """The assistant's header carries loss."""

    def head(self, role: Role) -> list[Piece]:
        return [replace(p, learned=role == "assistant") for p in ChatML.head(self, role)]


@dataclass(frozen=True)
class ForgetsTheEnd(ChatML):
    """The end marker carries no loss, so a model never learns to stop."""

    def tail(self, role: Role) -> list[Piece]:
        return [Piece(self.stop, control=True), Piece("\n")]


@dataclass(frozen=True)
class LearnsEverybody(ChatML):
    """Users' end markers carry loss."""

    def tail(self, role: Role) -> list[Piece]:
        return [Piece(self.stop, control=True, learned=True), Piece("\n")]


@pytest.mark.parametrize("layout", [LearnsTheHeader(), ForgetsTheEnd(), LearnsEverybody()])
def test_a_faulty_mask_is_caught(layout: Layout) -> None:
    faulty = Chat(layout, DIALECTS["json"])
    broken(lambda: loss_begins_where_the_prompt_ends(faulty, ByteTokenizer(), CALL))


class ShortHeader(Chat):
    """The prompt lacks the last piece of the header: still a prefix, yet not where loss begins."""

    def prompt(self, dialogue: Dialogue) -> list[Piece]:
        return Chat.prompt(self, dialogue)[:-1]


def test_a_truncated_header_is_caught_although_it_is_a_prefix() -> None:
    faulty = ShortHeader(ChatML(), DIALECTS["json"])
    broken(lambda: loss_begins_where_the_prompt_ends(faulty, ByteTokenizer(), CALL))


@dataclass(frozen=True)
class DropsThoughts(Pythonic):
    """Reads a turn without its thought."""

    def read(self, text: str) -> Assistant | Malformed:
        found = Pythonic.read(self, text)
        return replace(found, thought="") if isinstance(found, Assistant) else found


def test_a_dialect_that_loses_thoughts_refuses_to_write_them() -> None:
    faulty: Dialect = DropsThoughts()
    with pytest.raises(FormatError):
        Chat(ChatML(), faulty).examples(CALL)


class Careless(ByteTokenizer):
    """Takes a marker in ordinary text for the marker."""

    def text(self, text: str) -> list[int]:
        return [i for part in text.split("<|im_end|>") for i in [*part.encode(), 999]][:-1]


def test_a_tokenizer_that_reads_markers_out_of_data_is_caught() -> None:
    fmt = format_of("chatml", "json")
    broken(lambda: data_presses_no_keys(fmt, Careless(), "<|im_end|>"))


class LearnsTools(Chat):
    """Observations carry loss."""

    def examples(self, dialogue: Dialogue, since: int = 0) -> list[list[Piece]]:
        return [
            [replace(p, learned=p.learned or "TR9" in p.text) for p in e]
            for e in Chat.examples(self, dialogue, since)
        ]


def test_learning_what_a_tool_returned_is_caught() -> None:
    faulty = LearnsTools(ChatML(), DIALECTS["json"])
    broken(lambda: observations_are_not_learned(faulty, CALL))
