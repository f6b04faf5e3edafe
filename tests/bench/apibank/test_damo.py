"""API-Bank as its authors judge it: rows, worlds, calls that are run, replies, levels."""

import copy
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coalm import sources
from coalm.bench.apibank import ApiBankDamo, ApiBankDamoPrompt
from coalm.bench.apibank.apis import APIS
from coalm.bench.apibank.damo_rows import DamoCase, read_file
from coalm.bench.apibank.databases import ARCHIVE, read_databases
from coalm.bench.apibank.judging import agrees, basis_of, typed
from coalm.bench.apibank.library import NAME, library, results_of, same_keywords, stems
from coalm.bench.apibank.turns import replied
from coalm.bench.base import Verdict
from coalm.errors import DataError, RecipeError
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, ToolCall, User

SMALL = Found(SOURCES["apibank-damo"], MINIATURE, "miniature")
DAMO = ApiBankDamo(SMALL)
CASES = {case.id: case for case in DAMO.cases() if case.due == "call"}
REMIND = "L-1/GetUserToken-AddReminder-QueryReminder-level-2-1"


def called(id: str, api: str = "", /, **changed: Any) -> Verdict:
    """The verdict on the gold call with some arguments changed, or on another API."""
    case = CASES[id]
    assert case.call is not None
    arguments = {n: v for n, v in (dict(case.call.arguments) | changed).items() if v is not None}
    turn = Assistant(calls=(ToolCall(api or case.call.name, arguments),))
    return DAMO.score(case, replied(DAMO.opening(case), turn, ""))


def told(case: DamoCase, text: str, *calls: ToolCall) -> Verdict:
    return DAMO.score(case, replied(DAMO.opening(case), Assistant(text, calls=calls), text))


def test_calls_and_replies_of_three_levels_are_there() -> None:
    assert Counter(case.part for case in DAMO.cases()) == {
        **{"L-1 calls": 9, "L-1 replies": 3, "L-2 calls": 5},
        **{"L-2 replies": 2, "L-3 calls": 7, "L-3 replies": 2},
    }


def test_what_was_called_before_is_in_the_conversation_with_its_result() -> None:
    opening = DAMO.opening(CASES[f"{REMIND}#4"])
    user = opening.turns[1]
    assert isinstance(user, User)
    assert user.text.split("\n")[4:8] == [
        'Call: [{"name": "GetUserToken", "arguments": {"username": "ann", '
        '"password": "sea shell"}}]',
        "Result: {'token': 't0k3n4nn'}",
        "System: I know you now and set the reminder.",
        'Call: [{"name": "AddReminder", "arguments": {"token": "t0k3n4nn", '
        '"content": "water the ferns", "time": "2023-04-02 09:00:00"}}]',
    ]
    assert "Generate" not in user.text
    assert [tool.name for tool in opening.tools] == [
        *("GetUserToken", "AddReminder", "QueryReminder")
    ]


def test_a_call_that_needs_what_was_done_before_finds_it_done() -> None:
    assert called(f"{REMIND}#4").kind == ""


def test_in_a_fresh_database_it_finds_nothing_as_upstream() -> None:
    fresh = ApiBankDamo(SMALL, fresh=True)
    case = CASES[f"{REMIND}#4"]

    assert fresh.score(case, fresh.gold_reply(case)).kind == "wrong argument"
    assert fresh.score(CASES[f"{REMIND}#2"], fresh.gold_reply(CASES[f"{REMIND}#2"])).kind == ""
    assert "fresh databases" in fresh.about.version


def test_a_call_is_right_if_the_api_takes_it_for_the_same() -> None:
    assert called(f"{REMIND}#2", content="Water the Ferns").kind == ""
    assert called("L-1/RecordHealthData-level-1-1#0", user_id="k77").kind == ""
    assert called("L-1/Calculator-level-1-1#0", formula="(12 + 3) * 4").kind == ""
    assert called("L-1/TimedSwitch-level-1-1#0", name="lamp", on=True).kind == ""
    assert called("L-1/BookHotel-level-1-1#0", room_count=1).kind == ""
    rows = [{"name": "pulse", "value": 58}, {"name": "weight", "value": 61}]
    assert called("L-1/RecordHealthData-level-1-1#0", health_data=rows).kind == ""


