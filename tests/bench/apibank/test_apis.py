"""API-Bank's APIs: what they do, what they refuse, and when two calls are one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.apibank.apis import APIS, Result, World
from coalm.bench.apibank.apis.okapi import best
from coalm.bench.apibank.databases import read_databases
from coalm.sources import MINIATURE, SOURCES, Found

DATABASES = read_databases(Found(SOURCES["apibank-damo"], MINIATURE, "miniature"))
ANN, BEN = "t0k3n4nn", "t0k3n8en"
NOON = "2023-04-05 12:00:00"


def world() -> World:
    return World(DATABASES)


def call(where: World, api: str, **arguments: Any) -> Result:
    return APIS[api].call(where, arguments)


def gives(where: World, api: str, **arguments: Any) -> Any:
    """The output of a call that must not be refused."""
    result = call(where, api, **arguments)
    assert not result.refusal, result.refusal
    return result.output


def refused(where: World, api: str, **arguments: Any) -> bool:
    return bool(call(where, api, **arguments).refusal)


def test_there_are_fifty_two_apis_and_two_of_them_are_only_compared() -> None:
    assert len(APIS) == 52
    assert {name for name, api in APIS.items() if not api.offline} == {"Dictionary", "Translate"}


def test_a_token_is_for_who_knows_the_password() -> None:
    assert gives(world(), "GetUserToken", username="ann", password="sea shell") == {"token": ANN}
    assert refused(world(), "GetUserToken", username="ann", password="drift wood")
    assert refused(world(), "GetUserToken", username="eve", password="sea shell")
    assert gives(world(), "CheckToken", token=BEN) == {"username": "ben"}


def test_what_is_written_stays_in_its_world_and_never_in_the_files() -> None:
    here = world()
    assert gives(here, "DeleteAccount", token=ANN) == {"status": "success"}
    assert refused(here, "QueryBalance", token=ANN)
    assert gives(world(), "QueryBalance", token=ANN) == 12.25


def test_a_forgotten_password_takes_two_calls() -> None:
    here = world()
    second = {"status": "Verification Code", "verification_code": 970420, "new_password": "fern"}
    assert refused(here, "ForgotPassword", **second)
    first = {"status": "Forgot Password", "username": "ann", "email": "ann@example.com"}
    assert gives(here, "ForgotPassword", **first) == 970420
    assert refused(here, "ForgotPassword", **second | {"verification_code": 1})
    assert gives(here, "ForgotPassword", **second) == "success"
    assert gives(here, "GetUserToken", username="ann", password="fern") == {"token": ANN}
    assert refused(here, "ForgotPassword", **first | {"email": "eve@example.com"})
    assert refused(here, "ForgotPassword", status="Please")


def test_a_password_is_changed_by_who_knows_the_old_one() -> None:
    here = world()
    assert refused(here, "ModifyPassword", token=ANN, old_password="x", new_password="fern")
    assert gives(here, "ModifyPassword", token=ANN, old_password="sea shell", new_password="y")
    assert refused(here, "GetUserToken", username="ann", password="sea shell")


def test_a_new_user_has_a_token_that_is_the_same_each_time() -> None:
    new = {"username": "cy", "password": "p", "email": "cy@example.com"}
    here = world()
    assert gives(here, "RegisterUser", **new) == gives(world(), "RegisterUser", **new)
    assert refused(here, "RegisterUser", **new)


def test_a_bank_account_is_opened_once() -> None:
    here, new = world(), {"account": "a1", "password": "p", "name": "Ann"}
    assert gives(here, "OpenBankAccount", **new) == "success"
    assert gives(here, "OpenBankAccount", **new) == "failed"


def test_a_reminder_is_added_found_changed_and_deleted() -> None:
    here, ferns = world(), {"token": ANN, "content": "ferns", "time": NOON}
    assert refused(here, "QueryReminder", **ferns)
    assert gives(here, "AddReminder", **ferns) == "success"
    assert gives(here, "QueryReminder", **ferns)["username"] == "ann"
    later = ferns | {"time": "2023-04-06 12:00:00"}
    assert gives(here, "ModifyReminder", **later) == "success"
    assert gives(here, "QueryReminder", **later)["time"] == later["time"]
    assert gives(here, "DeleteReminder", **later) == "success"
    assert refused(here, "DeleteReminder", **later)
    assert refused(here, "AddReminder", **ferns | {"content": " "})
    assert refused(here, "AddReminder", **ferns | {"time": "noon"})


def test_an_agenda_is_kept_by_content_or_time() -> None:
    here = world()
    choir = {"token": ANN, "content": "Choir practice", "time": "", "location": "the hall"}
    assert gives(here, "QueryAgenda", **choir)["location"] == "the hall"
    moved = choir | {"time": NOON, "location": "the barn"}
    assert gives(here, "ModifyAgenda", **moved) == "success"
    assert gives(here, "QueryAgenda", **choir)["location"] == "the barn"
    assert gives(here, "DeleteAgenda", **choir) == "success"
    assert gives(here, "AddAgenda", **moved) == "success"
    assert refused(here, "QueryAgenda", **choir | {"token": BEN})


def test_an_alarm_is_known_by_its_time() -> None:
    here, early = world(), "2023-04-05 06:30:00"
    assert gives(here, "QueryAlarm", token=BEN, time=early)["time"] == early
    assert gives(here, "ModifyAlarm", token=BEN, from_time=early, to_time=NOON) == "success"
    assert refused(here, "DeleteAlarm", token=BEN, time=early)
    assert gives(here, "DeleteAlarm", token=BEN, time=NOON) == "success"
    assert gives(here, "AddAlarm", token=BEN, time=NOON) == "success"


def test_a_meeting_is_found_by_topic_or_start_and_keeps_its_place() -> None:
    here = world()
    asked = {
        **{"token": ANN, "meeting_topic": "Sand and Glaze", "start_time": "", "end_time": ""},
        **{"location": "elsewhere", "attendees": ["Otto"]},
    }
    assert gives(here, "QueryMeeting", **asked)["location"] == "the yard"
    moved = asked | {"start_time": NOON, "end_time": "2023-04-05 13:00:00"}
    assert gives(here, "ModifyMeeting", **moved) == "success"
    found = gives(here, "QueryMeeting", **asked | {"meeting_topic": "", "start_time": NOON})
    assert (found["location"], found["start_time"]) == ("the yard", NOON)
    assert gives(here, "DeleteMeeting", **asked) == "success"
    assert gives(here, "AddMeeting", **moved) == "success"
    assert refused(here, "QueryMeeting", **asked | {"meeting_topic": " "})


def test_a_patient_sees_one_doctor_a_day() -> None:
    here, ivo = world(), {"patient_name": "Ivo Reed", "date": "2023-05-04"}
    assert refused(here, "AppointmentRegistration", **ivo, doctor_name="Dr. Vale")
    number = gives(here, "AppointmentRegistration", **ivo | {"date": "2023-05-05"}, doctor_name="D")
    assert len(number) == 8
    assert set(gives(here, "QueryRegistration", **ivo)) == {"55500011"}
    change = {"appointment_id": "55500011"}
    assert refused(here, "ModifyRegistration", **change)
    assert refused(here, "ModifyRegistration", **change, new_appointment_date="2023-05-04")
    assert gives(here, "ModifyRegistration", **change, new_appointment_doctor="Dr. Vale")
    assert gives(here, "CancelRegistration", **change) == "success"
    assert refused(here, "CancelRegistration", **change)
    assert refused(here, "QueryRegistration", **ivo)


def test_health_data_join_those_of_the_same_time() -> None:
    here, at = world(), "2023-03-30 08:00:00"
    span = {"user_id": "k77", "start_time": "2023-03-30 00:00:00", "end_time": NOON}
    new = [{"name": "pulse", "value": 58}]
    assert gives(here, "RecordHealthData", user_id="K77", time=at, health_data=new) == "success"
    assert gives(here, "QueryHealthData", **span) == [{"time": at, "weight": 62, "pulse": 58}]
    assert refused(here, "RecordHealthData", user_id="K77", time=at, health_data=new * 2)
    assert refused(here, "RecordHealthData", user_id="K77", time=at, health_data=[{"name": "x"}])
    assert refused(here, "RecordHealthData", user_id="K77", time=at)
    assert refused(here, "QueryHealthData", **span | {"end_time": "2023-03-01 00:00:00"})
    assert refused(here, "QueryHealthData", **span | {"user_id": "nobody"})


def test_scenes_and_switches_are_known_whatever_the_case_of_letters() -> None:
    here, fan = world(), [{"name": "Fan", "description": "by the window"}]
    assert gives(here, "QueryScene", name=" Evening ")[0]["name"] == "lamp"
    assert gives(here, "AddScene", name="Noon", devices=fan) == "success"
    assert refused(here, "AddScene", name="noon", devices=fan)
    assert gives(here, "ModifyScene", name="noon", devices=[]) == "success"
    assert refused(here, "AddScene", name="night", devices=fan * 2)
    assert gives(here, "DeleteScene", name="NOON") == "success"
    assert refused(here, "QueryScene", name="noon")
    assert gives(here, "TimedSwitch", name="Lamp", time=NOON, on=False) == "success"
    assert gives(here, "CancelTimedSwitch", name="lamp", time=NOON) == "success"
    assert refused(here, "CancelTimedSwitch", name="lamp", time=NOON)
    assert refused(here, "CancelTimedSwitch", name="kettle", time=NOON)


def test_a_hotel_is_taken_for_the_nights_that_others_booked() -> None:
    here = world()
    stay = {
        **{"hotel_name": "The Lantern", "check_in_time": "2023-06-01"},
        **{"check_out_time": "2023-06-03", "room_count": 1, "adult_count": 2, "child_count": 0},
    }
    assert gives(here, "BookHotel", **stay) == "2"
    assert refused(here, "BookHotel", **stay)
    assert refused(here, "BookHotel", **stay | {"hotel_name": "Other", "adult_count": 3})
    assert refused(here, "BookHotel", **stay | {"check_in_time": "June"})


def test_what_is_looked_up_is_found_or_refused() -> None:
    here = world()
    assert gives(here, "QueryStock", stock_code=" fern", date="2023-3-31") == 5
    assert refused(here, "QueryStock", stock_code="FERN", date="2023-03-29")
    assert gives(here, "QueryHistoryToday", date="2023-04-01") == [
        "Title: A kite is lost, Date: 1901-04-01, Description: It is found a week later."
    ]
    assert refused(here, "QueryHistoryToday", date="02-30")
    assert gives(here, "Wiki", keyword="Fern")["summary"] == "A plant without flowers."
    assert gives(here, "SymptomSearch", symptom="Sunburn")[0]["description"] == "Too much sun."
    assert gives(here, "SpeechRecognition", url="https://example.com/hello.wav") == "Hello there."
    assert gives(here, "ImageCaption", url="https://example.com/pier.png") == "a pier in fog"
    assert gives(here, "SearchEngine", keyword="hot kilns")[0]["title"] == "Kilns"
    assert gives(here, "GetToday") == "2023-03-31"
    assert gives(here, "PlayMusic", music_name=" Fog ") == "music://fog"
    assert gives(here, "DocumentQA", url="https://example.com/kilns.txt", question="How hot?")
    mail = {"receiver": "otto@example.com", "subject": "Kiln", "content": "It is open."}
    assert gives(here, "SendEmail", **mail) == "success"
    assert refused(here, "SendEmail", **mail | {"receiver": "otto"})
    for name, key in (("Wiki", "keyword"), ("ImageCaption", "url"), ("SpeechRecognition", "url")):
        assert refused(here, name, **{key: "nothing"})


@pytest.mark.parametrize(
    ("formula", "value"), [("(12+3)*4", 60.0), ("8 - 2 - 1", 5.0), ("1+2*3", 7.0), ("9/2/3", 1.5)]
)
def test_a_formula_is_worked_out_from_left_to_right(formula: str, value: float) -> None:
    assert gives(world(), "Calculator", formula=formula) == value


@pytest.mark.parametrize(
    "formula", ["", "7", "1/0", "2**3", "1+", "(1+2", "1.5+1", "__import__('os')", "(" * 99 + "1+1"]
)
def test_what_is_no_formula_is_refused(formula: str) -> None:
    assert refused(world(), "Calculator", formula=formula)


@pytest.mark.parametrize(
    ("api", "one", "other", "differs"),
    [
        ("AddAgenda", {"content": "a b c", "token": "1"}, {"content": "c b a d", "token": "2"}, ""),
        ("AddAgenda", {"content": "a b"}, {"content": "b c"}, "content"),
        ("AddReminder", {"content": "Call Mum"}, {"content": "call mum"}, ""),
        ("QueryStock", {"date": "2023-03-31"}, {"date": "2023-3-31"}, ""),
        ("QueryStock", {"date": "2023-03-31"}, {"date": "today"}, "date"),
        ("DeleteReminder", {"time": "1", "content": "a"}, {"time": "1", "content": "b"}, ""),
        ("Calculator", {"formula": "1 + 1"}, {"formula": "1+1"}, ""),
        ("GetUserToken", {"username": "ann"}, {"username": "Ann"}, "username"),
        (
            "RecordHealthData",
            {"health_data": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]},
            {"health_data": [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}]},
            "",
        ),
        ("ModifyRegistration", {"new_appointment_doctor": "A"}, {}, "new_appointment_doctor"),
    ],
)
def test_calls_are_alike_in_the_api_s_own_way(
    api: str, one: dict[str, Any], other: dict[str, Any], differs: str
) -> None:
    assert APIS[api].differs(one, other) == differs
    assert APIS[api].differs(one, one) == ""


def test_a_document_fits_by_its_rare_words() -> None:
    documents = [["a", "fern"], ["a", "kiln"], ["a", "kite"]]

    assert best(["kiln"], documents, most=1) == [1]
    assert best([], documents, most=2) == [0, 1]


@given(st.sampled_from(sorted(APIS)), st.data())
def test_no_text_makes_an_api_raise(name: str, data: st.DataObject) -> None:
    api = APIS[name]
    lists = st.lists(st.one_of(st.text(), st.dictionaries(st.text(), st.text())))
    kinds: dict[Any, st.SearchStrategy[Any]] = {int: st.integers(), bool: st.booleans()}
    arguments = {
        parameter: data.draw(
            kinds.get(known.annotation, lists if "list" in str(known.annotation) else st.text())
        )
        for parameter, known in api.parameters.items()
    }
    before = repr(arguments)

    first, second = api.call(world(), arguments), api.call(world(), arguments)

    assert first == second
    assert repr(arguments) == before
    assert api.differs(arguments, arguments) == ""
