"""Tools out of an OpenAPI document, against a real server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from coalm.agent.functions import Refused
from coalm.agent.guard import Guarded, Manners
from coalm.agent.toolbox import Failed
from coalm.agent.toolbox.openapi import Auth, opened, read
from coalm.errors import DataError, RecipeError

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Boats", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:1/api"}],
    "paths": {
        "/boats": {
            "get": {
                "operationId": "listBoats",
                "summary": "All boats\nof a port.",
                "parameters": [
                    {"$ref": "#/components/parameters/Port"},
                    {"name": "free", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "sizes", "in": "query", "schema": {"type": "array"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                ],
            },
            "post": {
                "operationId": "hire boat",
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Hire"}}
                    }
                },
            },
        },
        "/boats/{id}": {
            "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
            "get": {},
            "put": {
                "operationId": "rename",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "properties": {"id": {"type": "string"}}}
                        }
                    }
                },
            },
        },
    },
    "components": {
        "parameters": {
            "Port": {
                "name": "port",
                "in": "query",
                "required": True,
                "description": "where it lies",
                "schema": {"type": "string", "enum": ["Ely", "Cambridge"]},
            }
        },
        "schemas": {
            "Hire": {
                "allOf": [
                    {"type": "object", "properties": {"boat": {"type": "string"}}},
                    {"properties": {"days": {"type": "integer", "minimum": 1}}},
                ],
                "required": ["boat", "days"],
            }
        },
    },
}


KEYS: list[str] = []
"""What came in the header."""


class Boats(BaseHTTPRequestHandler):
    """Says back what it was sent."""

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode()
        status, text = 200, json.dumps([self.command, self.path, body])
        if "secret" in self.path:
            KEYS.append(str(self.headers.get("X-Key")))
            text = json.dumps({"key": KEYS[-1]})
        if "lost" in self.path:
            status, text = 404, '{"detail": "no such boat"}'
        if "away" in self.path:
            status, text = 302, ""
        if "huge" in self.path:
            text = "x" * 1_100_000
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Boats) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()


def test_parameters_and_body_become_one_list_of_arguments(address: str) -> None:
    with opened(DOCUMENT, base_url=address) as kit:
        assert set(kit.tools) == {"listBoats", "hire_boat", "get_boats_id", "rename"}
        assert kit.writes == {"hire_boat", "rename"}
        spec = kit.tools["listBoats"].spec
        assert spec.description == "All boats of a port."
        assert list(spec.properties) == ["port", "free", "sizes"]
        assert spec.required == ("port",)
        assert spec.properties["port"] == {
            "type": "string",
            "enum": ["Ely", "Cambridge"],
            "description": "where it lies",
        }
        assert kit.tools["hire_boat"].spec.required == ("boat", "days")
        assert list(kit.tools["rename"].spec.properties) == ["id", "body_id"]


def test_arguments_go_where_the_document_says(address: str) -> None:
    with opened(DOCUMENT, base_url=address) as kit:
        call = {name: lambda n=name, **a: json.loads(kit.tools[n](a)) for name in kit.tools}
        assert call["listBoats"](port="Ely", free="true", sizes=[1, 2]) == [
            "GET",
            "/api/boats?port=Ely&free=true&sizes=1&sizes=2",
            "",
        ]
        assert call["hire_boat"](boat="Tub", days="2") == [
            "POST",
            "/api/boats",
            '{"boat":"Tub","days":2}',
        ]
        assert call["get_boats_id"](id="a/b c")[1] == "/api/boats/a%2Fb%20c"
        assert call["rename"](id="7", body_id="8") == ["PUT", "/api/boats/7", '{"id":"8"}']


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("listBoats", {}, "port: this argument is needed"),
        ("listBoats", {"port": "Bath"}, "port: 'Bath' is not one of"),
        ("listBoats", {"port": "Ely", "fre": True}, "did you mean 'free'"),
        ("hire_boat", {"boat": "Tub", "days": 0}, "days: 0 is less than"),
        ("hire_boat", {"boat": "Tub", "days": "soon"}, "days: 'soon' is not of type"),
        ("get_boats_id", {"id": ".."}, "cannot stand in an address"),
    ],
)
def test_what_does_not_fit_is_never_sent(tool: str, arguments: dict[str, object], why: str) -> None:
    with opened(DOCUMENT) as kit, pytest.raises(Refused, match=why):
        kit.tools[tool](arguments)


def test_an_error_of_the_service_is_told_with_its_words(address: str) -> None:
    with opened(DOCUMENT, base_url=address) as kit:
        with pytest.raises(Failed, match=r'404 Not Found: .*"no such boat"'):
            kit.tools["get_boats_id"]({"id": "lost"})
        with pytest.raises(Failed, match="302"):
            kit.tools["get_boats_id"]({"id": "away"})
        with pytest.raises(Failed, match="longer than"):
            kit.tools["get_boats_id"]({"id": "huge"})


def test_a_secret_comes_from_the_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = Auth("BOAT_KEY", "X-Key", "")
    monkeypatch.delenv("BOAT_KEY", raising=False)
    with pytest.raises(RecipeError, match="no BOAT_KEY"), opened(DOCUMENT, auth=auth):
        pass
    monkeypatch.setenv("BOAT_KEY", "s3cret")
    with opened(DOCUMENT, base_url=address, auth=auth) as kit:
        assert json.loads(kit.tools["get_boats_id"]({"id": "secret"})) == {"key": "[secret]"}
    assert KEYS[-1] == "s3cret"


def test_a_service_that_is_down_is_news_for_the_model() -> None:
    with opened(DOCUMENT) as kit:
        said = Guarded(kit.tools["get_boats_id"], Manners(retries=0))({"id": "1"})
    assert said.startswith("error: get_boats_id: ConnectError")


def test_operations_are_chosen_by_name_or_by_path() -> None:
    with opened(DOCUMENT, operations=["GET /boats/{id}", "listBoats"]) as kit:
        assert set(kit.tools) == {"get_boats_id", "listBoats"}
    with pytest.raises(RecipeError, match="listBoats"), opened(DOCUMENT, operations=["listBoat"]):
        pass


def test_a_broken_document_is_named(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    with pytest.raises(DataError, match="No such file"):
        read(path)
    path.write_text("openapi: [")
    with pytest.raises(DataError, match="neither JSON nor YAML"):
        read(path)
    path.write_text("swagger: '2.0'")
    with pytest.raises(DataError, match="no OpenAPI 3"):
        read(path)
    broken = DOCUMENT | {"paths": {"/x": {"get": {"parameters": [{"$ref": "#/nothing"}]}}}}
    with pytest.raises(DataError, match="nothing is at #/nothing"), opened(broken):
        pass