@pytest.mark.parametrize(
    ("id", "api", "changed", "kind"),
    [
        (f"{REMIND}#2", "QueryReminder", {}, "wrong function"),
        (f"{REMIND}#2", "", {"time": "2023-04-02 10:00:00"}, "wrong argument"),
        (f"{REMIND}#2", "", {"token": "guessed"}, "wrong argument"),
        (f"{REMIND}#2", "", {"token": None}, "missing argument"),
        (f"{REMIND}#2", "", {"where": "here"}, "extra argument"),
        (f"{REMIND}#2", "", {"content": ["ferns"]}, "wrong type"),
        ("L-1/BookHotel-level-1-1#0", "", {"room_count": "one"}, "wrong type"),
        ("L-1/RecordHealthData-level-1-1#0", "", {"health_data": "61"}, "wrong type"),
        ("L-1/TimedSwitch-level-1-1#0", "", {"on": "False"}, "wrong argument"),
        ("L-1/Calculator-level-1-1#0", "", {"formula": "4*(12+3)"}, "wrong argument"),
        ("L-1/Translate-level-1-1#0", "", {"src": "good day"}, "wrong argument"),
        ("L-3/000#4", "", {"kiln": "3"}, "wrong argument"),
        ("L-3/000#4", "", {"kiln": None}, "missing argument"),
        ("L-3/000#4", "", {"x": "1"}, "extra argument"),
        ("L-3/001#1", "", {"content": " "}, "wrong argument"),
    ],
)
def test_what_is_wrong_is_told_in_a_word(
    id: str, api: str, changed: dict[str, Any], kind: str
) -> None:
    verdict = called(id, api, **changed)

    assert (verdict.kind, verdict.scores["right"]) == (kind, 0.0)
    assert verdict.note


def test_on_level_three_only_what_counts_is_compared() -> None:
    assert called("L-3/000#4", kiln=4).kind == ""
    assert called("L-3/001#1", content="Come at noon.").kind == ""


def test_keywords_are_right_if_they_find_the_same_api() -> None:
    id = "L-2/EmergencyKnowledge-level-3-1#0"
    assert called(id, keywords="emergency knowledge").kind == ""
    assert called(id, keywords="symptom").kind == ""
    assert called(id, keywords="balance").kind == "wrong argument"
    assert called(id, keywords="zebra").kind == "wrong argument"
    assert called(id, keywords=None).kind == "missing argument"
    assert called("L-3/000#0", keywords="kiln list").kind == ""


def test_a_search_is_by_words_whatever_their_endings() -> None:
    assert stems("QueryReminder: reminds the users") == ["quer", "remind", "remind"]
    assert same_keywords("KilnList", "kiln list")
    assert library(DAMO.cases(), "L-3").best("how hot is it") == "KilnHeat"
    assert results_of("[{'name': 'A'}, {'name': 'B', 'description': 'b'}]")[-1] == ("B", "b")
    assert results_of("{") == []


def test_two_calls_where_one_is_due_are_too_many() -> None:
    case = CASES[f"{REMIND}#0"]
    assert case.call is not None
    assert told(case, "", case.call, case.call).kind == "wrong count"
    assert told(case, "I will.").kind == "no call"


def test_a_reply_is_compared_by_its_words() -> None:
    case = next(case for case in DAMO.cases() if case.due == "reply")
    good, poor = told(case, "AI: The reminder is set."), told(case, "No idea at all")

    assert good.kind == ""
    assert 0.7 < good.scores["reply_rougel"] < 1.0
    assert (poor.kind, poor.scores["reply_rougel"]) == ("missing information", 0.0)
    assert told(case, "Set.", ToolCall("AddReminder", {})).kind == "needless call"
    assert "right" not in good.scores


def test_how_calls_are_judged_is_counted() -> None:
    assert Counter(basis_of(case) for case in CASES.values()) == {
        **{"executed": 11, "compared": 5, "searched": 5}
    }


def test_only_calls_or_only_replies_can_be_scored() -> None:
    calls, replies = ApiBankDamo(SMALL, only="call"), ApiBankDamo(SMALL, only="reply")

    assert (len(calls.cases()), len(replies.cases())) == (21, 7)
    assert calls.about.metrics[0].name == "API accuracy"
    assert replies.about.metrics[0].name == "Reply ROUGE-L"


def test_a_level_that_does_not_exist_is_a_persons_mistake() -> None:
    with pytest.raises(RecipeError, match="L-4"):
        ApiBankDamo(SMALL, ("L-4",))


def test_the_data_s_own_words_are_asked_as_they_are() -> None:
    prompt = ApiBankDamoPrompt(SMALL)
    case = CASES[f"{REMIND}#0"]
    system, user = prompt.opening(case).turns

    assert "API descriptions:" in repr(system)
    assert isinstance(user, User)
    assert user.text.endswith("Generate API Request:")
    assert prompt.opening(case).tools == ()


def test_judging_changes_neither_case_nor_databases() -> None:
    databases = copy.deepcopy(DAMO.court().databases)
    for case in DAMO.cases():
        reply = DAMO.gold_reply(case)
        before = copy.deepcopy((case, reply))
        assert DAMO.score(case, reply) == DAMO.score(case, reply)
        assert (case, reply) == before
    assert DAMO.court().databases == databases


