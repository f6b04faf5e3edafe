"""A Cambridge town guide over MultiWOZ's databases: eight tools and what to tell the model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from coalm import sources
from coalm.agent.cambridge.database import Town, load_town
from coalm.agent.cambridge.desk import Booking, Desk
from coalm.agent.cambridge.names import Meant, meant
from coalm.agent.functions import Function, tools
from coalm.sources import Found
from coalm.types import Dialogue, System, ToolSpec

__all__ = ["GUIDE", "Booking", "Cambridge", "open_cambridge"]

GUIDE = (
    "You are a friendly guide to Cambridge, England. You find restaurants, hotels, attractions "
    "and trains for visitors, and you book tables, rooms, train tickets and taxis. Look things up "
    "with the tools instead of answering from memory, and leave out what the visitor does not "
    "mind. Ask for what a booking still needs before you make it. Give names, addresses, phone "
    "numbers and references exactly as the tools gave them. Answer in one or two short sentences."
)
"""The operator's words for a town guide."""


@dataclass(frozen=True, slots=True)
class Cambridge:
    """The eight tools over one set of databases, and what was booked through them."""

    found: Found
    """Where the databases are from; `found.describe()` says it to a person."""
    tools: Mapping[str, Function]
    """The tools by name, as an `Agent` takes them."""
    bookings: list[Booking]
    """Everything booked so far, oldest first; grows while the tools are used."""
    town: Town
    """The databases, which nothing changes."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of the tools, as a `Dialogue` takes it."""
        return tuple(each.spec for each in self.tools.values())

    def opening(self) -> Dialogue:
        """The beginning of a conversation with the guide."""
        return Dialogue((System(GUIDE),), self.specs)

    def fresh(self, full: Mapping[str, Mapping[str, str]] | None = None) -> "Cambridge":
        """The same town before anything was booked; costs next to nothing.

        `full` says what cannot be booked there: domain -> details, such as `time: 18:30`.
        """
        desk = Desk(self.town, full=full or {})
        made = {
            name: replace(each, function=getattr(desk, name)) for name, each in self.tools.items()
        }
        return Cambridge(self.found, made, desk.bookings, self.town)


def open_cambridge(found: Found | None = None, understood: Meant = meant) -> Cambridge:
    """The town of a MultiWOZ source, by default the one on this machine, with no bookings.

    `understood` says which names a misspelt one can mean; `names.within_80` is the paper's way.
    """
    found = found or sources.find("multiwoz")
    desk = Desk(load_town(found, understood))
    offered = tools(
        desk.query_restaurants,
        desk.book_restaurant,
        desk.query_hotels,
        desk.book_hotel,
        desk.query_attractions,
        desk.query_trains,
        desk.buy_train_tickets,
        desk.book_taxi,
    )
    return Cambridge(found, offered, desk.bookings, desk.town)
