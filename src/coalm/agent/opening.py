"""An agent's tools are connected, and what it says and may do is put together."""

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template
from types import ModuleType
from typing import TYPE_CHECKING, Any

from coalm.agent.definition import AgentFile, ToolsFrom, kind_of
from coalm.agent.functions import tools as functions_as_tools
from coalm.agent.guard import Manners
from coalm.agent.loop import Agent, Tool
from coalm.agent.session import Setting
from coalm.agent.toolbox import Kit
from coalm.agent.tracking import Domains, Reader, asked
from coalm.corpora.states import Slot
from coalm.engines import Sampling, Speaker
from coalm.errors import RecipeError, unknown
from coalm.store import content_hash
from coalm.types import Dialogue, System

if TYPE_CHECKING:
    from coalm.agent.toolbox.operation import Auth


@contextmanager
def opened(agent: AgentFile, speaker: Speaker) -> Iterator[Setting]:
    """The agent's conversations while the block lasts: its tools are connected in it."""
    with ExitStack() as stack:
        folder, patience = Path(agent.folder), _patience(agent)
        kits = [stack.enter_context(_kit(one, folder, patience)) for one in agent.tools]
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
            _state(agent, kits, manners, speaker),
        )


def _state(
    agent: AgentFile, kits: list[Kit], manners: Mapping[str, Manners], speaker: Speaker
) -> Reader:
    if agent.slots:
        return asked(speaker, [Slot(name, words) for name, words in agent.slots.items()])
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


def _patience(agent: AgentFile) -> float:
    """The longest that a tool may take: what carries its call must not give up before."""
    return max([Manners().timeout, *(said.timeout or 0.0 for said in agent.manners.values())])


def _kit(one: ToolsFrom, folder: Path, patience: float) -> AbstractContextManager[Kit]:
    match kind_of(one):
        case "python":
            return nullcontext(_python(folder / _filled(one.python), one.functions, one.domain))
        case "openapi":
            from coalm.agent.toolbox import openapi

            return openapi.opened(
                folder / _filled(one.openapi),
                operations=one.operations,
                base_url=_filled(one.base_url),
                auth=_auth(one),
                domain=one.domain,
                timeout=patience,
            )
        case "mcp":
            from coalm.agent.toolbox import mcp

            if one.mcp.startswith(("http://", "https://")):
                auth = _auth(one)
                return mcp.opened(
                    _filled(one.mcp),
                    only=one.only,
                    domain=one.domain,
                    timeout=patience,
                    headers=auth.headers() if auth else None,
                )
            words = [_filled(word) for word in mcp.words_of(one.mcp)]
            server = mcp.command(words, env=one.env, cwd=str(folder))
            return mcp.opened(server, only=one.only, domain=one.domain, timeout=patience)
        case "tables":
            from coalm.agent.toolbox import tables

            return tables.opened(
                folder / _filled(one.tables),
                only=one.only,
                book=one.book,
                bookings=folder / _filled(one.bookings) if one.bookings else None,
                domain=one.domain,
            )
        case _:
            return nullcontext(_town())


def _auth(one: ToolsFrom) -> "Auth | None":
    from coalm.agent.toolbox.operation import Auth

    return Auth(one.auth.env, one.auth.header, one.auth.prefix) if one.auth else None


def _filled(text: str) -> str:
    """A path, an address or a word of a command, with `~` and `$NAME` filled in; `$$` is a $."""
    try:
        found = Template(text).substitute(os.environ)
        return str(Path(found).expanduser()) if text.startswith("~") else found
    except KeyError as e:
        raise RecipeError(f"tools: {text}: the environment has no {e.args[0]}") from None
    except (ValueError, RuntimeError) as e:
        raise RecipeError(f"tools: {text}: {e}") from None


def _python(path: Path, wanted: tuple[str, ...], domain: str) -> Kit:
    """Functions of a file that the user wrote and named; importing it runs it."""
    if not path.is_file():
        raise RecipeError(f"{path} is not there")
    module = _imported(path)
    public = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    }
    public = {name: value for name, value in public.items() if inspect.isroutine(value)}
    for name in wanted:
        if name not in public:
            raise RecipeError(f"{path}: {unknown('function', name, public)}")
    chosen: list[Any] = [public[name] for name in wanted or public]
    if not chosen:
        raise RecipeError(f"{path}: it defines no function that could be a tool")
    try:
        made = functions_as_tools(*chosen)
    except (TypeError, NameError) as e:
        raise RecipeError(f"{path}: {e}") from None
    writes = frozenset(n for n, t in made.items() if getattr(t.function, "__coalm_writes__", False))
    return Kit(made, writes, domain)


def _imported(path: Path) -> ModuleType:
    """The file as a module of its own; modules beside it can be imported from it."""
    name = f"coalm_tools_{path.stem}_{content_hash(str(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{path}: a file of Python functions ends in .py")
    module = importlib.util.module_from_spec(spec)
    beside = str(path.resolve().parent)
    sys.modules[name] = module  # dataclasses and type hints look it up there
    sys.path.append(beside)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as e:  # whatever is wrong with it is the user's to mend
        del sys.modules[name]
        lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == str(path)]
        place = f"{path}:{lines[-1]}" if lines else str(path)
        raise RecipeError(f"{place}: {type(e).__name__}: {e}") from e
    finally:
        sys.path.remove(beside)
    return module


def _town() -> Kit:
    from coalm.agent.cambridge import open_cambridge

    tools = open_cambridge().tools
    writes = frozenset(name for name in tools if name.startswith(("book", "buy")))
    return Kit(tools, writes)
