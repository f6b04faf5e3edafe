"""Other words for the names and descriptions of a schema: a table, and rules for the rest.

All of them mean the same in every service that has the name; a word that would be true of
one service only is not in the table.
"""

import random
import re
from collections.abc import Mapping, Sequence

Words = tuple[str, ...]

_SLOTS: Mapping[str, tuple[str, ...]] = {
    "address": ("street address", "postal address"),
    "airlines": ("airline", "carrier", "flown by"),
    "album": ("record", "album title"),
    "amount": ("sum", "how much"),
    "approximate_ride_duration": ("estimated ride time", "ride minutes"),
    "artist": ("performer", "singer or band", "performed by"),
    "attraction_name": ("sight", "name of attraction"),
    "average_rating": ("rating", "mean rating", "review score"),
    "balance": ("money left", "account balance"),
    "car_name": ("car model", "model"),
    "car_type": ("car class", "vehicle type", "kind of car"),
    "check_in_date": ("arrival date", "first night", "check in", "start date"),
    "check_out_date": ("departure date", "check out", "end date"),
    "city": ("town", "which city", "in city"),
    "city_of_event": ("event city", "host city", "town"),
    "cuisine": ("food", "kind of food", "food type"),
    "date": ("day", "on date", "which day"),
    "departure_date": ("leaving date", "travel date", "depart on"),
    "departure_time": ("leave at", "leaving time", "depart time"),
    "destination_city": ("to city", "arrival city", "going to"),
    "directed_by": ("director", "film director"),
    "dropoff_date": ("return date", "end date", "bring back on"),
    "event_name": ("event title", "name of event"),
    "event_time": ("event start time", "event hour"),
    "fare": ("price", "ticket price"),
    "fare_type": ("ticket class", "kind of fare"),
    "free_entry": ("free admission", "free to enter"),
    "from_location": ("from city", "leaving from", "departure"),
    "from_station": ("departure station", "leaving station"),
    "furnished": ("has furniture", "is furnished"),
    "genre": ("style", "kind", "genre name"),
    "good_for_kids": ("child friendly", "suits children"),
    "group_size": ("people", "number of people", "party size"),
    "has_laundry_service": ("laundry", "laundry service"),
    "has_live_music": ("live music", "plays live music"),
    "has_wifi": ("internet", "wifi", "wireless internet"),
    "hotel_name": ("hotel", "name of hotel"),
    "inbound_departure_time": ("return leave at", "return flight time"),
    "is_unisex": ("unisex", "for men and women"),
    "leaving_date": ("departure date", "travel date", "leave on"),
    "leaving_time": ("departure time", "leave at"),
    "location": ("place", "where", "city"),
    "movie_name": ("film", "movie title", "name of movie"),
    "number_of_adults": ("adults", "guests", "how many adults"),
    "number_of_baths": ("bathrooms", "baths"),
    "number_of_beds": ("bedrooms", "beds"),
    "number_of_days": ("stay", "days", "length of stay"),
    "number_of_riders": ("riders", "passengers", "how many riders"),
    "number_of_rooms": ("rooms", "how many rooms"),
    "number_of_seats": ("seats", "how many seats"),
    "number_of_tickets": ("tickets", "ticket count"),
    "offers_cosmetic_services": ("cosmetic services", "cosmetic care"),
    "origin": ("from city", "leaving from", "start city"),
    "origin_city": ("from city", "leaving from", "start city"),
    "outbound_departure_time": ("leave at", "outbound flight time"),
    "party_size": ("people", "guests", "number of people"),
    "passengers": ("travellers", "number of passengers"),
    "pets_allowed": ("pets", "takes pets"),
    "pets_welcome": ("pets", "takes pets"),
    "phone_number": ("phone", "telephone"),
    "pickup_city": ("rental city", "collect in"),
    "pickup_date": ("collect on", "rental start date", "first day"),
    "pickup_location": ("collect at", "pickup place"),
    "pickup_time": ("collect at time", "rental start time"),
    "playback_device": ("device", "speaker", "play on"),
    "price_range": ("pricerange", "price level", "how pricey"),
    "property_name": ("apartment", "property"),
    "rating": ("review rating", "review score"),
    "recipient_account_name": ("recipient", "payee", "send to"),
    "recipient_account_type": ("recipient account", "payee account type"),
    "refundable": ("can be refunded", "is refundable"),
    "restaurant_name": ("restaurant", "name of restaurant", "place to eat"),
    "return_date": ("back on", "date of return"),
    "ride_fare": ("price", "ride price"),
    "ride_type": ("kind of ride", "service level"),
    "seating_class": ("cabin", "travel class"),
    "serves_alcohol": ("alcohol", "alcohol served"),
    "shared_ride": ("share ride", "with others"),
    "show_date": ("day of show", "screening date"),
    "show_time": ("screening time", "start time"),
    "show_type": ("kind of show", "format"),
    "song_name": ("song", "track", "song title"),
    "star_rating": ("stars", "hotel class"),
    "street_address": ("address", "street"),
    "stylist_name": ("stylist", "salon"),
    "subcategory": ("event genre", "sport or music genre"),
    "theater_name": ("theatre", "cinema"),
    "time": ("hour", "at time", "start time"),
    "title": ("movie title", "film", "name of movie"),
    "to_location": ("to city", "going to", "arrival"),
    "to_station": ("arrival station", "station of arrival"),
    "total_price": ("price", "total cost"),
    "travelers": ("people", "number of travelers"),
    "visit_date": ("day of visit", "viewing date"),
    "where_to": ("city", "location", "place"),
}
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "Banks": ("Bank", "Accounts"),
    "Buses": ("Coaches", "BusTickets"),
    "Calendar": ("Agenda", "Diary"),
    "Events": ("Shows", "Happenings"),
    "Flights": ("AirTravel", "Airfares"),
    "Homes": ("Apartments", "Rentals"),
    "Hotels": ("Lodging", "Stays"),
    "Media": ("Streaming", "Films"),
    "Movies": ("Cinemas", "FilmTickets"),
    "Music": ("Songs", "Tunes"),
    "RentalCars": ("CarHire", "CarRentals"),
    "Restaurants": ("Dining", "Eateries"),
    "RideSharing": ("Taxis", "Cabs"),
    "Services": ("Appointments", "Bookings"),
    "Travel": ("Attractions", "Sights"),
    "Weather": ("Forecasts", "Meteo"),
}
_VERBS: Mapping[str, tuple[str, ...]] = {
    "add": ("create", "enter"),
    "book": ("reserve",),
    "buy": ("purchase", "order"),
    "check": ("get", "show"),
    "find": ("search", "query", "look up"),
    "get": ("fetch", "retrieve", "look up"),
    "lookup": ("find", "search", "query"),
    "play": ("start", "put on"),
    "reserve": ("book",),
    "schedule": ("arrange", "plan"),
    "search": ("find", "query", "look up"),
    "transfer": ("send", "wire"),
}
_CALLED_IN = ("order", "request")
"""What `get` becomes where it changes something: a ride is not looked up."""
_SAID: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^Boolean flag (?:indicating )?(?:whether|if) ", ("Whether ", "Says whether ")),
    (r"^Flag (?:indicating )?(?:whether|if) ", ("Whether ",)),
    (r"^(?:The )?[Nn]ame of the (.+)$", (r"What the \1 is called", r"The name of the \1")),
    (r"^(?:The )?[Nn]ame of ", ("The name of ",)),
    (r"^(?:The )?[Nn]umber of (?:the )?", ("How many ", "The number of ")),
    (r"^(?:The )?[Dd]ate (of|for) ", (r"The day \1 ", r"The date \1 ")),
    (r"^(?:The )?[Tt]ime (of|for) ", (r"The time \1 ", r"At what time, \1 ")),
    (r"^(?:The )?[Tt]ype of ", ("The kind of ", "Which kind of ")),
    (r"^(?:The )?[Aa]ddress of ", ("Street address of ", "The address of ")),
    (r"^(?:The )?[Ll]ocation of (.+)$", (r"Where \1 is", r"The place of \1")),
    (r"^(?:The )?[Gg]enre of ", ("The kind of ", "The genre of ")),
    (r"^City where (.+) is located$", (r"The city of \1", r"In which city \1 is")),
    (r"^City in which (.+) is located$", (r"The city of \1", r"In which city \1 is")),
    (r"^Search for ", ("Find ", "Look for ")),
    (r"^(?:Find|Discover) ", ("Search for ", "Look for ")),
    (r"^Reserve ", ("Book ",)),
    (r"^Book ", ("Reserve ",)),
    (r"^Buy ", ("Purchase ",)),
    (r"^Get ", ("Fetch ", "Look up ")),
    (r"^Play ", ("Start to play ",)),
    (
        r"^(?:A|The) (?:widely used|popular|leading|go-to) (?:service|provider) (?:for|of) ",
        ("For ",),
    ),
)


