"""An agent out of a YAML file: what it may say, what it may do, what is wrong with it."""

import json
import os
from pathlib import Path

import pytest

from coalm.agent.definition import AgentFile, MannersOf, ToolsFrom, load
from coalm.agent.opening import opened
from coalm.agent.session import Session
from coalm.agent.toolbox.operation import Operation
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
        (("repair: ask again", "name: twice"), "'name' stands here twice"),
        (("{python: tools.py,", "{python: tools.py, only: [x],"), "'only' is for mcp and tables"),
        (("{tables: data,", "{tables: data, auth: {env: X},"), "'auth' is for openapi and mcp"),
        (("{tables: data,", "{tables: $COALM_NOWHERE/data,"), "has no COALM_NOWHERE"),
        (("{python: tools.py,", '{mcp: "x \'"}\n  - {python: tools.py,'), "No closing quotation"),
        (("{python: tools.py,", "{mcp: 'http://x', env: [X]}\n  - {python: tools.py,"), "'env' is"),
        (("{python: tools.py,", "{mcp: x, auth: {env: X}}\n  - {python: tools.py,"), "'auth' is"),
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
        pytest.raises(RecipeError, match=r"tools\.py:1: ModuleNotFoundError"),
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
    (folder / "bank").mkdir()
    (folder / "bank" / "agent.yaml").write_text(WHOLE)
    with pytest.raises(RecipeError, match=r"did you mean '.*/bank'"):
        load(str(folder / "bnk"))


def test_two_tools_of_one_name_are_refused(folder: Path) -> None:
    twice = AgentFile(
        name="x", folder=str(folder), tools=load(str(folder / "inns.yaml")).tools[:1] * 2
    )
    with pytest.raises(RecipeError, match="two tools are called"), opened(twice, speaker()):
        pass


def test_a_folder_is_its_agent_and_a_home_folder_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "inns.yaml").rename(folder / "agent.yaml")
    monkeypatch.setenv("HOME", str(folder.parent))
    for name in (str(folder), f"~/{folder.name}", f"~/{folder.name}/agent.yaml"):
        with opened(load(name), speaker()) as setting:
            assert "distance" in setting.agent.tools


def test_the_place_of_the_file_counts_and_not_where_one_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub").mkdir()
    path = folder / "sub" / "inns.yaml"
    path.write_text(WHOLE + "folder: ..\n")
    monkeypatch.chdir(folder / "sub")
    for name in ("inns.yaml", os.path.relpath(path), str(path)):
        with opened(load(name), speaker()) as setting:
            assert "find_inns" in setting.agent.tools


def test_names_of_the_environment_are_filled_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "data").rename(folder / "a $ place")
    monkeypatch.setenv("PLACE", "a $ place")
    path = folder / "inns.yaml"
    for words in ("${PLACE}", "a $$ place", str(folder / "a $$ place")):
        path.write_text(WHOLE.replace("tables: data", f"tables: {words!r}"))
        with opened(load(str(path)), speaker()) as setting:
            assert "find_inns" in setting.agent.tools


def test_anchors_and_words_such_as_no_mean_what_they_look_like(folder: Path) -> None:
    path = folder / "inns.yaml"
    path.write_text(
        WHOLE.replace('"*": {timeout: 5}', '"*": &slow {timeout: 5}').replace(
            "later: {writes: true}", "later: {<<: *slow, writes: yes}"
        )
        + "slots: {inn-day: no, inn-since: 2026-01-02}\n"
    )
    agent = load(str(path))
    assert agent.manners["later"].timeout == 5
    assert agent.manners["later"].writes is True
    assert agent.slots == {"inn-day": "no", "inn-since": "2026-01-02"}


def test_the_state_is_the_models_own_where_slots_are_named(folder: Path) -> None:
    path = folder / "inns.yaml"
    path.write_text(WHOLE + "slots: {inn-day: the day of arrival}\n")
    said = speaker("Welcome.", '{"inn-day": "monday"}', dialect="json")
    with opened(load(str(path)), said) as setting:
        session = Session(setting)
        list(session.say("I come on Monday"))
        assert session.state.slots == {"inn": {"day": "monday"}}


FANCY = """
from __future__ import annotations
from dataclasses import dataclass
from beside import CODE
from coalm.agent.functions import writes

@dataclass
class Room:
    number: int

def look(number: int) -> Room:
    "Look at a room."
    return Room(number + CODE)

@writes
def take(room: Room) -> str:
    "Take a room."
    return f"room {room.number}"

class Hidden: ...
LIMIT = 3
"""


def test_a_file_of_functions_may_use_what_python_has(folder: Path) -> None:
    (folder / "tools.py").write_text(FANCY)
    (folder / "beside.py").write_text("CODE = 7\n")
    agent = AgentFile(name="x", folder=str(folder), tools=(ToolsFrom(python="tools.py"),))
    with opened(agent, speaker()) as setting:
        assert set(setting.agent.tools) == {"look", "take"}
        assert setting.agent.tools["look"]({"number": 1}) == '{"number":8}'
        assert setting.agent.tools["take"]({"room": {"number": 2}}) == "room 2"
        assert [name for name, how in setting.manners.items() if how.asks] == ["take"]
    (folder / "tools.py").write_text("import sys\n\nsys.exit(3)\n")
    with pytest.raises(RecipeError, match=r"tools\.py:3: SystemExit"), opened(agent, speaker()):
        pass
    (folder / "tools.py").write_text("LIMIT = 3\n")
    with pytest.raises(RecipeError, match="defines no function"), opened(agent, speaker()):
        pass


def test_a_tool_may_take_as_long_as_its_manners_say(folder: Path) -> None:
    document = {"openapi": "3.0.0", "paths": {"/x": {"get": {"operationId": "x"}}}}
    (folder / "api.json").write_text(json.dumps(document))
    one = ToolsFrom(openapi="api.json", base_url="http://127.0.0.1:1")
    agent = AgentFile(
        name="x", folder=str(folder), tools=(one,), manners={"x": MannersOf(timeout=90)}
    )
    with opened(agent, speaker()) as setting:
        operation = setting.agent.tools["x"]
        assert isinstance(operation, Operation)
        assert operation.client.timeout.read == 90
