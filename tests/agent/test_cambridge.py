"""The eight tools of MultiWOZ's Cambridge, over a small town and over the real one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coalm import sources
from coalm.agent.cambridge import Cambridge, open_cambridge
from coalm.agent.cambridge.database import MEANINGS
from coalm.agent.cambridge.names import meant, within_80
from coalm.errors import DataError
from coalm.sources import SOURCES, Found

TOWN: Mapping[str, Any] = {
    "restaurant": [
        {"name": "the copper pan", "food": "italian", "area": "centre", "pricerange": "cheap",
         "address": "1 Mill Lane", "phone": "01223000001", "postcode": "cb11aa", "id": "1"},
        {"name": "copper pan express", "food": "italian", "area": "north", "pricerange": "cheap",
         "address": "2 Mill Lane", "postcode": "cb11ab", "introduction": ""},
        {"name": "st mary's kitchen", "food": "modern european", "area": "south",
         "pricerange": "expensive", "phone": "01223000003", "takesbookings": "no"},
        {"name": "old oak", "food": "european", "area": "south", "pricerange": "moderate"},
    ],
    "hotel": [
        {"name": "worth house", "type": "guesthouse", "area": "north", "pricerange": "cheap",
         "stars": "4", "internet": "yes", "parking": "no", "takesbookings": "yes"},
        {"name": "warkworth house", "type": "guesthouse", "area": "east", "pricerange": "cheap",
         "stars": "4", "internet": "yes", "parking": "yes", "price": {"double": "70"}},
        {"name": "grand plaza", "type": "hotel", "area": "centre", "pricerange": "expensive",
         "stars": "5", "internet": "yes", "parking": "yes"},
    ],
    "attraction": [
        {"name": "boat yard", "type": "swimmingpool", "area": "west", "entrance fee": "?",
         "openhours": "?", "phone": "01223000005"},
        *({"name": f"museum {n}", "type": "museum", "area": "west", "entrance fee": "free",
           "openhours": "always"} for n in range(12)),
    ],
    "train": [
        *({"trainID": f"TR{n:04}", "day": "monday", "departure": "cambridge",
           "destination": "london kings cross", "leaveAt": f"{n:02}:00", "arriveBy": f"{n:02}:51",
           "price": "10.50 pounds", "duration": "51 minutes"} for n in range(5, 23)),
        {"trainID": "TR0023", "day": "monday", "departure": "cambridge", "destination": "ely",
         "leaveAt": "23:50", "arriveBy": "00:07", "price": "4 pounds", "duration": "17 minutes"},
        {"trainID": "TR0005", "day": "friday", "departure": "ely", "destination": "cambridge",
         "leaveAt": "09:00", "arriveBy": "09:17", "price": "4 pounds", "duration": "17 minutes"},
    ],
    "taxi": {"taxi_colors": ["red", "blue"], "taxi_types": ["volvo"],
             "taxi_phone": ["^[0-9]{10}$"]},
}  # fmt: skip


def build(folder: Path, town: Mapping[str, Any] = TOWN) -> Found:
    for table, rows in town.items():
        path = folder / "multiwoz" / "db" / f"{table}_db.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows))
    return Found(SOURCES["multiwoz"], folder, "miniature")


@pytest.fixture
def town(tmp_path: Path) -> Cambridge:
    return open_cambridge(build(tmp_path))


def use(town: Cambridge, tool: str, **arguments: object) -> dict[str, Any]:
    answer = town.tools[tool](arguments)
    assert not answer.startswith("error"), answer
    found: dict[str, Any] = json.loads(answer)
    return found


def names(answer: dict[str, Any]) -> list[str]:
    return [hit.get("name") or hit["train_id"] for hit in answer["hits"]]


def test_the_eight_apis_of_the_paper_are_there(town: Cambridge) -> None:
    assert [spec.name for spec in town.specs] == [
        *("query_restaurants", "book_restaurant", "query_hotels", "book_hotel"),
        *("query_attractions", "query_trains", "buy_train_tickets", "book_taxi"),
    ]
    assert all(spec.description for spec in town.specs)
    assert town.opening().tools == town.specs


@pytest.mark.parametrize("area", ["centre", "Center", " CITY CENTRE "])
def test_closed_slots_match_exactly_however_they_are_spelt(town: Cambridge, area: str) -> None:
    assert names(use(town, "query_restaurants", area=area)) == ["the copper pan"]


@pytest.mark.parametrize("nothing", ["any", "dontcare", "don't care", "", None, "?"])
def test_a_slot_left_open_fits_everything(town: Cambridge, nothing: str | None) -> None:
    assert use(town, "query_restaurants", area=nothing, food=nothing)["count"] == 4


def test_a_value_outside_its_list_is_answered_with_the_list(town: Cambridge) -> None:
    answer = town.tools["query_hotels"]({"area": "cambridge"})
    assert answer == (
        "error: query_hotels: area: must be one of "
        "centre, east, north, south, west or any, not 'cambridge'"
    )


def test_values_are_read_as_models_write_them(town: Cambridge) -> None:
    found = use(town, "query_hotels", type="guest house", stars=4, parking=True, internet="Yes")
    assert names(found) == ["warkworth house"]


def test_an_exact_name_beats_a_similar_one(town: Cambridge) -> None:
    assert names(use(town, "query_hotels", name="worth house")) == ["worth house"]
    assert names(use(town, "query_restaurants", food="european")) == ["old oak"]


@pytest.mark.parametrize(
    "asked", ["The Copper Pan", "copper  pan", "coper pan", "the copper pan restaurant"]
)
def test_names_may_be_misspelt(asked: str) -> None:
    assert meant(asked, ["the copper pan", "grand plaza"]) == ["the copper pan"]


def test_abbreviations_are_the_same_name() -> None:
    assert meant("saint marys kitchen", ["st mary's kitchen"]) == ["st mary's kitchen"]
    assert meant("north bed and breakfast", ["north b & b"]) == ["north b & b"]
    assert meant("swimming pool", ["swimmingpool"]) == ["swimmingpool"]
    assert meant("!!", ["swimmingpool"]) == []


def test_what_the_database_does_not_know_is_left_out(town: Cambridge) -> None:
    [hit] = use(town, "query_attractions", name="boat yard")["hits"]
    assert hit == {
        "name": "boat yard",
        "type": "swimmingpool",
        "area": "west",
        "phone": "01223000005",
    }


def test_ten_hits_are_shown_and_all_are_counted(town: Cambridge) -> None:
    answer = use(town, "query_attractions", type="museums")
    assert (answer["count"], len(answer["hits"])) == (12, 10)


def test_trains_leave_after_and_arrive_before(town: Cambridge) -> None:
    trip = {"departure": "Cambridge", "destination": "london", "day": "Monday"}
    assert names(use(town, "query_trains", **trip, leave_at="8 pm")) == [
        "TR0020", "TR0021", "TR0022",
    ]  # fmt: skip
    assert names(use(town, "query_trains", **trip, arrive_by="07:51")) == [
        "TR0007", "TR0006", "TR0005",
    ]  # fmt: skip


def test_a_train_over_midnight_does_not_arrive_in_the_morning(town: Cambridge) -> None:
    assert use(town, "query_trains", destination="ely", arrive_by="09:00")["count"] == 0
    assert use(town, "query_trains", destination="ely", leave_at="23:00")["count"] == 1


def test_a_booking_has_one_reference_however_often_it_is_made(town: Cambridge) -> None:
    order = {"name": "Old Oak", "people": "two", "day": "Friday", "time": "6:30 pm"}
    first = use(town, "book_restaurant", **order)
    again = use(town, "book_restaurant", **{**order, "people": 2, "time": "18:30"})
    other = use(town, "book_restaurant", **{**order, "people": 3})

    assert first == again
    assert first["reference"] != other["reference"]
    assert [b.reference for b in town.bookings] == [first["reference"], other["reference"]]
    assert town.bookings[0].details == {"people": "2", "day": "friday", "time": "18:30"}


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("book_hotel", {"name": "ritz"}, "there is no hotel named 'ritz'"),
        ("book_hotel", {"name": "any"}, "say which hotel"),
        ("book_hotel", {"name": "grand plaza", "people": 0}, "people: should be greater"),
        ("book_hotel", {"name": "grand plaza", "day": "any"}, "day: must be one of monday"),
    ],
)
def test_a_room_that_cannot_be_booked_says_why(
    town: Cambridge, tool: str, arguments: dict[str, object], sentence: str
) -> None:
    order = {"people": 2, "day": "monday", "stay": 3, **arguments}
    assert sentence in town.tools[tool](order)
    assert town.bookings == []


@pytest.mark.parametrize(
    ("name", "time", "sentence"),
    [
        ("copper", "18:30", "say which: the copper pan, copper pan express"),
        ("st mary's kitchen", "18:30", "takes no bookings; phone 01223000003"),
        ("old oak", "late", "time: must be a time such as 17:45, not 'late'"),
        ("old oak", "any", "time: a table needs a time"),
    ],
)
def test_a_table_that_cannot_be_booked_says_why(
    town: Cambridge, name: str, time: str, sentence: str
) -> None:
    order = {"name": name, "people": 2, "day": "monday", "time": time}
    assert sentence in town.tools["book_restaurant"](order)


def test_tickets_are_bought_for_one_train(town: Cambridge) -> None:
    buy = town.tools["buy_train_tickets"]
    assert "several trains have this number" in buy({"train_id": "tr0005", "people": 2})
    assert "there is no such train TR9" in buy({"train_id": "TR9", "people": 2})

    ticket = use(town, "buy_train_tickets", train_id="tr0005", people=2, day="monday")
    assert (ticket["booked"], ticket["total"]) == ("TR0005", "21.00 pounds")


def test_a_taxi_needs_two_places_and_a_time(town: Cambridge) -> None:
    taxi = town.tools["book_taxi"]
    assert "one of the two is needed" in taxi({"departure": "a", "destination": "b"})
    same = {"departure": "Old Oak", "destination": "old oak", "leave_at": "9:00"}
    assert "the same place" in taxi(same)

    car = use(town, "book_taxi", departure="old oak", destination="worth house", leave_at="22:15")
    assert car["car"] in ("red volvo", "blue volvo")
    assert len(car["phone"]) == 10
    assert town.bookings[0].domain == "taxi"


def test_details_that_are_not_to_be_had_are_refused(town: Cambridge) -> None:
    full = town.fresh({"restaurant": {"time": "18:30"}})
    order = {"name": "old oak", "people": 2, "day": "monday"}
    refused = full.tools["book_restaurant"]({**order, "time": "18:30"})
    assert refused.endswith("old oak is fully booked for time 18:30; another time may do")
    assert use(full, "book_restaurant", **order, time="19:00")["booked"] == "old oak"


def test_a_fresh_town_has_no_bookings_and_leaves_the_other_alone(town: Cambridge) -> None:
    order = {"name": "old oak", "people": 2, "day": "monday", "time": "18:30"}
    use(town, "book_restaurant", **order)
    fresh = town.fresh()
    assert fresh.bookings == []
    use(fresh, "book_restaurant", **{**order, "people": 3})
    assert len(town.bookings) == len(fresh.bookings) == 1
    assert fresh.specs == town.specs


def test_all_hits_are_counted_where_ten_are_shown_and_their_order_is_kept(town: Cambridge) -> None:
    answer = use(town, "query_trains", departure="cambridge")
    assert answer["count"] == 19
    assert names(answer) == [f"TR{n:04}" for n in range(5, 15)]
    late = use(town, "query_trains", departure="cambridge", arrive_by="24:00")
    assert names(late)[0] == "TR0022"


def test_names_can_be_matched_as_the_paper_s_code_matches_them(tmp_path: Path) -> None:
    assert within_80("worth house", ["worth house", "warkworth house", "grand plaza"]) == [
        *("worth house", "warkworth house"),
    ]
    loose = open_cambridge(build(tmp_path), within_80)
    assert len(names(use(loose, "query_hotels", name="worth house"))) == 2


def test_what_names_mean_is_remembered_but_not_without_end(town: Cambridge) -> None:
    for number in range(MEANINGS + 10):
        town.town.meanings["hotel", "name", str(number)] = []
    assert names(use(town, "query_hotels", name="worth house")) == ["worth house"]
    assert len(town.town.meanings) < 10


def test_a_name_with_sql_in_it_is_only_a_name(town: Cambridge) -> None:
    assert use(town, "query_hotels", name="'; DROP TABLE hotel; --")["count"] == 0
    assert use(town, "query_hotels")["count"] == 3


def test_a_broken_database_is_named(tmp_path: Path) -> None:
    found = build(tmp_path, {**TOWN, "hotel": {"not": "a list"}})
    with pytest.raises(DataError, match=r"hotel_db\.json: not a list of objects"):
        open_cambridge(found)
    with pytest.raises(DataError, match=r"taxi_db\.json"):
        open_cambridge(build(tmp_path, {**TOWN, "taxi": {}}))


@pytest.mark.data
def test_the_real_town_is_as_large_as_multiwoz_says() -> None:
    town = open_cambridge(sources.find("multiwoz"))
    assert use(town, "query_restaurants")["count"] == 110
    assert use(town, "query_hotels")["count"] == 33
    assert use(town, "query_attractions")["count"] == 79
    assert use(town, "query_trains")["count"] == 2828


@pytest.mark.data
def test_every_real_venue_is_found_by_its_own_name_and_can_be_booked() -> None:
    found = sources.find("multiwoz")
    town = open_cambridge(found)
    order = {"people": 2, "day": "monday", "time": "19:00"}
    for row in json.loads(found.path("multiwoz/db/restaurant_db.json").read_text()):
        assert use(town, "book_restaurant", name=row["name"], **order)["booked"] == row["name"]
    for row in json.loads(found.path("multiwoz/db/hotel_db.json").read_text()):
        answer = use(town, "book_hotel", name=row["name"], people=1, day="friday", stay=2)
        assert answer["booked"] == row["name"]


@pytest.mark.data
def test_questions_of_real_users_have_the_known_answers() -> None:
    town = open_cambridge(sources.find("multiwoz"))
    assert names(use(town, "query_restaurants", area="east", food="chinese")) == ["yu garden"]
    north = use(town, "query_hotels", area="north", type="hotel")
    assert {hit["stars"] for hit in north["hits"]} == {"2"}
    trip = {"departure": "cambridge", "destination": "peterborough", "day": "saturday"}
    assert names(use(town, "query_trains", **trip, leave_at="18:15"))[0] == "TR2569"
