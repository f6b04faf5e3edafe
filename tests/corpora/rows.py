"""A few rows and tools that tests of single-turn calling share."""

from coalm.corpora.masking import Row
from coalm.types import Json, ToolCall, ToolSpec


def tool(name: str, about: str, required: tuple[str, ...], **kinds: str) -> ToolSpec:
    """A tool whose parameters are told apart by their names."""
    properties: dict[str, Json] = {
        p: {"type": kind, "description": f"The {p.replace('_', ' ')}"} for p, kind in kinds.items()
    }
    needed: list[Json] = [*required]
    return ToolSpec(name, about, {"type": "object", "properties": properties, "required": needed})


WEATHER = tool("get_weather", "Weather in a town on a day", ("town",), town="string", day="string")
RAIN = tool("get_rain_history", "Rain of past years in a town", ("town",), town="string")
TIDES = tool("tide_table", "High and low water at a port", ("port",), port="string")
CHORDS = tool("find_chords", "Chords of a song", ("song", "key"), song="string", key="string")
ORDER = tool("cancel_order", "Cancels an order", ("order_id",), order_id="string")
SCALE = tool("scale_recipe", "Scales a recipe", ("factor",), factor="integer")

SUNNY = Row(
    "r/1",
    "What will the weather be on Friday in Oldmere?",
    (WEATHER, TIDES),
    (ToolCall("get_weather", {"town": "Oldmere", "day": "Friday"}),),
)
CANCEL = Row(
    "r/2",
    'Please cancel the order with the ID "QX77".',
    (ORDER, CHORDS),
    (ToolCall("cancel_order", {"order_id": "QX77"}),),
)
RAINY = Row(
    "r/3",
    "Tell me the weather in Corrin.",
    (WEATHER,),
    (ToolCall("get_weather", {"town": "Corrin"}),),
)
SONG = Row(
    "r/4",
    "Find the chords of Paper Kites in the key of D.",
    (CHORDS, TIDES, WEATHER),
    (ToolCall("find_chords", {"song": "Paper Kites", "key": "D"}),),
)
BOTH = Row(
    "r/5",
    "Weather in Corrin and Oldmere, please.",
    (WEATHER,),
    (
        ToolCall("get_weather", {"town": "Corrin"}),
        ToolCall("get_weather", {"town": "Oldmere"}),
    ),
)
NOTHING = Row("r/6", "Who painted this?", (TIDES, ORDER), ())
ROWS = (SUNNY, CANCEL, RAINY, SONG, BOTH, NOTHING)
