"""A real web server that behaves as badly as the world does, one file at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """One path: its bytes, and what goes wrong with it."""

    body: bytes = b""
    ranges: bool = True
    """Whether parts can be asked for."""
    drop_after: list[int] = field(default_factory=list)
    """For each of the next requests: cut the line after so many bytes."""
    statuses: list[int] = field(default_factory=list)
    """For each of the next requests: answer with this and no file."""
    headers: dict[str, str] = field(default_factory=dict)
    redirect: str = ""
    slow: float = 0.0
    """Seconds between blocks of 64 kB."""


@dataclass
class Server:
    """What is served, and what was asked."""

    address: str
    files: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def ranges(self) -> list[str]:
        return [headers.get("range", "") for _, headers in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of this machine, stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            server.asked.append((self.path, headers))
            one = server.files.get(self.path)
            if one is None:
                return self._plain(404)
            if one.redirect:
                return self._plain(302, {"Location": one.redirect})
            if one.statuses:
                return self._plain(one.statuses.pop(0), one.headers)
            start = 0
            asked = headers.get("range", "")
            if (
                asked
                and one.ranges
                and headers.get("if-range", one.headers.get("ETag"))
                in {
                    None,
                    one.headers.get("ETag"),
                }
            ):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(one.body):
                    return self._plain(416)
            body = one.body[start:]
            self.send_response(206 if start else 200)
            if start:
                whole = len(one.body)
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            self.send_header("Content-Length", str(len(body)))
            for name, value in one.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if one.drop_after:
                self.wfile.write(body[: one.drop_after.pop(0)])
                self.close_connection = True
                return None
            for place in range(0, len(body), 1 << 16):
                try:
                    self.wfile.write(body[place : place + (1 << 16)])
                except OSError:  # whoever asked is gone
                    self.close_connection = True
                    return None
                time.sleep(one.slow)
            return None

        def _plain(self, status: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    server = Server(f"http://127.0.0.1:{web.server_address[1]}")
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
