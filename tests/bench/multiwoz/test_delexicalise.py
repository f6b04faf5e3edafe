"""Plain words -> placeholders, over the bundled miniature and the real databases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm import sources
from coalm.bench.multiwoz.delexicalise import Delexicaliser, open_delexicaliser
from coalm.bench.multiwoz.success.placeholders import facts
from coalm.sources import MINIATURE, SOURCES, Found

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
TOWN = open_delexicaliser(SMALL)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (
            "The Copper Lantern is at 14 Ferry Lane.",
            "The [restaurant_name] is at [restaurant_address].",
        ),
        ("try quayside rooms , 8 lock rd", "try [hotel_name] , [hotel_address]"),
        ("Call 01223 555-000 or (01223)555100!", "Call [restaurant_phone] or [hotel_phone]!"),
        (
            "postcode CB9 0AA, or c.b 8 , 0 b.b",
            "postcode [restaurant_postcode], or [hotel_postcode]",
        ),
        ("TR3433 leaves at 09:35", "[train_id] leaves at [value_time]"),
        ("your reference number is ML40WQ .", "your reference number is [value_reference] ."),
        ("Reference: abqwtzku.", "Reference: [value_reference]."),
        ("a red skoda , 07555000111", "a [taxi_type] , [taxi_phone]"),
        (
            "3 cheap places in the North",
            "[value_count] [value_pricerange] places in the [value_area]",
        ),
        ("It costs £4 or 4.40 pounds.", "It costs [value_price] or [value_price]."),
        ("from Ely to London Kings Cross", "from [value_place] to [value_place]"),
        ("[hotel_name] has 4 stars", "[hotel_name] has [value_count] stars"),
        ("the signal box, at 70 railway terrace", "the signal box, at [hotel_address]"),
        ("granary road is far", "granary road is far"),
    ],
)
def test_what_is_known_gives_way(said: str, written: str) -> None:
    assert TOWN.text(said) == written


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for calling, goodbye!",
        "Is there anything else I can help you with?",
        "Your booking is complete.",
        "What reference do you have? Your reference is included .",
        "The phone is 01999 000111 and the train TR0001, postcode CB1 2AB.",
        "",
    ],
)
def test_what_nobody_knows_stays_as_it_is(text: str) -> None:
    assert TOWN.text(text) == text


def test_a_telephone_that_is_made_up_gives_no_fact() -> None:
    assert not facts(TOWN.text("the hotel's phone is 01223999999"))
    assert facts(TOWN.text("the hotel's phone is 01223555100")) == {"PHONE"}


_NAMES = ("the copper lantern", "14 Ferry Lane", "lane", "st", "volvo", "blue", "taxi", "north")
_CODES = ("TR3433", "01223555000", "cb90aa", "ABCD12EF", "abcdefgh", "07123456789", "2-3")
_OTHERS = ("ref :", "reference is", "17:15", "5 pm", "£5", "3", "one", "'s", "\n", "é")
_BITS = st.sampled_from((*_NAMES, *_CODES, *_OTHERS, "[hotel_name]", "[", "]", "."))


@settings(max_examples=300)
@given(st.lists(_BITS | st.text(max_size=5), max_size=9), st.sampled_from([" ", "", "-"]))
def test_a_second_time_changes_nothing(parts: list[str], between: str) -> None:
    once = TOWN.text(between.join(parts))
    assert TOWN.text(once) == once


@settings(max_examples=200)
@given(st.text(alphabet="bcfgjkqvxyz ,.!?", max_size=60))
def test_text_without_anything_known_is_never_touched(text: str) -> None:
    assert TOWN.text(text) == text


@pytest.fixture(scope="module")
def cambridge() -> Delexicaliser:
    return open_delexicaliser(sources.find("multiwoz"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("saint john 's college", "[attraction_name]"),
        ("St. Johns College", "[attraction_name]"),
        ("A & B Guesthouse", "[hotel_name]"),
        ("rosas b and b", "[hotel_name]"),
        ("Restaurant 2 Two", "[restaurant_name]"),
        ("restaurant 17", "[restaurant_name]"),
        ("I would ask at Ask .", "I would ask at [restaurant_name] ."),
        ("you may ask", "you may ask"),
        ("on Ashley Road, not at Ashley", "on Ashley Road, not at [hotel_name]"),
        ("at 12 Lensfield Rd", "at [restaurant_address]"),
        ("the lensfield hotel", "the [hotel_name]"),
        ("north american food", "[value_food] food"),
    ],
)
def test_cambridge_is_known_by_its_other_names(
    cambridge: Delexicaliser, said: str, written: str
) -> None:
    assert cambridge.text(said) == written
