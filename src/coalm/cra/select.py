"""Which dialogues are kept, by their services and domains, and splits for unseen ones.

A service is one variant (`Hotels_3`), a domain all variants of one kind (`hotel`). Pure
functions of a dialogue's list of services, so that any process decides alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from coalm.corpora.records import chance
from coalm.corpora.sgd import Service, SgdDialogue
from coalm.corpora.sgd_states import stem
from coalm.errors import RecipeError, unknown

Side = Literal["seen", "unseen", "mixed"]


def domain(service: str) -> str:
    """`hotel` for `Hotels_3`."""
    return stem(service)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dialogues are kept: those for which all of this holds."""

    services: frozenset[str] | None = None
    """Keep dialogues all of whose services are among these; any if None."""
    domains: frozenset[str] | None = None
    """Keep dialogues all of whose domains are among these, such as hotel; any if None."""
    without_services: frozenset[str] = frozenset()
    """Leave out dialogues with any of these services."""
    without_domains: frozenset[str] = frozenset()
    """Leave out dialogues with any of these domains."""

    def keeps(self, dialogue: SgdDialogue) -> bool:
        """Whether a dialogue is kept."""
        used = set(dialogue.services)
        if self.services is not None and not used <= self.services:
            return False
        if used & self.without_services:
            return False
        kinds = set(map(domain, used))
        if self.domains is not None and not kinds <= self.domains:
            return False
        return not kinds & self.without_domains

    def known(self, services: Iterable[str]) -> None:
        """A `RecipeError` if a service or domain is named that the schema does not have."""
        every = set(services)
        kinds = set(map(domain, every))
        for kind, named, there in (
            ("service", (self.services or set()) | self.without_services, every),
            ("domain", (self.domains or set()) | self.without_domains, kinds),
        ):
            for name in sorted(named - there):
                raise RecipeError(f"SGD has {unknown(kind, name, there)}")


EVERYTHING = Selection()
"""Keeps every dialogue."""


def selection(
    services: Iterable[str] = (),
    domains: Iterable[str] = (),
    without_services: Iterable[str] = (),
    without_domains: Iterable[str] = (),
) -> Selection:
    """A selection as a recipe writes it, where an empty list asks for nothing."""
    return Selection(
        frozenset(services) or None,
        frozenset(domains) or None,
        frozenset(without_services),
        frozenset(without_domains),
    )


@dataclass(frozen=True, slots=True)
class Unseen:
    """Services that training must not see, so that a test on them is one of unseen services."""

    services: frozenset[str]
    """The services that are held out."""

    def side(self, dialogue: SgdDialogue) -> Side:
        """Where a dialogue belongs; `mixed` ones use both and are fit for neither side."""
        held = [name in self.services for name in dialogue.services]
        if not any(held):
            return "seen"
        return "unseen" if all(held) else "mixed"

    @property
    def seen(self) -> Selection:
        """The dialogues to train on: none uses a service that is held out."""
        return Selection(without_services=self.services)

    @property
    def unseen(self) -> Selection:
        """The dialogues to test on: all their services are held out."""
        return Selection(services=self.services)


def unseen_services(
    services: Mapping[str, Service], *, share: float = 0.2, seed: int = 42
) -> Unseen:
    """Holds out variants whose domain stays seen by another: `Hotels_3`, not all hotels.

    About `share` of all services, and never the last variant of a domain.
    """
    kinds = _by_domain(services)
    order = sorted(services, key=lambda name: chance(seed, name, "unseen service"))
    held: set[str] = set()
    for name in order:
        others = set(kinds[domain(name)]) - held - {name}
        if others and len(held) < round(share * len(services)):
            held.add(name)
    return Unseen(frozenset(held))


def unseen_domains(
    services: Mapping[str, Service], *, share: float = 0.2, seed: int = 42
) -> Unseen:
    """Holds out every service of about `share` of the domains."""
    kinds = _by_domain(services)
    order = sorted(kinds, key=lambda kind: chance(seed, kind, "unseen domain"))
    held = order[: round(share * len(kinds))]
    return Unseen(frozenset(name for kind in held for name in kinds[kind]))


def _by_domain(services: Iterable[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in services:
        kinds[domain(name)].append(name)
    return dict(kinds)
