"""What calls give back, and when two conversations come to the same."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from coalm import sources
from coalm.bench.bfcl.multiturn.judging import differing, executed, instances, judged, methods_of

SCENE: dict[str, Any] = {
    "classes": ["Pantry", "Abacus"],
    "config": {"Pantry": {"shelf": {"eggs": 12}}},
    "long": False,
}

Say = Callable[[str], str]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """The miniature's environments, taken into this process: they do no harm."""
    monkeypatch.syspath_prepend(str(sources.MINIATURE / "bfcl" / "environments"))
    import abacus  # type: ignore[import-not-found]
    import pantry  # type: ignore[import-not-found]

    for name in ("abacus", "pantry"):
        monkeypatch.delitem(sys.modules, name)
    return {"Pantry": pantry.Pantry, "Abacus": abacus.Abacus}


@pytest.fixture
def say(known: dict[str, type]) -> Say:
    """One case's environments, asked."""
    methods = methods_of(instances(known, SCENE))
    return lambda call: executed(call, methods)


def judge(known: dict[str, type], said: Any, gold: Any) -> dict[str, Any]:
    return judged(known, {**SCENE, "said": said, "gold": gold}, lambda: None)


def test_a_result_is_worded_as_the_official_executor_words_it(say: Say) -> None:
    assert say("look()") == '{"error": "The door is closed."}'
    assert say("open_door()") == '{"door": "open"}'
    assert say("note(text='a')") == "None"
    assert say("take('eggs', count=2)") == '{"left": 10}'
    assert say("take(item='eggs', count=99)") == "Error during execution: only 10 left"
    assert say("take(item='tea')") == "Error during execution: 'tea'"
    assert "missing 1 required positional argument: 'item'" in say("take()")
    assert say("nothing(x=1)") == "Error during execution: name 'nothing' is not defined"
    assert say("take(item=tea)") == "Error during execution: name 'tea' is not defined"
    assert say("kill(pid=1)") == "Error during execution: Function call kill is not allowed."
    assert say("a.run()") == "Error during execution: Function call run is not allowed."
    assert say("look(") == "Error during execution: '(' was never closed (<string>, line 1)"


def test_a_call_may_be_an_argument(say: Say) -> None:
    assert say("share(total=9, people=add(numbers=[1, 2]))").startswith("Error during execution")
    assert say("note(text=add(numbers=[1, 2]))") == "None"


@pytest.mark.parametrize(
    "call",
    [
        "__import__('os').system('true')",
        "open('/etc/passwd')",
        "print(1)",
        "dict(left=1)",
        "Pantry.look()",
        "look.__self__.open_door()",
        "note.__globals__()",
        "_load_scenario(scenario={})",
        "note(text=note.__self__)",
        "note(text=[x for x in (1,)])",
        "note(text=lambda: 1)",
        "note(text=2**9)",
        "note(text=f'{1}')",
        "(note)(text='a'), note(text='b')",
        "note(*['a'])",
        "note(**{'text': 'a'})",
        "note(text='a', text='b')",
        "note(text=(yield))",
        "1 + 1",
        "note",
        "",
        "note(" * 300,
        "note(text=" + "-" * 50_000 + "1)",
        "note(text=" + "[" * 150 + "]" * 150 + ")",
    ],
)
def test_nothing_but_a_call_with_literals_is_run(call: str, known: dict[str, type]) -> None:
    made = instances(known, SCENE)
    said = executed(call, methods_of(made))
    assert said.startswith("Error during execution: ") or call.startswith("note(text=[[")
    assert len(made["Pantry"].notes) == call.startswith("note(text=[[")


def test_blanks_before_a_bracket_are_lost_in_texts_too_as_officially(
    known: dict[str, type],
) -> None:
    made = instances(known, SCENE)
    executed("note (text='flour (white)')", methods_of(made))
    assert made["Pantry"].notes == ["flour(white)"]


def test_public_attributes_are_compared_and_private_ones_are_not(known: dict[str, type]) -> None:
    one, other = instances(known, SCENE), instances(known, SCENE)
    executed("open_door()", methods_of(one))
    assert differing(one, other) == []
    executed("note(text='a')", methods_of(one))
    assert differing(one, other) == ["Pantry.notes"]


GOLD = [["open_door()", "take(item='eggs')"], [], ["note(text='a')"]]


