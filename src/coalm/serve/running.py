"""The server itself: a socket, uvicorn, and an end that loses nothing that was begun."""

import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from coalm.errors import MissingExtra, RecipeError

if TYPE_CHECKING:
    from coalm.serve.app import Application


def listener(host: str, port: int) -> socket.socket:
    """A bound socket, before a model is loaded; a `RecipeError` where the port is taken."""
    made = None
    try:
        [(family, _, _, _, place), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # With the protocol named, or asyncio would let the kernel hold answers back for 40 ms.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
    except OSError as e:
        if made is not None:
            made.close()
        why = e.strerror or str(e)
        raise RecipeError(f"cannot listen on {host} port {port}: {why}; try another --port") from e
    return made


def address_of(sock: socket.socket) -> str:
    """The base URL of what listens there."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(
    app: "Application",
    sock: socket.socket,
    *,
    drain: float,
    note: Callable[[str], None] = lambda _: None,
    ready: Callable[[], None] = lambda: None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until Ctrl-C, SIGTERM or `stop`; then refuse new requests and finish the others.

    They are given `drain` seconds; who is not done by then is told so. A second Ctrl-C does
    not wait.
    """
    try:
        from coalm.serve.graceful import Graceful
    except ImportError:
        raise MissingExtra("serve", "the server") from None
    Graceful(app, drain, note, ready, stop or threading.Event()).run(sockets=[sock])
