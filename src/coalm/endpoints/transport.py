"""One try of one request at one endpoint, and what its outcome means.

The `openai` client carries it (connections, proxies, server-sent events); its own retries
are off, since it cannot move a request to another endpoint. Bodies are read here, because
the client hands a proxy's HTML page or a body without choices on as if it were an answer.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.endpoints.addresses import Address
from coalm.endpoints.backoff import retry_after
from coalm.endpoints.values import Answer, Refused, read
from coalm.errors import EndpointError

if TYPE_CHECKING:
    from openai import APIStatusError

CONNECT = 10.0
"""Seconds that an endpoint has to take a connection, and to list its models."""
BUSY = frozenset({429, 503, 529})
WORLD = frozenset({408, 409, 425})


@dataclass(frozen=True, slots=True)
class Trouble:
    """The world was in the way of one try."""

    why: str
    busy: bool = False
    """Whether the endpoint said that it has too much to do."""
    wait: float | None = None
    """The seconds that it asked to be left alone for."""


class Line:
    """The connections to one endpoint."""

    def __init__(self, address: Address, key: str, variable: str, timeout: float) -> None:
        from openai import AsyncOpenAI, Timeout

        self.address, self._key, self._variable, self._timeout = address, key, variable, timeout
        self.models: tuple[str, ...] = ()
        """The models that it says it has; known after `greet`, if at all."""
        # Without a key the client would refuse to start; local servers take any.
        self._client = AsyncOpenAI(
            base_url=address.url,
            api_key=key or "none",
            max_retries=0,
            timeout=Timeout(timeout, connect=min(CONNECT, timeout)),
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def greet(self) -> None:
        """Ask for the list of models; an `EndpointError` where nobody is there or the key is bad.

        Any other answer will do: not every endpoint lists its models.
        """
        import httpx2
        import openai

        for last in (False, False, True):
            try:
                async with asyncio.timeout(CONNECT):
                    answer = await self._client.get("/models", cast_to=httpx2.Response)
                rows = json.loads(answer.content)["data"]
                self.models = tuple(sorted(str(row["id"]) for row in rows))
            except openai.APIStatusError as e:
                if e.status_code == 401:
                    raise self._refused_key(e) from None
            except (openai.APIConnectionError, TimeoutError) as e:
                if last:
                    raise EndpointError(
                        f"cannot reach {self.address.url}: {_cause(e)}; is the server running, "
                        "and is the base URL right?"
                    ) from None
                await asyncio.sleep(0.3)
                continue
            except (ValueError, LookupError, TypeError):
                pass
            return

    async def post(
        self, path: str, body: Mapping[str, Any], *, stream: bool
    ) -> Answer | Trouble | Refused:
        """One try. An `EndpointError` is raised for what only a person can mend."""
        import openai

        try:
            # The client's own limit is for each read; a trickle of bytes would never meet it.
            async with asyncio.timeout(self._timeout):
                if stream:
                    return await self._streamed(path, body)
                return await self._whole(path, body)
        except (TimeoutError, openai.APITimeoutError):
            return Trouble(f"no answer within {self._timeout:g} s")
        except openai.APIConnectionError as e:
            return Trouble(f"the connection failed: {_cause(e)}")
        except openai.APIStatusError as e:
            if e.status_code == 404 and not self.models:
                await self.greet()  # so that the error can name the models that there are
            return self._status(e, path, str(body.get("model")))
        except (openai.APIError, ValueError, RecursionError) as e:
            return Trouble(f"an unreadable answer: {self._clean(str(e))}")

    async def _whole(self, path: str, body: Mapping[str, Any]) -> Answer:
        import httpx2

        answer = await self._client.post(path, cast_to=httpx2.Response, body=dict(body))
        return read(json.loads(answer.content), self.address.name)

    async def _streamed(self, path: str, body: Mapping[str, Any]) -> Answer | Trouble:
        from openai import AsyncStream

        asked = {"stream_options": {"include_usage": True}, **body, "stream": True}
        events: AsyncStream[object] = await self._client.post(
            path, cast_to=object, body=asked, stream=True, stream_cls=AsyncStream[object]
        )
        async with events:
            try:
                return await _joined(events, self.address.name)
            except (AttributeError, TypeError) as e:  # an event of some other shape
                raise ValueError(f"an event of the stream is none of a completion: {e}") from None

    def _status(self, e: "APIStatusError", path: str, model: str) -> Trouble | Refused:
        said = f"HTTP {e.status_code}: {self._clean(_said(e))}"
        name = self.address.name
        match e.status_code:
            case 401:
                raise self._refused_key(e)
            case 402:
                raise EndpointError(f"{name}: no credit left: {said}")
            case 429 if e.code == "insufficient_quota":
                raise EndpointError(f"{name}: the quota is used up: {said}")
            case 404 | 405:
                raise EndpointError(self._missing(said, path, model))
            case status if status in BUSY | WORLD or status >= 500:
                return Trouble(said, status in BUSY, retry_after(e.response.headers))
            case status if status >= 400:
                return Refused(said, status)
        raise EndpointError(f"{name}: answers with {said}; is the base URL right?")

    def _missing(self, said: str, path: str, model: str) -> str:
        from coalm.errors import unknown

        if self.models and model not in self.models:
            return f"{self.address.name}: {unknown('model', model, self.models)}"
        hint = "" if self.address.url.endswith("/v1") else "; base URLs usually end in /v1"
        return f"{self.address.url}{path}, model {model!r}: {said}{hint}"

    def _refused_key(self, e: "APIStatusError") -> EndpointError:
        said = f"HTTP {e.status_code}: {self._clean(_said(e))}"
        if not self._key:
            return EndpointError(
                f"{self.address.name} asks for a key: set {self._variable} in the environment "
                f"({said})"
            )
        return EndpointError(
            f"{self.address.name} does not take the key in {self._variable} ({said})"
        )

    def _clean(self, text: str) -> str:
        """One short line of what a server said, without the key, which some servers repeat."""
        text = " ".join(text.split())
        return (text.replace(self._key, "***") if self._key else text)[:300]


async def _joined(events: Any, name: str) -> Answer | Trouble:
    """The answer that a stream's events add up to."""
    text, thought, refusal, ended, usage = "", "", "", "", None
    calls: dict[int, list[str]] = {}
    logprobs: list[object] = []
    async for event in events:
        usage = event.get("usage") or usage
        for choice in (event.get("choices") or ())[:1]:
            delta = choice.get("delta") or choice
            text += delta.get("content") or delta.get("text") or ""
            thought += delta.get("reasoning_content") or delta.get("reasoning") or ""
            refusal += delta.get("refusal") or ""
            ended = choice.get("finish_reason") or ended
            logprobs += [choice["logprobs"]] if choice.get("logprobs") else []
            for part in delta.get("tool_calls") or ():
                call = calls.setdefault(part.get("index", len(calls)), ["", ""])
                function = part.get("function") or {}
                call[0] += function.get("name") or ""
                call[1] += function.get("arguments") or ""
    if not ended:
        return Trouble("the stream broke off")
    uses = [{"function": {"name": n, "arguments": a}} for _, (n, a) in sorted(calls.items())]
    message = {"content": text, "reasoning": thought, "tool_calls": uses, "refusal": refusal}
    choice = {"message": message, "finish_reason": ended, "logprobs": logprobs or None}
    return read({"choices": [choice], "usage": usage}, name)


def _said(e: "APIStatusError") -> str:
    body = e.body
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("detail") or dict(body))
    return str(body or e.response.reason_phrase)


def _cause(e: BaseException) -> str:
    """What the network said, from under the client's own error."""
    if isinstance(e, TimeoutError):
        return f"no answer within {CONNECT:g} s"
    cause = e.__cause__ or e
    return str(cause) or type(cause).__name__
