"""SGD as multi-turn calling: a conversation in which tools are called at several turns.

The conversations are those of `cra.annotated`, checked as they are; what differs is what
stands around them: more tools than are needed, numbers and truth values with their types,
and thoughts only where the prompt asks for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from coalm.corpora.explained import asked_to_think
from coalm.corpora.records import Skip, chance, ignore
from coalm.corpora.schemas import unique
from coalm.corpora.sgd import Service, SgdDialogue
from coalm.corpora.sgd_values import stem
from coalm.corpora.sgd_variants import Variant, variant_of
from coalm.cra.annotated import made, tools
from coalm.plus.domains import confusable
from coalm.plus.typed import typed
from coalm.types import Assistant, Dialogue, Json, Sample, ToolSpec


def make(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    *,
    seed: int = 42,
    turns: int | None = None,
    calls: int = 2,
    distractors: int = 6,
    thoughts: float = 0.0,
    others: Sequence[Variant] = (),
    renamed: float = 0.0,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """The dialogue as a conversation with at least so many calls, if it has them.

    Up to `distractors` tools of other services stand among its own. A share `thoughts`
    keeps the thoughts, its prompt asks for them, and its services keep their names; of the
    others a share `renamed` has services under other names.
    """
    # Deviation D66: rows that the paper's mixture does not have.
    known: Mapping[str, Service] = services
    thinks = chance(seed, dialogue.id, "calls thoughts") < thoughts
    # Thoughts put slots into sentences, for which "in city" or "nameOfEvent" is no word.
    if others and not thinks and chance(seed, dialogue.id, "calls renamed") < renamed:
        variant = variant_of(others, seed, f"{dialogue.id}/calls")
        dialogue, known = variant.dialogue(dialogue), variant.services
    sample = made(dialogue, known, turns)
    if not isinstance(sample, Sample):
        skip(str(sample[0]))
        return
    if sum(len(t.calls) for t in sample.dialogue.turns if isinstance(t, Assistant)) < calls:
        skip("a conversation with fewer calls")
        return
    shown = around(sample.dialogue.tools, dialogue, known, distractors, seed)
    told = typed(Dialogue(sample.dialogue.turns, shown))
    yield Sample(
        sample.id.replace("sgd-cra/", "sgd-calls/", 1) + (f"#{turns}" if turns else ""),
        "sgd-calls",
        asked_to_think(told) if thinks else unthinking(told),
        sample.group,
    )


def around(
    own: Sequence[ToolSpec],
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    most: int,
    seed: int,
) -> tuple[ToolSpec, ...]:
    """A dialogue's tools and up to `most` that cannot be meant, in any order."""
    used = {stem(name) for name in dialogue.services}
    taken = set(used)
    wanted = int(chance(seed, dialogue.id, "distractors") * (most + 1))
    found: list[ToolSpec] = []
    for name in sorted(services, key=lambda n: chance(seed, dialogue.id, n, "beside")):
        if len(found) >= wanted:
            break
        if stem(name) not in taken and not any(confusable(stem(name), other) for other in used):
            taken.add(stem(name))
            found += tools([name], services)
    shown = unique((*whole(own), *whole(found)))[: len(own) + wanted]
    return tuple(sorted(shown, key=lambda tool: chance(seed, dialogue.id, tool.name, "place")))


def whole(specs: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools, each parameter described where it stands.

    `cra.tools` describes a slot at the first intent of its service only; in another order
    that would be read too late.
    """
    latest: dict[str, Mapping[str, Json]] = {}
    found = []
    for tool in specs:
        properties: dict[str, Json] = {}
        for name, schema in tool.properties.items():
            given = schema if isinstance(schema, dict) else {}
            if "description" in given:
                latest[name] = {k: v for k, v in given.items() if k != "default"}
            properties[name] = {**latest.get(name, {}), **given}
        found.append(replace(tool, parameters={**tool.parameters, "properties": properties}))
    return tuple(found)


def unthinking(dialogue: Dialogue) -> Dialogue:
    """The dialogue without its thoughts."""
    return replace(
        dialogue,
        turns=tuple(
            replace(t, thought="") if isinstance(t, Assistant) else t for t in dialogue.turns
        ),
    )