@pytest.mark.parametrize("content", ["{}", "[3]", '[{"file": "a", "id": 0}]', "no"])
def test_a_broken_file_is_named_with_its_row(tmp_path: Path, content: str) -> None:
    path = tmp_path / "level-1-api.json"
    path.write_text(content)

    with pytest.raises(DataError, match=r"level-1-api\.json"):
        read_file(path, "L-1", "call")


def test_a_line_by_nobody_is_a_broken_row(tmp_path: Path) -> None:
    row = {"file": "a.jsonl", "id": 0, "instruction": "", "input": "hello", "expected_output": ""}
    path = tmp_path / "level-1-response.json"
    path.write_text(json.dumps([row]))

    with pytest.raises(DataError, match=r"row 0 .* by nobody"):
        read_file(path, "L-1", "reply")


def test_missing_databases_are_named(tmp_path: Path) -> None:
    real = Found(SOURCES["apibank-damo"], tmp_path, "mirror")
    folder = tmp_path / "apibank/init_database"
    shutil.copytree(MINIATURE / "apibank/init_database", folder)
    assert len(read_databases(real)) == 19
    (folder / "Bank.json").unlink()

    with pytest.raises(DataError, match=r"lacks Bank\.json"):
        read_databases(real)


# --- the real data ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> ApiBankDamo:
    return ApiBankDamo(sources.find("apibank-damo"))


@pytest.mark.data
def test_the_real_files_have_779_calls_and_528_replies(real: ApiBankDamo) -> None:
    assert real.about.version == (
        "damo, L-1 calls 399, L-1 replies 375, L-2 calls 135, L-2 replies 103, "
        "L-3 calls 245, L-3 replies 50"
    )


@pytest.mark.data
def test_every_real_gold_answer_is_right(real: ApiBankDamo) -> None:
    for case in real.cases():
        assert real.score(case, real.gold_reply(case)).kind == "", case.id


@pytest.mark.data
def test_gold_calls_give_what_the_dialogues_show() -> None:
    """438 of 489 do; of the rest, chance, the network and revised data account for all."""
    real = ApiBankDamo(sources.find("apibank-damo"), only="call")
    court, found, apart = real.court(), Counter[str](), Counter[str]()
    for case in real.cases():
        if basis_of(case) == "searched" or case.level == "L-3":
            continue
        assert case.call is not None
        api, old = APIS[case.call.name], court.result_of_old(case)
        if not set(case.call.arguments) <= set(api.parameters):
            found["a call of an older API"] += 1
            continue
        ours = api.call(court.world(case), typed(api, case.call.arguments))
        same = "nowhere shown" if old is None else "agrees" if agrees(ours, old) else "apart"
        found[same] += 1
        apart[api.name] += same == "apart"
    assert found == {"agrees": 438, "apart": 42, "nowhere shown": 1, "a call of an older API": 8}
    assert +apart == {
        **{"AppointmentRegistration": 12, "RegisterUser": 7},  # numbers drawn by chance
        "QueryRegistration": 1,  # shows such a number
        **{"Dictionary": 5, "Translate": 4},  # asked of the network
        "DocumentQA": 8,  # found no answer, which we say in other words
        "QueryScene": 5,  # names of devices had capitals when the dialogues were written
    }


@pytest.mark.data
def test_our_search_finds_what_upstream_s_found_for_149_of_159_gold_keywords() -> None:
    real = ApiBankDamo(sources.find("apibank-damo"), only="call")
    court, found = real.court(), Counter[tuple[str, bool]]()
    for case in real.cases():
        if case.call is not None and case.call.name == NAME:
            old = results_of(court.result_of_old(case) or "")
            best = court.libraries[case.level].best(str(case.call.arguments["keywords"]))
            found[case.level, old[-1][0] == best] += 1
    assert found == {("L-2", True): 35, ("L-2", False): 10, ("L-3", True): 114}


@pytest.mark.data
def test_in_fresh_databases_upstream_s_rule_fails_21_gold_calls() -> None:
    fresh = ApiBankDamo(sources.find("apibank-damo"), only="call", fresh=True)
    kinds = Counter(fresh.score(c, fresh.gold_reply(c)).kind for c in fresh.cases())

    assert kinds == {"": 758, "wrong argument": 21}


@pytest.mark.data
def test_the_archive_and_its_folder_hold_the_same(tmp_path: Path) -> None:
    found = sources.find("apibank-damo")
    packed = read_databases(found)
    folder = tmp_path / "apibank/init_database"
    folder.mkdir(parents=True)
    for name, value in packed.items():
        (folder / f"{name}.json").write_text(json.dumps(value))

    assert found.path(ARCHIVE).exists()
    assert read_databases(Found(SOURCES["apibank-damo"], tmp_path, "mirror")) == packed
