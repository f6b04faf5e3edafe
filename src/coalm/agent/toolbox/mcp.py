"""Tools of an MCP server, by the official SDK: over stdio, or over streamable HTTP.

A tool counts as writing unless its server says that it only reads: what is not known to be
harmless asks first. Results come as the server's structured content, else as its text.
"""

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """
    sdk = _sdk()
    first, *rest = shlex.split(words) if isinstance(words, str) else words
    lost = [name for name in env if name not in os.environ]
    if lost:
        raise RecipeError(f"mcp: the environment has no {', '.join(lost)}")
    given = {name: os.environ[name] for name in env}
    server: mcp.StdioServerParameters = sdk.StdioServerParameters(
        command=first, args=list(rest), env=given or None, cwd=cwd
    )
    return server


@contextmanager
def opened(
    server: "Server", *, only: Sequence[str] = (), domain: str = "", timeout: float = 30.0
) -> Iterator[Kit]:
    """The tools of a server while the block lasts; `only` names some of them.

    `server` is the address of its streamable HTTP endpoint, a `command`, or a server object
    of the SDK in this process. An `McpError` if it cannot be reached within `timeout` seconds.
    """
    with Background("mcp") as background:
        client, leave = _connected(server, background, timeout)
        try:
            listed = background.run(_listed(client), timeout)
            for name in only:
                if name not in listed:
                    raise RecipeError(f"mcp: {unknown('tool', name, listed)}")
            chosen = {n: t for n, t in listed.items() if not only or n in only}
            yield Kit(
                {name: McpTool(_spec(t), client, background) for name, t in chosen.items()},
                frozenset(name for name, t in chosen.items() if not _reads(t)),
                domain,
            )
        finally:
            leave()


def _connected(
    server: "Server", background: Background, timeout: float
) -> "tuple[mcp.Client, Any]":
    """A client that is connected, and how to hang up.

    The SDK wants to be left in the task that entered it, so one task does both.
    """
    import threading

    sdk = _sdk()
    client = sdk.Client(server, read_timeout_seconds=timeout)
    ready, over = threading.Event(), asyncio.Event()
    failure: list[BaseException] = []

    async def stay() -> None:
        try:
            async with client:
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
            await asyncio.wait([task], timeout=5)

        background.run(end())

    if not ready.wait(timeout) or failure:
        why = _why(failure[0]) if failure else f"no answer within {timeout:g} seconds"
        leave()
        raise McpError(f"the MCP server {_name(server)} cannot be used: {why}")
    return client, leave


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
    import json

    if result.structured_content:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(
        str(getattr(part, "text", None) or f"[{part.type}]") for part in result.content
    )


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
