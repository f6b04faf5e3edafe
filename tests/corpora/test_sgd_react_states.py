"""State tracking by an agent: what a turn settled is what its call says."""

import pytest

from coalm.agent.state import state_of
from coalm.corpora import sgd, sgd_react_states
from coalm.corpora.schemas import misfit
from coalm.corpora.sgd_desks import desk
from coalm.corpora.sgd_react_states import make, step
from coalm.corpora.sgd_values import spellings, values_of
from coalm.corpora.sgd_variants import variants
from coalm.corpora.states import AGENT
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Dialogue, Sample, System, ToolCall, User

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(MINI.path(sgd.ARCHIVE))
DIALOGUES = {d.id: d for d in sgd.dialogues(MINI.path(sgd.ARCHIVE))}


def taken(dialogue: str, turn: int) -> Assistant:
    """What the agent does at a turn."""
    sample = step(DIALOGUES[dialogue], SERVICES, turn)
    assert sample is not None
    answer = sample.dialogue.turns[-1]
    assert isinstance(answer, Assistant)
    return answer


def test_a_turn_that_settles_something_looks_it_up_with_all_that_is_settled() -> None:
    [call] = taken("1_00000", 1).calls
    assert call.name.endswith("_museum")
    assert call.arguments == {"town": "Harwell Bay", "theme": "ships"}


def test_a_choice_among_results_is_looked_up_by_its_name() -> None:
    [call] = taken("1_00001", 1).calls
    assert call.arguments == {"town": "Corrin", "theme": "railways", "museum_name": "Steam Shed"}


def test_a_booking_waits_for_its_last_detail_and_says_times_plainly() -> None:
    assert step(DIALOGUES["1_00001"], SERVICES, 2) is None  # the time is still open
    [call] = taken("1_00001", 3).calls
    assert call.arguments == {
        "museum_name": "Steam Shed",
        "tour_date": "the 5th",
        "tour_time": "14:00",
        "visitors": "3",
    }


def test_a_yes_books_and_the_thought_says_that_it_was_a_yes() -> None:
    answer = taken("1_00001", 4)
    assert answer.calls[0].arguments["visitors"] == "3"
    assert answer.thought.startswith(("The user agrees", "That is a yes", "Agreed"))


def test_where_nothing_changed_the_agent_speaks_and_never_of_results() -> None:
    answer = taken("1_00000", 0)
    assert (answer.calls, answer.text) == ((), "Gladly. In which town?")
    assert step(DIALOGUES["1_00000"], SERVICES, 2) is None  # a phone number, which no result shows


def test_a_new_value_is_told_beside_the_old_one() -> None:
    assert "instead of yes" in taken("2_00000", 1).thought


@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=lambda d: d.id)
def test_each_call_fits_its_tool_and_holds_what_changed(dialogue: sgd.SgdDialogue) -> None:
    for turn in range(len(dialogue.exchanges)):
        sample = step(dialogue, SERVICES, turn)
        if sample is None:
            continue
        request, answer = sample.dialogue, sample.dialogue.turns[-1]
        assert isinstance(answer, Assistant)
        assert request.turns[0] == System(AGENT)
        assert isinstance(request.turns[1], User)
        assert not [w for call in answer.calls if (w := misfit(call, request.tools))]
        said = {v for call in answer.calls for v in call.arguments.values()}
        now = values_of(dialogue.exchanges[: turn + 1], SERVICES, plain=True)
        before = spellings(dialogue.exchanges[:turn])
        after = spellings(dialogue.exchanges[: turn + 1])
        for service, values in now.items():
            for slot, value in values.items():
                old = before.get(service, {}).get(slot, ())
                if not set(old) & set(after[service][slot]):
                    assert value in said


def test_a_slot_where_anything_goes_is_any_and_an_open_one_is_left_out() -> None:
    frame = DIALOGUES["1_00000"].exchanges[1].user.frames[0]
    tools = desk(SERVICES["Museums_1"], "museum", "x", 1)
    changed = ["town", "theme"]
    [call] = sgd_react_states._calls(
        frame, SERVICES["Museums_1"], tools, {"town": "Corrin", "theme": "dontcare"}, changed
    )
    assert call.arguments == {"town": "Corrin", "theme": "any"}


def test_a_service_has_a_tool_to_look_up_and_one_to_book() -> None:
    tools = desk(SERVICES["Museums_1"], "museum", "x", 1)
    assert tools.look
    assert tools.book
    assert (tools.look.required, set(tools.book.required)) == (
        (),
        {"museum_name", "tour_date", "tour_time"},
    )
    assert "museum_name" in tools.look.properties
    assert tools.look.properties["theme"] == {
        "type": "string",
        "description": "What the museum shows",
        "enum": ["ships", "painting", "railways", "science", "any"],
    }


def test_tools_of_other_services_stand_beside_as_many_as_wanted() -> None:
    sample = step(DIALOGUES["1_00000"], SERVICES, 1, tools=6)
    assert sample is not None
    names = [tool.name for tool in sample.dialogue.tools]
    assert len(names) == len(set(names)) == 6


def rows(seed: int) -> list[Sample]:
    others = variants(SERVICES, seed)
    return [
        sample
        for dialogue in DIALOGUES.values()
        for sample in make(dialogue, SERVICES, seed=seed, copies=3, others=others, renamed=0.5)
    ]


def test_a_seed_makes_the_same_rows_again() -> None:
    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_multiwoz_s_state_is_read_off_such_calls() -> None:
    # The same shape as the benchmark's tools: `any` and what is left out add nothing.
    call = ToolCall("query_hotels", {"area": "north", "stars": "any"})
    assert state_of(Dialogue((Assistant(calls=(call,)),))) == {"hotel-area": "north"}


@pytest.mark.data
def test_most_real_turns_give_a_row_and_few_are_unclear() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    unclear: list[str] = []
    turns = made = 0
    for dialogue, _ in zip(sgd.dialogues(path), range(300), strict=False):
        turns += len(dialogue.exchanges)
        made += len(list(make(dialogue, services, copies=99, skip=unclear.append)))
    assert made > 0.7 * turns
    assert len(unclear) < 0.01 * turns
