"""Prediction files: what is read, and how what cannot be read is named."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coalm.bench.multiwoz.predictions import Predicted, plain_id, read_predictions, read_states
from coalm.errors import DataError

TURN = {"response": "[name] it is .", "state": {"hotel": {"stars": "4"}}, "active_domains": []}


def _file(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("id", ["SNG0073", "SNG0073.json", "sng0073", " sng0073.JSON "])
def test_ids_may_be_spelt_in_any_of_the_datas_ways(tmp_path: Path, id: str) -> None:
    assert list(read_predictions(_file(tmp_path, {id: [TURN]}))) == ["sng0073"]
    assert plain_id(id) == "sng0073"


def test_states_may_be_flat_and_values_numbers_or_lists(tmp_path: Path) -> None:
    state = {"hotel-book day": "monday", "hotel": {"stars": 4, "area": ["north", "south"]}}
    [[turn]] = read_predictions(_file(tmp_path, {"a": [{"response": "", "state": state}]})).values()
    assert turn == Predicted(
        "", {"hotel": {"book day": "monday", "stars": "4", "area": "north"}}, None
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "must be an object of dialogue ids, is a list"),
        ({}, "holds no dialogue"),
        ({"a": {}}, "'a': must be a list of turns, is an object"),
        ({"a": [TURN, 3]}, "'a', turn 1: must be an object with a response, is a number"),
        ({"a": [{}]}, "'a', turn 0: has no response"),
        ({"a": [{"response": None}]}, "turn 0: the response must be text, is null"),
        ({"a": [{**TURN, "state": []}]}, "the state must be an object, is a list"),
        ({"a": [{**TURN, "state": {"hotel": "x"}}]}, "'hotel' must be an object, is text"),
        ({"a": [{**TURN, "state": {"hotel": {"a": {}}}}]}, "hotel, 'a': must be text, is an obj"),
        ({"a": [{**TURN, "state": {"hotel": {"a": True}}}]}, "hotel, 'a': must be text, is True"),
        ({"a": [{**TURN, "active_domains": "hotel"}]}, "active_domains must be a list of names"),
        ({"a": [TURN], "A.json": [TURN]}, "'A.json': the dialogue is there twice"),
    ],
)
def test_what_is_broken_is_named_with_dialogue_and_turn(
    tmp_path: Path, value: object, said: str
) -> None:
    with pytest.raises(DataError) as e:
        read_predictions(_file(tmp_path, value))
    assert said in str(e.value)


@pytest.mark.parametrize("text", ["{", "", '{"a": "\0"}', "[" * 100_000, "\udcff"])
def test_what_is_no_json_is_an_error_and_no_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "predictions.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="not readable as JSON"):
        read_predictions(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_predictions(tmp_path / "none.json")


def test_states_can_have_a_file_of_their_own(tmp_path: Path) -> None:
    path = _file(tmp_path, {"SNG1.json": [{}, {"taxi": {"leave": "10:00"}}]})
    assert read_states(path) == {"sng1": ({}, {"taxi": {"leave": "10:00"}})}
    with pytest.raises(DataError, match="'a': must be a list of states"):
        read_states(_file(tmp_path, {"a": {}}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["response", "state", "active_domains", "hotel", "a-b"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON)
def test_no_json_makes_anything_but_predictions_or_an_error(tmp_path: Path, value: object) -> None:
    try:
        read = read_predictions(_file(tmp_path, value))
    except DataError:
        return
    assert all(isinstance(turn.response, str) for of in read.values() for turn in of)
