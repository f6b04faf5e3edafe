"""The audit: samples of any file beside their dialogues, counted by reason."""

from dataclasses import replace

import pytest

from coalm.corpora import sgd
from coalm.cra.annotated import read
from coalm.cra.audit import Tally, annotations, is_cra, line, samples
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, Sample, ToolCall

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(MINIATURE / "sgd/train")


def _broken(sample: Sample) -> Sample:
    turns = [
        replace(t, calls=(ToolCall("FlyAway", {}),)) if isinstance(t, Assistant) and t.calls else t
        for t in sample.dialogue.turns
    ]
    return replace(sample, dialogue=replace(sample.dialogue, turns=tuple(turns)))


def test_the_annotations_of_the_miniature_are_sound() -> None:
    tally = Tally()
    for one in annotations(MINI):
        tally.add(one)
    assert (tally.rows, tally.rejected) == (8, 0)


def test_a_file_of_samples_is_held_against_the_same_dialogues_in_any_order() -> None:
    rows = list(read(MINI))[::-1]
    found = {one.sample.id: one.findings for one in samples(MINI, [*rows[1:], _broken(rows[0])])}

    assert len(found) == 8
    assert found[rows[0].id][0].kind == "undefined call"
    assert not any(findings for id, findings in found.items() if id != rows[0].id)


def test_two_samples_of_one_dialogue_are_both_looked_at() -> None:
    sample = next(read(MINI))
    twice = [sample, replace(sample, id=f"{sample.id}#2")]
    assert [one.findings for one in samples(MINI, twice)] == [(), ()]


@pytest.mark.parametrize(
    ("id", "note"),
    [
        ("sgd-cra/train/99_99999", "has no such dialogue"),
        ("sgd-cra/1_00000", "names no dialogue"),
    ],
)
def test_a_sample_whose_dialogue_cannot_be_found_is_turned_down(id: str, note: str) -> None:
    sample = replace(next(read(MINI)), id=id)
    (one,) = samples(MINI, [sample])
    assert one.findings[0].kind == "broken form"
    assert note in one.findings[0].note


def test_a_split_that_is_not_there_is_named() -> None:
    sample = replace(next(read(MINI)), id="sgd-cra/dev/1_00000")
    with pytest.raises(DataError, match="dev split"):
        list(samples(MINI, [sample]))


def test_only_cra_rows_are_audited() -> None:
    sample = next(read(MINI))
    assert is_cra(sample)
    assert is_cra(replace(sample, id="x", corpus="sgd-cra"))
    assert not is_cra(replace(sample, id="sgd-dst/train/1_00000#3", corpus="sgd-dst"))


def test_examples_are_kept_up_to_their_number_with_their_turn() -> None:
    rows = list(read(MINI))
    tally = Tally(examples=2)
    for one in samples(MINI, map(_broken, rows)):
        tally.add(one)
    kept = tally.kept["undefined call"]

    assert tally.reasons["undefined call"] == tally.rejected == 8
    assert len(kept) == 2
    assert "FlyAway()" in kept[0].text
    assert {kind: n for kind, n, _ in tally.table() if n} == {"undefined call": 8}


def test_a_turn_is_told_on_one_line() -> None:
    turn = Assistant("Two\nlines", "why", (ToolCall("F", {"a": "b"}),))
    assert line(turn) == "(why) F(a='b') Two lines"
