"""What the server counts, for Prometheus."""

from typing import TYPE_CHECKING

from coalm.errors import MissingExtra

if TYPE_CHECKING:
    from coalm.engines import Completion
    from coalm.serve.waiting import Line


class Metrics:
    """Counters of one server; a registry of its own, so that several can live in a process."""

    def __init__(self, line: "Line") -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError:
            raise MissingExtra("serve", "the server") from None
        self.registry: CollectorRegistry = CollectorRegistry()
        self.requests = Counter(
            "coalm_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "coalm_request_seconds",
            "Time from the request to the end of its answer.",
            ["route"],
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
        )
        self.tokens = Counter(
            "coalm_tokens",
            "Tokens of prompts and of completions.",
            ["kind"],
            registry=self.registry,
        )
        self._read, self._written = self.tokens.labels("prompt"), self.tokens.labels("completion")
        self.malformed = Counter(
            "coalm_malformed", "Replies that could not be read.", registry=self.registry
        )
        self.under_way = Gauge("coalm_requests_under_way", "Requests.", registry=self.registry)
        waiting = Gauge("coalm_waiting", "Prompts in line for the engine.", registry=self.registry)
        waiting.set_function(lambda: line.waiting)

    def count(self, completion: "Completion") -> None:
        """Count a completion's tokens."""
        self._read.inc(completion.prompt_tokens)
        self._written.inc(completion.completion_tokens)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is over."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)
