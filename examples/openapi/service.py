"""A small bike rental to try the example with: what openapi.yaml describes, kept in memory.

python service.py [--port 8321]; every request needs the header X-Api-Key: bikes-demo-key.
"""

import argparse
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "bikes-demo-key"
STATIONS: dict[str, dict[str, Any]] = {
    "north-1": {"area": "north", "address": "2 Hill Road", "city": 3, "cargo": 1, "child": 0},
    "north-2": {"area": "north", "address": "Station Yard", "city": 0, "cargo": 0, "child": 2},
    "harbour-1": {"area": "harbour", "address": "Ferry Steps", "city": 5, "cargo": 0, "child": 1},
}
RENTALS: dict[int, dict[str, Any]] = {}
KINDS = ("city", "cargo", "child")
LARGEST = 10_000
NUMBERS = itertools.count(501)
LOCK = threading.Lock()


class Wrong(Exception):
    """A request that cannot be met: status, and words for whoever asked."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def stations(query: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Those that fit, with what they have."""
    kinds = query.get("kinds", [",".join(KINDS)])[0].split(",")
    least = int(query.get("at_least", ["1"])[0])
    area = query.get("area", [""])[0]
    found = []
    for code, station in STATIONS.items():
        free = {kind: station[kind] for kind in kinds if station.get(kind)}
        if (not area or station["area"] == area) and sum(free.values()) >= least:
            found.append({"id": code, "area": station["area"], "free": free})
    return found


def rent(asked: Any) -> dict[str, Any]:
    """A new rental, if there is such a bike."""
    if not isinstance(asked, dict) or asked.get("kind") not in KINDS:
        raise Wrong(422, f"kind: must be one of {', '.join(KINDS)}")
    station = STATIONS.get(str(asked.get("station")))
    if station is None:
        raise Wrong(404, "there is no such station")
    if not station[asked["kind"]]:
        raise Wrong(409, f"no {asked['kind']} bike is free there")
    station[asked["kind"]] -= 1
    number = next(NUMBERS)
    hours = asked.get("hours") or 1
    rental = {"number": number, "station": asked["station"], "kind": asked["kind"], "hours": hours}
    RENTALS[number] = rental
    return rental


def end(number: str) -> None:
    """A bike given back."""
    rental = RENTALS.pop(int(number), None) if number.isdigit() else None
    if rental is None:
        raise Wrong(404, "there is no such rental")
    STATIONS[rental["station"]][rental["kind"]] += 1


def done(method: str, path: list[str], query: dict[str, list[str]], body: Any) -> Any:
    """What comes back for a request; None for nothing."""
    match method, path:
        case "GET", ["stations"]:
            return stations(query)
        case "GET", ["stations", code] if code in STATIONS:
            return {"id": code} | STATIONS[code]
        case "POST", ["rentals"]:
            return rent(body)
        case "DELETE", ["rentals"]:
            return RENTALS.clear()
        case "GET", ["rentals", number] if number.isdigit() and int(number) in RENTALS:
            return RENTALS[int(number)]
        case "DELETE", ["rentals", number]:
            return end(number)
        case _:
            raise Wrong(404, "nothing is there")


class Desk(BaseHTTPRequestHandler):
    """Answers requests."""

    def answer(self) -> None:
        """One request, whatever its method."""
        try:
            value = self.met()
            self.say(204 if value is None else 200, value)
        except Wrong as e:
            self.say(e.status, {"detail": str(e)})
        except ValueError as e:
            self.say(400, {"detail": str(e)})

    def met(self) -> Any:
        """What the request comes to; `Wrong` where it may not or cannot be."""
        if self.headers.get("X-Api-Key") != KEY:
            raise Wrong(401, "the header X-Api-Key is missing or wrong")
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST:
            raise Wrong(413, "that is too much")
        raw = self.rfile.read(size)
        url = urlsplit(self.path)
        first, *rest = [unquote(step) for step in url.path.strip("/").split("/")]
        if first != "v1":
            raise Wrong(404, "nothing is there")
        with LOCK:
            return done(self.command, rest, parse_qs(url.query), json.loads(raw) if raw else None)

    def say(self, status: int, value: Any) -> None:
        """The answer as JSON."""
        raw = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  the names that http.server calls


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8321)
    port = parser.parse_args().port
    with ThreadingHTTPServer(("127.0.0.1", port), Desk) as server:
        print(f"bikes at http://127.0.0.1:{port}/v1 (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("closed")


if __name__ == "__main__":
    main()
