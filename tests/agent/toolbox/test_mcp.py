"""Tools of MCP servers, by the official SDK, in this process and over stdio."""

import json
import sys
from pathlib import Path

import pytest
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from coalm.agent.guard import Guarded, Manners
from coalm.agent.toolbox import Failed
from coalm.agent.toolbox.mcp import McpError, command, opened
from coalm.errors import RecipeError

SERVER = """
from mcp.server import MCPServer
server = MCPServer("sums")

@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b

server.run()
"""


def sums() -> MCPServer:
    server = MCPServer("sums", log_level="CRITICAL")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def erase(what: str) -> str:
        """Erase something."""
        if what == "all":
            raise ValueError("not all")
        return f"erased {what}"

    return server


def test_tools_are_listed_with_what_they_may_do() -> None:
    with opened(sums()) as kit:
        assert set(kit.tools) == {"add", "erase"}
        assert kit.writes == {"erase"}
        spec = kit.tools["add"].spec
        assert spec.description == "Add two numbers."
        assert spec.properties == {"a": {"type": "integer"}, "b": {"type": "integer"}}
        assert json.loads(kit.tools["add"]({"a": 1, "b": 2})) == {"result": 3}


def test_what_the_server_calls_an_error_is_a_failure() -> None:
    with opened(sums()) as kit:
        with pytest.raises(Failed, match="erase"):
            kit.tools["erase"]({"what": "all"})
        said = Guarded(kit.tools["erase"], Manners(writes=True, ask_first=False))({"what": "all"})
        assert said.startswith("error: erase: Failed: ")


def test_some_tools_can_be_chosen() -> None:
    with opened(sums(), only=["add"]) as kit:
        assert set(kit.tools) == {"add"}
    with pytest.raises(RecipeError, match="did you mean 'add'"), opened(sums(), only=["ad"]):
        pass


@pytest.mark.slow
def test_a_server_is_started_as_a_command(tmp_path: Path) -> None:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    with opened(command([sys.executable, str(path)])) as kit:
        assert json.loads(kit.tools["add"]({"a": 20, "b": 22})) == {"result": 42}


@pytest.mark.slow
def test_a_server_that_is_not_there_is_named() -> None:
    with (
        pytest.raises(McpError, match=r"http://127\.0\.0\.1:9/mcp cannot be used"),
        opened("http://127.0.0.1:9/mcp", timeout=10),
    ):
        pass
    with pytest.raises(McpError, match="no-such-command"), opened(command("no-such-command -x")):
        pass
    with pytest.raises(RecipeError, match="the environment has no COALM_NOTHING"):
        command("x", env=["COALM_NOTHING"])
