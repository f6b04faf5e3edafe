"""APIs about a home and a journey: scenes, switches, music, hotels."""

from typing import Any

from coalm.bench.apibank.apis.base import (
    DAY,
    Api,
    Refused,
    World,
    checked,
    folded,
    moment,
    same_time,
)
from coalm.types import Json

DONE = "success"


def add_scene(world: World, name: str, devices: list[Any]) -> Json:
    """A new scene of devices."""
    devices = _devices(devices)
    if _scene(name) in world.table("Scenes"):
        raise Refused("there is such a scene")
    world.table("Scenes")[_scene(name)] = devices
    return DONE


def delete_scene(world: World, name: str) -> Json:
    """The scene is gone."""
    if _scene(name) not in world.table("Scenes"):
        raise Refused("there is no such scene")
    del world.table("Scenes")[_scene(name)]
    return DONE


def modify_scene(world: World, name: str, devices: list[Any]) -> Json:
    """The scene has other devices."""
    devices = _devices(devices)
    if _scene(name) not in world.table("Scenes"):
        raise Refused("there is no such scene")
    world.table("Scenes")[_scene(name)] = devices
    return DONE


def query_scene(world: World, name: str) -> Json:
    """The devices of a scene."""
    found: Json = world.table("Scenes").get(_scene(name))
    if found is None:
        raise Refused("there is no such scene")
    return found


def timed_switch(world: World, name: str, time: str, on: bool) -> Json:
    """A device goes on or off at a time."""
    switches, at = world.table("TimeSwitch").setdefault(_scene(name), []), moment(time)
    known = next((one for one in switches if one["time"] == at), None)
    if known is None:
        switches.append({"time": at, "on": on})
    else:
        known["on"] = on
    return DONE


def cancel_timed_switch(world: World, name: str, time: str) -> Json:
    """A device does nothing at a time."""
    switches, at = world.table("TimeSwitch").get(_scene(name)), moment(time)
    if switches is None:
        raise Refused("there is no such device")
    known = next((number for number, one in enumerate(switches) if one["time"] == at), None)
    if known is None:
        raise Refused("nothing is to happen at that time")
    del switches[known]
    return DONE


def play_music(world: World, music_name: str) -> Json:
    """Where the player finds a piece."""
    if not music_name.strip():
        raise Refused("a name is needed")
    return f"music://{music_name.lower().strip()}"


def book_hotel(
    world: World,
    hotel_name: str,
    check_in_time: str,
    check_out_time: str,
    room_count: int,
    adult_count: int,
    child_count: int,
) -> Json:
    """The number of an order, if the hotel has no other order in those nights."""
    arrival, departure = checked(check_in_time, DAY), checked(check_out_time, DAY)
    if adult_count > 2 and room_count == 1:
        raise Refused("more than two adults need two rooms")
    orders = world.table("Hotel")
    for order in orders.values():
        start, end = checked(order["check_in_time"], DAY), checked(order["check_out_time"], DAY)
        meets = start <= arrival < end or start < departure <= end
        if order["hotel_name"] == hotel_name and meets:
            raise Refused("the room is taken")
    number = str(len(orders) + 1)
    orders[number] = {
        "hotel_name": hotel_name,
        "check_in_time": check_in_time,
        "check_out_time": check_out_time,
        "room_count": room_count,
        "adult_count": adult_count,
        "child_count": child_count,
    }
    return number


def _scene(name: str) -> str:
    if not name.strip():
        raise Refused("a name is needed")
    return name.strip().lower()


def _devices(rows: list[Any]) -> list[Any]:
    """Devices by name; `Refused` where one lacks name or description, or is there twice."""
    if not all(isinstance(row, dict) and {"name", "description"} <= set(row) for row in rows):
        raise Refused("a device is a name and a description")
    found = [
        {"name": str(row["name"]).strip().lower(), "description": str(row["description"]).strip()}
        for row in rows
    ]
    if len({row["name"] for row in found}) < len(found):
        raise Refused("one device is there twice")
    return sorted(found, key=lambda row: row["name"])


def _alike(one: list[Any], other: list[Any]) -> bool:
    try:
        return _devices(one) == _devices(other)
    except Refused:
        return one == other


_NAME = {"name": folded}
_MOMENT = same_time(moment)

APIS = (
    Api("AddScene", add_scene, {**_NAME, "devices": _alike}),
    Api("DeleteScene", delete_scene, _NAME),
    Api("ModifyScene", modify_scene, {**_NAME, "devices": _alike}),
    Api("QueryScene", query_scene, _NAME),
    Api("TimedSwitch", timed_switch, {**_NAME, "time": _MOMENT}),
    Api("CancelTimedSwitch", cancel_timed_switch, {**_NAME, "time": _MOMENT}),
    Api("PlayMusic", play_music, {"music_name": folded}),
    Api("BookHotel", book_hotel),
)
"""Those that this file holds."""
