"""Which domain a turn is about, where the predictions do not say: told from the state."""

from collections.abc import Sequence

from coalm.bench.multiwoz.success.values import State


def active_domains(states: Sequence[State]) -> list[tuple[str, ...]]:
    """For each turn its one active domain; none until a state first holds something.

    The domain that changed is the one that is talked about. Where several changed, the
    one before stays if it is among them, else the one with the most slots is taken, the
    first of equals. Where none changed after several did, the talk moves on to another
    of those.
    """
    active: list[tuple[str, ...]] = []
    current: str | None = None
    old: State = {}
    old_changed: list[str] = []
    for state in states:
        changed = [d for d in state if set(state[d].items()) - set(old.get(d, {}).items())]
        if not changed:
            if current is None:
                active.append(())
                continue
            if len(old_changed) > 1:
                others = [d for d in old_changed if d in state and d != current]
                current = others[0] if others else current
        elif current not in changed:
            current = max(changed, key=lambda domain: len(state[domain]))
        old, old_changed = state, changed
        active.append((current,) if current is not None else ())
    return active
