"""A YAML file names an agent: its words, its tools and how they may be used, its limits.

name: inns
policy: You help visitors find and book a room.
tools:
  - {tables: data, book: {inns: [day, people]}}
  - {python: tools.py, functions: [distance]}
manners:
  "book_*": {timeout: 5}
"""

from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import recipe
from coalm.agent.loop import Repair
from coalm.errors import RecipeError, unknown
from coalm.recipe import STRICT

BUILT_IN = ("cambridge",)
"""Agents that need no file."""

Some = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


@settings_class(frozen=True, kw_only=True, config=STRICT)
class AuthFrom:
    """A secret for every request to a service."""

    env: str
    """The environment variable that holds it."""
    header: str = "Authorization"
    """The header that it goes into."""
    prefix: str = "Bearer "
    """What stands before it."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class ToolsFrom:
    """Tools from one place: exactly one of the first five must be given."""

    python: str = ""
    """A file of typed functions."""
    openapi: str = ""
    """An OpenAPI 3 document, JSON or YAML."""
    mcp: str = ""
    """An MCP server: the address of its streamable HTTP endpoint, or a command for stdio, in
    which `{python}` is the Python that runs this."""
    tables: str = ""
    """A folder of JSONL files, one such file, or a SQLite file."""
    cambridge: bool = False
    """The eight tools of the Cambridge town guide."""
    domain: str = ""
    """What these tools are about, for the dialogue state."""
    functions: tuple[str, ...] = ()
    """python: which functions; all public ones that the file defines if empty."""
    operations: tuple[str, ...] = ()
    """openapi: which operations, by operationId or as `GET /path`; all if empty."""
    base_url: str = ""
    """openapi: where the service is; the document's first server if empty."""
    auth: AuthFrom | None = None
    """openapi, mcp over HTTP: a secret for every request."""
    only: tuple[str, ...] = ()
    """mcp: which tools; tables: which tables; all if empty."""
    env: tuple[str, ...] = ()
    """mcp: environment variables that the command is given."""
    book: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """tables: which can be booked -> the details that a booking needs."""
    bookings: str = ""
    """tables: a JSONL file that bookings are added to; forgotten at the end if empty."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class MannersOf:
    """How tools may be used; what is not given stays as the tools say of themselves."""

    writes: bool | None = None
    """Whether they change anything in the world."""
    ask_first: bool | None = None
    """Whether a human is asked before each call; if not given, where they write."""
    timeout: Seconds | None = None
    """Seconds for one try."""
    retries: Annotated[int, Field(ge=0)] | None = None
    """Further tries after a failure of a tool that only reads."""
    longest: Some | None = None
    """Characters of a result that the model is shown."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class Limits:
    """Where a reply ends."""

    steps: Some = 6
    """Model steps a reply."""
    step_tokens: Some = 256
    """New tokens a step."""
    tokens: Some | None = None
    """New tokens a reply."""
    seconds: Seconds | None = None
    """Time a reply."""
    context: Some | None = None
    """Tokens that the model is shown; what it can take if not given."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class AgentFile:
    """What a YAML file says of an agent."""

    name: str
    """What it is called."""
    policy: str = ""
    """The operator's words to the model."""
    model: str = ""
    """The model that it is meant for; the command line may name another."""
    engine: str = "auto"
    """What runs the model."""
    dialect: str = "react"
    """How calls are written."""
    tools: tuple[ToolsFrom, ...] = ()
    """Where its tools come from."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Slots of the dialogue state, as `domain-name`, and what each is: then the model writes the
    state itself, at a prompt a user turn; else the state is what its calls add up to."""
    manners: Mapping[str, MannersOf] = field(default_factory=dict)
    """Tool, or pattern such as `book_*` -> how it may be used; later ones win."""
    limits: Limits = field(default_factory=Limits)
    """Where a reply ends."""
    repair: Repair = "none"
    """What is done about an unreadable turn."""
    parallel: Some = 4
    """Calls of one turn that are run side by side."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    folder: str = "."
    """Where relative paths begin, seen from the file: its own folder."""


BELONGS: Mapping[str, tuple[str, ...]] = {
    "functions": ("python",),
    "operations": ("openapi",),
    "base_url": ("openapi",),
    "auth": ("openapi", "mcp"),
    "only": ("mcp", "tables"),
    "env": ("mcp",),
    "book": ("tables",),
    "bookings": ("tables",),
    "domain": ("python", "openapi", "mcp", "tables"),
}
"""Which kinds of tools each setting of `ToolsFrom` is for: elsewhere it would say nothing."""


def load(name: str) -> AgentFile:
    """The agent of a YAML file, of a folder with an agent.yaml, or a built-in one.

    A `RecipeError` names what is wrong.
    """
    path = Path(name).expanduser()
    if (path / "agent.yaml").is_file() and name not in BUILT_IN:
        path /= "agent.yaml"
    if not path.is_file():
        if name in BUILT_IN:
            return _cambridge()
        beside = [*path.parent.glob("[!.]*.y*ml")]
        beside += [one.parent for one in path.parent.glob("[!.]*/agent.yaml")]
        near = sorted(str(one) for one in beside)
        raise RecipeError(unknown("agent", name, [*BUILT_IN, *near]))
    values = _read(path)
    folder = path.parent / Path(str(values.get("folder") or ".")).expanduser()
    made = recipe.build(AgentFile, values | {"folder": str(folder)}, str(path))
    for number, one in enumerate(made.tools):
        kind_of(one, f"{path}: tools: {number}")
    return made


def kind_of(one: ToolsFrom, place: str = "tools") -> str:
    """Which of the first five is given; a `RecipeError` unless it is exactly one."""
    kinds = ("python", "openapi", "mcp", "tables", "cambridge")
    given = [kind for kind in kinds if getattr(one, kind)]
    if len(given) != 1:
        raise RecipeError(f"{place}: give one of {', '.join(kinds)}, not {given or 'none'}")
    for name, theirs in BELONGS.items():
        if getattr(one, name) and given[0] not in theirs:
            raise RecipeError(f"{place}: {name!r} is for {' and '.join(theirs)}, not {given[0]}")
    web = one.mcp.startswith(("http://", "https://"))
    if one.mcp and (one.env if web else one.auth):
        what = "'env' is for an MCP command" if web else "'auth' is for an MCP address"
        raise RecipeError(f"{place}: {what}")
    return given[0]


def _cambridge() -> AgentFile:
    from coalm.agent.cambridge import GUIDE

    # Bookings here are made up, so nobody has to be asked.
    manners = {"b*": MannersOf(ask_first=False)}
    return AgentFile(
        name="cambridge", policy=GUIDE, tools=(ToolsFrom(cambridge=True),), manners=manners
    )


def _read(path: Path) -> dict[str, Any]:
    import yaml

    from coalm.agent import yamlfile

    try:
        values = yamlfile.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as e:
        raise RecipeError(f"{path}: not readable as YAML: {' '.join(str(e).split())}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path}: an agent is a block of {', '.join(_NAMES)}")
    return values


_NAMES = tuple(one.name for one in fields(AgentFile) if one.name != "folder")
