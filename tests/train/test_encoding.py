"""Samples become ids and labels: exactly what the format says is learned."""

import pytest

from coalm.errors import DataError
from coalm.formats import format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.train.encoding import IGNORED, encode_samples
from coalm.types import Assistant, Dialogue, Sample, ToolCall, User

TALK = Dialogue(
    (User("hi"), Assistant("hello"), User("call"), Assistant(calls=(ToolCall("f", {}),)))
)


def rows(*samples: Sample, longest: int = 10_000, dialect: str = "json", rows: bool = False):  # type: ignore[no-untyped-def]
    return encode_samples(
        samples, ByteTokenizer(), layout="chatml", dialect=dialect, rows=rows, longest=longest
    )


def test_labels_are_the_ids_that_are_learned_and_ignored_elsewhere() -> None:
    encoded = rows(Sample("a", "x", TALK))
    columns = encoded.columns()
    [ids], [labels] = columns["input_ids"], columns["labels"]
    kept = [i for i in labels if i != IGNORED]
    assert all(label in (IGNORED, i) for i, label in zip(ids, labels, strict=True))
    end = ids[-2]  # the end marker, before the last line break
    assert bytes(i for i in kept if i < 256) == b'hello[{"name": "f", "arguments": {}}]'
    assert kept.count(end) == 2
    assert encoded.learned == len(kept)
    assert encoded.tokens == len(ids)


def test_a_sample_is_written_in_its_own_dialect() -> None:
    own, other = rows(Sample("a", "x", TALK, dialect="react")), rows(Sample("a", "x", TALK))
    assert own != other
    assert own == rows(Sample("a", "x", TALK), dialect="react")


def test_a_row_that_is_too_long_is_left_out_whole_and_counted() -> None:
    encoded = rows(Sample("a", "x", TALK), Sample("b", "x", TALK), longest=20)
    assert (len(encoded.rows), encoded.too_long) == (0, 2)


def test_a_row_without_anything_to_learn_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="row 'b' has nothing to learn"):
        rows(Sample("a", "x", TALK), Sample("b", "x", Dialogue((User("hi"),))))


def test_the_papers_rows_are_one_for_each_assistant_turn() -> None:
    encoded = rows(Sample("a", "x", TALK), rows=True)
    assert len(encoded.rows) == 2
    whole = format_of("chatml", "json", rows=True).examples(TALK)
    assert len(whole) == 2
