"""The server itself: a socket, uvicorn, and an end that loses nothing that was begun."""

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from coalm.errors import MissingExtra, RecipeError

if TYPE_CHECKING:
    from coalm.serve.app import Application

_GRACE = 2
"""Seconds for connections to close once nobody is answered any more."""


def listener(host: str, port: int) -> socket.socket:
    """A bound socket, before a model is loaded; a `RecipeError` where the port is taken."""
    try:
        [(family, _, _, _, place), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
    except OSError as e:
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
        import uvicorn
    except ImportError:
        raise MissingExtra("serve", "the server") from None
    server = _server(app, drain, note, ready, stop or threading.Event())
    server.run(sockets=[sock])
    assert isinstance(server, uvicorn.Server)


def _server(
    app: "Application",
    drain: float,
    note: Callable[[str], None],
    ready: Callable[[], None],
    stop: threading.Event,
) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Uvicorn's, with an end of our own."""

        ending = 0.0

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

        async def on_tick(self, counter: int) -> bool:
            if stop.is_set() and not self.ending:
                self.begin_end()
            if self.ending and (not app.under_way or time.monotonic() >= self.ending + drain):
                if app.under_way:
                    note(f"{app.under_way} requests are broken off after {drain:g} seconds")
                self.should_exit = True
            return bool(await super().on_tick(counter))

        def begin_end(self) -> None:
            self.ending = time.monotonic()
            app.refuse()
            if app.under_way:
                note(f"finishing {app.under_way} requests; Ctrl-C again does not wait for them")

        def handle_exit(self, sig: int, frame: Any) -> None:
            if self.ending:
                self.should_exit = True
                self.force_exit = sig == signal.SIGINT
            else:
                stop.set()

        async def shutdown(self, sockets: Any = None) -> None:
            app.line.close(0.0)  # whoever is left is told now
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            both = (signal.SIGINT, signal.SIGTERM)
            before = {sig: signal.signal(sig, self.handle_exit) for sig in both}
            try:
                yield
            finally:
                for sig, handler in before.items():
                    signal.signal(sig, handler)

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # we tell ourselves
    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE,
        )
    )
