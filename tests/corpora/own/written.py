"""A sample in each style, as other people's tools write them."""

import json
from typing import Any

from coalm import store
from coalm.types import Assistant, Observation, Sample, System, ToolSpec, User


def wrapped(tools: tuple[ToolSpec, ...]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": row} for row in store.dump_tools(tools)]


def openai(sample: Sample) -> dict[str, Any]:
    """OpenAI's fine-tuning layout: arguments as strings, results by the ids of their calls."""
    messages: list[dict[str, Any]] = []
    ids: list[str] = []
    for turn in sample.dialogue.turns:
        match turn:
            case System(text):
                messages.append({"role": "system", "content": text})
            case User(text):
                messages.append({"role": "user", "content": text})
            case Observation(text, _tool):
                messages.append({"role": "tool", "tool_call_id": ids.pop(0), "content": text})
            case Assistant(text, thought, calls):
                message: dict[str, Any] = {"role": "assistant", "content": text or None}
                if thought:
                    message["reasoning_content"] = thought
                ids = [f"call_{len(messages)}_{n}" for n in range(len(calls))]
                if calls:
                    message["tool_calls"] = [
                        {
                            "id": name,
                            "type": "function",
                            "function": {
                                "name": call.name,
                                "arguments": json.dumps(dict(call.arguments)),
                            },
                        }
                        for name, call in zip(ids, calls, strict=True)
                    ]
                messages.append(message)
    return {"id": sample.id, "messages": messages, "tools": wrapped(sample.dialogue.tools)}


def sharegpt(sample: Sample, *, names: bool = False) -> dict[str, Any]:
    """LLaMA-Factory's layout; with `names` the other names that are in use for the sides."""
    said: list[tuple[str, str]] = []
    row: dict[str, Any] = {"id": sample.id, "tools": json.dumps(wrapped(sample.dialogue.tools))}
    sides = ("user", "assistant", "tool_call", "tool_response") if names else (
        "human", "gpt", "function_call", "observation"
    )  # fmt: skip
    for turn in sample.dialogue.turns:
        match turn:
            case System(text):
                row["system"] = text
            case User(text):
                said.append((sides[0], text))
            case Observation(text, _tool):
                said.append((sides[3], text))
            case Assistant(text, thought, calls):
                inner = f"<think>\n{thought}\n</think>\n\n" if thought else ""
                rows = [{"name": c.name, "arguments": dict(c.arguments)} for c in calls]
                if text or not calls:
                    said.append((sides[1], inner + text))
                    inner = ""
                if calls:
                    said.append((sides[2], inner + json.dumps(rows[0] if len(rows) == 1 else rows)))
    return row | {"conversations": [{"from": side, "value": text} for side, text in said]}


def toolace(sample: Sample) -> dict[str, Any]:
    """ToolACE's layout: the tools inside the system text, calls in brackets."""
    said: list[tuple[str, str]] = []
    for turn in sample.dialogue.turns:
        match turn:
            case System():
                raise ValueError("ToolACE's system text is its own")
            case User(text):
                said.append(("user", text))
            case Observation(text, _tool):
                said.append(("tool", text))
            case Assistant(text, _thought, calls):
                written = ", ".join(
                    f"{c.name}({', '.join(f'{k}={json.dumps(v)}' for k, v in c.arguments.items())})"
                    for c in calls
                )
                said.append(("assistant", f"[{written}]" if calls else text))
    listed = json.dumps(store.dump_tools(sample.dialogue.tools))
    return {
        "id": sample.id,
        "system": f"Here is a list of functions that you can use:\n{listed}\nUse them well.",
        "conversations": [{"from": side, "value": text} for side, text in said],
    }


def ours(sample: Sample) -> dict[str, Any]:
    """Our own rows with turns and tools as lists, as a person would write them."""
    row: dict[str, Any] = dict(store.dump_sample(sample))
    return row | {"turns": json.loads(row["turns"]), "tools": json.loads(row["tools"])}
