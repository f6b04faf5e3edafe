"""Operations of an OpenAPI 3 document as tools: what is to be sent, what came back.

Parameters and the properties of a JSON body become one flat list of arguments, since models
fill those in best; a body of another shape is one argument, `body`. Only GET and HEAD count as
reading. A secret comes from the environment and goes into one header; no redirect is followed,
so it never leaves for another host, and it is taken out of whatever the service says.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from coalm.agent.toolbox import Kit
from coalm.agent.toolbox.described import Described
from coalm.agent.toolbox.described import operations as described_in
from coalm.agent.toolbox.document import read, server
from coalm.agent.toolbox.operation import Auth, Operation
from coalm.errors import DataError, RecipeError, unknown

if TYPE_CHECKING:
    import httpx

__all__ = ["Auth", "Operation", "opened", "read"]

READING = ("get", "head")


@contextmanager
def opened(
    document: Path | str | Mapping[str, Any],
    *,
    operations: Sequence[str] = (),
    base_url: str = "",
    auth: Auth | None = None,
    domain: str = "",
    timeout: float = 30.0,
    transport: "httpx.BaseTransport | None" = None,
) -> Iterator[Kit]:
    """The operations of a document while the block lasts.

    `operations` names some by operationId or as `GET /path`; all of them if empty. The base
    URL is the document's first server if none is given.
    """
    import httpx

    described = document if isinstance(document, Mapping) else read(Path(document))
    base = (base_url or server(described)).rstrip("/")
    if urlsplit(base).scheme not in ("http", "https"):
        raise RecipeError(f"openapi: {base!r} is no address; one begins with http:// or https://")
    chosen = _chosen(described_in(described), operations)
    for one in chosen.values():
        if one.elsewhere and not base_url:
            raise DataError(f"openapi: {one.name} has a server of its own; give base_url")
    headers = auth.headers() if auth else {}
    with httpx.Client(headers=headers, timeout=timeout, transport=transport) as client:
        tools = {name: make(client, base, auth) for name, make in chosen.items()}
        writes = frozenset(n for n, tool in tools.items() if tool.method not in READING)
        yield Kit(tools, writes, domain)


def _chosen(found: Mapping[str, Described], wanted: Sequence[str]) -> dict[str, Described]:
    if not wanted:
        return dict(found)
    by_path = {f"{one.method.upper()} {one.path}": name for name, one in found.items()}
    by_id = {str(one.said.get("operationId")): name for name, one in found.items()}
    chosen = {}
    for name in wanted:
        real = by_path.get(name) or by_id.get(name) or name
        if real not in found:
            raise RecipeError(f"openapi: {unknown('operation', name, [*found, *by_path])}")
        chosen[real] = found[real]
    return chosen
