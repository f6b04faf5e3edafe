"""The page in a real browser: what a person sees, presses and hears."""

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coalm.agent import traces
from coalm.agent.traces import Feedback
from coalm.serve.sessions_kept import Keeper, SessionLimits
from tests.serve.contrast import COLOURS, ratio
from tests.serve.stage import Stage, stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
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


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces") / "traces.jsonl"


@pytest.fixture(scope="module")
def served(kept: Path) -> Iterator[Stage]:
    with stage(models=("tuned", "base"), pace=0.004, keeper=Keeper(kept)) as made:
        yield made


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


@pytest.fixture
def seen(browser: "Browser", served: Stage) -> Iterator[Seen]:
    with shown(browser, served) as made:
        yield made
        assert not made.wrong


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


def test_thoughts_calls_results_and_the_state_are_seen_beside_the_words(seen: Seen) -> None:
    seen.say("thai please")

    assert seen.words(".user > p") == ["thai please"]
    assert seen.words(".agent p") == ["Thai House is in the north."]
    steps = " ".join(" ".join(seen.words(".steps li")).split())
    assert "Thought" in steps
    assert "They want Thai food." in steps
    assert re.search(r"Call .*find food thai area north", steps)
    assert "Result" in steps
    assert seen.rows() == ["table now food thai new", "area north new", "offered Thai House new"]
    seen.say("indian instead")
    assert seen.rows() == [
        "table now food indian changed",
        "area north",
        "offered Indian House changed",
    ]
    told = " ".join(seen.words("#told p"))
    assert "tuned: Indian House it is." in told
    assert "Understood: table food indian" in told


def test_words_appear_while_they_are_written_and_can_be_stopped(seen: Seen) -> None:
    seen.say("count", wait=False)
    bubble = seen.page.locator(".agent.writing p")
    bubble.wait_for()
    first = bubble.inner_text()
    seen.page.wait_for_function(
        "had => document.querySelector('.agent.writing p').textContent.length > had",
        arg=len(first),
    )
    assert seen.page.locator("#send").is_disabled()
    seen.page.get_by_role("button", name="Stop").click()
    seen.page.locator(".judging").wait_for()
    assert "Stopped." in seen.words(".remark")[0]
    assert seen.page.locator("#stop").is_hidden()
    assert seen.page.locator("#words").evaluate("e => e === document.activeElement")
    seen.say("hello")
    assert seen.words(".agent p") == ["Hello there."]


def test_a_writing_tool_runs_when_it_is_allowed(seen: Seen, served: Stage) -> None:
    before = len(served.booked)
    seen.say("book it", wait=False)
    card = seen.page.get_by_role("group", name="May the agent use book?")
    card.wait_for()
    assert "Thai House" in card.inner_text()
    assert len(served.booked) == before
    assert card.evaluate("e => e === document.activeElement")  # Enter here says neither yes nor no
    seen.page.keyboard.press("Enter")
    assert len(served.booked) == before
    card.get_by_role("button", name="Allow").click()
    seen.page.locator(".judging").wait_for()
    assert len(served.booked) == before + 1
    assert "You allowed it." in " ".join(seen.words(".steps li"))
    assert any("booked" in row and "X1" in row for row in seen.rows())


def test_a_refusal_tells_the_model_why(seen: Seen, served: Stage) -> None:
    before = len(served.booked)
    seen.say("book it", wait=False)
    seen.page.get_by_label("If not, why?").fill("too <b>early</b>")
    seen.page.get_by_role("button", name="Refuse").click()
    seen.page.locator(".judging").wait_for()
    assert len(served.booked) == before
    assert "Then I leave it: too" in seen.words(".agent p")[0]


