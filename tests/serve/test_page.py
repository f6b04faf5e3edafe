"""The page in a real browser: talking, watching, allowing, going back, judging."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coalm.agent import traces
from coalm.agent.traces import Feedback
from coalm.serve.sessions_kept import Keeper
from tests.serve.browsing import Seen
from tests.serve.stage import Stage, stage

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces") / "traces.jsonl"


@pytest.fixture(scope="module")
def served(kept: Path) -> Iterator[Stage]:
    with stage(models=("tuned", "base"), pace=0.004, keeper=Keeper(kept)) as made:
        yield made


def test_thoughts_calls_results_and_the_state_are_seen_beside_the_words(seen: Seen) -> None:
    seen.say("thai please")

    assert seen.words(".user > p") == ["thai please"]
    assert seen.words(".agent p") == ["Thai House is in the north."]
    steps = " ".join(" ".join(seen.words(".steps li")).split())
    assert "Thought" in steps
    assert "They want Thai food." in steps
    assert re.search(r"Call .*find food thai area north", steps)
    assert "Result" in steps
    assert seen.rows() == ["table now", "food thai new", "area north new", "offered Thai House new"]
    seen.say("indian instead")
    assert seen.rows() == [
        "table now",
        "food indian changed",
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
    assert seen.rows() == ["table now", "food indian new", "offered Indian House new"]
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
