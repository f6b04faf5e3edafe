"""A benchmark over many machines: each takes the cases that a hash gives it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from coalm.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Shard:
    """One machine's share of the cases: number `number`, from 1, of `of` shares."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise RecipeError(f"there is no shard {self}: the first of {self.of} is 1/{self.of}")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def read(cls, text: str) -> "Shard":
        """`2/4`; a `RecipeError` for what is none."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if not found or not int(found[2]):
            raise RecipeError(f"{text!r} is no shard; write one like 2/4, the second of four")
        return cls(int(found[1]), int(found[2]))

    @property
    def suffix(self) -> str:
        """What a shard's folder has at the end of its name."""
        return f".shard-{self.number}-of-{self.of}"

    def holds(self, id: str) -> bool:
        """Whether the case of that id is this share's; each case is exactly one's."""
        digest = hashlib.sha256(f"shard:{id}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def without_suffix(name: str) -> str:
    """A folder's name without what a shard adds to it."""
    return re.sub(r"\.shard-\d+-of-\d+$", "", name)


def together(names: Iterable[str]) -> str:
    """The name that all of these have but for their shards' endings; empty if there is none."""
    found = {without_suffix(name) for name in names}
    return found.pop() if len(found) == 1 else ""
