"""Goals of the data -> what Inform and Success count."""

from pathlib import Path
from typing import Any

import pytest

from coalm import sources, store
from coalm.bench.multiwoz.booked import booked_in, read_booked
from coalm.bench.multiwoz.goals import DomainGoal, Goal, goal_of
from coalm.bench.multiwoz.upstream import Split, dialogues
from coalm.errors import DataError

RAW: dict[str, Any] = {
    "restaurant": {
        "info": {"food": "thai", "area": "west"},
        "fail_info": {"food": "lao"},
        "reqt": ["phone", "food", "address"],
        "book": {"people": "2", "invalid": False},
    },
    "train": {
        "info": {"leaveAt": "09:00", "arriveBy": "10:00"},
        "reqt": ["trainID", "phone", "price"],
    },
    "hotel": {},
    "message": ["..."],
    "topic": {"hotel": False},
}


def test_a_goal_keeps_constraints_and_what_can_be_seen_to_be_given() -> None:
    goal = goal_of(RAW)
    assert set(goal) == {"restaurant", "train"}
    assert goal["restaurant"] == DomainGoal(
        {"food": "thai", "area": "west"}, frozenset({"PHONE", "ADDRESS", "REFERENCE"})
    )


def test_of_a_train_only_its_id_counts_and_times_have_their_short_names() -> None:
    train = goal_of(RAW)["train"]
    assert train.requestable == {"TRAINID"}
    assert train.informable == {"leave": "09:00", "arrive": "10:00"}


@pytest.mark.parametrize("broken", [{"hotel": [1]}, {"hotel": {"reqt": 3}}, {"taxi": "yes"}])
def test_what_is_no_goal_is_named(broken: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"SNG1: (hotel|taxi): not a MultiWOZ goal"):
        goal_of(broken, "SNG1")


def test_bookings_are_read_off_the_metadata_and_a_taxi_is_none() -> None:
    def entry(**booked: list[Any]) -> dict[str, Any]:
        return {"metadata": {d: {"book": {"booked": b}, "semi": {}} for d, b in booked.items()}}

    log = [{}, entry(hotel=[], taxi=[{}]), {}, entry(hotel=[{"name": "x"}], taxi=[{}])]
    assert booked_in(log) == (frozenset(), frozenset({"hotel"}))
    with pytest.raises(DataError, match="MUL1: no metadata"):
        booked_in([{}, {}], "MUL1")


def evaluators(path: Path) -> dict[str, Goal]:
    """Goals as the corpus evaluator writes them down."""
    return {
        name: {
            domain: DomainGoal(dict(of["informable"]), frozenset(of["requestable"]))
            for domain, of in goal.items()
        }
        for name, goal in store.read_json(path).items()
    }


@pytest.mark.data
@pytest.mark.parametrize(("split", "n"), [("test", 1000), ("val", 999)])
def test_goals_and_bookings_are_the_evaluators(split: Split, n: int) -> None:
    found = sources.find("multiwoz")
    path = found.path(f"multiwoz/eval/goals_{split}.json.gz")
    if not path.is_file():
        pytest.skip("the evaluator's goals are not there")
    rows = list(dialogues(found, split))
    assert len(rows) == n
    assert {row.id: goal_of(row.goal) for row in rows} == evaluators(path)
    booked = read_booked(found, [row.id for row in rows])
    assert booked is not None
    for row in rows:
        assert booked_in(row.log) == tuple(each - {"taxi"} for each in booked[row.id])
