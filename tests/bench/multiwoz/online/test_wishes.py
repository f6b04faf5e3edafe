"""What a user makes of a goal: order, alternatives that were told, places of a taxi."""

import pytest

from coalm import sources
from coalm.bench.multiwoz.online.wishes import STATION, tasks
from coalm.bench.multiwoz.upstream import dialogues
from coalm.errors import DataError

HOTEL = {
    "info": {"area": "north", "type": "guesthouse"},
    "fail_info": {"area": "west", "type": "guesthouse"},
    "book": {"people": "2", "day": "monday", "stay": "3", "invalid": False, "pre_invalid": True},
    "fail_book": {"stay": "4"},
    "reqt": ["phone"],
}
TOLD = "If there is no such hotel, how about the north"


def test_what_is_booked_and_asked_for_is_read() -> None:
    [task] = tasks({"hotel": HOTEL, "message": [TOLD]})
    assert task.wants == {"area": "north", "type": "guest house"}
    assert task.book == {"people": "2", "day": "monday", "stay": "3"}
    assert task.full == {"stay": "4"}
    assert task.requests == ("phone", "reference")


def test_an_alternative_counts_only_if_the_user_was_told_of_it() -> None:
    [told] = tasks({"hotel": HOTEL, "message": [TOLD]})
    [untold] = tasks({"hotel": HOTEL, "message": ["You are looking for a place to stay"]})
    assert told.first == {"area": "west", "type": "guest house"}
    assert untold.first == {}


def test_tasks_come_in_the_order_in_which_the_user_is_told_of_them_and_taxis_last() -> None:
    goal = {
        "taxi": {"info": {"leaveAt": "9:15"}, "reqt": ["car type"]},
        "restaurant": {"info": {"food": "thai"}},
        "attraction": {"info": {"type": "museum"}},
        "message": [
            "You are excited about the local restaurants",
            "You also want to book a taxi",
            "You are looking for places to go in town",
            "You are also looking for a restaurant",
            "You want to leave the restaurant by 9:15",
        ],
    }
    found = tasks(goal)
    assert [task.domain for task in found] == ["attraction", "restaurant", "taxi"]
    assert found[-1].places == {"departure": "restaurant", "destination": "attraction"}
    assert found[-1].wants == {"leave_at": "09:15"}


def test_an_end_of_a_taxi_that_nothing_says_is_the_station() -> None:
    [taxi] = tasks({"taxi": {"info": {"arriveBy": "10:00", "departure": "ely"}}})
    assert taxi.wants == {"departure": "ely", "destination": STATION, "arrive_by": "10:00"}


@pytest.mark.parametrize(
    "goal", [{}, {"hotel": []}, {"hospital": {"info": {}}}, {"hotel": {"info": 3}}]
)
def test_what_is_no_goal_is_refused(goal: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"^here: "):
        tasks(goal, "here")


@pytest.mark.data
def test_every_real_goal_is_read() -> None:
    found = [tasks(d.goal, d.id) for d in dialogues(sources.find("multiwoz"), "test")]
    assert len(found) == 1000
    assert sum(len(one) for one in found) == 1917
    assert sum(bool(task.first) for one in found for task in one) == 210
    assert sum(bool(task.full) for one in found for task in one) == 80
    assert not any(STATION in task.wants.values() for one in found for task in one)
