"""An agent's tools are connected, and what it says and may do is put together."""

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from coalm.agent.definition import AgentFile, ToolsFrom, kind_of
from coalm.agent.functions import tools as functions_as_tools
from coalm.agent.guard import Manners
from coalm.agent.loop import Agent, Tool
from coalm.agent.session import Setting
from coalm.agent.toolbox import Kit
from coalm.agent.tracking import Domains, Reader
from coalm.engines import Sampling, Speaker
from coalm.errors import RecipeError, unknown
from coalm.types import Dialogue, System


@contextmanager
def opened(agent: AgentFile, speaker: Speaker) -> Iterator[Setting]:
    """The agent's conversations while the block lasts: its tools are connected in it."""
    with ExitStack() as stack:
        kits = [stack.enter_context(_kit(one, Path(agent.folder))) for one in agent.tools]
        tools: dict[str, Tool] = {}
        for kit in kits:
            for name, tool in kit.tools.items():
                if name in tools:
                    raise RecipeError(f"{agent.name}: two tools are called {name!r}")
                tools[name] = tool
        writes = frozenset(name for kit in kits for name in kit.writes)
        manners = {name: _manners(agent, name, name in writes) for name in tools}
        for pattern in agent.manners:
            if not any(fnmatchcase(name, pattern) for name in tools):
                raise RecipeError(f"manners: {unknown('tool', pattern, tools)}")
        opening = (System(agent.policy.strip()),) if agent.policy.strip() else ()
        yield Setting(
            Agent(
                speaker,
                tools,
                agent.limits.steps,
                Sampling(max_tokens=agent.limits.step_tokens, temperature=agent.temperature),
                agent.limits.tokens,
                agent.limits.seconds,
                agent.repair,
                agent.parallel,
            ),
            Dialogue(opening, tuple(tool.spec for tool in tools.values())),
            manners,
            _state(agent, kits, manners),
        )


def _state(agent: AgentFile, kits: list[Kit], manners: Mapping[str, Manners]) -> Reader:
    if [one.cambridge for one in agent.tools] == [True]:
        from coalm.agent.cambridge.tracking import town_state

        return town_state
    of = {name: kit.domain or name for kit in kits for name in kit.tools}
    return Domains(of, frozenset(name for name, how in manners.items() if how.writes))


def _manners(agent: AgentFile, name: str, writes: bool) -> Manners:
    made = Manners(writes=writes)
    for pattern, said in agent.manners.items():
        if fnmatchcase(name, pattern):
            given = {f.name: getattr(said, f.name) for f in fields(said)}
            made = replace(made, **{key: v for key, v in given.items() if v is not None})
    return made


def _kit(one: ToolsFrom, folder: Path) -> AbstractContextManager[Kit]:
    match kind_of(one):
        case "python":
            return nullcontext(_python(folder / one.python, one.functions, one.domain))
        case "openapi":
            from coalm.agent.toolbox import openapi

            said = one.auth
            auth = openapi.Auth(said.env, said.header, said.prefix) if said else None
            return openapi.opened(
                folder / one.openapi,
                operations=one.operations,
                base_url=os.path.expandvars(one.base_url),
                auth=auth,
                domain=one.domain,
            )
        case "mcp":
            from coalm.agent.toolbox import mcp

            web = one.mcp.startswith(("http://", "https://"))
            server = one.mcp if web else mcp.command(one.mcp, env=one.env, cwd=str(folder))
            return mcp.opened(server, only=one.only, domain=one.domain)
        case "tables":
            from coalm.agent.toolbox import tables

            bookings = folder / one.bookings if one.bookings else None
            return tables.opened(
                folder / one.tables, book=one.book, bookings=bookings, domain=one.domain
            )
        case _:
            return nullcontext(_town())


def _python(path: Path, wanted: tuple[str, ...], domain: str) -> Kit:
    """Functions of a file that the user wrote and named; importing it runs it."""
    if not path.is_file():
        raise RecipeError(f"{path} is not there")
    spec = importlib.util.spec_from_file_location(f"coalm_tools_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as e:  # whatever is wrong with it is the user's to mend
        raise RecipeError(f"{path}: {type(e).__name__}: {e}") from e
    public = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    }
    public = {name: value for name, value in public.items() if not isinstance(value, type)}
    for name in wanted:
        if name not in public:
            raise RecipeError(f"{path}: {unknown('function', name, public)}")
    chosen: list[Any] = [public[name] for name in wanted or public if callable(public[name])]
    try:
        return Kit(functions_as_tools(*chosen), domain=domain)
    except TypeError as e:
        raise RecipeError(f"{path}: {e}") from None


def _town() -> Kit:
    from coalm.agent.cambridge import open_cambridge

    tools = open_cambridge().tools
    writes = frozenset(name for name in tools if name.startswith(("book", "buy")))
    return Kit(tools, writes)
