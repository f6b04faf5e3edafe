"""How the server listens, and what it lets in."""

import os
from ipaddress import ip_address
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm.recipe import STRICT

Some = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


@settings_class(frozen=True, kw_only=True, config=STRICT)
class ServeSettings:
    """Where the server listens, and its limits."""

    host: str = "127.0.0.1"
    """The address to listen on; others than this machine only if told so."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port; 0 takes a free one."""
    key_env: str = "COALM_API_KEYS"
    """The environment variable with the keys that are let in, separated by commas."""
    cors: tuple[str, ...] = ()
    """Origins whose pages may ask; none by default."""
    max_body: Some = 4_000_000
    """Bytes of a request."""
    concurrency: Some = 64
    """Requests under way at once; more are told to come back."""
    batch: Some = 32
    """Prompts that the engine is given together, where it cannot take them one by one."""
    timeout: Seconds = 300.0
    """Seconds for one request."""
    max_tokens: Some = 1024
    """New tokens of a reply where the request does not say, and the most that it may say."""
    drain: Seconds = 30.0
    """Seconds that requests under way are given when the server is told to stop."""

    @property
    def keys(self) -> frozenset[str]:
        """The keys that are let in; everybody is if there are none."""
        given = os.environ.get(self.key_env, "").split(",")
        return frozenset(key.strip() for key in given if key.strip())

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
