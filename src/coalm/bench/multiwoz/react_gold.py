"""What an agent would have to call to be right: gold states as calls of the eight APIs.

After each turn, what the user settled or changed is passed to the tool that looks it up, with
all that is settled so far, and to the one that books. Three things cannot be said by calls,
so a gold reply is not perfect on the whole test set: a slot that the gold state takes back
(50 turns), a value that its API does not take ("tomorrow" for a day), and booking details
that come one by one are told to an API that refuses them for lack of the others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coalm.agent import Reply
from coalm.agent.loop import Tool
from coalm.bench.multiwoz.react_play import DialogueCase, joined, request
from coalm.bench.multiwoz.state import first_alternatives
from coalm.engines import Completion, Said
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_LOOK = {
    "restaurant": "query_restaurants",
    "hotel": "query_hotels",
    "attraction": "query_attractions",
    "train": "query_trains",
    "taxi": "book_taxi",
}
_BOOK = {"restaurant": "book_restaurant", "hotel": "book_hotel", "train": "buy_train_tickets"}
_FIRST_TRAIN = re.compile(r'"train_id":"(\w+)"')
_SPELT = {"leaveat": "leave_at", "arriveby": "arrive_by"}
GOODBYE = "You are welcome. Goodbye!"
"""The answer after the last user turn, which the test states do not hold."""


def gold_calls(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[ToolCall, ...]:
    """The calls that say what a gold state has and the one before it had not."""
    changed = {slot for slot, value in now.items() if before.get(slot) != value}
    calls = []
    for domain, look in _LOOK.items():
        mine = {s.partition("-")[2]: v for s, v in now.items() if s.startswith(f"{domain}-")}
        news = {s.partition("-")[2] for s in changed if s.startswith(f"{domain}-")}
        booked = {slot for slot in mine if slot.startswith("book ")}
        if news - booked:
            calls.append(_call(look, {s: v for s, v in mine.items() if s not in booked}))
        if news & booked:
            named = {"name"} if mine.get("name", "dontcare") != "dontcare" else set()
            told = {s: v for s, v in mine.items() if s in booked | named}
            calls.append(_call(_BOOK[domain], told))
    return tuple(calls)


def gold_reply(
    case: DialogueCase, tools: Mapping[str, Tool], specs: Sequence[ToolSpec], last: str = GOODBYE
) -> Reply:
    """Gold calls, run with the tools, and the answers that were given in the dialogue."""
    replies, train = [], ""
    before: Mapping[str, str] = {}
    for number, turn in enumerate(case.turns):
        now = first_alternatives(turn.state)
        calls = gold_calls(before, now)
        dialogue, said = request(turn, specs), []
        # One call a step, as the paper's agent takes them.
        for call in calls:
            if call.name == "buy_train_tickets" and train:
                call = replace(call, arguments={"train_id": train, **call.arguments})
            step, seen = Assistant(calls=(call,)), tools[call.name](call.arguments)
            said.append(Said(step, Completion("", "stop", 0, 0), ""))
            dialogue = dialogue.then(step, Observation(seen, call.name))
            if call.name == "query_trains" and (hit := _FIRST_TRAIN.search(seen)):
                train = hit[1]
        following = case.turns[number + 1 : number + 2]
        answer = Assistant(following[0].history[-1][0] if following else last)
        said.append(Said(answer, Completion("", "stop", 0, 0), ""))
        replies.append(Reply(dialogue.then(answer), "spoke", tuple(said)))
        before = now
    return joined(replies)


def _call(api: str, told: Mapping[str, str]) -> ToolCall:
    return ToolCall(
        api,
        {
            _SPELT.get(slot, slot.removeprefix("book ")): "any" if value == "dontcare" else value
            for slot, value in told.items()
        },
    )
