"""A page in a real browser, for the tests of the page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def launched() -> "Iterator[Browser]":
    """Chromium as the system has it; required with COALM_REQUIRE_BROWSER=1."""
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        if os.environ.get("COALM_REQUIRE_BROWSER") == "1":
            pytest.fail("COALM_REQUIRE_BROWSER=1 but there is no chromium, or no playwright")
        pytest.skip("no browser here: install chromium and the package playwright")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@dataclass
class Seen:
    """A page, and what its console has against it."""

    page: "Page"
    wrong: list[str] = field(default_factory=list)

    def say(self, words: str, wait: bool = True) -> None:
        before = self.page.locator(".judging").count()
        self.page.locator("#words").fill(words)
        self.page.locator("#words").press("Enter")
        if wait:
            columns = self.page.locator(".column").count()
            self.page.locator(".judging").nth(before + columns - 1).wait_for()

    def words(self, where: str) -> list[str]:
        return self.page.locator(where).all_inner_texts()

    def rows(self) -> list[str]:
        """The state, a line a row."""
        found = self.page.locator(".state tbody tr").all_inner_texts()
        return [" ".join(row.split()) for row in found]


class shown:  # noqa: N801  used as a function
    """A fresh page of a server, open and ready."""

    def __init__(self, browser: "Browser", made: Stage, **how: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}} | how)
        self.context.set_default_timeout(10_000)
        self.url = made.url

    def __enter__(self) -> Seen:
        seen = Seen(self.context.new_page())
        seen.page.on("console", lambda m: seen.wrong.append(m.text) if m.type != "info" else None)
        seen.page.on("pageerror", lambda e: seen.wrong.append(str(e)))
        seen.page.goto(self.url)
        seen.page.locator("#send:enabled, #key-form:not([hidden])").first.wait_for()
        return seen

    def __exit__(self, *_: object) -> None:
        self.context.close()
