"""Tools of an MCP server, by the official SDK: over stdio, or over streamable HTTP.

A tool counts as writing unless its server says that it only reads: what is not known to be
harmless asks first. Results come as the server's structured content, else as its text.
"""

import asyncio
import json
import os
import shlex
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from coalm.agent.functions import tidied
from coalm.agent.toolbox import Failed, Kit
from coalm.agent.toolbox.background import Background
from coalm.errors import CoalmError, MissingExtra, RecipeError, unknown
from coalm.types import ToolSpec

if TYPE_CHECKING:
    import mcp
    from mcp.server import MCPServer
    from mcp.types import CallToolResult

    Server = str | mcp.StdioServerParameters | MCPServer

PYTHON = "{python}"
"""In a command: the Python that runs this."""


class McpError(CoalmError):
    """An MCP server that cannot be used."""


@dataclass(frozen=True, slots=True)
class McpTool:
    """One tool of a server."""

    spec: ToolSpec
    client: "mcp.Client"
    background: Background

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """What the server gives back; `Failed` with its words where it says that it failed."""
        result = self.background.run(self.client.call_tool(self.spec.name, dict(arguments)))
        text = _text(result)
        if result.is_error:
            raise Failed(text or "the server gives no reason")
        return text


def command(
    words: str | Sequence[str], *, env: Sequence[str] = (), cwd: str | None = None
) -> "mcp.StdioServerParameters":
    """A server that is started as a command and spoken to over stdio.

    Of this process's environment it is given what the SDK deems safe, and the variables named.
    `{python}` stands for the Python that runs this, whatever is called `python` elsewhere.
    """
    sdk = _sdk()
    split = words_of(words) if isinstance(words, str) else words
    first, *rest = [sys.executable if word == PYTHON else word for word in split]
    lost = [name for name in env if name not in os.environ]
    if lost:
        raise RecipeError(f"mcp: the environment has no {', '.join(lost)}")
    given = {name: os.environ[name] for name in env}
    server: mcp.StdioServerParameters = sdk.StdioServerParameters(
        command=first, args=rest, env=given or None, cwd=cwd
    )
    return server


def words_of(text: str) -> list[str]:
    """A command's words, quotes as in a shell; a `RecipeError` if it has none."""
    try:
        words = shlex.split(text)
    except ValueError as e:
        raise RecipeError(f"mcp: {text}: {e}") from None
    if not words:
        raise RecipeError("mcp: the command is empty")
    return words


@contextmanager
def opened(
    server: "Server",
    *,
    only: Sequence[str] = (),
    domain: str = "",
    timeout: float = 30.0,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Kit]:
    """The tools of a server while the block lasts; `only` names some of them.

    `server` is the address of its streamable HTTP endpoint, a `command`, or a server object
    of the SDK in this process; `headers` go with every request over HTTP. An `McpError` if it
    cannot be reached within `timeout` seconds, which is also the longest that a call takes.
    """
    with ExitStack() as stack:
        # What a server says beside the protocol would stand in the middle of a conversation.
        said = cast("TextIO", stack.enter_context(tempfile.TemporaryFile("w+", errors="replace")))
        background = stack.enter_context(Background("mcp"))
        client, leave = _connected(server, background, timeout, headers or {}, said)
        stack.callback(leave)
        try:
            listed = background.run(_listed(client), timeout)
        except Exception as e:
            raise _unusable(server, _why(e), said) from None
        for name in only:
            if name not in listed:
                raise RecipeError(f"mcp: {unknown('tool', name, listed)}")
        chosen = {n: t for n, t in listed.items() if not only or n in only}
        yield Kit(
            {name: McpTool(_spec(t), client, background) for name, t in chosen.items()},
            frozenset(name for name, t in chosen.items() if not _reads(t)),
            domain,
        )


