"""Sums: the miniature's environment without a state, written for this project."""


class Abacus:
    """Adds and shares out."""

    def add(self, numbers: list[float]) -> dict[str, float]:
        """The sum of some numbers."""
        return {"result": sum(numbers)}

    def share(self, total: float, people: int) -> dict[str, float]:
        """What each of some people gets."""
        return {"result": total / people}