def slot_words(slot: str) -> list[Words]:
    """The words of a slot's own name, and of the names that it could have as well."""
    own = tuple(slot.lower().split("_"))
    known = _SLOTS.get(slot)
    if known:
        return [own, *(tuple(name.split()) for name in known)]
    found = [own]
    match own:
        case ("number", "of", *rest) if rest:
            found += [(*rest, "count"), ("how", "many", *rest)]
        case (*rest, "date" | "time" | "name" | "city" | "type" as last) if rest:
            found.append((last, "of", *rest))
        case ("has" | "is", *rest) if rest:
            found.append(tuple(rest))
    return found


def intent_words(intent: str, *, transactional: bool = False) -> list[Words]:
    """The words of an intent's own name, and with other verbs."""
    own = tuple(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", intent).replace("_", " ").lower().split())
    if not own:
        return []
    changing = transactional and own[0] == "get"
    verbs = _CALLED_IN if changing else _VERBS.get(own[0], ())
    return [own, *((*verb.split(), *own[1:]) for verb in verbs)]


def service_words(family: str) -> Sequence[str]:
    """A service's own name without its number, and others for it."""
    return (family, *_SERVICES.get(family, ()))


def spelt(words: Words, style: str) -> str:
    """`show_date`, `showDate` or `showdate`."""
    match style:
        case "camel":
            return words[0] + "".join(word.capitalize() for word in words[1:])
        case "joined":
            return "".join(words)
        case _:
            return "_".join(words)


def spelt_intent(words: Words, style: str) -> str:
    """`FindBus`, `findBus` or `find_bus`."""
    if style == "pascal":
        return "".join(word.capitalize() for word in words)
    return spelt(words, style)


def described(text: str, dice: random.Random) -> str:
    """The description as it is, or with other words at its beginning."""
    for pattern, others in _SAID:
        if re.search(pattern, text):
            chosen = dice.choice((None, *others))
            return text if chosen is None else re.sub(pattern, chosen, text, count=1)
    return dice.choice((text, text[:1].lower() + text[1:] if text[1:2].islower() else text))
