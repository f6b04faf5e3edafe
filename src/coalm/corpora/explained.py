"""A short true thought before each call, and before leaving a request alone.

Written from the row's own facts: which tool is called, what its description says, and
which argument stands word for word in what was said. In the paper's rows no thought is
ever learned.
"""

from collections.abc import Sequence
from dataclasses import replace

from coalm.corpora.wording import listed, one_of
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    Turn,
    User,
)

THINK = "Before you call a tool or decline to, think in a sentence or two inside <think></think>."
"""What a prompt says whose dialect does not ask for thoughts by itself."""
LONGEST = 100
"""Characters of a description that a thought repeats."""
MOST = 4
"""Arguments of a call that a thought names."""


def explained(sample: Sample, seed: int = 42) -> Sample:
    """The sample with a thought in each turn that calls, or that answers with nothing.

    Turns that speak stay as they are, and so do thoughts that are there already.
    """
    # Deviation D67: thoughts are learned, and written by rule.
    turns: list[Turn] = []
    for number, turn in enumerate(sample.dialogue.turns):
        wanted = isinstance(turn, Assistant) and not turn.thought and (turn.calls or not turn.text)
        if wanted and isinstance(turn, Assistant):
            key = f"{seed}/{sample.id}/{number}"
            turn = replace(turn, thought=thought(turn, turns, sample.dialogue.tools, key))
        turns.append(turn)
    return replace(sample, dialogue=replace(sample.dialogue, turns=tuple(turns)))


def asked_to_think(dialogue: Dialogue) -> Dialogue:
    """The dialogue whose operator asks for thoughts."""
    first = dialogue.turns[0] if dialogue.turns else None
    if isinstance(first, System):
        told = System(f"{first.text}\n\n{THINK}")
        return replace(dialogue, turns=(told, *dialogue.turns[1:]))
    return replace(dialogue, turns=(System(THINK), *dialogue.turns))


def thought(turn: Assistant, before: Sequence[Turn], tools: Sequence[ToolSpec], key: str) -> str:
    """Why the turn makes its calls, or none."""
    if not turn.calls:
        return _none(tools, key)
    users = [t.text for t in before if isinstance(t, User)]
    results = [t.text for t in before if isinstance(t, Observation)]
    if len(turn.calls) == 1:
        return _one(turn.calls[0], users, results, tools, key)
    return _several(turn.calls, users, tools, key)


def _none(tools: Sequence[ToolSpec], key: str) -> str:
    names = listed([tool.name for tool in tools[:3]]) if tools else ""
    many = "tools" if len(tools) > 1 else "tool"
    verb = "do" if len(tools) > 1 else "does"
    if not tools or len(tools) > 3:
        options: tuple[str, ...] = (
            "None of the tools can do what is asked, so I call none.",
            "What the user wants is not among the things that these tools do; no call.",
            "I looked through the tools and none fits, so there is nothing to call.",
        )
    else:
        options = (
            f"The {many} here, {names}, {verb} something else; nothing fits the request.",
            f"What is asked is not what {names} {verb}, so I make no call.",
            f"{names}: not what the user asks for. No call.",
        )
    return one_of(options, key, "none")


def _one(
    call: ToolCall,
    users: Sequence[str],
    results: Sequence[str],
    tools: Sequence[ToolSpec],
    key: str,
) -> str:
    about = _about(call.name, tools)
    fits = one_of(
        (
            f"{call.name} fits{about}.",
            f"The request is one for {call.name}{about}.",
            f"I need {call.name}{about}.",
        ),
        *(key, "fits"),
    )
    return " ".join(filter(None, (fits, _given(call, users, results, key))))


def _several(
    calls: Sequence[ToolCall], users: Sequence[str], tools: Sequence[ToolSpec], key: str
) -> str:
    names = list(dict.fromkeys(call.name for call in calls))
    if len(names) == 1:
        name = names[0]
        told = [_values(call, users[-1:]) for call in calls]
        each = f", one for each of {listed(told)}" if all(told) and len(set(told)) > 1 else ""
        return one_of(
            (
                f"{name} is needed {_times(len(calls))}{each}.",
                f"The request takes {len(calls)} calls of {name}{each}.",
                f"I call {name} {_times(len(calls))}{each}.",
            ),
            *(key, "same"),
        )
    return one_of(
        (
            f"The request has several parts: {listed(names)} each do one of them.",
            f"Several things are asked at once; I call {listed(names)}.",
            f"Each part has its own tool: {listed(names)}.",
        ),
        *(key, "several"),
    )


def _about(name: str, tools: Sequence[ToolSpec]) -> str:
    """What the tool's description says, where it is short enough to repeat."""
    found = next((tool.description for tool in tools if tool.name == name), "")
    said = " ".join(found.split()).split(". ")[0].rstrip(".")
    return f" ({said})" if 0 < len(said) <= LONGEST else ""


def _given(call: ToolCall, users: Sequence[str], results: Sequence[str], key: str) -> str:
    """Which arguments are word for word in the last request, earlier ones, or a result."""
    sources = (
        (users[-1:], ("The user gives {}.", "From the request: {}.", "The request says {}.")),
        (users[:-1], ("Said earlier: {}.", "From before I know {}.")),
        (results, ("From an earlier result: {}.",)),
    )
    left = dict(call.arguments)
    told: list[str] = []
    for texts, options in sources:
        known = {k: v for k, v in left.items() if any(said(v, text) for text in texts)}
        left = {k: v for k, v in left.items() if k not in known}
        pairs = [f"{k} = {_shown(v)}" for k, v in list(known.items())[:MOST]]
        if pairs:
            told.append(one_of(options, key, "given").format(listed(pairs)))
    return " ".join(told)


def _values(call: ToolCall, users: Sequence[str]) -> str:
    known = [_shown(v) for v in call.arguments.values() if any(said(v, text) for text in users)]
    return known[0] if known else ""


def _shown(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _times(many: int) -> str:
    return {2: "twice"}.get(many, f"{many} times")


def said(value: Json, text: str) -> bool:
    """Whether a text holds a value word for word."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    plain = str(value).strip().lower()
    if not plain or len(plain) > LONGEST:
        return False
    place = text.lower().find(plain)
    while place >= 0:
        before, after = text[place - 1 : place], text[place + len(plain) : place + len(plain) + 1]
        if not (before.isalnum() and plain[0].isalnum()) and not (
            after.isalnum() and plain[-1].isalnum()
        ):
            return True
        place = text.lower().find(plain, place + 1)
    return False
