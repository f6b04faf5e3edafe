"""The page's own files: HTML, style, scripts. Nothing is taken from anywhere else."""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the browser lets the page do: run its own scripts, ask its own server, nothing else."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def routes() -> "list[Route]":
    """The page at `/`, its files under `/page/`."""
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    found = {
        one.name: (one.read_bytes(), KINDS[one.name.rpartition(".")[2]])
        for one in (files("coalm.serve") / "page").iterdir()
        if one.name.rpartition(".")[2] in KINDS
    }

    async def file(request: "Request") -> "Response":
        name = request.path_params.get("name", "index.html")
        if name not in found:
            return PlainTextResponse("there is no such file", 404, HEADERS)
        content, kind = found[name]
        return Response(content, media_type=kind, headers=HEADERS)

    return [Route("/", file), Route("/page/{name}", file)]
