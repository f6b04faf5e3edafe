"""An agent out of a YAML file: what it may say, what it may do, what is wrong with it."""

import json
from pathlib import Path

import pytest

from coalm.agent.definition import AgentFile, load
from coalm.agent.opening import opened
from coalm.agent.session import Session
from coalm.engines import Model
from coalm.engines.scripted import Scripted
from coalm.errors import CoalmError, RecipeError
from coalm.formats import format_of
from coalm.types import System

WHOLE = """
name: inns
policy: |
  You find rooms.
model: smollm2-135m
dialect: json
tools:
  - {tables: data, book: {inns: [day]}, bookings: kept.jsonl, domain: inn}
  - {python: tools.py, functions: [distance, later]}
manners:
  "*": {timeout: 5}
  book_inns: {ask_first: false}
  later: {writes: true}
limits: {steps: 3, tokens: 500, step_tokens: 100, seconds: 9}
repair: ask again
parallel: 2
"""

TOOLS = """
import asyncio
from pathlib import Path

def distance(a: str, b: str) -> int:
    "How far it is."
    return 7

async def later(what: str) -> str:
    "Do it later."
    await asyncio.sleep(0)
    return f"{what} done"

def _private(x): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inns.jsonl").write_text('{"name": "Swan"}\n{"name": "Bell"}\n')
    (tmp_path / "tools.py").write_text(TOOLS)
    (tmp_path / "inns.yaml").write_text(WHOLE)
    return tmp_path


def speaker(*script: str, dialect: str = "react") -> Model:
    return Model(Scripted(list(script)), format_of("chatml", dialect))


def test_a_file_says_all_of_an_agent(folder: Path) -> None:
    agent = load(str(folder / "inns.yaml"))
    assert (agent.name, agent.model, agent.dialect) == ("inns", "smollm2-135m", "json")
    with opened(agent, speaker()) as setting:
        assert setting.opening.turns == (System("You find rooms."),)
        assert set(setting.agent.tools) == {"find_inns", "book_inns", "distance", "later"}
        assert [t.name for t in setting.opening.tools] == list(setting.agent.tools)
        assert setting.agent.max_steps == 3
        assert setting.agent.max_tokens == 500
        assert setting.agent.sampling.max_tokens == 100
        assert setting.agent.seconds == 9
        assert setting.agent.repair == "ask again"
        assert setting.agent.parallel == 2
        asks = {name for name, how in setting.manners.items() if how.asks}
        assert asks == {"later"}
        assert setting.manners["book_inns"].writes
        assert {how.timeout for how in setting.manners.values()} == {5}


def test_a_conversation_with_it_books_for_real(folder: Path) -> None:
    agent = load(str(folder / "inns.yaml"))
    said = speaker(
        '[{"name": "find_inns", "arguments": {"name": "Swan"}}, '
        '{"name": "distance", "arguments": {"a": "x", "b": "y"}}]',
        '[{"name": "book_inns", "arguments": {"name": "Swan", "day": "monday"}}]',
        "Done, see you on Monday.",
        dialect="json",
    )
    with opened(agent, said) as setting:
        session = Session(setting)
        list(session.say("the Swan, monday"))
        assert session.state.slots["inn"] == {"name": "Swan", "day": "monday"}
        assert session.state.booked["inn"].startswith("booked Swan, name Swan, day monday")
    assert json.loads((folder / "kept.jsonl").read_text())["booked"] == "Swan"


def test_an_asynchronous_function_is_waited_for(folder: Path) -> None:
    with opened(load(str(folder / "inns.yaml")), speaker()) as setting:
        assert setting.agent.tools["later"]({"what": "tea"}) == "tea done"


def test_the_town_guide_needs_no_file() -> None:
    with opened(
        load("cambridge"), speaker("Action: query_hotels(area='north')", "System: Hm.")
    ) as s:
        assert len(s.agent.tools) == 8
        assert s.manners["book_hotel"].writes
        assert not s.manners["book_hotel"].asks
        session = Session(s)
        list(session.say("a hotel in the north"))
        assert session.state.domain == "hotel"
        assert session.state.slots == {"hotel": {"area": "north"}}
        assert session.state.offered


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("policy:", "polcy:"), "did you mean 'policy'"),
        (("repair: ask again", "repair: often"), "repair"),
        (("{python: tools.py, functions: [distance, later]}", "{functions: [x]}"), "give one of"),
        (("functions: [distance, later]", "functions: [distanc]"), "did you mean 'distance'"),
        (("python: tools.py", "python: tols.py"), "is not there"),
        (("tables: data", "tables: dat"), "is not there"),
        (("book_inns: {", "book_in: {"), "did you mean 'book_inns'"),
        (("functions: [distance, later]", "functions: [distance, find_inns]"), "find_inns"),
        (("steps: 3", "steps: 0"), "steps"),
        (("name: inns", "name: ["), "not readable as YAML"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, change: tuple[str, str], why: str) -> None:
    path = folder / "inns.yaml"
    path.write_text(WHOLE.replace(*change))
    with pytest.raises(CoalmError, match=why), opened(load(str(path)), speaker()):
        pass


def test_a_file_of_functions_that_fails_is_named(folder: Path) -> None:
    (folder / "tools.py").write_text("import nothing_of_the_kind\n")
    with (
        pytest.raises(RecipeError, match=r"tools\.py: ModuleNotFoundError"),
        opened(load(str(folder / "inns.yaml")), speaker()),
    ):
        pass
    (folder / "tools.py").write_text("def distance(a, b): ...\ndef later(): ...\n")
    with (
        pytest.raises(RecipeError, match="the parameter 'a' has no type"),
        opened(load(str(folder / "inns.yaml")), speaker()),
    ):
        pass


def test_an_agent_that_is_not_there_gets_a_suggestion(folder: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'cambridge'"):
        load("cambrige")
    with pytest.raises(RecipeError, match=r"inns\.yaml"):
        load(str(folder / "ins.yaml"))


def test_two_tools_of_one_name_are_refused(folder: Path) -> None:
    twice = AgentFile(
        name="x", folder=str(folder), tools=load(str(folder / "inns.yaml")).tools[:1] * 2
    )
    with pytest.raises(RecipeError, match="two tools are called"), opened(twice, speaker()):
        pass
