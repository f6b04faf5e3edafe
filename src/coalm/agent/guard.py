"""A guard around a tool: a human is asked first, time and size have limits, reads are retried.

Whatever goes wrong is told to the model in words. A tool that writes is never run twice: it
may have done its work though it failed to say so.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from coalm.agent.functions import Refused
from coalm.agent.loop import Tool
from coalm.types import ToolSpec

Approve: TypeAlias = Callable[[ToolSpec, Mapping[str, object]], bool | str]
"""Asks a human about a call: whether it may run, or why not. It may wait for the answer."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a tool may be used."""

    writes: bool = False
    """Whether it changes anything in the world: books, pays, sends."""
    ask_first: bool | None = None
    """Whether a human is asked before each call; None asks where the tool writes."""
    timeout: float = 30.0
    """Seconds for one try."""
    retries: int = 1
    """Further tries after a failure of a tool that only reads."""
    longest: int = 8_000
    """Characters of a result that the model is shown."""

    @property
    def asks(self) -> bool:
        """Whether a human is asked before each call."""
        return self.writes if self.ask_first is None else self.ask_first


class _Late(Exception):
    """A try took too long; a tool's own time-out is another thing."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A tool with manners: itself a `Tool`."""

    tool: Tool
    manners: Manners
    approve: Approve | None = None
    """None if nobody is there to be asked: then a call that needs a yes is refused."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told about the tool."""
        return self.tool.spec

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """The tool's result, cut to size; or what kept it from having one."""
        if self.manners.asks and (no := self._refusal(arguments)):
            return f"error: {self.spec.name}: {no}"
        tries = 1 if self.manners.writes else 1 + self.manners.retries
        for left in reversed(range(tries)):
            try:
                return self._cut(self._timed(arguments))
            except _Late:
                why = f"no result within {self.manners.timeout:g} seconds"
            except Refused as e:
                return self._cut(f"error: {self.spec.name}: {e}")
            except (Exception, SystemExit) as e:  # a tool's failure is news for the model
                why = self._cut(f"{type(e).__name__}: {e}")
            if left:
                time.sleep(min(0.1 * (tries - left), 1.0))
        unsure = "; it may have been done all the same" if self.manners.writes else ""
        return f"error: {self.spec.name}: {why}{unsure}"

    def _refusal(self, arguments: Mapping[str, object]) -> str:
        """Why the call may not run; empty if it may."""
        if self.approve is None:
            return "this needs somebody's consent, and nobody is there to give it"
        allowed = self.approve(self.spec, arguments)
        if isinstance(allowed, str):
            return (
                f"the user did not allow it: {allowed}" if allowed else "the user did not allow it"
            )
        return "" if allowed else "the user did not allow it"

    def _timed(self, arguments: Mapping[str, object]) -> str:
        """The result of one try. A try that takes too long is left to itself."""
        box: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                box.put(self.tool(arguments))
            except BaseException as e:
                box.put(e)

        threading.Thread(target=work, name=f"tool {self.spec.name}", daemon=True).start()
        try:
            found = box.get(timeout=self.manners.timeout)
        except queue.Empty:
            raise _Late from None
        if isinstance(found, BaseException):
            raise found
        return found

    def _cut(self, text: str) -> str:
        """At most so many characters, and none that no file or request could carry."""
        text, most = text.encode("utf-8", "replace").decode("utf-8"), self.manners.longest
        if len(text) <= most:
            return text
        return f"{text[:most]}... ({most} of {len(text)} characters are shown)"


def guarded(
    tools: Mapping[str, Tool], manners: Mapping[str, Manners], approve: Approve | None = None
) -> dict[str, Guarded]:
    """Tools with their manners, by name; a tool without any gets those of one that reads."""
    usual = Manners()
    return {name: Guarded(one, manners.get(name, usual), approve) for name, one in tools.items()}
