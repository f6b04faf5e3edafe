"""Which sources are off until a person allows them, and why."""

from collections.abc import Collection

from coalm.errors import DataError, unknown
from coalm.sources.model import GATES, Gate, Source
from coalm.sources.registry import SOURCES


def named(name: str) -> Source:
    """The source of that name; a `DataError` names the nearest one."""
    if name not in SOURCES:
        raise DataError(unknown("source", name, SOURCES))
    return SOURCES[name]


def gates(names: Collection[str]) -> tuple[Gate, ...]:
    """What is allowed, checked; a `DataError` for a word that is no gate."""
    for name in names:
        if name not in GATES:
            raise DataError(unknown("thing to allow", name, GATES))
    return tuple(gate for gate in GATES if gate in names)


def refusal(source: Source, allow: Collection[str] = ()) -> str:
    """Why a source is off, and how to allow it; empty where it is not."""
    for gate in source.gates:
        if gate in allow:
            continue
        page = f"https://{source.address.partition(';')[0]}"
        what = {
            "gated": f"gated: accept its terms at {page} and set HF_TOKEN",
            "non-commercial": f"for non-commercial use only ({source.licence})",
        }[gate]
        return (
            f"{source.name} is {what}; it is off unless allowed with --allow {gate}, "
            f"or allow: [{gate}] in the recipe's data"
        )
    return ""
