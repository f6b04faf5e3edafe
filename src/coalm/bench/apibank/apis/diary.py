"""APIs about a user's diary: agenda, alarms, reminders, meetings. All of them want a token."""

from typing import Any

from coalm.bench.apibank.apis.base import Api, Refused, World, checked, ignored, words, words_folded
from coalm.types import Json

DONE = "success"


def _mine(world: World, table: str, token: str, **values: Any) -> str | None:
    """The key of the first entry of the token's owner in which one of the values stands."""
    owner = world.user(token)
    for key, entry in world.table(table).items():
        if entry["username"] == owner and any(entry[n] == v for n, v in values.items()):
            return str(key)
    return None


def _found(world: World, table: str, token: str, **values: Any) -> str:
    key = _mine(world, table, token, **values)
    if key is None:
        raise Refused(f"no such entry in {table}")
    return key


def _add(world: World, table: str, token: str, **values: Any) -> Json:
    entries = world.table(table)
    key = max((int(k) for k in entries), default=0) + 1
    entries[str(key)] = {"username": world.user(token), **values}
    return DONE


def _needs(text: str) -> None:
    if not text.strip():
        raise Refused("the content is empty")


def add_agenda(world: World, token: str, content: str, time: str, location: str) -> Json:
    """A new item."""
    checked(time)
    _needs(content)
    return _add(world, "Agenda", token, content=content, time=time, location=location)


def delete_agenda(world: World, token: str, content: str, time: str, location: str) -> Json:
    """The item with that content or time is gone."""
    if time:
        checked(time)
    del world.table("Agenda")[_found(world, "Agenda", token, content=content, time=time)]
    return DONE


def modify_agenda(world: World, token: str, content: str, time: str, location: str) -> Json:
    """The item with that content or time has all that is said now."""
    if time:
        checked(time)
    key = _found(world, "Agenda", token, content=content, time=time)
    world.table("Agenda")[key] |= {"content": content, "time": time, "location": location}
    return DONE


def query_agenda(world: World, token: str, content: str, time: str, location: str) -> Json:
    """The item with that content or time."""
    if time:
        checked(time)
    found: Json = world.table("Agenda")[_found(world, "Agenda", token, content=content, time=time)]
    return found


def add_alarm(world: World, token: str, time: str) -> Json:
    """A new alarm."""
    checked(time)
    return _add(world, "Alarm", token, time=time)


def delete_alarm(world: World, token: str, time: str) -> Json:
    """The alarm at that time is gone."""
    checked(time)
    del world.table("Alarm")[_found(world, "Alarm", token, time=time)]
    return DONE


def modify_alarm(world: World, token: str, from_time: str, to_time: str) -> Json:
    """The alarm at one time rings at another."""
    checked(from_time)
    checked(to_time)
    world.table("Alarm")[_found(world, "Alarm", token, time=from_time)]["time"] = to_time
    return DONE


def query_alarm(world: World, token: str, time: str) -> Json:
    """The alarm at that time."""
    checked(time)
    found: Json = world.table("Alarm")[_found(world, "Alarm", token, time=time)]
    return found


def add_reminder(world: World, token: str, content: str, time: str) -> Json:
    """A new reminder."""
    checked(time)
    _needs(content)
    return _add(world, "Reminder", token, content=content, time=time)


def delete_reminder(world: World, token: str, content: str, time: str) -> Json:
    """The reminder with that content or time is gone."""
    checked(time)
    _needs(content)
    del world.table("Reminder")[_found(world, "Reminder", token, content=content, time=time)]
    return DONE


def modify_reminder(world: World, token: str, content: str, time: str) -> Json:
    """The reminder with that content or time has both."""
    checked(time)
    _needs(content)
    key = _found(world, "Reminder", token, content=content, time=time)
    world.table("Reminder")[key] |= {"content": content, "time": time}
    return DONE


def query_reminder(world: World, token: str, content: str, time: str) -> Json:
    """The reminder with that content or time."""
    checked(time)
    _needs(content)
    found: Json = world.table("Reminder")[
        _found(world, "Reminder", token, content=content, time=time)
    ]
    return found


def _meeting(world: World, token: str, topic: str, start: str, end: str) -> str:
    for time in filter(None, (start, end)):
        checked(time)
    if not topic.strip() and not start:
        raise Refused("neither a topic nor a time")
    return _found(world, "Meeting", token, meeting_topic=topic, start_time=start)


def add_meeting(
    world: World,
    token: str,
    meeting_topic: str,
    start_time: str,
    end_time: str,
    location: str,
    attendees: list[str],
) -> Json:
    """A new meeting."""
    checked(start_time)
    checked(end_time)
    _needs(meeting_topic)
    return _add(
        world,
        "Meeting",
        token,
        meeting_topic=meeting_topic,
        start_time=start_time,
        end_time=end_time,
        location=location,
        attendees=attendees,
    )


def delete_meeting(
    world: World,
    token: str,
    meeting_topic: str,
    start_time: str,
    end_time: str,
    location: str,
    attendees: list[str],
) -> Json:
    """The meeting with that topic or start is gone."""
    del world.table("Meeting")[_meeting(world, token, meeting_topic, start_time, end_time)]
    return DONE


def modify_meeting(
    world: World,
    token: str,
    meeting_topic: str,
    start_time: str,
    end_time: str,
    location: str,
    attendees: list[str],
) -> Json:
    """The meeting with that topic or start has both; place and people stay as they were."""
    found = world.table("Meeting")[_meeting(world, token, meeting_topic, start_time, end_time)]
    if meeting_topic:
        found["meeting_topic"] = meeting_topic
    if start_time:
        found |= {"start_time": start_time, "end_time": end_time}
    return DONE


def query_meeting(
    world: World,
    token: str,
    meeting_topic: str,
    start_time: str,
    end_time: str,
    location: str,
    attendees: list[str],
) -> Json:
    """The meeting with that topic or start."""
    found: Json = world.table("Meeting")[
        _meeting(world, token, meeting_topic, start_time, end_time)
    ]
    return found


_ITEM = {"token": ignored, "content": words}
_REMINDER = {"token": ignored, "content": words_folded}
_TOPIC = {"meeting_topic": words}
_TIME = frozenset({"time"})

APIS = (
    Api("AddAgenda", add_agenda, _ITEM),
    Api("DeleteAgenda", delete_agenda, lenient=_TIME),
    Api("ModifyAgenda", modify_agenda, _ITEM),
    Api("QueryAgenda", query_agenda, _ITEM),
    Api("AddAlarm", add_alarm),
    Api("DeleteAlarm", delete_alarm),
    Api("ModifyAlarm", modify_alarm),
    Api("QueryAlarm", query_alarm),
    Api("AddReminder", add_reminder, _REMINDER),
    Api("DeleteReminder", delete_reminder, lenient=_TIME),
    Api("ModifyReminder", modify_reminder, _REMINDER),
    Api("QueryReminder", query_reminder, _REMINDER),
    Api("AddMeeting", add_meeting, _TOPIC),
    Api("DeleteMeeting", delete_meeting, lenient=frozenset({"start_time"})),
    Api("ModifyMeeting", modify_meeting, _TOPIC),
    Api("QueryMeeting", query_meeting, _TOPIC),
)
"""Those that this file holds."""
