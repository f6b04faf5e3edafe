"""Base URLs as a person types them, and keys, which only the environment holds."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from coalm.errors import EndpointError

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the key, unless another is named."""

_NONE = "{!r} is no base URL; one looks like http://localhost:8000/v1"


@dataclass(frozen=True, slots=True)
class Address:
    """The base URL of an endpoint; holds nothing secret, so it may be shown and logged."""

    url: str

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc


def address(given: str) -> Address:
    """A base URL such as `http://localhost:8000/v1`; an `EndpointError` for what is none."""
    try:
        parts = urlsplit(given.strip())
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:  # a port that is no number, a bracket that does not close
        raise EndpointError(_NONE.format(given)) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
        raise EndpointError(
            f"{shown}: a base URL holds no key, query or fragment; a key belongs into the "
            f"environment variable {KEY}"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        raise EndpointError(_NONE.format(given))
    path = parts.path.rstrip("/")
    for tail in ("/chat/completions", "/completions"):
        if path.endswith(tail):
            raise EndpointError(
                f"{given}: name the base, {given.rstrip('/').removesuffix(tail)}, without {tail}"
            )
    return Address(f"{parts.scheme}://{parts.netloc}{path}")


def addresses(given: Sequence[str]) -> tuple[Address, ...]:
    """Several base URLs, each once."""
    return tuple(dict.fromkeys(address(one) for one in given))


def key_from(variable: str = KEY) -> str:
    """The key that the environment holds, or nothing; local endpoints need none."""
    key = os.environ.get(variable, "").strip()
    if any(c.isspace() or not c.isascii() for c in key):
        raise EndpointError(f"{variable} holds blanks or letters that no key has; set it anew")
    return key
