"""Uvicorn's server with an end of our own: it refuses first, and stops when all are answered."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from coalm.serve.app import Application

_GRACE = 2
"""Seconds for connections to close once nobody is answered any more."""


class Graceful(uvicorn.Server):
    """Serves until a signal or `stop`; then new requests are refused and the others finished."""

    def __init__(
        self,
        app: "Application",
        drain: float,
        note: Callable[[str], None],
        ready: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # we tell ourselves
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)
        self._app, self._drain, self._note = app, drain, note
        self._ready, self._stop = ready, stop
        self._ending = 0.0

    async def startup(self, sockets: Any = None) -> None:
        """Tell when it listens."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is over."""
        if self._stop.is_set() and not self._ending:
            self._begin_end()
        late = time.monotonic() >= self._ending + self._drain
        if self._ending and (late or not self._app.under_way):
            if self._app.under_way:
                self._note(f"{self._app.under_way} requests are broken off")
            self.should_exit = True
        return bool(await super().on_tick(counter))

    async def shutdown(self, sockets: Any = None) -> None:
        """Tell whoever is left that the server stops, then close all connections."""
        self._app.line.close(0.0)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal: the first begins the end, another does not wait."""
        if self._ending:
            self.should_exit = True
        self._stop.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours while the server runs, and nobody else's afterwards."""
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

    def _begin_end(self) -> None:
        self._ending = time.monotonic()
        self._app.refuse()
        left = self._app.under_way
        if left:
            self._note(f"finishing {left} requests; Ctrl-C again does not wait for them")
