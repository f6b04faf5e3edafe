"""Planted errors: each is one, of the kind that it says, and the table counts what is found."""

from itertools import islice

import pytest

from coalm.corpora import sgd
from coalm.cra.annotated import annotated
from coalm.cra.check import check
from coalm.cra.donors import Donors
from coalm.cra.findings import Kind
from coalm.cra.measure import measure
from coalm.cra.phrases import Draw
from coalm.cra.plant import ERRORS, plant
from coalm.sources import MINIATURE, find
from coalm.types import Assistant

FOLDER = MINIATURE / "sgd/train"
SERVICES = sgd.schema(FOLDER)
DIALOGUES = list(sgd.dialogues(FOLDER))


def _donors() -> Donors:
    donors = Donors()
    for dialogue in DIALOGUES:
        donors.take(annotated(dialogue, SERVICES))
    return donors


@pytest.mark.parametrize("kind", ERRORS)
def test_exactly_one_turn_is_changed_and_words_stay(kind: Kind) -> None:
    for dialogue in DIALOGUES:
        for seed in range(5):
            sample = annotated(dialogue, SERVICES)
            draw = Draw(str(seed), dialogue.id)
            one = plant(sample, dialogue, SERVICES, _donors(), kind, draw)
            assert one is not None
            both = zip(sample.dialogue.turns, one.sample.dialogue.turns, strict=True)
            changed = [n for n, (a, b) in enumerate(both) if a != b]
            assert changed == [one.turn]
            before, after = sample.dialogue.turns[one.turn], one.sample.dialogue.turns[one.turn]
            assert isinstance(before, Assistant)
            assert isinstance(after, Assistant)
            assert before.text == after.text
            assert (before.calls == after.calls) == (kind == "thought disagrees")


def test_what_is_planted_depends_on_the_draw_alone() -> None:
    dialogue = DIALOGUES[0]
    sample = annotated(dialogue, SERVICES)

    def planted(seed: str) -> object:
        return plant(sample, dialogue, SERVICES, _donors(), "invented argument", Draw(seed))

    assert planted("1") == planted("1")
    assert len({repr(planted(str(n))) for n in range(9)}) > 2


@pytest.mark.parametrize("kind", [k for k in ERRORS if k != "thought disagrees"])
def test_every_planted_call_is_found_as_what_it_is(kind: Kind) -> None:
    for dialogue in DIALOGUES:
        for seed in range(5):
            sample = annotated(dialogue, SERVICES)
            one = plant(sample, dialogue, SERVICES, _donors(), kind, Draw(str(seed), dialogue.id))
            assert one is not None
            found = check(one.sample, dialogue, SERVICES)
            assert (kind, one.turn) in {(f.kind, f.turn) for f in found}, one.variant


def test_the_table_of_a_mix_adds_up() -> None:
    counts = measure(DIALOGUES * 30, SERVICES, rate=0.5, seed=1)
    rows = list(counts.rows())
    kinds = [row for row in rows if not row.variant]

    assert [row.kind for row in kinds] == list(ERRORS)
    assert counts.clean + sum(row.planted for row in kinds) == 30 * len(DIALOGUES)
    assert not counts.clean_rejected
    for row in kinds:
        inside = [r for r in rows if r.variant and r.kind == row.kind]
        assert sum(r.planted for r in inside) == row.planted
        assert sum(r.found for r in inside) == row.found
        assert row.recall > 0.6


def test_no_rate_plants_nothing() -> None:
    counts = measure(DIALOGUES, SERVICES, rate=0.0)
    assert counts.clean == len(DIALOGUES)
    assert not counts.planted
    assert all(row.precision is None and row.recall == 0.0 for row in counts.rows())


@pytest.mark.data
@pytest.mark.slow
def test_of_real_planted_errors_calls_are_all_found_and_most_thoughts() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    dialogues = islice(sgd.dialogues(path), 0, 6000, 15)
    rows = [r for r in measure(dialogues, sgd.schema(path), rate=0.6).rows() if not r.variant]

    assert [r.kind for r in rows] == list(ERRORS)
    assert all(r.recall == 1.0 for r in rows if r.kind != "thought disagrees")
    assert rows[-1].recall > 0.75
    assert all(r.precision is not None and r.precision > 0.95 for r in rows)
