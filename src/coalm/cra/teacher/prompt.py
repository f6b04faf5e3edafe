"""What the teacher is asked: a dialogue with its tools, calls and results, but no thoughts.

The form is that of the paper's Table 6 (User / Thought1 / API Name / API Input / API
Result / Thought2 / System, or User / Thought / System); the words are ours.
"""

from collections.abc import Iterator
from typing import Any

from coalm import store
from coalm.types import Assistant, Observation, Sample, System, ToolCall, Turn, User

# Deviation D54: the paper's teacher writes whole turns; ours only what SGD does not have.
INSTRUCTION = """\
You will see a recorded conversation between a user and an assistant who can call APIs. \
What was said, what was called and what came back is all there and stays as it is. What is \
missing is the reasoning of the assistant. Write it down as the assistant's own inner voice.

Return one JSON object, {"turns": [...]}, with one entry for each turn, in order.

A turn in which an API was called:
{"turn": 3, "thought1": "...", "api_name": "...", "api_input": [{"name": "...", "value": "..."}], \
"thought2": "..."}
- thought1 comes before the call. It says why this call is due now: what the user just gave, \
changed or confirmed, and that nothing required is missing.
- api_name and api_input state the call that thought1 leads to, with every argument.
- thought2 comes after the result. It says what the result means for the user and leads to \
the reply.

A turn in which no API was called:
{"turn": 1, "thought": "..."}
- thought says why there is no call now: which required argument is still open, what needs a \
confirmation first, or which earlier result already holds the answer; and so what to say.

Rules for every thought:
- One or two short sentences, first person, plain text on one line. Under 40 words.
- Speak of this very turn: name the API, the arguments or the values in question. Do not \
repeat one phrase from turn to turn.
- Know only what is known at that moment: earlier turns, this turn's user line and, in \
thought2, the result. Names, prices, times and numbers must have been said or returned by then.
- Agree with what happens: no talk of a call in a turn without one, no doubt about a call that \
is then made.

Return the JSON object and nothing else."""

_CALLED: dict[str, Any] = {
    "turn": {"type": "integer"},
    "thought1": {"type": "string"},
    "api_name": {"type": "string"},
    "api_input": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            "required": ["name", "value"],
            "additionalProperties": False,
        },
    },
    "thought2": {"type": "string"},
}
_ALONE: dict[str, Any] = {"turn": {"type": "integer"}, "thought": {"type": "string"}}


def _entry(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMA: dict[str, Any] = _entry(
    {"turns": {"type": "array", "items": {"anyOf": [_entry(_CALLED), _entry(_ALONE)]}}}
)
"""The answer as JSON Schema, within what strict modes allow: no open objects, all required.
The same for every dialogue, so that an endpoint compiles it once."""

RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "thoughts", "strict": True, "schema": SCHEMA},
}


def exchanges(sample: Sample) -> Iterator[tuple[Turn, ...]]:
    """The turns from each user's turn up to the next one."""
    held: list[Turn] = []
    for turn in sample.dialogue.turns:
        if isinstance(turn, User) and held:
            yield tuple(held)
            held = []
        if not isinstance(turn, System):
            held.append(turn)
    if held:
        yield tuple(held)


def messages(sample: Sample) -> list[dict[str, str]]:
    """The chat messages that ask for the thoughts of a sample; those it has are not shown."""
    told = " ".join(t.text for t in sample.dialogue.turns if isinstance(t, System))
    tools = "\n".join(map(store.compact, store.dump_tools(sample.dialogue.tools)))
    shown = [_turn(n, turns) for n, turns in enumerate(exchanges(sample), 1)]
    text = "\n\n".join(
        (f"{told}\n\nAPIs, one a line:\n{tools}", *shown, f"Write the {len(shown)} entries.")
    )
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text}]


def pairs(call: ToolCall) -> list[dict[str, Any]]:
    """A call's arguments as the schema wants them."""
    return [{"name": name, "value": value} for name, value in call.arguments.items()]


def _turn(number: int, turns: tuple[Turn, ...]) -> str:
    lines = [f"Turn {number}"]
    for turn in turns:
        match turn:
            case User(text):
                lines.append(f"User: {text}")
            case Assistant(calls=(call, *_)):
                lines += [f"API Name: {call.name}", f"API Input: {store.compact(pairs(call))}"]
            case Assistant(text=text):
                lines.append(f"System: {text}")
            case Observation(text):
                lines.append(f"API Result: {text}")
            case System():
                pass
    return "\n".join(lines)
