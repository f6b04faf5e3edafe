"""What every CRA sample from SGD must hold to, whoever wrote it.

The paper's human check found errors in 9% of GPT-4o's dialogues (undefined calls, wrong
types, invented arguments) and filtered none. Here each of these is a rule, held against
the schema and the annotation rather than against the code that wrote the sample.
"""

import json
from collections.abc import Iterator, Mapping

from coalm.corpora.schemas import misfit
from coalm.corpora.sgd import Frame, Service, SgdDialogue
from coalm.types import Assistant, Observation, Sample, ToolCall, User


def check(
    sample: Sample, dialogue: SgdDialogue, services: Mapping[str, Service]
) -> tuple[str, ...]:
    """The reasons for which a sample must not be learned from; none if it is sound."""
    reasons = (
        *_tools(sample),
        *_calls(sample, dialogue, services),
        *_results(sample, dialogue),
        *_words(sample, dialogue),
    )
    return tuple(dict.fromkeys(reasons))


def _tools(sample: Sample) -> Iterator[str]:
    names = [tool.name for tool in sample.dialogue.tools]
    if len(set(names)) < len(names):
        yield "two tools of one name"


def _calls(sample: Sample, dialogue: SgdDialogue, services: Mapping[str, Service]) -> Iterator[str]:
    """Calls are the annotated ones, in order, and fit the schema itself."""
    real = list(_called(dialogue))
    made = [c for t in sample.dialogue.turns if isinstance(t, Assistant) for c in t.calls]
    if len(made) > len(real):
        yield "a call that the dialogue does not have"
    for call, frame in zip(made, real, strict=False):
        why = misfit(call, sample.dialogue.tools) or _against(services.get(frame.service), call)
        if why:
            yield why
        if frame.call is None or (call.name, dict(call.arguments)) != (
            frame.call.name,
            dict(frame.call.arguments),
        ):
            yield "a call other than the annotated one"


def _against(service: Service | None, call: ToolCall) -> str:
    intent = service.intents.get(call.name) if service else None
    if service is None or intent is None:
        return "a call that is no intent of its service"
    if set(intent.required) - set(call.arguments):
        return "a call without a required argument"
    for name, value in call.arguments.items():
        if name not in intent.required and name not in intent.optional:
            return "an argument that the intent does not have"
        values = service.slots[name].values
        if values and value not in values:
            return "an argument outside of its closed list"
    return ""


def _results(sample: Sample, dialogue: SgdDialogue) -> Iterator[str]:
    """Each observation is a cut of the real results, in their order, and follows its call."""
    frames = iter(_called(dialogue))
    turns = sample.dialogue.turns
    for before, turn in zip((None, *turns), turns, strict=False):
        if isinstance(before, Assistant) and before.calls and not isinstance(turn, Observation):
            yield "a call without its result"
        if not isinstance(turn, Observation):
            continue
        frame = next(frames, None)
        if frame is None or not (isinstance(before, Assistant) and before.calls):
            yield "a result of no call"
        elif not _is_cut(turn.text, frame):
            yield "a result other than the service's"


def _is_cut(text: str, frame: Frame) -> bool:
    try:
        seen = json.loads(text)
    except ValueError:
        return False
    real = iter([dict(result) for result in frame.results])
    return (
        isinstance(seen, dict)
        and seen.get("count") == len(frame.results)
        and isinstance(seen.get("results"), list)
        and bool(seen["results"]) == bool(frame.results)
        and all(result in real for result in seen["results"])  # `in` walks on: order counts
    )


def _words(sample: Sample, dialogue: SgdDialogue) -> Iterator[str]:
    """Both sides say what they said, every assistant turn thinks, the last word is spoken."""
    turns = sample.dialogue.turns
    users = [t.text for t in turns if isinstance(t, User)]
    spoken = [t.text for t in turns if isinstance(t, Assistant) and t.text]
    kept = dialogue.exchanges[: len(users)]
    if users != [e.user.text for e in kept] or spoken != [e.system.text for e in kept]:
        yield "words that were not said"
    if any(isinstance(t, Assistant) and not t.thought for t in turns):
        yield "a turn without a thought"
    if any(isinstance(t, Assistant) and not t.calls and not t.text for t in turns):
        yield "a turn that neither calls nor speaks"
    heard = ""
    exchange = iter(kept)
    for turn in turns:
        if isinstance(turn, User | Observation):
            heard += turn.text.lower() + "\n"
        elif isinstance(turn, Assistant) and turn.text:
            said = next(exchange, None)
            if said and not _grounded(said.system.frames, heard):
                yield "an offer that no result holds"


def _grounded(frames: tuple[Frame, ...], heard: str) -> bool:
    """Whether the first thing that each frame offers was seen in a result or said by the user."""
    for frame in frames:
        offer = next((a for a in frame.acts if a.act == "OFFER" and a.values), None)
        known = (*offer.values, *offer.canonical) if offer else ()
        if known and not any(value.lower() in heard for value in known):
            return False
    return True


def _called(dialogue: SgdDialogue) -> Iterator[Frame]:
    for exchange in dialogue.exchanges:
        yield from (frame for frame in exchange.system.frames if frame.call is not None)
