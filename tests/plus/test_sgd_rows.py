"""Rows made of SGD's conversations: multi-turn calls, its own questions, its opening requests."""

import json

import pytest

from coalm.corpora import sgd
from coalm.corpora.explained import THINK
from coalm.corpora.schemas import misfit
from coalm.corpora.sgd_variants import variants
from coalm.formats import encode, format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.plus import sgd_calls, sgd_clarify, sgd_requests
from coalm.plus.domains import confusable, named, same
from coalm.plus.sgd_calls import whole
from coalm.plus.typed import typed
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    User,
)

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(MINI.path(sgd.ARCHIVE))
DIALOGUES = {d.id: d for d in sgd.dialogues(MINI.path(sgd.ARCHIVE))}
every = pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=lambda d: d.id)
OTHERS = variants(SERVICES, 42)


def called(sample: Sample) -> list[ToolCall]:
    return [c for t in sample.dialogue.turns if isinstance(t, Assistant) for c in t.calls]


def writable(sample: Sample) -> None:
    for dialect in ("json", "pythonic", "hermes"):
        for example in format_of("chatml", dialect).examples(sample.dialogue):
            assert any(encode(example, ByteTokenizer()).learned)


# --- calls at several turns -----------------------------------------------------------------


@every
@pytest.mark.parametrize("renamed", [0.0, 1.0])
def test_every_call_fits_the_tools_and_every_dialect_can_write_it(
    dialogue: sgd.SgdDialogue, renamed: float
) -> None:
    for sample in sgd_calls.make(
        dialogue, SERVICES, calls=1, others=OTHERS, renamed=renamed, skip=pytest.fail
    ):
        assert not [w for call in called(sample) if (w := misfit(call, sample.dialogue.tools))]
        assert sample.group == f"sgd/train/{dialogue.id}"
        writable(sample)


def test_a_conversation_with_too_few_calls_is_told() -> None:
    why: list[str] = []
    assert not list(sgd_calls.make(DIALOGUES["1_00000"], SERVICES, calls=2, skip=why.append))
    assert why == ["a conversation with fewer calls"]


def test_thoughts_are_kept_where_the_prompt_asks_for_them_and_nowhere_else() -> None:
    for share in (0.0, 1.0):
        [sample] = sgd_calls.make(DIALOGUES["1_00001"], SERVICES, thoughts=share)
        first = sample.dialogue.turns[0]
        turns = [t for t in sample.dialogue.turns if isinstance(t, Assistant)]
        assert isinstance(first, System)
        assert (THINK in first.text) == bool(share)
        assert all(bool(t.thought) == bool(share) for t in turns)


def test_tools_of_other_services_stand_among_the_own_ones() -> None:
    counts = set()
    for seed in range(20):
        [sample] = sgd_calls.make(DIALOGUES["1_00001"], SERVICES, seed=seed, distractors=4)
        names = [tool.name for tool in sample.dialogue.tools]
        assert {"FindMuseum", "BookTour"} <= set(names)
        assert len(names) == len(set(names))
        counts.add(len(names))
    assert counts == {2, 3, 4, 5, 6}


def test_each_parameter_is_described_where_it_stands() -> None:
    twice: dict[str, Json] = {"description": "The town", "enum": ["A"], "type": "string"}
    first = ToolSpec("f", "", {"properties": {"town": twice}})
    second = ToolSpec("g", "", {"properties": {"town": {"type": "string", "default": "A"}}})
    assert whole([first, second])[1].properties["town"] == {**twice, "default": "A"}


def test_values_of_closed_lists_get_their_types_and_dontcare_stays_text() -> None:
    numbers: dict[str, Json] = {"type": "string", "enum": ["1", "2"], "default": "1"}
    truth: dict[str, Json] = {"type": "string", "enum": ["True", "False"], "default": "True"}
    tool = ToolSpec("f", "", {"properties": {"n": numbers, "t": truth, "name": {"type": "string"}}})
    call = ToolCall("f", {"n": "2", "t": "False", "name": "12"})
    vague = ToolCall("f", {"n": "dontcare", "t": "dontcare"})
    one = typed(Dialogue((Assistant(calls=(call, vague)),), (tool,)))

    assert json.loads(json.dumps(one.tools[0].properties)) == {
        "n": {"type": "integer", "enum": [1, 2], "default": 1},
        "t": {"type": "boolean", "default": True},
        "name": {"type": "string"},
    }
    assert one.turns == (
        Assistant(calls=(ToolCall("f", {"n": 2, "t": False, "name": "12"}), vague)),
    )


