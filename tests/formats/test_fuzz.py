"""Ten thousand model outputs gone wrong, and texts made to be slow, through every reader."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.corpora.states import read_state
from coalm.formats import AS_GIVEN, DIALECTS, LAYOUTS, Malformed, format_of
from coalm.types import Assistant, Dialogue, User, identical
from tests.formats.growth import LENGTH, steep, texts
from tests.formats.mutations import MISHAPS, TURNS, WHOLE, mutant, mutants

MANY = 10_000
SEED = 20261122
READERS: Mapping[str, Callable[[str], object]] = {
    **{name: format_of("chatml", name).read for name in (*DIALECTS, *AS_GIVEN)},
    "state": read_state,
}
every_dialect = pytest.mark.parametrize("name", [*DIALECTS, *AS_GIVEN])
every_reader = pytest.mark.parametrize("name", READERS)


def own(name: str) -> list[str]:
    """Outputs of which many are in the reader's own syntax."""
    said = [DIALECTS[name].write(turn) for turn in TURNS] if name in DIALECTS else []
    return [*WHOLE, *said * (2 * len(WHOLE) // max(len(said), 1))]


@every_dialect
def test_a_mutant_is_a_turn_that_can_be_said_again_or_malformed_with_a_reason(name: str) -> None:
    fmt = format_of("llama3", name)
    came: Counter[str] = Counter()
    for text in mutants(SEED, MANY, own(name)):
        turn = fmt.read(text)
        if isinstance(turn, Malformed):
            came["malformed"] += 1
            assert (turn.text, bool(turn.why)) == (text, True)
            turn.why.encode("utf-8", "surrogatepass")
        else:
            came["calls" if turn.calls else "words"] += 1
            assert identical(fmt.dialect.read(fmt.dialect.write(turn)), turn)
    # A fuzzer that never gets past the door tries nothing.
    if name in DIALECTS:
        assert min(came["malformed"], came["calls"], came["words"]) > 300, came


def test_a_mutant_state_is_texts_by_name_or_none() -> None:
    came: Counter[bool] = Counter()
    for text in mutants(SEED, MANY):
        state = read_state(text)
        came[state is None] += 1
        if state is not None:
            assert all(isinstance(part, str) for pair in state.items() for part in pair)
    assert min(came[True], came[False]) > 1000, came


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rows", [False, True])
def test_every_layout_reads_a_mutant_alike_and_can_go_on_from_it(
    layout: str, rows: bool, name: str
) -> None:
    fmt = format_of(layout, name, rows=rows)
    for text in mutants(SEED + 1, 300, own(name)):
        turn = fmt.read(text)
        assert identical(turn, format_of("chatml", name).read(text))
        if isinstance(turn, Assistant):
            fmt.prompt(Dialogue((User("hi"), turn, User("and now?"))))


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=200)
@given(
    text=st.sampled_from(WHOLE),
    more=st.lists(
        st.tuples(st.integers(0, 200), st.text(max_size=5) | st.sampled_from("[](){}'\"`\\\0")),
        max_size=6,
    ),
)
def test_whatever_is_put_into_an_output_no_reader_falls_over(
    name: str, text: str, more: list[tuple[int, str]]
) -> None:
    for place, sign in more:
        text = text[:place] + sign + text[place:]
    READERS[name](text)


@every_reader
def test_no_text_takes_time_by_the_square_of_its_length(name: str) -> None:
    read = READERS[name]
    pairs = zip(texts(LENGTH // 4), texts(LENGTH), strict=True)
    slow = [long[:30] for short, long in pairs if steep(read, short, long)]
    assert not slow


def test_a_state_is_found_behind_any_number_of_braces_that_open_nothing() -> None:
    assert read_state("{x} " * 4000 + '{"hotel-area": "north"}') == {"hotel-area": "north"}


# --- and the checks can fail ----------------------------------------------------------------


def test_a_reader_that_tries_every_cut_of_a_run_of_blanks_is_steep() -> None:
    # Pythonic's own pattern, as it was before this test.
    read = re.compile(r"\s*\[\s*[^\[\](){}'\"=,]+\(").match
    assert steep(read, "[" + " " * 2500 + "x", "[" + " " * LENGTH + "x")


def test_a_mutant_is_the_same_each_time_and_seldom_the_whole() -> None:
    assert list(mutants(1, 50)) == list(mutants(1, 50)) != list(mutants(2, 50))
    assert mutant(1, 7) == list(mutants(1, 8))[7]
    assert sum(text in WHOLE for text in mutants(1, 1000)) < 250
    assert len({mishap.__name__ for mishap in MISHAPS}) == len(MISHAPS)
