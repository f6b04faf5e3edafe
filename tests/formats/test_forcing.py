"""The law of forced beginnings: every call begins so, and what follows is read as one reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.errors import FormatError
from coalm.formats import AS_GIVEN, DIALECTS
from coalm.formats.chat import checked
from coalm.formats.dialects import dialect
from coalm.formats.forcing import forced
from coalm.types import Assistant
from tests.formats.dialogues import calls

spoken = st.sampled_from(sorted(DIALECTS))


@given(spoken, st.lists(calls, min_size=1, max_size=3), st.booleans())
def test_every_turn_of_calls_alone_begins_as_it_is_forced(
    name: str, made: list[object], by_name: bool
) -> None:
    turn = Assistant(calls=tuple(made))  # type: ignore[arg-type]
    try:
        text = checked(dialect(name), turn)
    except FormatError:
        return
    assert text.startswith(forced(dialect(name), turn.calls[0].name if by_name else ""))


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_beginning_ends_where_a_token_does(name: str) -> None:
    for begin in (forced(dialect(name)), forced(dialect(name), "find_bus")):
        assert begin == begin.rstrip(" ")


@pytest.mark.parametrize("name", ["pythonic", "react", "codeact"])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        forced(dialect(name), "f(x")


def test_words_alone_have_no_calls() -> None:
    for known in AS_GIVEN.values():
        with pytest.raises(FormatError):
            forced(known)
