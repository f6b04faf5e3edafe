"""SGD's own clarifying questions: a call cannot be made yet, and the system asks.

A conversation up to such a question, or on to the call that its answer allows. Unlike the
questions that `corpora.clarify` writes by rule, these are people's words.
"""

from collections.abc import Iterator, Mapping, Sequence

from coalm.corpora.explained import asked_to_think
from coalm.corpora.records import Skip, chance, ignore
from coalm.corpora.sgd import Exchange, Service, SgdDialogue
from coalm.corpora.sgd_variants import Variant, variant_of
from coalm.cra.annotated import made
from coalm.plus.sgd_calls import around, unthinking
from coalm.plus.typed import typed
from coalm.types import Dialogue, Sample

DEEPEST = 5
"""The question is one of a dialogue's first so many turns, so that a row stays short."""


def make(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    *,
    seed: int = 42,
    answered: float = 0.5,
    distractors: int = 4,
    thoughts: float = 0.0,
    others: Sequence[Variant] = (),
    renamed: float = 0.0,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """The dialogue up to a question for a required slot, or a share `answered` on to its call."""
    # Deviation D66: rows that the paper's mixture does not have.
    asking = [
        n for n, exchange in enumerate(dialogue.exchanges[:DEEPEST]) if missing(exchange, services)
    ]
    if not asking:
        skip("no question for a required slot")
        return
    where = asking[int(chance(seed, dialogue.id, "question") * len(asking))]
    end = where + 1
    if chance(seed, dialogue.id, "answered") < answered:
        end = _call_after(dialogue, where) or end
    known: Mapping[str, Service] = services
    thinks = chance(seed, dialogue.id, "clarify thoughts") < thoughts
    if others and not thinks and chance(seed, dialogue.id, "clarify renamed") < renamed:
        variant = variant_of(others, seed, f"{dialogue.id}/clarify")
        dialogue, known = variant.dialogue(dialogue), variant.services
    sample = made(dialogue, known, end)
    if not isinstance(sample, Sample):
        skip(str(sample[0]))
        return
    shown = around(sample.dialogue.tools, dialogue, known, distractors, seed)
    told = typed(Dialogue(sample.dialogue.turns, shown))
    yield Sample(
        sample.id.replace("sgd-cra/", "sgd-clarify/", 1),
        "sgd-clarify",
        asked_to_think(told) if thinks else unthinking(told),
        sample.group,
    )


def missing(exchange: Exchange, services: Mapping[str, Service]) -> list[str]:
    """The required slots that the system asks for because the user's intent lacks them."""
    found = []
    for frame in exchange.system.frames:
        user = next((f for f in exchange.user.frames if f.service == frame.service), None)
        service = services.get(frame.service)
        intent = service.intents.get(user.intent) if service and user else None
        if user is None or intent is None or frame.call is not None:
            continue
        known = user.state or {}
        asked = [act.slot for act in frame.acts if act.act == "REQUEST"]
        found += [slot for slot in asked if slot in intent.required and not known.get(slot)]
    return found


def _call_after(dialogue: SgdDialogue, where: int) -> int:
    """How many exchanges there are up to the first call after one; 0 if there is none."""
    for number, exchange in enumerate(dialogue.exchanges[where + 1 :], where + 1):
        if any(frame.call for frame in exchange.system.frames):
            return number + 1
    return 0
