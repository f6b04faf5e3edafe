"""SGD's opening requests as single-turn function calling, and as requests that no tool fits.

A row calls where the system calls right away and every argument was just said. A request
that no tool fits stands among the tools of other domains; a domain that could be taken
for the same counts as other only where the request names its own.
"""

import re
from collections.abc import Mapping

from coalm.corpora.masking import Row
from coalm.corpora.records import chance
from coalm.corpora.schemas import unique
from coalm.corpora.sgd import Service, SgdDialogue
from coalm.corpora.sgd_values import stem
from coalm.cra.annotated import tools
from coalm.plus.domains import confusable, named, same
from coalm.plus.sgd_calls import around, whole
from coalm.plus.typed import typed
from coalm.types import Assistant, Dialogue, ToolSpec

_DATE = re.compile(r"\d{4}-\d\d-\d\d$")


def row_of(
    dialogue: SgdDialogue, services: Mapping[str, Service], *, distractors: int = 3, seed: int = 42
) -> Row | None:
    """The first request and the call that answers it; None where it takes more than that."""
    exchange = dialogue.exchanges[0]
    frame = next((f for f in exchange.system.frames if f.call), None)
    user = next((f for f in exchange.user.frames if frame and f.service == frame.service), None)
    if frame is None or frame.call is None or user is None or not frame.call.arguments:
        return None
    said = {act.slot for act in user.acts if act.act == "INFORM"}
    # A date needs to know what day it is, which a single request does not say.
    dated = any(_DATE.match(str(value)) for value in frame.call.arguments.values())
    if dated or not set(frame.call.arguments) <= said:
        return None
    shown = around(tools([frame.service], services), dialogue, services, distractors, seed)
    one = typed(Dialogue((Assistant(calls=(frame.call,)),), shown))
    answer = one.turns[0]
    calls = answer.calls if isinstance(answer, Assistant) else ()
    return Row(f"sgd-requests/train/{dialogue.id}", exchange.user.text, one.tools, calls)


def foreign_row(
    dialogue: SgdDialogue, services: Mapping[str, Service], *, most: int = 6, seed: int = 42
) -> Row | None:
    """The first request among tools of other domains; None where it says too little."""
    exchange = dialogue.exchanges[0]
    frame = next((f for f in exchange.user.frames if f.intent), None)
    if frame is None or not named(stem(frame.service), exchange.user.text):
        return None
    order = sorted(services, key=lambda n: chance(seed, dialogue.id, n, "foreign"))
    near = [n for n in order if confusable(stem(frame.service), stem(n))]
    far = [n for n in order if n not in near]
    wanted = 1 + int(chance(seed, dialogue.id, "tools") * most)
    # Half of the rows begin with what is nearest: a flight where a bus is asked for.
    chosen = [*near, *far] if chance(seed, dialogue.id, "near") < 0.5 else far
    found: list[ToolSpec] = []
    taken: set[str] = {stem(frame.service)}
    for name in chosen:
        if len(found) >= wanted or stem(name) in taken:
            continue
        if same(stem(name), stem(frame.service)) or named(stem(name), exchange.user.text):
            continue
        taken.add(stem(name))
        found += whole(tools([name], services))
    if not found:
        return None
    shown = typed(Dialogue((), unique(found)[:wanted])).tools
    mixed = sorted(shown, key=lambda tool: chance(seed, dialogue.id, tool.name, "place"))
    return Row(f"sgd-irrelevant/train/{dialogue.id}", exchange.user.text, tuple(mixed), ())
