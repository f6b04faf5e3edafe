"""The page, its conversations and the API behind one door."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coalm.engines import Unanswered
from coalm.formats import Format
from coalm.serve import sessions as conversations
from coalm.serve import sessions_page
from coalm.serve.app import Application, around, assembled
from coalm.serve.metrics import Metrics
from coalm.serve.replies import Receive, Scope, Send
from coalm.serve.sessions_kept import Sessions
from coalm.serve.settings import ServeSettings
from coalm.serve.waiting import Line, Wanted
from coalm.serve.wire import Invalid


@dataclass(frozen=True)
class Paged(Application):
    """The application with the page; at its end the conversations are stopped, not waited for."""

    sessions: Sessions

    def refuse(self) -> None:
        """Let nobody in any more. Replies end where they are, and are told to be stopped."""
        super().refuse()
        self.sessions.close_all()


def paged(
    sessions: Sessions,
    names: Sequence[str],
    settings: ServeSettings,
    line: Line | None,
    fmt: Format | None,
) -> Paged:
    """The application that serves the page; `/v1` too, where a line takes our own prompts.

    A server that only this machine can reach answers to this machine's names only: else any
    web site could have its own name point here and talk with the agent.
    """
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    routes = [*sessions_page.routes(), *conversations.routes(sessions)]
    if line is not None and fmt is not None:
        made = around(line, fmt, names, settings, routes=routes)
    else:
        nobody = _Nobody()
        made = assembled(nobody, nobody, names, settings, Metrics(nobody), routes=routes)
    outer: Any = made.outer
    if settings.loopback:
        here = [settings.host, "localhost", "127.0.0.1", "::1", "[::1]"]
        outer = TrustedHostMiddleware(outer, allowed_hosts=here, www_redirect=False)
    return Paged(made.door, made.line, made.metrics, outer, sessions)


class _Nobody:
    """Stands where the API is, with a line at whose end nobody is."""

    waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say why there is no API."""
        raise Invalid(
            "this server has the page only: its model is behind a chat endpoint, which can be "
            "asked itself; with --raw it is asked with our own prompts, and served here as well",
            status=501,
        )

    def put(self, wanted: Wanted) -> None:
        """Nobody answers."""
        wanted.end(Unanswered("nobody is asked here"))

    def close(self, seconds: float = 10.0) -> None:
        """Nothing to do."""
