"""SGD's services as tools: one for each intent, described by the schema."""

from collections import Counter
from collections.abc import Mapping, Sequence

from coalm.corpora.sgd import Intent, Service
from coalm.types import Json, ToolSpec

_made: dict[str, tuple[Service, tuple[ToolSpec, ...]]] = {}
"""What `_tools` gave for a service, since every dialogue asks anew; never changes a result."""


def tool_names(
    names: Sequence[str], services: Mapping[str, Service], *, apart: bool = True
) -> dict[tuple[str, str], str]:
    """The tool of each service and intent of a dialogue.

    Deviation D50: where two of the services have an intent of one name, as Movies_1 and
    Media_1 have FindMovies, each is called `Movies_1_FindMovies`. Not so without `apart`.
    """
    count = Counter(i for name in names for i in services[name].intents)
    return {
        (name, intent): f"{name}_{intent}" if apart and count[intent] > 1 else intent
        for name in names
        for intent in services[name].intents
    }


def tools(
    names: Sequence[str],
    services: Mapping[str, Service],
    called: Mapping[tuple[str, str], str] | None = None,
) -> tuple[ToolSpec, ...]:
    """Each intent of these services as a tool; its parameters are the intent's slots.

    A slot that several intents of a service share is described at the first of them.
    `called` is what `tool_names` gave; without it tools are named as their intents.
    """
    found: list[ToolSpec] = []
    for name in names:
        for spec in _tools(services[name]):
            tool = called.get((name, spec.name), spec.name) if called else spec.name
            same = tool == spec.name
            found.append(spec if same else ToolSpec(tool, spec.description, spec.parameters))
    return tuple(found)


def _tools(service: Service) -> tuple[ToolSpec, ...]:
    known = _made.get(service.name)
    if known is None or known[0] is not service:
        described: set[str] = set()
        specs = tuple(_tool(service, intent, described) for intent in service.intents.values())
        known = _made[service.name] = (service, specs)
    return known[1]


def _tool(service: Service, intent: Intent, described: set[str]) -> ToolSpec:
    slots = (*intent.required, *intent.optional)
    properties: dict[str, Json] = {
        slot: _parameter(service, slot, intent.optional.get(slot, ""), known=slot in described)
        for slot in slots
    }
    described |= set(slots)
    required: list[Json] = [*intent.required]
    return ToolSpec(
        intent.name,
        intent.description,
        {"type": "object", "properties": properties, "required": required},
    )


def _parameter(service: Service, slot: str, default: str, *, known: bool) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": "string"}
    if not known:
        schema["description"] = service.slots[slot].description
        values: list[Json] = [*service.slots[slot].values]
        if values:
            schema["enum"] = values
    if default and default != "dontcare":
        schema["default"] = default
    return schema
