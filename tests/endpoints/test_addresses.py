"""Base URLs as people type them, keys from the environment, pauses."""

import random
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.endpoints import Prices, Usage, address, key_from
from coalm.endpoints.addresses import addresses
from coalm.endpoints.backoff import LONGEST, pause, retry_after
from coalm.errors import EndpointError


def test_a_base_url_loses_its_slash_and_keeps_its_path() -> None:
    assert address(" https://host:8443/api/v1/ ").url == "https://host:8443/api/v1"
    assert address("http://localhost:8000/v1").name == "localhost:8000"


def test_the_same_endpoint_twice_is_one() -> None:
    assert len(addresses(["http://a/v1", "http://a/v1/", "http://b/v1"])) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        "localhost:8000",
        "htp://host/v1",
        "http://",
        "http://host:port/v1",
        "http://[::1/v1",
        "",
        "host/v1",
    ],
)
def test_what_is_no_base_url_is_told_with_an_example(wrong: str) -> None:
    with pytest.raises(EndpointError, match=r"is no base URL; one looks like http://"):
        address(wrong)


def test_a_whole_route_is_shortened_for_the_person() -> None:
    with pytest.raises(EndpointError, match="name the base, http://host/v1, without"):
        address("http://host/v1/chat/completions")


@pytest.mark.parametrize("given_url", ["http://me:sk-1@host/v1", "http://host/v1?key=sk-1"])
def test_a_key_in_a_url_is_refused_and_not_shown(given_url: str) -> None:
    with pytest.raises(EndpointError) as caught:
        address(given_url)
    assert "sk-1" not in str(caught.value)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", " sk-1\n")
    assert key_from("SOME_KEY") == "sk-1"
    monkeypatch.setenv("SOME_KEY", "sk 1")
    with pytest.raises(EndpointError, match="SOME_KEY"):
        key_from("SOME_KEY")
    monkeypatch.delenv("SOME_KEY")
    assert key_from("SOME_KEY") == ""


@given(st.integers(0, 10_000), st.integers())
def test_a_pause_is_between_half_and_the_whole_of_the_doubling(tries: int, seed: int) -> None:
    whole = min(LONGEST, 0.5 * 2.0 ** min(max(tries - 1, 0), 30))
    assert whole / 2 <= pause(0.5, tries, random.Random(seed)) <= whole


def test_retry_after_is_read_in_all_its_forms() -> None:
    assert retry_after({"retry-after": "7"}) == 7.0
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "inf"}) is None
    assert retry_after({}) is None
    dated = retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert dated is not None
    assert 25 < dated <= 30


def test_a_cost_is_tokens_times_their_price() -> None:
    assert Prices(2.5, 10.0).cost(Usage(1_000_000, 200_000)) == pytest.approx(4.5)


@given(st.lists(st.builds(Usage, *[st.integers(0, 10**6)] * 4)))
def test_usage_adds_up(parts: list[Usage]) -> None:
    total = sum(parts, Usage())
    assert total.prompt_tokens == sum(p.prompt_tokens for p in parts)
    assert total.requests == sum(p.requests for p in parts)


@pytest.mark.parametrize("odd", [None, "many", {}, {"prompt_tokens": None}, []])
def test_an_answer_without_usage_is_counted_as_such(odd: object) -> None:
    assert Usage.of(odd) == Usage(requests=1, uncounted=1)
