"""The eight APIs of MultiWOZ's Cambridge: four that look up, four that book (Paper 5.1).

Their names are the paper's; their parameters are MultiWOZ's slots, `any` by default. A
method's docstring and hints are what the model is told, and a `Refused` is what it hears
when a booking cannot be made.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from coalm.agent.cambridge.database import Hits, Row, Town
from coalm.agent.cambridge.slots import (
    ANY,
    Area,
    BookingDay,
    Count,
    Day,
    HotelType,
    Price,
    Stars,
    Time,
    Words,
    YesNo,
)
from coalm.agent.functions import Refused
from coalm.store import content_hash
from coalm.types import Json

MOST = 10
"""Hits that a model is shown at once, as in the paper's protocol.

Deviation D43: a hit holds what a visitor asks about, and how many there are is said
beside them; the paper's code shows whole rows of the database and no count.
"""

Answer = dict[str, Json]
"""What a tool gives back, before it becomes JSON text."""


@dataclass(frozen=True, slots=True)
class Booking:
    """Something that was booked."""

    domain: str
    name: str
    """The venue, the train or the taxi's route."""
    details: Mapping[str, str]
    """The rest of the request, by parameter."""
    reference: str
    """The same request always has the same; for a taxi it is the driver's phone."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever answers the eight calls; remembers what was booked."""

    town: Town
    bookings: list[Booking] = field(default_factory=list)
    full: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Domain -> details that nothing of it can be booked with, such as `time: 18:30`."""

    def query_restaurants(
        self,
        area: Annotated[Area, "part of town"] = "any",
        pricerange: Annotated[Price, "price range"] = "any",
        food: Annotated[Words, "kind of food, such as italian"] = "any",
        name: Annotated[Words, "name of a restaurant"] = "any",
    ) -> Answer:
        """Find restaurants in Cambridge."""
        exact = {"area": area, "pricerange": pricerange}
        named = {"food": food, "name": name}
        return _hits(self.town.find("restaurant", exact, named, most=MOST))

    def book_restaurant(
        self,
        name: Annotated[Words, "name of the restaurant"],
        people: Annotated[Count, "how many people"],
        day: Annotated[BookingDay, "day of the week"],
        time: Annotated[Time, "time of the day, such as 18:30"],
    ) -> Answer:
        """Book a table at a restaurant."""
        if time == ANY:
            raise Refused("time: a table needs a time such as 18:30")
        venue = self._venue("restaurant", name)
        return self._booked("restaurant", venue, {"people": str(people), "day": day, "time": time})

    def query_hotels(
        self,
        area: Annotated[Area, "part of town"] = "any",
        pricerange: Annotated[Price, "price range"] = "any",
        type: Annotated[HotelType, "kind of place to stay"] = "any",
        stars: Annotated[Stars, "how many stars"] = "any",
        internet: Annotated[YesNo, "whether it has internet"] = "any",
        parking: Annotated[YesNo, "whether it has parking"] = "any",
        name: Annotated[Words, "name of a hotel"] = "any",
    ) -> Answer:
        """Find hotels and guesthouses in Cambridge."""
        exact = {
            "area": area,
            "pricerange": pricerange,
            "type": type,
            "stars": stars,
            "internet": internet,
            "parking": parking,
        }
        return _hits(self.town.find("hotel", exact, {"name": name}, most=MOST))

    def book_hotel(
        self,
        name: Annotated[Words, "name of the hotel"],
        people: Annotated[Count, "how many people"],
        day: Annotated[BookingDay, "day of arrival"],
        stay: Annotated[Count, "how many nights"],
    ) -> Answer:
        """Book a room at a hotel or guesthouse."""
        venue = self._venue("hotel", name)
        details = {"people": str(people), "day": day, "stay": str(stay)}
        return self._booked("hotel", venue, details)

    def query_attractions(
        self,
        area: Annotated[Area, "part of town"] = "any",
        type: Annotated[Words, "kind of attraction, such as museum"] = "any",
        name: Annotated[Words, "name of an attraction"] = "any",
    ) -> Answer:
        """Find attractions in Cambridge."""
        named = {"type": type, "name": name}
        found = self.town.find("attraction", {"area": area}, named, most=MOST)
        # Opening hours are long; whoever wants them asks by name.
        return _hits(found, without="opening_hours" if found.count > 3 else "")

    def query_trains(
        self,
        departure: Annotated[Words, "station to leave from"] = "any",
        destination: Annotated[Words, "station to go to"] = "any",
        day: Annotated[Day, "day of the week"] = "any",
        leave_at: Annotated[Time, "leave at or after this time"] = "any",
        arrive_by: Annotated[Time, "arrive at or before this time"] = "any",
        train_id: Annotated[Words, "number of a train, such as TR1234"] = "any",
    ) -> Answer:
        """Find trains from and to Cambridge."""
        # Deviation D41: the trains nearest to the wish come first, because only ten are
        # shown; the paper's code shows the first ten of the file.
        latest_first = arrive_by != ANY and leave_at == ANY
        found = self.town.find(
            "train",
            {"day": day, "train_id": train_id},
            {"departure": departure, "destination": destination},
            bounds={"leave_at >= ?": leave_at, "arrival <= ?": arrive_by},
            order="arrival DESC, rowid" if latest_first else "leave_at, arrival, rowid",
            most=MOST,
        )
        return _hits(found)

    def buy_train_tickets(
        self,
        train_id: Annotated[Words, "number of the train, such as TR1234"],
        people: Annotated[Count, "how many tickets"],
        day: Annotated[Day, "day of the week"] = "any",
        departure: Annotated[Words, "station to leave from"] = "any",
        destination: Annotated[Words, "station to go to"] = "any",
        leave_at: Annotated[Time, "when the train leaves"] = "any",
    ) -> Answer:
        """Buy tickets for a train."""
        if train_id == ANY:
            raise Refused("train_id: say which train, such as TR1234")
        exact = {"train_id": train_id, "day": day, "leave_at": leave_at}
        places = {"departure": departure, "destination": destination}
        found = self.town.find("train", exact, places).rows
        if not found:
            raise Refused(f"there is no such train {train_id.upper()}; look it up first")
        if len(found) > 1:
            which = "; ".join(_train(row) for row in found[:4])
            raise Refused(f"several trains have this number, say day and stations: {which}")
        [train] = found
        details = {"people": str(people), **{k: train[k] for k in ("day", *places, "leave_at")}}
        answer = self._booked("train", train["train_id"], details)
        return answer | _total(train.get("price", ""), people)

    def book_taxi(
        self,
        departure: Annotated[Words, "where to be picked up"],
        destination: Annotated[Words, "where to go"],
        leave_at: Annotated[Time, "leave at or after this time"] = "any",
        arrive_by: Annotated[Time, "arrive at or before this time"] = "any",
    ) -> Answer:
        """Book a taxi; it needs a time to leave at or a time to arrive by."""
        if ANY in (departure, destination):
            raise Refused("a taxi needs a place to leave from and a place to go to")
        if departure == destination:
            raise Refused("departure and destination are the same place")
        if leave_at == arrive_by == ANY:
            raise Refused("leave_at or arrive_by: one of the two is needed")
        details = {"leave_at": leave_at, "arrive_by": arrive_by}
        draw = int(content_hash(["taxi", departure, destination, details]), 16)
        colours, kinds = self.town.taxis["taxi_colors"], self.town.taxis["taxi_types"]
        car = f"{colours[draw % len(colours)]} {kinds[draw // 7 % len(kinds)]}"
        phone = _phone(self.town.taxis["taxi_phone"], draw)
        self._remember(Booking("taxi", f"{departure} to {destination}", details, phone))
        asked = {slot: value for slot, value in details.items() if value != ANY}
        ends = {"departure": departure, "destination": destination}
        route = f"{departure} to {destination}"
        return {"booked": route, **ends, **asked, "car": car, "phone": phone}

    def _venue(self, table: str, name: str) -> Row:
        """The one venue that a name means, if it takes bookings."""
        if name == ANY:
            raise Refused(f"name: say which {table}")
        found = self.town.find(table, {}, {"name": name}).rows
        if not found:
            raise Refused(f"there is no {table} named {name!r}; look it up first")
        if len(found) > 1:
            names = ", ".join(row["name"] for row in found[:5])
            raise Refused(f"several places are named like {name!r}, say which: {names}")
        if found[0].get("takesbookings") == "no":
            raise Refused(f"{found[0]['name']} takes no bookings; phone {found[0].get('phone')}")
        return found[0]

    def _booked(self, domain: str, venue: Row | str, details: Mapping[str, str]) -> Answer:
        name = venue if isinstance(venue, str) else venue["name"]
        for slot, value in self.full.get(domain, {}).items():
            if details.get(slot) == value:
                raise Refused(f"{name} is fully booked for {slot} {value}; another {slot} may do")
        reference = _reference([domain, name, details])
        self._remember(Booking(domain, name, details, reference))
        return {"booked": name, **details, "reference": reference}

    def _remember(self, booking: Booking) -> None:
        if booking not in self.bookings:  # the same request again is the same booking
            self.bookings.append(booking)


def _hits(found: Hits, without: str = "") -> Answer:
    """The rows that are shown; who takes no bookings is heard when booking."""
    hidden = {"takesbookings", without}
    shown: list[Json] = [{k: v for k, v in row.items() if k not in hidden} for row in found.rows]
    return {"count": found.count, "hits": shown}


def _train(row: Row) -> str:
    return f"{row['day']} {row['departure']} to {row['destination']} at {row['leave_at']}"


def _total(price: str, people: int) -> Answer:
    each = re.match(r"\d+(?:\.\d+)?", price)
    return {"total": f"{float(each[0]) * people:.2f} pounds"} if each else {}


def _reference(request: object) -> str:
    """Eight letters and digits that the request decides; the paper's code draws them."""
    number, signs = int(content_hash(request), 16), "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(signs[number >> (5 * i) & 31] for i in range(8))


def _phone(patterns: Sequence[str], draw: int) -> str:
    """A number of as many digits as the database's pattern `^[0-9]{10}$` asks for."""
    sizes = re.findall(r"\{(\d+)\}", patterns[0])
    digits = int(sizes[0]) if sizes else 10
    return str(draw % 10**digits).zfill(digits)