def test_a_turn_is_edited_and_run_again(seen: Seen) -> None:
    seen.say("thai please")
    seen.say("hello")
    seen.page.get_by_role("button", name="Edit your turn 1").click()
    box = seen.page.get_by_label("Your turn 1", exact=True)
    assert box.input_value() == "thai please"
    box.fill("indian instead")
    box.press("Enter")
    seen.page.locator("text=Indian House it is.").first.wait_for()
    seen.page.locator(".judging").wait_for()

    assert seen.words(".user > p") == ["indian instead"]
    assert seen.rows() == ["table now food indian new", "offered Indian House new"]
    assert len(seen.words(".round")) == 1


def test_a_thumb_down_and_better_words_are_in_the_trace(seen: Seen, kept: Path) -> None:
    seen.say("hello")
    seen.say("thai please")
    id = json.loads(seen.page.evaluate("sessionStorage.getItem('coalm-open')"))[0]
    seen.page.get_by_role("button", name="Good: reply 1 of tuned").click()
    down = seen.page.get_by_role("button", name="Bad: reply 2 of tuned")
    down.click()
    seen.page.get_by_label("What should it have said?").last.fill("Thai House, in the north.")
    seen.page.get_by_label("Note").last.fill("say it shorter")
    seen.page.get_by_role("button", name="Save").click()
    seen.page.locator("text=Saved.").first.wait_for()
    assert down.get_attribute("aria-pressed") == "true"

    [trace] = [one for one in traces.read(kept) if one.id == id]
    assert trace.feedback == (
        Feedback(0, "up"),
        Feedback(1, "down", "Thai House, in the north.", "say it shorter"),
    )
    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="Download trace").click()
    [taken] = traces.read(download.value.path())
    assert taken.feedback == trace.feedback


