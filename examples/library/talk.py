"""An agent in thirty lines: typed functions as tools, one of them asynchronous.

python talk.py               replies from a script, to see how it works
python talk.py smollm2-135m  a model: an embedded one, a run folder or a model folder
"""

import asyncio
import sys
from typing import Annotated

from coalm import Agent, Dialogue, Model, System, format_of, open_engine
from coalm.agent.events import Ended, Observed, Took
from coalm.agent.functions import tools
from coalm.agent.session import Session, Setting
from coalm.engines.scripted import Scripted


def distance(a: Annotated[str, "from"], b: Annotated[str, "to"]) -> str:
    """How far two towns are apart."""
    return f"{len(a) * len(b)} km"


async def weather(town: str, days: Annotated[int, "how many days from now"] = 0) -> dict[str, str]:
    """The weather of a town."""
    await asyncio.sleep(0)
    return {"town": town, "sky": "clear" if days else "rain"}


SCRIPT = [
    "Thought: Both at once.\nAction: distance(a='Ely', b='Bath')\n"
    "Action: weather(town='Bath', days=1)",
    "System: Bath is 12 km away, and tomorrow the sky is clear.",
]
model = sys.argv[1] if len(sys.argv) > 1 else ""
engine = open_engine("auto", model) if model else Scripted(SCRIPT)
given = tools(distance, weather)
agent = Agent(Model(engine, format_of("chatml", "react")), given, max_steps=4, parallel=2)
opening = Dialogue((System("Help travellers."),), tuple(tool.spec for tool in given.values()))

session = Session(Setting(agent, opening))
for event in session.say("How far is it from Ely to Bath, and will it rain there tomorrow?"):
    match event:
        case Took(turn):
            print(turn.thought or turn.text, *(call.name for call in turn.calls))
        case Observed(tool, text):
            print(f"  {tool}: {text}")
        case Ended(reply):
            print(f"({reply.ended})")
