"""CRA rows: what is acted, what is answered, what is only read."""

import pytest

from coalm.corpora.sgd import ARCHIVE, schema
from coalm.cra import annotated
from coalm.formats import Row, encode, format_of
from coalm.formats.dialects.calls import read_calls
from coalm.formats.rows import Rows
from coalm.formats.tokens import ByteTokenizer
from coalm.published import cra
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Sample, System, User

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SAMPLES = list(annotated.read(MINI))
SAMPLE = next(
    s for s in SAMPLES if any(isinstance(t, Assistant) and t.calls for t in s.dialogue.turns)
)
LISTED = cra.methods(schema(MINI.path(ARCHIVE)).values())
MADE = list(cra.make(SAMPLE, LISTED))


def row(sample: Sample) -> Row:
    fmt = format_of("chatml", sample.dialect)
    assert isinstance(fmt, Rows)
    [found] = fmt.rows(sample.dialogue)
    return found


def test_each_call_and_each_answer_is_a_row() -> None:
    said = [t for t in SAMPLE.dialogue.turns if isinstance(t, Assistant)]
    calls = sum(bool(t.calls) for t in said)

    assert [s.id.rpartition("-")[2] for s in MADE].count("action") == calls
    assert [s.id.rpartition("-")[2] for s in MADE].count("response") == len(said) - calls
    assert len({s.id for s in MADE}) == len(MADE)
    assert {s.group for s in MADE} == {SAMPLE.group}


def test_an_action_row_has_all_methods_and_the_call_alone_as_its_output() -> None:
    for one in (row(s) for s in MADE if s.id.endswith("action")):
        assert f"Functions:\n{LISTED}\n\n" in one.instruction
        label, _, call = one.output.partition(": ")
        assert label == "Action"
        assert len(read_calls(call)) == 1
        assert [line.partition(":")[0] for line in one.input.splitlines()] == ["User", "Thought"]


def test_a_response_row_has_no_methods_and_the_answer_alone_as_its_output() -> None:
    shapes = set()
    for one in (row(s) for s in MADE if s.id.endswith("response")):
        assert "Functions:" not in one.instruction
        assert one.output.startswith("System: ")
        shapes.add(tuple(line.partition(":")[0] for line in one.input.splitlines()))
    assert shapes == {
        ("User", "Thought"),
        ("User", "Thought", "Action", "Observation", "Thought"),
    }


def test_the_history_is_everything_before_the_users_line_in_order() -> None:
    [last, *_] = reversed(MADE)
    history = row(last).instruction.split("Conversation so far:\n")[1].splitlines()
    whole = [line for t in SAMPLE.dialogue.turns[1:] for line in cra.lines(t)]

    assert history == whole[: len(history)]
    assert [*history, *row(last).input.splitlines(), row(last).output] == whole
    assert "Conversation so far" not in row(MADE[0]).instruction


def test_the_day_is_said_and_the_task_comes_first() -> None:
    for sample in MADE:
        assert row(sample).instruction.startswith(f"{cra.TASK}\n{annotated.TODAY}\n\n")


def test_no_thought_is_ever_learned() -> None:
    for sample in (s for one in SAMPLES for s in cra.make(one, LISTED)):
        [example] = format_of("chatml", sample.dialect).examples(sample.dialogue)
        encoded = encode(example, ByteTokenizer())
        pairs = zip(encoded.ids, encoded.learned, strict=True)
        learned = bytes(i for i, one in pairs if one and i < 256).decode()
        assert learned.startswith(("Action: ", "System: "))
        assert "Thought:" not in learned


def test_signatures_name_what_a_method_requires_and_none_twice() -> None:
    services = schema(MINI.path(ARCHIVE))
    found = cra.signatures([*services.values(), *services.values()])

    assert len(found) == len(set(found)) == sum(len(s.intents) for s in services.values())
    museum = services["Museums_1"].intents["BookTour"]
    assert f"BookTour({', '.join(museum.required)})" in found
    assert cra.methods(services.values()).startswith(f"1. {found[0]}\n2. {found[1]}")


def test_every_row_of_the_miniature_is_read_from_its_folder() -> None:
    made = list(cra.read(MINI))
    assert made == [s for one in SAMPLES for s in cra.make(one, LISTED)]
    assert all(
        type(t) is k
        for s in made
        for t, k in zip(s.dialogue.turns, (System, User, Assistant), strict=True)
    )


@pytest.mark.data
def test_the_real_train_schema_has_51_signatures_in_the_papers_order() -> None:
    services = schema(find("sgd").path(ARCHIVE)).values()
    found = cra.signatures(services)

    assert len(found) == 51
    assert sum(len(s.intents) for s in services) == 53
    assert found[0] == "CheckBalance(account_type)"
    assert "FindBus(from_location, to_location, leaving_date)" in found
    assert found[-1] == "GetWeather(city)"


@pytest.mark.data
@pytest.mark.slow
def test_the_first_thousand_real_dialogues_keep_the_two_kinds_of_row() -> None:
    from itertools import islice

    found = find("sgd")
    listed = cra.methods(schema(found.path(ARCHIVE)).values())
    for one in islice(annotated.read(found), 1000):
        made = [row(s) for s in cra.make(one, listed)]
        turns = [t for t in one.dialogue.turns if isinstance(t, Assistant)]
        assert len(made) == len(turns)
        for t, r in zip(turns, made, strict=True):
            assert r.output == (cra.lines(t)[1])
            assert r.input.endswith(f"Thought: {t.thought}")