def test_two_models_answer_the_same_words_side_by_side(seen: Seen) -> None:
    seen.page.get_by_label("Compare with").select_option("base")
    seen.page.locator(".column").nth(1).wait_for()
    seen.say("who are you")

    assert seen.words(".agent p") == ["tuned heard: who are you", "base heard: who are you"]
    boxes = [seen.page.locator(".column").nth(n).bounding_box() for n in range(2)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"] - 1
    seen.page.get_by_role("button", name="Edit your turn 1").last.click()
    box = seen.page.get_by_label("Your turn 1", exact=True)
    box.fill("once more")
    box.press("Enter")
    seen.page.locator("text=base heard: once more").first.wait_for()
    assert seen.words(".user > p") == ["once more", "once more"]


def test_a_model_is_changed_only_when_that_costs_no_conversation(seen: Seen) -> None:
    seen.say("hello")
    seen.page.get_by_role("combobox", name="Model", exact=True).select_option("base")
    assert seen.words(".user > p") == ["hello"]
    seen.page.get_by_role("button", name="Begin it now").click()
    seen.page.locator("section[aria-label='Model base']").wait_for()
    seen.say("and you")
    assert seen.words(".agent p") == ["base heard: and you"]


def test_what_a_model_writes_is_text_and_runs_nothing(seen: Seen) -> None:
    seen.say("nasty")

    said = seen.words(".agent p")[0]
    assert "<script>window.hacked = 1</script>" in said
    assert "⟨U+001B⟩[31mred⟨U+0007⟩" in said
    assert "⟨U+202E⟩gnp.exe" in said
    assert "&amp; end" in said
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("#columns :is(script, img, a, b, i)").count() == 0
    assert "<script>window.hacked=1</script>" in " ".join(seen.rows())


def test_a_huge_reply_is_shown_in_part_and_whole_when_asked(seen: Seen) -> None:
    seen.say("huge")
    assert len(seen.words(".agent p")[0]) < 25_000
    seen.page.get_by_role("button", name="Show all 200,000 characters").click()
    assert len(seen.words(".agent p")[0]) == 200_000


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


def test_a_page_that_is_loaded_again_has_the_conversation(seen: Seen) -> None:
    seen.say("thai please")
    seen.page.get_by_role("button", name="Good: reply 1").click()
    seen.page.locator("text=Thank you.").first.wait_for()
    seen.page.reload()
    seen.page.locator(".judging").wait_for()
    assert seen.words(".agent p") == ["Thai House is in the north."]
    assert seen.rows() == ["table now food thai", "area north", "offered Thai House"]
    pressed = seen.page.get_by_role("button", name="Good: reply 1").get_attribute("aria-pressed")
    assert pressed == "true"
    seen.say("indian instead")
    assert len(seen.words(".round")) == 2


def test_how_a_reply_went_wrong_is_said_in_words(seen: Seen) -> None:
    for words, why in (
        ("silence", "ended its turn without a word"),
        ("garbage", "cannot be read: an action that is not a call"),
        ("again and again", "Stopped after 4 steps without an answer."),
        ("asleep", "No answer: the model is asleep."),
        ("cut me", "the limit of tokens for one step is reached"),
    ):
        seen.say(words)
        assert why in seen.words(".remark")[-1], words


def test_a_history_that_is_cut_is_said(browser: "Browser") -> None:
    with stage(context=256 + 45) as made, shown(browser, made) as seen:
        for words in ("a", "b", "c"):
            seen.say(words)
        assert "The oldest turn does not fit" in seen.words(".remark")[-1]


def test_a_server_that_is_gone_is_said_and_the_words_are_kept(browser: "Browser") -> None:
    with stage() as made, shown(browser, made) as seen:
        seen.say("hello")
        made.stop.set()
        seen.page.wait_for_timeout(800)
        seen.page.locator("#words").fill("still there?")
        seen.page.locator("#words").press("Enter")
        seen.page.get_by_role("alert").wait_for()
        assert "cannot be reached" in seen.words(".notice")[0]
        assert seen.page.locator("#words").input_value() == "still there?"
        assert seen.words(".user > p") == ["hello"]


def test_a_conversation_that_was_dropped_is_said(browser: "Browser") -> None:
    limits = SessionLimits(sessions=1)
    with stage(limits=limits) as made, shown(browser, made) as seen:
        made.opened()
        seen.page.locator("#words").fill("hello")
        seen.page.locator("#words").press("Enter")
        seen.page.get_by_role("alert").wait_for()
        assert "this conversation is over" in seen.words(".notice")[0]
        seen.page.locator(".notice >> text=New conversation").click()
        seen.page.locator("#send:enabled").wait_for()
        assert seen.page.locator("#words").input_value() == "hello"
        seen.page.locator("#words").press("Enter")
        seen.page.locator("text=Hello there.").first.wait_for()


def test_too_many_conversations_are_said(browser: "Browser") -> None:
    with stage(limits=SessionLimits(sessions=1)) as made:
        id = made.opened()
        body = {"text": "book it"}
        threading.Thread(target=made.post, args=(f"/{id}/say", body), daemon=True).start()
        context = browser.new_context()
        page = context.new_page()
        while not made.get(f"/{id}")["busy"]:
            page.wait_for_timeout(20)
        page.goto(made.url)
        page.get_by_role("alert").wait_for()
        assert "come back soon" in page.get_by_role("alert").inner_text()
        made.post(f"/{id}/cancel")
        page.get_by_role("button", name="Try again").click()
        page.locator("#send:enabled").wait_for()
        context.close()


def test_a_key_is_asked_for_and_kept_in_the_tab(
    browser: "Browser", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE_KEYS", "let-me-in")
    with stage(key_env="STAGE_KEYS") as made, shown(browser, made) as seen:
        for key in ("wrong", "let-me-in"):
            field = seen.page.get_by_label("This server wants an API key.")
            field.fill(key)
            field.press("Enter")
            seen.page.wait_for_timeout(300)
        seen.page.locator("#send:enabled").wait_for()
        assert seen.page.locator("#key-form").is_hidden()
        seen.say("hello")
        assert seen.words(".agent p") == ["Hello there."]
        assert seen.page.evaluate("localStorage.length") == 0