def test_gold_is_right_in_every_way(known: dict[str, type]) -> None:
    found = judge(known, [[GOLD[0]], [], [GOLD[2]]], GOLD)
    assert (found["error"], found["turns"], found["from_gold"]) == ("", [True] * 3, [True] * 3)


def test_more_calls_in_more_steps_are_no_harm(known: dict[str, type]) -> None:
    said = [[["look()"], ["open_door()", "look()"], ["take('eggs', 1)"]], [], [["note('a')"]]]
    assert judge(known, said, GOLD)["error"] == ""


def test_a_result_may_have_come_in_an_earlier_turn(known: dict[str, type]) -> None:
    gold = [["open_door()"], ["look()", "note(text='a')"]]
    said = [[["open_door()", "look()"]], [["note(text='a')"]]]
    assert judge(known, said, gold)["error"] == ""


def test_a_turn_without_calls_is_wrong_where_gold_calls(known: dict[str, type]) -> None:
    gold = [["look()"], ["look()"]]
    found = judge(known, [[["look()", "look()"]], []], gold)
    assert (found["error"], found["turn"]) == ("empty_turn_model_response", 1)


def test_the_first_fault_is_named(known: dict[str, type]) -> None:
    found = judge(known, [[["open_door()"]], [], [["note(text='b')"]]], GOLD)
    assert (found["error"], found["turn"]) == ("instance_state_mismatch", 0)
    assert "Pantry.shelf" in found["what"]


def test_a_missing_result_is_wrong_though_the_state_is_right(known: dict[str, type]) -> None:
    gold = [["open_door()", "look()"]]
    found = judge(known, [[["open_door()"]]], gold)
    assert found["error"] == "execution_response_mismatch"


def test_what_gold_got_twice_must_come_twice(known: dict[str, type]) -> None:
    gold = [["add(numbers=[1])", "add(numbers=[1])"]]
    assert judge(known, [[["add(numbers=[1])"]]], gold)["error"] == "execution_response_mismatch"
    assert judge(known, [[["add(numbers=[1])", "add(numbers=[1.0])"]]], gold)["error"] != ""
    assert judge(known, [[["add(numbers=[1])", "add(numbers=[0, 1])"]]], gold)["error"] == ""


def test_an_early_slip_costs_the_case_but_not_the_turns_after_it(known: dict[str, type]) -> None:
    """Credit from the gold state: the later turns are right, had the first one been."""
    said = [[["open_door()"]], [], [["note(text='a')"]]]
    found = judge(known, said, GOLD)
    assert found["turns"] == [False, False, False]
    assert found["from_gold"] == [False, True, True]


def test_a_slip_that_is_mended_loses_its_turn_alone(known: dict[str, type]) -> None:
    gold = [["note(text='a')"], ["note(text='b')"]]
    found = judge(known, [[["add(numbers=[1])"]], [["note(text='a')", "note(text='b')"]]], gold)
    assert found["error"] == "instance_state_mismatch"
    assert found["turns"] == [False, True]
    assert found["from_gold"] == [False, False]


def test_acting_where_nothing_is_due_has_no_credit_there(known: dict[str, type]) -> None:
    """The official checker passes over a turn without gold calls; the shares do not."""
    said = [[GOLD[0]], [["note(text='a')"]], [["look()"]]]
    found = judge(known, said, GOLD)
    assert found["error"] == ""
    assert found["turns"] == [True, False, True]


def test_turns_that_were_never_reached_have_no_credit(known: dict[str, type]) -> None:
    found = judge(known, [[GOLD[0]]], GOLD)
    assert found["turns"] == found["from_gold"] == [True, False, False]


def test_of_two_methods_of_one_name_the_later_environment_has_it() -> None:
    class One:
        def name(self) -> str:
            return "one"

    class Two:
        def name(self) -> str:
            return "two"

    known: dict[str, type] = {"One": One, "Two": Two}
    for order in (["One", "Two"], ["Two", "One"]):
        methods = methods_of(instances(known, {"classes": order, "config": {}, "long": False}))
        assert executed("name()", methods) == order[1].lower()


def test_an_attribute_that_cannot_be_compared_differs() -> None:
    class Odd:
        def __ne__(self, other: object) -> bool:
            raise TypeError

    class Home:
        def __init__(self) -> None:
            self.odd = Odd()

    assert differing({"Home": Home()}, {"Home": Home()}) == ["Home.odd"]
