"""A model behind OpenAI-compatible endpoints, asked for many answers at once.

Around a `Server` stand, in `engines.remote`, an engine that sends our own rendered prompt
to `/completions` (`Raw`), and two speakers over `/chat/completions`: `Native`, where tools
are the API's own, and `Prompted`, where a dialect tells of them and reads the text.

What the world does to a request is `Unanswered` and asked again the next time; so is what
an endpoint refuses, unless it says that the prompt is too long: that is the model's limit,
and silence, as in process.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from coalm.endpoints import Answer, Client, Prices, Refused, Settings, Usage, side_by_side
from coalm.endpoints import Unanswered as Lost
from coalm.engines.journal import Journal, Route, key_of

T = TypeVar("T")

_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum (context|input|prompt)|max_model_len"
    r"|(prompt|input|request|messages?)\b.{0,40}\btoo (long|large|many tokens)|too many tokens",
    re.IGNORECASE,
)
"""How endpoints say that a prompt does not fit; there is no code that all of them use."""

OPTIONAL = ("temperature", "seed", "stop", "add_special_tokens", "logprobs")
"""Fields that are left out, and told, where an endpoint refuses them by name."""


def too_long(why: str) -> bool:
    """Whether a refusal says that the prompt does not fit the model's context."""
    return bool(_TOO_LONG.search(why))


class Server:
    """A model's name and the endpoints that serve it; keeps every answer of a folder.

    The client lives on an event loop of its own in a thread, so that engines can be called
    from anywhere, a notebook included. A key comes from the environment only.
    """

    def __init__(
        self,
        model: str,
        base_urls: Sequence[str],
        settings: Settings | None = None,
        *,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.model = model
        self.settings = settings or Settings()
        self._client = Client(base_urls, self.settings, own_matter=too_long)
        self._note = note
        self._journal = Journal()
        self._told: set[str] = set()
        self._greeted = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Server":
        """Nothing is asked yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hangs up."""
        self.close()

    @property
    def identity(self) -> dict[str, str]:
        """What tells this model from any other: its name and its hosts. Weights are not seen."""
        hosts = {urlsplit(url).hostname or "" for url in self._client.endpoints}
        return {"name": self.model, "endpoint": ", ".join(sorted(hosts))}

    @property
    def usage(self) -> Usage:
        """What the answers of the folder took, those of earlier sittings included."""
        return self._journal.usage

    @property
    def dropped(self) -> tuple[str, ...]:
        """Fields that an endpoint refused and that were not sent any more."""
        return self._client.dropped

    def keep_in(self, folder: Path | None) -> None:
        """Read the answers that the folder has, and put new ones there."""
        self._journal = Journal(folder)

    def bill(self, prices: Prices) -> dict[str, Any]:
        """Requests, tokens and cost of the folder's answers, as a score shows them."""
        usage = self.usage
        found: dict[str, Any] = {
            "requests": usage.requests,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        found |= {"uncounted": usage.uncounted} if usage.uncounted else {}
        if prices != Prices():
            found["cost"] = round(prices.cost(usage), 6)
            found["prices"] = f"{prices.prompt:g} and {prices.completion:g} a million"
        return found | ({"not sent": ", ".join(self.dropped)} if self.dropped else {})

    def ask(
        self, route: Route, bodies: Sequence[Mapping[str, Any]]
    ) -> list[Answer | Lost | Refused]:
        """An outcome for each request, in order; a kept answer is not asked for again."""
        found = self._run(self._all(route, [{"model": self.model, **body} for body in bodies]))
        for name in self.dropped:
            if name not in self._told:
                self._told.add(name)
                self._note(f"the endpoint does not take {name!r}: it is not sent any more")
        return found

    def close(self) -> None:
        """Hang up and end the thread; harmless if done twice."""
        if self._loop.is_closed():
            return
        self._run(self._client.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C here must end what is under way there
            raise

    async def _all(
        self, route: Route, bodies: Sequence[dict[str, Any]]
    ) -> list[Answer | Lost | Refused]:
        keys = [key_of(route, body) for body in bodies]
        found: dict[int, Answer | Lost | Refused] = {}
        for at, key in enumerate(keys):
            kept = self._journal.get(key)
            if kept is not None:
                found[at] = kept
        left = [at for at in range(len(bodies)) if at not in found]
        if left and not self._greeted:
            await self._client.greet()  # an address or a key that is wrong shows here, at once
            self._greeted = True
        send = self._client.chat if route == "chat" else self._client.complete

        async def one(at: int) -> tuple[int, Answer | Lost | Refused]:
            return at, await send(bodies[at], optional=OPTIONAL)

        async with aclosing(side_by_side(left, one, self.settings.concurrency)) as outcomes:
            async for at, outcome in outcomes:
                if isinstance(outcome, Answer):
                    self._journal.put(keys[at], outcome)
                found[at] = outcome
        return [found[at] for at in range(len(bodies))]
