"""The page for everybody: keyboard, screen reader, phone, light and dark, less motion."""

from typing import TYPE_CHECKING

import pytest

from tests.serve.browsing import Seen, shown
from tests.serve.contrast import COLOURS, ratio
from tests.serve.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


def test_everything_can_be_done_by_keyboard(seen: Seen, served: Stage) -> None:
    before, keys = len(served.booked), seen.page.keyboard
    focused = "document.activeElement.textContent || document.activeElement.id"
    keys.press("Tab")
    assert seen.page.evaluate(focused) == "Skip to your message"
    keys.press("Enter")
    keys.type("book")
    keys.press("Shift+Enter")
    assert seen.page.locator("#words").input_value() == "book\n"
    keys.press("Backspace")
    keys.type(" it")
    keys.press("Enter")
    seen.page.locator(".asking").wait_for()
    keys.press("Tab")  # the reason
    keys.press("Tab")
    assert seen.page.evaluate(focused) == "Allow"
    keys.press("Enter")
    seen.page.locator(".judging").wait_for()
    assert len(served.booked) == before + 1
    assert seen.page.evaluate(focused) == "words"
    keys.type("count")
    keys.press("Enter")
    seen.page.locator(".agent.writing").wait_for()
    keys.press("Escape")
    seen.page.locator("text=Stopped.").first.wait_for()
    order = []
    for _ in range(40):
        keys.press("Shift+Tab")
        order.append(
            seen.page.evaluate(
                "document.activeElement.ariaLabel || document.activeElement.textContent.trim()"
            )
        )
        if order[-1] == "Skip to your message":
            break
    for name in (
        "Steps of tuned",
        "Dialogue state of tuned",
        "Bad: reply 1 of tuned",
        "Edit your turn 1",
        "New conversation",
        "Theme: auto",
    ):
        assert name in order  # fmt: skip


def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    browser: "Browser", served: Stage
) -> None:
    with shown(browser, served, viewport={"width": 360, "height": 740}, has_touch=True) as seen:
        overflows = "document.documentElement.scrollWidth > innerWidth"
        for words in ("thai please", "wide", "nasty"):
            seen.say(words)
            assert not seen.page.evaluate(overflows), words
        talk, steps = (seen.page.locator(where).bounding_box() for where in (".talk", "aside"))
        assert talk is not None
        assert steps is not None
        assert steps["y"] >= talk["y"] + talk["height"] - 1
        composer = seen.page.locator("#composer").bounding_box()
        assert composer is not None
        assert composer["y"] + composer["height"] <= 741  # always at hand
        seen.say("book it", wait=False)
        seen.page.locator(".asking").wait_for()
        assert not seen.page.evaluate(overflows)
        seen.page.get_by_role("button", name="Refuse").tap()
        seen.page.locator(".judging").nth(3).wait_for()
        seen.page.get_by_role("button", name="Bad: reply 1 of tuned").tap()
        assert not seen.page.evaluate(overflows)
        assert not seen.wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(
    browser: "Browser", served: Stage, theme: str
) -> None:
    with shown(browser, served, color_scheme=theme) as seen:
        seen.page.locator("summary").first.click()
        seen.say("thai please")
        seen.say("garbage")
        seen.page.get_by_role("button", name="Bad: reply 1 of tuned").click()
        seen.say("book it", wait=False)
        seen.page.locator(".asking").wait_for()
        seen.page.locator("text=Stop").first.hover()
        found = seen.page.evaluate(COLOURS)
        faint = {
            (one["what"], round(ratio(one["ink"], one["ground"]), 2))
            for one in found
            if ratio(one["ink"], one["ground"]) < 4.5
        }
        assert len(found) > 40
        assert not faint
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ratio(ground, "rgb(0, 0, 0)") > 10) == (theme == "light")


def test_the_theme_can_be_switched_and_is_remembered(seen: Seen) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = seen.page.evaluate(ground)
    switch = seen.page.get_by_role("button", name="Theme")
    switch.click()
    switch.click()
    assert switch.inner_text() == "Theme: dark"
    assert seen.page.evaluate(ground) != before
    seen.page.reload()
    seen.page.locator("#send:enabled").wait_for()
    assert seen.page.evaluate(ground) != before


def test_nothing_moves_where_somebody_wants_less_motion(browser: "Browser", served: Stage) -> None:
    moving = "document.getAnimations().length"
    for how, moves in (("reduce", False), ("no-preference", True)):
        with shown(browser, served, reduced_motion=how) as seen:
            seen.say("count", wait=False)
            seen.page.locator(".agent.writing").wait_for()
            assert bool(seen.page.evaluate(moving)) is moves
            seen.page.keyboard.press("Escape")
            seen.page.locator(".judging").wait_for()


def test_every_control_has_a_name_and_every_part_a_landmark(seen: Seen) -> None:
    seen.page.get_by_label("Compare with").select_option("base")
    seen.page.locator(".column").nth(1).wait_for()
    seen.say("hello")
    seen.page.get_by_role("button", name="Bad: reply 1 of base").click()
    seen.page.get_by_role("button", name="Edit your turn 1").first.click()
    session = seen.page.context.new_cdp_session(seen.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    real = [n for n in nodes if not n.get("ignored")]
    roles = [(n["role"]["value"], n.get("name", {}).get("value", "").strip()) for n in real]
    controls = {"button", "textbox", "combobox", "link", "checkbox", "log", "form", "region",
                "complementary", "DisclosureTriangle"}  # fmt: skip
    nameless = [role for role, name in roles if role in controls and not name]
    assert not nameless
    unnamed = "[role=group]:not([aria-label], [aria-labelledby])"
    assert seen.page.locator(unnamed).count() == 0
    landmarks = [role for role, _ in roles]
    assert {"banner", "main", "form", "complementary", "log", "status"} <= set(landmarks)
    assert landmarks.count("log") == 2
    names = [name for role, name in roles if role in {"button", "textbox", "combobox"}]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice - {"Close", "Save", "Edit your turn 1"}  # in groups with names of their own
    headings = [n for role, n in roles if role == "heading"]
    assert headings[:2] == ["places", "tuned"]
