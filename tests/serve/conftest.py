"""A page of two models, in a browser; for the tests of what it shows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.serve.browsing import Seen, launched, shown
from tests.serve.stage import Stage, stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with launched() as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[Stage]:
    with stage(models=("tuned", "base"), pace=0.004) as made:
        yield made


@pytest.fixture
def seen(browser: "Browser", served: Stage) -> Iterator[Seen]:
    with shown(browser, served) as made:
        yield made
        assert not made.wrong
