"""What the rule-based user says, on a small town."""

from coalm.bench.multiwoz.online import OnlineCase
from coalm.bench.multiwoz.online.agenda import Agenda
from tests.bench.multiwoz.online.small import BENCH, case

RESTAURANT = {
    "info": {"food": "portuguese", "area": "north", "pricerange": "moderate"},
    "book": {"people": "4", "day": "friday", "time": "19:15"},
    "fail_book": {"time": "18:00"},
    "reqt": ["phone", "address"],
}


def agenda(of: OnlineCase, seed: int = 0) -> Agenda:
    return Agenda(of.tasks, BENCH.atlas, str(seed))


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    of = case({"restaurant": RESTAURANT})
    said = [agenda(of, seed).opening() for seed in range(8)]
    assert said == [agenda(of, seed).opening() for seed in range(8)]
    assert len(set(said)) > 3


def test_wishes_are_told_bit_by_bit_and_when_asked_for() -> None:
    user = agenda(case({"restaurant": RESTAURANT}))
    said = user.opening()
    asked = user.hear("Which part of town, please?")
    assert "north" in said or (asked is not None and "north" in asked)
    assert user.hear("What price range do you have in mind?") is not None


def test_a_slot_that_the_goal_leaves_open_is_not_minded() -> None:
    user = agenda(case({"hotel": {"info": {"name": "heron house"}}}))
    user.opening()
    said = user.hear("What price range would you like?")
    assert said is not None
    assert "price range" in said
    assert "preference" in said or "not mind" in said


def test_a_place_is_asked_about_and_then_booked_with_other_details_if_need_be() -> None:
    user = agenda(case({"restaurant": RESTAURANT}))
    said = [user.opening()]
    answers = [
        *["The Copper Lantern serves portuguese food."] * 3,
        "Its phone is 01223555000 and the address is 14 Ferry Lane.",
        "I am sorry, there is no table at 18:00.",
        "It is booked, the reference is AB12CD34.",
    ]
    for answer in answers:
        text = user.hear(answer)
        said.append(text or "")
    assert any("phone number" in text for text in said)
    assert any("18:00" in text for text in said[:-2])
    assert "19:15" in said[-2]
    assert said[-1] == ""


def test_a_reference_that_was_not_told_is_asked_for() -> None:
    goal = {
        "restaurant": {"info": {"name": "blue anchor"}, "book": {"people": "2", "time": "12:00"}}
    }
    user = agenda(case(goal))
    user.opening()
    assert "2 people" in (user.hear("I found Blue Anchor.") or "")
    assert "reference number" in (user.hear("Your table has been booked.") or "")


def test_who_was_told_of_an_alternative_takes_it() -> None:
    goal = {
        "hotel": {
            "info": {"area": "north", "stars": "4"},
            "fail_info": {"area": "north", "stars": "5"},
        },
        "message": ["If there is no such hotel, 4 stars will do"],
    }
    user = agenda(case(goal))
    said = user.opening() + (user.hear("Alright.") or "")
    assert "5 stars" in said
    assert "4 stars" in (user.hear("Sorry, there are no such hotels.") or "")


def test_another_place_than_the_one_that_is_wanted_is_not_taken() -> None:
    user = agenda(case({"restaurant": {"info": {"name": "blue anchor"}}}))
    user.opening()
    assert "blue anchor" in (user.hear("How about the Walnut Tree?") or "")


def test_silence_is_borne_for_a_while() -> None:
    user = agenda(case({"restaurant": RESTAURANT, "train": {"info": {"day": "monday"}}}))
    said = [user.opening()]
    while (text := user.hear("")) is not None:
        said.append(text)
    assert 5 < len(said) < 15
    assert "train" in said[-1] + said[-2] + said[-3] + said[-4]


def test_a_taxi_is_ordered_between_the_places_that_were_found() -> None:
    goal = {
        "restaurant": {"info": {"name": "blue anchor"}},
        "taxi": {"info": {"leaveAt": "17:00", "destination": "ely"}, "reqt": ["phone"]},
    }
    user = agenda(case(goal))
    user.opening()
    said = user.hear("I found Blue Anchor.") or ""
    said += user.hear("When, and from where to where?") or ""
    assert "blue anchor" in said
    assert user.hear("A red audi will come, phone 0712345678.") is None
