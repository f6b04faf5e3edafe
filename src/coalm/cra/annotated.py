"""CRA samples from SGD's own annotations (Paper 4.1, Table 6).

The paper has GPT-4o write Thought, Action and Observation into each turn. Here the
actions are the service calls that SGD annotates, the observations are the real service
results, the words are the corpus's own, and only the thoughts are written, from the
dialogue acts: nothing can be made up. `check` goes over each sample once more.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from coalm import store
from coalm.corpora.records import Skip, ignore
from coalm.corpora.sgd import (
    ARCHIVE,
    Exchange,
    Frame,
    Service,
    SgdDialogue,
    dialogues,
    schema,
)
from coalm.cra.check import Finding, check
from coalm.cra.moments import moments
from coalm.cra.select import EVERYTHING, Selection
from coalm.cra.thoughts import after_call, alone, before_call
from coalm.cra.tools import tool_names, tools
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, Observation, Sample, System, Turn, User

__all__ = ["TODAY", "annotated", "made", "observation", "read", "tools"]

TODAY = "Today is Friday, 2019-03-01."
"""The day on which all of SGD plays; without it nobody could know what "the 8th" means."""
SHOWN = 2
"""Results that an observation shows, beside those that the system goes on to offer."""


def read(
    found: Found,
    *,
    max_turns: int | None = None,
    skip: Skip = ignore,
    selection: Selection = EVERYTHING,
    apart: bool = True,
) -> Iterator[Sample]:
    """A checked sample for each dialogue; of those that fail, `skip` is told the reason.

    `max_turns` keeps the first user turns of a dialogue only, `selection` keeps the
    dialogues of some services or domains. `apart` is told of at `annotated`.
    """
    path = found.path(ARCHIVE)
    services = schema(path)
    selection.known(services)
    for dialogue in dialogues(path):
        if not selection.keeps(dialogue):
            continue
        one = made(dialogue, services, max_turns, apart=apart)
        if isinstance(one, Sample):
            yield one
        else:
            skip(str(one[0]))


def made(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    max_turns: int | None = None,
    *,
    split: str = "train",
    apart: bool = True,
) -> Sample | tuple[Finding, ...]:
    """The sample of one dialogue, or what is wrong with it. Pure: fit for any process."""
    sample = annotated(dialogue, services, max_turns, split=split, apart=apart)
    return check(sample, dialogue, services) or sample


def annotated(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    max_turns: int | None = None,
    *,
    split: str = "train",
    apart: bool = True,
) -> Sample:
    """A dialogue as a conversation of thoughts, calls, results and words.

    The thought comes before its call, and a second one before the words that the result
    leads to. All assistant turns are learned. `apart` puts the service's name before tools
    that two services of the dialogue would share; otherwise such a dialogue fails its check.
    """
    # Deviation D16: no teacher model. Deviation D17: thoughts are learned; in the paper's
    # published rows none is. Deviation D18: the tools are those of the dialogue's services
    # rather than all 51 methods, and one dialogue is one row.
    exchanges = dialogue.exchanges
    kept = exchanges[:max_turns]
    said = {f.service for e in kept for t in (e.user, e.system) for f in t.frames}
    used = [name for name in dialogue.services if name in said]
    names = tool_names(used, services, apart=apart)
    turns: list[Turn] = [System(TODAY)]
    for number, moment in enumerate(islice(moments(dialogue, services, names), len(kept))):
        exchange, frame = kept[number], moment.answer
        turns.append(User(exchange.user.text))
        if frame.call is not None:
            text = observation(frame, _offers(exchanges[number:], frame))
            turns.append(Assistant(thought=before_call(moment, frame.call), calls=(frame.call,)))
            turns.append(Observation(text, frame.call.name))
            turns.append(Assistant(exchange.system.text, after_call(moment, frame.call)))
        else:
            turns.append(Assistant(exchange.system.text, alone(moment)))
    return Sample(
        f"sgd-cra/{split}/{dialogue.id}",
        "sgd-cra",
        Dialogue(tuple(turns), tools(used, services, names)),
        f"sgd/{split}/{dialogue.id}",
        "react",
    )


def observation(frame: Frame, offers: set[str]) -> str:
    """How many results there were, and some of them whole, as JSON.

    Deviation D19: the first two, and those that the system names before its next call of
    the service, in the service's order. So nothing is offered that was not seen, and a row
    stays short.
    """
    shown = [
        result
        for i, result in enumerate(frame.results)
        if i < SHOWN or not offers.isdisjoint(map(str, result.values()))
    ]
    return store.compact({"count": len(frame.results), "results": shown})


def _offers(rest: Sequence[Exchange], frame: Frame) -> set[str]:
    """The names that the system offers or confirms from these results, up to its next call."""
    named: set[str] = set()
    for number, exchange in enumerate(rest):
        for other in exchange.system.frames:
            if other.service != frame.service:
                continue
            if number and other.call:
                return named
            firsts = [a for a in other.acts if a.act == "OFFER"][:1]
            named |= {v for a in firsts for v in a.canonical}
    return named
