"""The page when something is wrong: what models write, servers that go, limits, keys."""

import threading
from typing import TYPE_CHECKING

import pytest

from coalm.serve.sessions_kept import SessionLimits
from tests.serve.browsing import Seen, shown
from tests.serve.stage import stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


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


def test_a_page_that_is_loaded_again_has_the_conversation(seen: Seen) -> None:
    seen.say("thai please")
    seen.page.get_by_role("button", name="Good: reply 1").click()
    seen.page.locator("text=Thank you.").first.wait_for()
    seen.page.reload()
    seen.page.locator(".judging").wait_for()
    assert seen.words(".agent p") == ["Thai House is in the north."]
    assert seen.rows() == ["table now", "food thai", "area north", "offered Thai House"]
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
