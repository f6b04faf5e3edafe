"""Which levels of API-Bank are played: all that a conversion has, or those that are named."""

from collections.abc import Collection, Sequence

from coalm.errors import RecipeError, unknown


def chosen(levels: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """The named levels in their own order, all if none is; `RecipeError` for an unknown one."""
    for level in levels:
        if level not in known:
            raise RecipeError(unknown("level of API-Bank", level, list(known)))
    return tuple(level for level in known if level in levels or not levels)


def suffix(levels: Sequence[str], known: Collection[str]) -> str:
    """What a protocol's name ends in: nothing where all levels are played, else `-l1`."""
    if len(levels) == len(known):
        return ""
    return "".join(f"-{level.lower().replace('-', '')}" for level in levels)


def named(protocol: str) -> tuple[str, tuple[str, ...]]:
    """A protocol without its levels, and they: `damo-l2` -> `damo`, `("L-2",)`."""
    name, dash, last = protocol.rpartition("-")
    if dash and last in ("l1", "l2", "l3"):
        return name, (f"L-{last[1:]}",)
    return protocol, ()
