"""Dialogues that are too long lose their oldest turns and no answer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm import shards
from coalm.formats import format_of
from coalm.formats.batch import encode_all
from coalm.formats.dialects import dialect
from coalm.formats.tokens import ByteTokenizer
from coalm.train.rows.encoding import IGNORED, EncodedRows, Encoding, encode_split
from coalm.train.rows.shorten import Parts, shorten
from coalm.types import Assistant, Dialogue, Observation, Sample, System, ToolCall, Turn, User

LENGTHS = st.integers(0, 12)


@st.composite
def dialogues(draw: st.DrawFn) -> Dialogue:
    """Talks with and without an operator, with tools used between a question and its answer."""
    turns: list[Turn] = [System("s" * draw(LENGTHS))] if draw(st.booleans()) else []
    if draw(st.booleans()):
        turns.append(Assistant("g" * draw(LENGTHS)))
    for number in range(draw(st.integers(1, 6))):
        turns.append(User(f"{number}" + "u" * draw(LENGTHS)))
        for _ in range(draw(st.integers(0, 2))):
            turns.append(Assistant(calls=(ToolCall("f", {"n": draw(LENGTHS)}),)))
            turns.append(Observation("o" * draw(LENGTHS), tool="f"))
        turns.append(Assistant(f"{number}" + "a" * draw(LENGTHS)))
    return Dialogue(tuple(turns))


def letters(dialogue: Dialogue, since: int) -> int:
    """A length that is easily counted by hand: each turn its text, or 10 for a call."""
    assert isinstance(dialogue.turns[since], Assistant)
    return sum(
        10 if isinstance(turn, Assistant) and turn.calls else len(turn.text)
        for turn in dialogue.turns
    )


def cut(dialogue: Dialogue, room: int, history: int | None = None, since: int = 0) -> Parts:
    return shorten(dialogue, letters, room=room, history=history or room // 2, since=since)


@given(dialogues(), st.integers(1, 120), st.integers(1, 120))
def test_each_answer_is_learned_once_in_order_or_counted_as_lost(
    dialogue: Dialogue, room: int, history: int
) -> None:
    made = cut(dialogue, room, history)
    learned = [
        turn
        for part in made.parts
        for turn in part.dialogue.turns[part.since :]
        if isinstance(turn, Assistant)
    ]
    whole = [turn for turn in dialogue.turns if isinstance(turn, Assistant)]
    rest = iter(whole)
    assert all(any(turn is other for other in rest) for turn in learned)
    assert len(learned) + made.lost == len(whole)


@given(dialogues(), st.integers(1, 120), st.integers(1, 120))
def test_a_part_fits_and_is_the_end_of_what_was_said_so_far(
    dialogue: Dialogue, room: int, history: int
) -> None:
    opening = [turn for turn in dialogue.turns if isinstance(turn, System)]
    said = dialogue.turns[len(opening) :]
    for part in cut(dialogue, room, history).parts:
        turns = part.dialogue.turns
        assert letters(part.dialogue, part.since) <= room
        assert list(turns[: len(opening)]) == opening
        after = turns[len(opening) :]
        assert after == said[part.dropped : part.dropped + len(after)]
        assert part.dropped == 0 or isinstance(after[0], User)


@given(dialogues())
def test_what_fits_is_left_as_it_is(dialogue: Dialogue) -> None:
    [part] = cut(dialogue, letters(dialogue, len(dialogue.turns) - 1)).parts
    assert (part.dialogue, part.dropped) == (dialogue, 0)


def talk(*lengths: int) -> Dialogue:
    turns: list[Turn] = [System("sys")]
    for n in lengths:
        turns += [User("u" * n), Assistant("a" * n)]
    return Dialogue(tuple(turns))


def test_the_first_part_takes_all_that_fits_and_later_ones_share_their_room() -> None:
    made = cut(talk(5, 5, 5, 5), 3 + 25)
    assert [(part.dropped, part.since, len(part.dialogue.turns)) for part in made.parts] == [
        (0, 2, 5),  # two exchanges, 23 of 28
        (4, 2, 5),  # the third with the system's words takes 13 of the 14 for history
    ]
    full = cut(talk(5, 5, 5, 5), 3 + 25, history=3 + 25)
    assert [(part.dropped, part.since) for part in full.parts] == [(0, 2), (2, 4), (4, 4)]


def test_an_answer_that_never_fits_is_lost_alone() -> None:
    made = cut(talk(3, 30, 3), 20)
    assert made.lost == 1
    assert [part.dialogue.turns[1:] for part in made.parts] == [
        (User("uuu"), Assistant("aaa")),
        (User("uuu"), Assistant("aaa")),
    ]


def test_answers_before_a_turn_are_not_learned() -> None:
    made = cut(talk(3, 3, 3), 12, since=6)
    assert [(part.dropped, part.since) for part in made.parts] == [(4, 2)]


# --- in the encoded rows ------------------------------------------------------------------

EXCHANGES = [(User(f"question {n}"), Assistant(f"answer {n}.")) for n in range(8)]
LONG = Dialogue((System("Be brief."), *(turn for pair in EXCHANGES for turn in pair)))


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


def encoded(folder: Path, longest: int, *, rows: bool = False, shorter: bool = True) -> EncodedRows:
    samples = [Sample("long", "x", LONG), Sample("short", "x", LONG.until(3))]
    shards.write_samples(folder / shards.shard_name("train", 0, 1), samples)
    return encode_split(folder, "train", Encoding(None, "chatml", "json", rows, longest, shorter))


def texts(found: EncodedRows) -> list[tuple[str, str]]:
    """Of each row: what is read, and what is learned."""
    data = found.dataset()
    return [
        (
            bytes(i for i in ids if i < 256).decode(),
            bytes(i for i in labels if i != IGNORED and i < 256).decode(),
        )
        for ids, labels in zip(data["input_ids"], data["labels"], strict=True)
    ]


@pytest.mark.parametrize("layout", ["chatml", "llama3", "mistral", "granite", "qwen"])
@pytest.mark.parametrize("rows", [False, True])
def test_a_format_learns_from_a_turn_on_what_it_would_learn_of_it_anyway(
    layout: str, rows: bool
) -> None:
    fmt = format_of(layout, "json", rows=rows)
    tokenizer = ByteTokenizer()
    whole = list(encode_all(fmt.examples(LONG), tokenizer))
    for since in range(len(LONG.turns)):
        late = list(encode_all(fmt.examples(LONG, since), tokenizer))
        if rows:
            assert [t.ids.tolist() for t in late] == [
                t.ids.tolist() for t in whole[len(whole) - len(late) :]
            ]
            assert len(late) == sum(isinstance(turn, Assistant) for turn in LONG.turns[since:])
            continue
        [one], [all_] = late, whole
        assert one.ids.tolist() == all_.ids.tolist()
        first = fmt.examples(LONG.until(since)) if since else [[]]
        [before] = encode_all(first, tokenizer)
        assert one.learned.sum() == all_.learned.sum() - before.learned.sum()
        assert not one.learned[: len(before.ids)].any()


@pytest.mark.parametrize("rows", [False, True])
def test_every_answer_of_a_row_that_is_too_long_is_learned_once(tmp_path: Path, rows: bool) -> None:
    whole = encoded(tmp_path, 10_000, rows=rows)
    found = encoded(tmp_path, 160, rows=rows)
    assert sorted("".join(learned for _, learned in texts(found))) == sorted(
        "".join(learned for _, learned in texts(whole))
    )
    assert all(read.count("Be brief.") == 1 for read, _ in texts(found))
    assert max(map(len, found.dataset()["input_ids"])) <= 160
    assert found.shortened
    assert found.turns_dropped
    assert not found.too_long
    assert (whole.shortened, whole.turns_dropped, whole.too_long) == (0, 0, 0)


def test_rows_are_left_out_whole_where_that_is_asked_for(tmp_path: Path) -> None:
    found = encoded(tmp_path, 160, shorter=False)
    assert (found.rows, found.too_long, found.shortened) == (1, 1, 0)


def test_the_thought_and_the_call_beside_it_stay_together(tmp_path: Path) -> None:
    call = Assistant("", "I look it up.", (ToolCall("f", {"x": 1}),))
    dialogue = Dialogue((*LONG.turns, User("and now?"), call))
    sample = Sample("a", "x", dialogue, dialect="react")
    shards.write_samples(tmp_path / shards.shard_name("train", 0, 1), [sample])
    how = Encoding(None, "chatml", "react", False, 200)
    [*_, (_, learned)] = texts(encode_split(tmp_path, "train", how))
    assert learned.endswith(dialect("react").write(call))