# --- questions ------------------------------------------------------------------------------


@every
def test_a_row_ends_with_the_question_or_with_the_call_that_it_allowed(
    dialogue: sgd.SgdDialogue,
) -> None:
    for answered in (0.0, 1.0):
        for sample in sgd_clarify.make(dialogue, SERVICES, answered=answered):
            turns = sample.dialogue.turns
            last = turns[-1]
            assert isinstance(last, Assistant)
            if not called(sample):
                users = sum(isinstance(t, User) for t in turns)
                exchange = dialogue.exchanges[users - 1]
                assert last.text == exchange.system.text
                assert sgd_clarify.missing(exchange, SERVICES)
            elif answered:
                assert isinstance(turns[-2], Observation)
            writable(sample)


def test_the_question_is_for_a_required_slot_that_is_open() -> None:
    asked = [sgd_clarify.missing(exchange, SERVICES) for exchange in DIALOGUES["1_00001"].exchanges]
    assert asked[:4] == [[], [], ["tour_time"], []]
    assert sgd_clarify.missing(DIALOGUES["1_00000"].exchanges[0], SERVICES) == ["town"]


def test_a_dialogue_without_such_a_question_is_told() -> None:
    why: list[str] = []
    assert not list(sgd_clarify.make(DIALOGUES["2_00000"], SERVICES, skip=why.append))
    assert why == ["no question for a required slot"]


# --- opening requests -----------------------------------------------------------------------


def test_a_first_request_that_says_it_all_is_a_row_with_its_call() -> None:
    row = sgd_requests.row_of(DIALOGUES["2_00000"], SERVICES)
    assert row is not None
    assert row.query == "Which painting museums are there in Oldmere, free ones?"
    assert row.answers == (
        ToolCall("FindMuseum", {"town": "Oldmere", "theme": "painting", "free_entry": True}),
    )


def test_a_request_with_a_date_or_without_its_call_is_no_row() -> None:
    assert sgd_requests.row_of(DIALOGUES["2_00001"], SERVICES) is None
    assert sgd_requests.row_of(DIALOGUES["1_00000"], SERVICES) is None


def test_among_foreign_tools_none_is_of_the_request_s_own_domain() -> None:
    made = 0
    for dialogue in DIALOGUES.values():
        row = sgd_requests.foreign_row(dialogue, SERVICES)
        if row is None:
            continue
        made += 1
        own = SERVICES[dialogue.exchanges[0].user.frames[0].service].intents
        assert row.answers == ()
        assert row.tools
        assert not set(own) & {tool.name for tool in row.tools}
    assert made


def test_domains_that_could_be_meant_alike_are_known() -> None:
    assert confusable("bus", "flight")
    assert same("hotel", "home")
    assert not confusable("bus", "restaurant")
    assert named("bus", "I need a BUS to Corrin")
    assert not named("bus", "I am busy")
    assert not named("ferrie", "a ship")


# --- the real archive -----------------------------------------------------------------------


@pytest.mark.data
def test_real_rows_fit_their_tools_under_every_name() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    others = variants(services, 1)
    kinds: dict[str, int] = {}
    for dialogue, _ in zip(sgd.dialogues(path), range(250), strict=False):
        rows = [
            *sgd_calls.make(dialogue, services, others=others, renamed=0.5),
            *sgd_clarify.make(dialogue, services, others=others, renamed=0.5),
        ]
        for sample in rows:
            kinds[sample.corpus] = kinds.get(sample.corpus, 0) + 1
            assert not [w for c in called(sample) if (w := misfit(c, sample.dialogue.tools))]
    assert min(kinds.values()) > 100
