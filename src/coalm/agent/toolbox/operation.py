"""One operation of an OpenAPI document, ready to be called, and the secret it is called with."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from coalm.agent.toolbox import Declined, Failed
from coalm.agent.toolbox.arguments import checked
from coalm.agent.toolbox.wire import Where, in_header, in_path, in_query, plain, text_of
from coalm.errors import RecipeError
from coalm.store import compact
from coalm.types import ToolSpec

if TYPE_CHECKING:
    import httpx

AGAIN = (408, 425, 429)
"""Of the statuses that blame the request those after which the same request may do."""

Shape = Literal["", "fields", "whole", "form"]
"""What a body is made of: one argument a field, one argument, a form; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Auth:
    """A secret for every request."""

    env: str
    """The environment variable that holds it."""
    header: str = "Authorization"
    prefix: str = "Bearer "

    @property
    def secret(self) -> str:
        """What the variable holds; a `RecipeError`, which never shows it, if it cannot be sent."""
        secret = os.environ.get(self.env, "").strip()  # a file's last line end is no part of it
        if not secret:
            raise RecipeError(f"auth: the environment has no {self.env}")
        if not secret.isascii() or not secret.isprintable():
            raise RecipeError(f"auth: what {self.env} holds cannot stand in a header")
        return secret

    def headers(self) -> dict[str, str]:
        """The header; a `RecipeError` if the environment lacks the secret."""
        return {self.header: self.prefix + self.secret}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: itself a `Tool`."""

    spec: ToolSpec
    method: str
    path: str
    """With `{blanks}` for its path parameters."""
    places: Mapping[str, Where]
    """Argument -> where it goes."""
    client: "httpx.Client"
    base: str = ""
    """What stands before the path."""
    shape: Shape = ""
    media: str = "application/json"
    needs_body: bool = False
    """Whether an empty body is sent where no argument goes into it."""
    secret: str = field(default="", repr=False)

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """The answer's text; `Failed` with status and words where it is an error."""
        given = checked(self.spec, arguments)
        answer = self.client.send(self._request(given), stream=True)
        try:
            text = self._clean(text_of(answer))
        finally:
            answer.close()
        status = answer.status_code
        if answer.is_success:
            return text or f"done ({status})"
        why = f"{status} {answer.reason_phrase}: {text[:500]}"
        if answer.is_redirect:
            why = f"{status}: it points to {answer.headers.get('Location')}, and is not followed"
        final = answer.is_client_error and status not in AGAIN
        raise (Declined if final else Failed)(self._clean(why.rstrip(": ")))

    def _request(self, given: Mapping[str, Any]) -> "httpx.Request":
        path, body = self.path, dict[str, Any]()
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        for name, value in given.items():
            where = self.places[name]
            match where.place:
                case "path":
                    path = path.replace("{" + where.name + "}", in_path(where, value))
                case "query":
                    query += in_query(where, value)
                case "header":
                    headers[where.name] = in_header(where, value)
                case "body":
                    body[where.name] = value
        content: bytes | None = None
        sent = body.get("body") if self.shape == "whole" else body
        if self.shape in ("fields", "whole") and (body or self.needs_body):
            content = compact(sent).encode()
            headers["Content-Type"] = self.media
        form: dict[str, Any] | None = None
        if self.shape == "form" and (body or self.needs_body):
            form = {
                k: [*map(plain, v)] if isinstance(v, list) else plain(v) for k, v in body.items()
            }
        return self.client.build_request(
            self.method.upper(),
            self.base + path,
            params=tuple(query) or None,
            headers=headers,
            content=content,
            data=form,
        )

    def _clean(self, text: str) -> str:
        """Without the secret, should the service say it."""
        if len(self.secret) < 4:
            return text  # a word so short is everywhere
        for known in (self.secret, json.dumps(self.secret)[1:-1]):
            text = text.replace(known, "[secret]")
        return text


def _field(value: Any) -> str | list[str]:
    return [plain(one) for one in value] if isinstance(value, list) else plain(value)