def _connected(
    server: "Server",
    background: Background,
    timeout: float,
    headers: Mapping[str, str],
    said: TextIO,
) -> "tuple[mcp.Client, Any]":
    """A client that is connected, and how to hang up.

    The SDK wants to be left in the task that entered it, so one task does both.
    """
    sdk = _sdk()
    ready, over = threading.Event(), asyncio.Event()
    connected: list[mcp.Client] = []
    failure: list[BaseException] = []

    async def stay() -> None:
        try:
            async with AsyncExitStack() as stack:
                transport = await _transport(server, headers, said, stack)
                client = sdk.Client(transport, read_timeout_seconds=timeout)
                connected.append(await stack.enter_async_context(client))
                ready.set()
                await over.wait()
        except BaseException as e:
            failure.append(e)
        finally:
            ready.set()

    async def begin() -> "asyncio.Task[None]":
        return asyncio.create_task(stay())

    task = background.run(begin())

    def leave() -> None:
        async def end() -> None:
            over.set()
            if not connected:
                task.cancel()
            await asyncio.wait([task], timeout=10)

        background.run(end())

    if not ready.wait(timeout) or failure:
        why = _why(failure[0]) if failure else f"no answer within {timeout:g} seconds"
        leave()
        raise _unusable(server, why, said)
    return connected[0], leave


async def _transport(
    server: "Server", headers: Mapping[str, str], said: TextIO, stack: AsyncExitStack
) -> Any:
    """What the SDK's client takes, with our headers, and our place for what a server logs."""
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client

    sdk = _sdk()
    if isinstance(server, sdk.StdioServerParameters):
        return stdio_client(server, errlog=said)
    if not isinstance(server, str) or not headers:
        return server
    import httpx2

    patience = httpx2.Timeout(30.0, read=300.0)  # the SDK's own: a stream may stay open
    http = await stack.enter_async_context(
        httpx2.AsyncClient(headers=dict(headers), timeout=patience)
    )
    return streamable_http_client(server, http_client=http)


async def _listed(client: "mcp.Client") -> dict[str, Any]:
    found: dict[str, Any] = {}
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            return found


def _spec(tool: Any) -> ToolSpec:
    schema = {"type": "object", "properties": {}} | tidied(tool.input_schema)
    return ToolSpec(tool.name, " ".join((tool.description or tool.title or "").split()), schema)


def _reads(tool: Any) -> bool:
    return bool(tool.annotations and tool.annotations.read_only_hint)


def _text(result: "CallToolResult") -> str:
    found = result.structured_content
    if isinstance(found, dict) and list(found) == ["result"] and isinstance(found["result"], str):
        return found["result"]  # the SDK's wrapping around a plain text
    if found:
        return json.dumps(found, ensure_ascii=False)
    return "\n".join(_part(part) for part in result.content)


def _part(part: Any) -> str:
    """Text as it is; of anything else its kind, and where it is."""
    match part.type:
        case "text":
            return str(part.text)
        case "resource":
            inside = part.resource
            return str(getattr(inside, "text", None) or f"[{inside.mime_type}: {inside.uri}]")
        case "resource_link":
            return f"[{part.name}: {part.uri}]"
        case kind:
            return f"[{kind}: {getattr(part, 'mime_type', None) or 'unknown'}]"


def _unusable(server: "Server", why: str, said: TextIO) -> McpError:
    said.seek(0)
    last = [line.strip() for line in said.read().splitlines() if line.strip()][-1:]
    more = f"; it wrote: {last[0][:200]}" if last else ""
    return McpError(f"the MCP server {_name(server)} cannot be used: {why}{more}")


def _name(server: "Server") -> str:
    if isinstance(server, str):
        return server
    words = [getattr(server, "command", ""), *getattr(server, "args", ())]
    return " ".join(word for word in words if word) or getattr(server, "name", "in this process")


def _why(error: BaseException) -> str:
    """The first plain reason inside of what the SDK raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _sdk() -> Any:
    try:
        import mcp
    except ImportError:
        raise MissingExtra("serve", "MCP servers") from None
    return mcp
