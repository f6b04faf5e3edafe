"""MCP servers as they are met: slow, chatty, in pages, gone in the middle of a call."""

import json
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp.server.lowlevel import Server
from mcp.types import (
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)

from coalm.agent.guard import Guarded, Manners
from coalm.agent.toolbox.mcp import McpError, command, opened, words_of
from coalm.errors import RecipeError

DIES = """
    import os, sys
    from mcp.server import MCPServer
    print("a word beside the protocol", file=sys.stderr)
    server = MCPServer("dies")

    @server.tool()
    def die(how: int) -> str:
        "Go away."
        os._exit(how)

    @server.tool()
    def live() -> str:
        "Stay."
        return "a\\nplain text"

    server.run()
"""


def script(folder: Path, text: str) -> Any:
    path = folder / "server.py"
    path.write_text(textwrap.dedent(text))
    return command(["{python}", str(path)])


@pytest.mark.slow
def test_a_server_that_dies_in_a_call_is_news_and_what_follows_fails_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with opened(script(tmp_path, DIES)) as kit:
        assert kit.tools["live"]({}) == "a\nplain text"
        begun = time.monotonic()
        manners = Manners(writes=True, ask_first=False, timeout=20)
        said = Guarded(kit.tools["die"], manners)({"how": 1})
        assert said.startswith("error: die: ")
        assert said.endswith("it may have been done all the same")
        assert Guarded(kit.tools["live"], manners)({}).startswith("error: live: ")
        assert time.monotonic() - begun < 10
    assert "beside the protocol" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_server_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    begun = time.monotonic()
    slow = script(tmp_path, "import time\ntime.sleep(60)\n")
    with pytest.raises(McpError, match="no answer within 1 seconds"), opened(slow, timeout=1):
        pass
    assert time.monotonic() - begun < 12  # the SDK gives it a while to leave
    broken = script(tmp_path, "import no_such_module_at_all\n")
    with pytest.raises(McpError, match=r"wrote: ModuleNotFoundError: .*no_such"), opened(broken):
        pass


async def tools(_: object, params: Any) -> ListToolsResult:
    """Three pages of two tools."""
    page = int(params.cursor or 0) if params else 0
    names = [f"t{2 * page}", f"t{2 * page + 1}"]
    listed = [Tool(name=name, input_schema={"type": "object"}) for name in names]
    return ListToolsResult(tools=listed, next_cursor=str(page + 1) if page < 2 else None)


async def endless(_: object, params: Any) -> ListToolsResult:
    """Pages without end."""
    return ListToolsResult(tools=[], next_cursor="more")


async def call(_: object, params: Any) -> CallToolResult:
    """A result of every kind, or one that is structured."""
    if params.name == "t1":
        text = TextContent(type="text", text="n: 1")
        return CallToolResult(content=[text], structured_content={"n": 1})
    return CallToolResult(
        content=[
            TextContent(type="text", text="words"),
            ImageContent(type="image", data="AAAA", mime_type="image/png"),
            EmbeddedResource(
                type="resource", resource=TextResourceContents(uri="x://a", text="inside")
            ),
            ResourceLink(type="resource_link", name="more", uri="x://b"),
        ]
    )


def test_all_pages_of_tools_are_listed_and_results_are_text() -> None:
    server: Any = Server("pages", on_list_tools=tools, on_call_tool=call)
    with opened(server) as kit:
        assert list(kit.tools) == ["t0", "t1", "t2", "t3", "t4", "t5"]
        assert kit.writes == set(kit.tools)
        assert kit.tools["t0"]({}) == "words\n[image: image/png]\ninside\n[more: x://b]"
        assert json.loads(kit.tools["t1"]({})) == {"n": 1}


def test_pages_without_end_do_not_hang() -> None:
    server: Any = Server("pages", on_list_tools=endless, on_call_tool=call)
    with pytest.raises(McpError, match="cannot be used: TimeoutError"), opened(server, timeout=1):
        pass


def test_a_command_is_split_as_a_shell_does() -> None:
    assert words_of("npx -y 'a b'") == ["npx", "-y", "a b"]
    assert command("{python} x.py").command == sys.executable
    for wrong in ("", "x 'y"):
        with pytest.raises(RecipeError, match="mcp: "):
            words_of(wrong)


@pytest.fixture
def address() -> Iterator[tuple[str, list[str | None]]]:
    """A server over HTTP that notes who asks."""
    import threading

    import uvicorn
    from mcp.server import MCPServer
    from starlette.types import ASGIApp, Receive, Scope, Send

    seen: list[str | None] = []
    server = MCPServer("web", log_level="CRITICAL")

    @server.tool()
    def double(n: int) -> int:
        """Twice as much."""
        return 2 * n

    def noting(app: ASGIApp) -> ASGIApp:
        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                seen.append(dict(scope["headers"]).get(b"authorization", b"").decode())
            await app(scope, receive, send)

        return noted

    config = uvicorn.Config(
        noting(server.streamable_http_app()), port=0, log_level="critical", lifespan="on"
    )
    http = uvicorn.Server(config)
    thread = threading.Thread(target=http.run, daemon=True)
    thread.start()
    while not http.started:
        time.sleep(0.01)
    port = http.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/mcp", seen
    http.should_exit = True
    thread.join(10)


def test_headers_go_with_every_request_over_http(address: tuple[str, list[str | None]]) -> None:
    url, seen = address
    with opened(url, headers={"Authorization": "Bearer k3y"}) as kit:
        assert json.loads(kit.tools["double"]({"n": 4})) == {"result": 8}
    assert set(seen) == {"Bearer k3y"}
    with opened(url) as kit:
        assert set(kit.tools) == {"double"}
