"""A client that asks several endpoints, and does not give up at the first fault."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from coalm.endpoints.addresses import KEY, addresses, key_from
from coalm.endpoints.backoff import pause
from coalm.endpoints.pool import Place, Pool
from coalm.endpoints.transport import Line, Trouble
from coalm.endpoints.values import Answer, Refused, Unanswered, Usage
from coalm.errors import EndpointError

REFUSALS = 5
"""So many refusals before the first answer, and the requests are at fault, all of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an endpoint is asked."""

    concurrency: int = 16
    """At most so many requests under way, over all endpoints together."""
    timeout: float = 120.0
    """Seconds for one try, from connecting to the last byte."""
    max_retries: int = 6
    """Further tries after a failed one."""
    patience: float = 300.0
    """The longest `Retry-After` that is waited for, in seconds."""
    first_pause: float = 0.5
    """Seconds of the first pause of a back-off; each further one is twice as long."""
    stream: bool = False
    """Ask for answers as streams: keeps proxies from closing a quiet connection."""
    key_variable: str = KEY
    """The environment variable that holds the key."""

    def __post_init__(self) -> None:
        if self.concurrency < 1 or self.timeout <= 0 or self.max_retries < 0:
            raise EndpointError(
                "concurrency and timeout must be above 0, and max_retries not below"
            )


class Client:
    """Asks endpoints that all serve the same models; `async with Client(urls) as client:`.

    Belongs to one event loop. Counts what it uses in `usage`.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        settings: Settings | None = None,
        *,
        rng: random.Random | None = None,
        own_matter: Callable[[str], bool] = lambda why: False,
    ) -> None:
        """`own_matter` tells refusals that say nothing of other requests (a long prompt)."""
        self.settings = settings or Settings()
        self._own_matter = own_matter
        found = addresses(base_urls)
        if not found:
            raise EndpointError("no endpoint given; name one, such as http://localhost:8000/v1")
        key = key_from(self.settings.key_variable)
        self.usage = Usage()
        """All answers so far, together."""
        self.dropped: tuple[str, ...] = ()
        """Optional fields that an endpoint does not take and that are not sent any more."""
        self._rng = rng or random.Random()
        self._pool = Pool.of(found, self._rng)
        self._lines = {
            a: Line(a, key, self.settings.key_variable, self.settings.timeout) for a in found
        }
        self._slots = asyncio.Semaphore(self.settings.concurrency)
        self._unanswered = self._refused = 0  # since the last answer
        self._renamed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for line in self._lines.values():
            await line.close()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The base URLs; nothing secret is in them."""
        return tuple(a.url for a in self._lines)

    @property
    def asked(self) -> dict[str, int]:
        """How many tries each endpoint got."""
        return {p.address.url: p.asked for p in self._pool.places}

    async def greet(self) -> None:
        """See that all endpoints are there and take the key, before any work is begun.

        An `EndpointError` names the one that is not.
        """
        await asyncio.gather(*(line.greet() for line in self._lines.values()))

    async def chat(
        self, body: Mapping[str, Any], *, optional: Sequence[str] = ()
    ) -> Answer | Unanswered | Refused:
        """The answer to a chat completion request, whatever it takes within the settings.

        Fields of the body named in `optional` are left out, for good, where an endpoint
        refuses the request and names them; `dropped` tells which.
        """
        return await self._ask("/chat/completions", body, optional)

    async def complete(
        self, body: Mapping[str, Any], *, optional: Sequence[str] = ()
    ) -> Answer | Unanswered | Refused:
        """The same for a raw completion request: a prompt in, text out."""
        return await self._ask("/completions", body, optional)

    async def _ask(
        self, path: str, body: Mapping[str, Any], optional: Sequence[str]
    ) -> Answer | Unanswered | Refused:
        async with self._slots:
            while True:
                sent = self._suited(body)
                outcome = await self._persist(path, sent)
                if isinstance(outcome, Refused) and self._adapts(outcome.why, sent, optional):
                    continue
                break
        match outcome:
            case Answer():
                self.usage += outcome.usage
                self._unanswered = 0
                self._refused = -1  # from now on a refusal is that request's own matter
            case Unanswered():
                self._unanswered += 1
                if self._unanswered > self.settings.concurrency:
                    raise EndpointError(f"no endpoint answers any more: {outcome.why}")
            case Refused() if self._refused >= 0 and not self._own_matter(outcome.why):
                self._refused += 1
                if self._refused == REFUSALS:
                    raise EndpointError(f"every request is refused: {outcome.why}")
        return outcome

    async def _persist(self, path: str, body: Mapping[str, Any]) -> Answer | Unanswered | Refused:
        """Try until there is an answer or no try is left."""
        last: Place | None = None
        tries, why, through = 0, "HTTP 429", self._pool.answers
        while True:
            place = await self._pool.take(last, patience=self.settings.patience)
            if place is None:
                over = f"asked to wait over {self.settings.patience:g} s"
                return Unanswered(f"{why} ({over})", tries)
            outcome = await self._try(place, path, body)
            if not isinstance(outcome, Trouble):
                return outcome
            last, why = place, outcome.why
            # Busy, but others got through since: it is only not our turn yet.
            tries += not (outcome.busy and self._pool.answers > through)
            through = self._pool.answers
            if tries > self.settings.max_retries:
                return Unanswered(why, tries)
            if not outcome.busy:  # a busy endpoint is resting, which is pause enough
                await asyncio.sleep(pause(self.settings.first_pause, tries, self._rng))

    async def _try(
        self, place: Place, path: str, body: Mapping[str, Any]
    ) -> Answer | Trouble | Refused:
        began = time.monotonic()
        place.in_flight += 1
        place.asked += 1
        try:
            line = self._lines[place.address]
            outcome = await line.post(path, body, stream=self.settings.stream)
        finally:
            place.in_flight -= 1
        if isinstance(outcome, Trouble):
            first = self.settings.first_pause
            place.failed(began, first, self._rng, busy=outcome.busy, wait=outcome.wait)
        else:
            place.answered()
        return outcome

    def _suited(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body without what the endpoints are known not to take."""
        sent = {k: v for k, v in body.items() if k not in self.dropped}
        if self._renamed and "max_tokens" in sent:
            sent["max_completion_tokens"] = sent.pop("max_tokens")
        return sent

    def _adapts(self, why: str, sent: Mapping[str, Any], optional: Sequence[str]) -> bool:
        """Whether a refused request is worth asking again in a form that will be taken."""
        if "max_completion_tokens" in why and "max_tokens" in sent:
            self._renamed = True
            return True
        for name in optional:
            if name in sent and any(
                word in why.lower() for word in (name, *_ALIASES.get(name, ()))
            ):
                if name not in self.dropped:
                    self.dropped = (*self.dropped, name)
                return True
        return False


_ALIASES = {"response_format": ("json_schema", "json schema", "structured output", "guided")}
"""What servers call a field when they refuse it."""
