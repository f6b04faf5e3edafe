"""A pantry: the environment of the miniature's conversations, written for this project."""

from copy import deepcopy
from typing import Any

PADDING = {f"tin {n}": 1 for n in range(1, 31)}
"""What the long category puts on the shelf beside everything else."""


class Pantry:
    """Shelves that one may look at once the door is open."""

    def __init__(self) -> None:
        self.shelf: dict[str, int] = {}
        self.notes: list[str] = []
        self._open = False

    def _load_scenario(self, scenario: dict[str, Any], long_context: bool = False) -> None:
        self.shelf = deepcopy(scenario.get("shelf", {}))
        if long_context:
            self.shelf |= PADDING

    def open_door(self) -> dict[str, str]:
        """Open the door."""
        self._open = True
        return {"door": "open"}

    def look(self) -> dict[str, Any]:
        """What is on the shelf."""
        if not self._open:
            return {"error": "The door is closed."}
        return {"shelf": list(self.shelf)}

    def take(self, item: str, count: int = 1) -> dict[str, Any]:
        """Take something from the shelf; what is left of it comes back."""
        if not self._open:
            return {"error": "The door is closed."}
        if self.shelf[item] < count:
            raise ValueError(f"only {self.shelf[item]} left")
        self.shelf[item] -= count
        return {"left": self.shelf[item]}

    def note(self, text: str) -> None:
        """Write something on the shopping list."""
        self.notes.append(text)
