"""APIs about health: appointments, records, symptoms."""

import hashlib
from typing import Any

from coalm.bench.apibank.apis.base import (
    MOMENT,
    Api,
    Refused,
    World,
    checked,
    day,
    folded,
    moment,
    same_time,
    stripped,
)
from coalm.types import Json

DONE = "success"


def appointment_registration(world: World, patient_name: str, date: str, doctor_name: str) -> Json:
    """A number for a new appointment; the same each time, where upstream draws one."""
    patient, doctor, wanted = patient_name.strip(), doctor_name.strip(), day(date)
    if not patient or not doctor:
        raise Refused("a patient and a doctor are needed")
    booked = world.table("Appointments")
    if any(a["patient_name"] == patient and day(a["date"]) == wanted for a in booked.values()):
        raise Refused("the patient has an appointment on that day")
    text = f"{patient}/{wanted}/{doctor}".encode("utf-8", "replace")
    number = str(10_000_000 + int(hashlib.sha256(text).hexdigest()[:8], 16) % 90_000_000)
    booked[number] = {"patient_name": patient, "date": wanted, "doctor_name": doctor}
    return number


def cancel_registration(world: World, appointment_id: str) -> Json:
    """The appointment is gone."""
    booked = world.table("Appointments")
    if appointment_id.strip() not in booked:
        raise Refused("there is no such appointment")
    del booked[appointment_id.strip()]
    return DONE


def modify_registration(
    world: World,
    appointment_id: str,
    new_appointment_date: str | None = None,
    new_appointment_doctor: str | None = None,
) -> Json:
    """Another day, another doctor, or both; each that is named must be another one."""
    booked = world.table("Appointments").get(appointment_id.strip())
    if booked is None:
        raise Refused("there is no such appointment")
    changes: dict[str, str] = {}
    if new_appointment_date is not None:
        changes["date"] = day(new_appointment_date)
    if new_appointment_doctor is not None:
        changes["doctor_name"] = new_appointment_doctor.strip()
    if not changes or not all(changes.values()):
        raise Refused("nothing is to be changed")
    if any(booked[name] == value for name, value in changes.items()):
        raise Refused("what is asked for is so already")
    booked |= changes
    return DONE


def query_registration(world: World, patient_name: str, date: str) -> Json:
    """The appointments of a patient on a day."""
    wanted = day(date)
    found = {
        number: a
        for number, a in world.table("Appointments").items()
        if a["patient_name"] == patient_name.strip() and day(a["date"]) == wanted
    }
    if not found:
        raise Refused("there are no appointments")
    return found


def record_health_data(
    world: World, user_id: str, time: str, health_data: list[Any] | None = None
) -> Json:
    """Measurements of a user at a time, with those of that time that are there already."""
    user, at = user_id.strip().upper(), moment(time)
    if not user or not health_data:
        raise Refused("a user and some data are needed")
    if not all(isinstance(one, dict) and {"name", "value"} <= set(one) for one in health_data):
        raise Refused("data are pairs of a name and a value")
    values = {str(one["name"]): one["value"] for one in health_data}
    if len(values) < len(health_data):
        raise Refused("one measurement is there twice")
    records = world.table("HealthData").setdefault(user, [])
    known = next((record for record in reversed(records) if record["time"] == at), None)
    if known is None:
        records.append({"time": at, **values})
    else:
        known |= values
    return DONE


def query_health_data(world: World, user_id: str, start_time: str, end_time: str) -> Json:
    """The records of a user between two times, both included."""
    user = user_id.strip().upper()
    start, end = moment(start_time), moment(end_time)
    if start > end:
        raise Refused("the end is before the start")
    if not user or user not in world.table("HealthData"):
        raise Refused("there is no such user")
    first, last = checked(start), checked(end)
    found: Json = [
        record
        for record in world.table("HealthData")[user]
        if first <= checked(record["time"], MOMENT) <= last
    ]
    if not found:
        raise Refused("there are no records of that time")
    return found


def symptom_search(world: World, symptom: str) -> Json:
    """What a symptom may come from."""
    return [{"name": one["name"], "description": one["description"]} for one in _of(world, symptom)]


def emergency_knowledge(world: World, symptom: str) -> Json:
    """First aid for what a symptom may come from."""
    return [{"name": one["name"], "aid": one["aid"]} for one in _of(world, symptom)]


def _of(world: World, symptom: str) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] | None = world.table("Symptom").get(symptom.strip().lower())
    if found is None:
        raise Refused("the symptom is not known")
    return found


def _measured(one: list[Any], other: list[Any]) -> bool:
    """Whether both hold the same names and values, in whatever order and type."""
    return _pairs(one) == _pairs(other)


def _pairs(rows: list[Any]) -> list[tuple[str, str]]:
    return sorted(
        (str(row.get("name")), str(row.get("value"))) if isinstance(row, dict) else ("", str(row))
        for row in rows
    )


_DAY, _MOMENT = same_time(day), same_time(moment)

APIS = (
    Api(
        "AppointmentRegistration",
        appointment_registration,
        {"patient_name": stripped, "date": _DAY, "doctor_name": stripped},
        outputs=False,
    ),
    Api("CancelRegistration", cancel_registration, {"appointment_id": stripped}),
    Api(
        "ModifyRegistration",
        modify_registration,
        {
            "appointment_id": stripped,
            "new_appointment_date": _DAY,
            "new_appointment_doctor": stripped,
        },
    ),
    Api("QueryRegistration", query_registration, {"patient_name": stripped, "date": _DAY}),
    Api(
        "RecordHealthData",
        record_health_data,
        {"user_id": folded, "time": _MOMENT, "health_data": _measured},
    ),
    Api(
        "QueryHealthData",
        query_health_data,
        {"user_id": folded, "start_time": _MOMENT, "end_time": _MOMENT},
    ),
    Api("SymptomSearch", symptom_search, {"symptom": folded}),
    Api("EmergencyKnowledge", emergency_knowledge, {"symptom": folded}),
)
"""Those that this file holds."""
