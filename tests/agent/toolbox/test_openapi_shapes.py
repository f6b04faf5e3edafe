"""OpenAPI documents as they are found: what is sent for each, and what is read of an answer."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from coalm.agent.functions import Refused
from coalm.agent.guard import Guarded, Manners
from coalm.agent.toolbox import Declined, Failed
from coalm.agent.toolbox.document import plain_schema
from coalm.agent.toolbox.openapi import Auth, opened, read
from coalm.errors import DataError, RecipeError
from coalm.types import ToolSpec

BASE = "http://service/v1"


def document(path: str, method: str = "get", item: Any = None, **said: Any) -> dict[str, Any]:
    operation = {"operationId": "do", **said}
    return {"openapi": "3.0.3", "paths": {path: {method: operation, **(item or {})}}}


def query(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    schema = kind if isinstance(kind, dict) else {"type": kind}
    return {"name": name, "in": "query", "schema": schema, **more}


def body(schema: Any, media: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"content": {media: {"schema": schema}}, **more}


def asked(described: Mapping[str, Any], **arguments: Any) -> httpx.Request:
    """What is sent for a call."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    with opened(described, base_url=BASE, transport=httpx.MockTransport(answer)) as kit:
        assert kit.tools["do"](arguments) == "done (204)"
    return seen[0]


def answered(response: Callable[[], httpx.Response]) -> str:
    transport = httpx.MockTransport(lambda _: response())
    with opened(document("/x"), base_url=BASE, transport=transport) as kit:
        return kit.tools["do"]({})


def spec(described: Mapping[str, Any]) -> ToolSpec:
    with opened(described, base_url=BASE) as kit:
        return kit.tools["do"].spec


ARRAY = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("parameter", "value", "sent"),
    [
        (query("a", ARRAY), [1, 2], "a=1&a=2"),
        (query("a", ARRAY), "[1, 2]", "a=1&a=2"),
        (query("a", ARRAY, explode=False), [1, 2], "a=1%2C2"),
        (query("a", ARRAY, style="pipeDelimited", explode=False), [1, 2], "a=1%7C2"),
        (query("a", ARRAY, style="spaceDelimited"), [1, 2], "a=1+2"),
        (query("a", "object"), {"x": 1, "y": True}, "x=1&y=true"),
        (query("a", "object", explode=False), {"x": 1}, "a=x%2C1"),
        (query("a", "object", style="deepObject"), {"x": 1}, "a%5Bx%5D=1"),
        (query("a", {"type": "integer", "nullable": True}), None, ""),
        (query("a", "integer"), None, ""),
        (query("a", ["integer", "null"]), "7", "a=7"),
        (query("a", {"anyOf": [{"type": "integer"}, {"type": "null"}]}), "7", "a=7"),
        (query("a", {"type": "string", "enum": ["North"]}), "north", "a=North"),
        ({"name": "a", "in": "query", "content": {"application/json": {}}}, {"b": [1]}, "a=%7B"),
    ],
)
def test_a_value_is_written_as_the_document_says(parameter: Any, value: Any, sent: str) -> None:
    url = asked(document("/x", parameters=[parameter]), a=value).url
    found = url.query.decode()
    assert found.startswith(sent) if sent.endswith("%7B") else found == sent


def test_values_in_paths_and_headers_are_written_simply() -> None:
    item = {"parameters": [{"name": "ids", "in": "path", "schema": ARRAY, "required": True}]}
    header = {"name": "X-Tags", "in": "header", "schema": {"type": "array"}}
    sent = asked(
        document("/a/{ids}:sum", item=item, parameters=[header]),
        ids=[1, 2],
        **{"X-Tags": ["p", "q"]},
    )
    assert sent.url.raw_path == b"/v1/a/1,2:sum"
    assert sent.headers["X-Tags"] == "p,q"


def test_a_path_may_begin_with_what_looks_like_a_scheme() -> None:
    assert asked(document("/users:find")).url == "http://service/v1/users:find"


def test_a_header_cannot_hold_another_line() -> None:
    header = {"name": "X-Tag", "in": "header", "schema": {"type": "string"}}
    with pytest.raises(Refused, match="cannot stand in a header"):
        asked(document("/x", parameters=[header]), **{"X-Tag": "a\r\nX-Admin: yes"})


def test_an_operations_own_parameter_takes_the_place_of_the_paths() -> None:
    item = {"parameters": [query("n", "integer"), query("all", "boolean")]}
    described = document("/x", item=item, parameters=[query("n", "string", required=True)])
    assert spec(described).properties["n"] == {"type": "string"}
    assert list(spec(described).properties) == ["n", "all"]


def test_one_name_in_three_places_is_three_arguments() -> None:
    item = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}]}
    fields = {"id": {"type": "string"}, "body_id": {"type": "string"}}
    described = document(
        "/x/{id}",
        "put",
        item,
        parameters=[query("id", "string")],
        requestBody=body({"type": "object", "properties": fields}),
    )
    assert list(spec(described).properties) == ["id", "query_id", "body_id", "body_body_id"]
    sent = asked(described, id="1", query_id="2", body_id="3", body_body_id="4")
    assert str(sent.url) == f"{BASE}/x/1?id=2"
    assert sent.content == b'{"id":"3","body_id":"4"}'


def test_a_body_that_is_no_plain_object_is_one_argument() -> None:
    rows = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    sent = asked(document("/x", "post", requestBody=body(rows, required=True)), body=[{"n": 1}])
    assert sent.content == b'[{"n":1}]'
    either = {"oneOf": [{"type": "object", "properties": {"a": {}}, "required": ["a"]}, rows]}
    described = document("/x", "post", requestBody=body(either, required=True))
    assert spec(described).required == ("body",)
    assert asked(described, body=[{"n": 1}]).content == b'[{"n":1}]'
    assert asked(described, body={"a": 2}).content == b'{"a":2}'
    with pytest.raises(Refused, match="body"):
        asked(described, body={"b": 2})


def test_a_body_that_is_not_needed_is_left_out() -> None:
    fields = body({"type": "object", "properties": {"a": {"type": "string"}}})
    assert asked(document("/x", "post", requestBody=fields)).content == b""
    needed = fields | {"required": True}
    assert asked(document("/x", "post", requestBody=needed)).content == b"{}"


def test_forms_and_other_kinds_of_json_are_sent_as_such() -> None:
    fields = {"type": "object", "properties": {"a": {"type": "string"}, "b": ARRAY}}
    form = "application/x-www-form-urlencoded"
    sent = asked(document("/x", "post", requestBody=body(fields, form)), a="x y", b=[1, 2])
    assert sent.content == b"a=x+y&b=1&b=2"
    assert sent.headers["Content-Type"] == form
    patch = "application/merge-patch+json; charset=utf-8"
    sent = asked(document("/x", "patch", requestBody=body(fields, patch)), a="ü")
    assert sent.headers["Content-Type"] == "application/merge-patch+json"
    assert sent.content == '{"a":"ü"}'.encode()
    with pytest.raises(DataError, match="do wants multipart/form-data"):
        spec(document("/x", "post", requestBody=body(fields, "multipart/form-data")))


def test_schemas_of_3_0_become_json_schema() -> None:
    assert plain_schema({"type": "string", "nullable": True, "enum": ["a"]}) == {
        "type": ["string", "null"],
        "enum": ["a", None],
    }
    assert plain_schema({"minimum": 1, "exclusiveMinimum": True}) == {"exclusiveMinimum": 1}
    assert plain_schema({"maximum": 1, "exclusiveMaximum": False}) == {"maximum": 1}
    assert plain_schema({"type": "string", "pattern": "\\p{L}+"}) == {"type": "string"}
    assert plain_schema({"type": "file"}) == {}
    made: dict[str, Any] = {"properties": {"id": {"readOnly": True}, "type": {"type": "string"}}}
    made |= {"required": ["id", "type"]}
    assert plain_schema(made) == {
        "properties": {"type": {"type": "string"}},
        "required": ["type"],
    }


def test_a_null_is_sent_where_the_body_knows_it() -> None:
    kind = {"type": "string", "nullable": True}
    fields = {"type": "object", "properties": {"a": kind, "b": {"type": "string"}}}
    sent = asked(document("/x", "post", requestBody=body(fields)), a=None, b=None)
    assert sent.content == b'{"a":null}'


def test_a_type_that_holds_itself_and_words_beside_a_reference_are_kept_short() -> None:
    node = {
        "type": "object",
        "properties": {f"n{i}": {"$ref": "#/components/schemas/Node"} for i in range(30)},
    }
    first = {"$ref": "#/components/schemas/Node", "description": "the root"}
    described = document("/x", "post", requestBody=body({"properties": {"root": first}}))
    described["components"] = {"schemas": {"Node": node}}
    begun = time.perf_counter()
    root: Any = spec(described).properties["root"]
    assert root["description"] == "the root"
    assert root["properties"]["n0"] == {}
    assert time.perf_counter() - begun < 2


def test_a_document_that_unfolds_without_end_is_refused() -> None:
    kinds: dict[str, Any] = {"k0": {"type": "string"}}
    for i in range(1, 40):
        ref = {"$ref": f"#/components/schemas/k{i - 1}"}
        kinds[f"k{i}"] = {"type": "object", "properties": {"a": ref, "b": ref}}
    described = document(
        "/x", "post", requestBody=body({"$ref": "#/components/schemas/k39"}, required=True)
    )
    described["components"] = {"schemas": kinds}
    with pytest.raises(DataError, match="unfolds to more than"):
        spec(described)


def test_operations_without_a_name_of_their_own_all_stay() -> None:
    paths = {"/a/{b}": {"get": {"parameters": [{"name": "b", "in": "path"}]}}, "/a/b": {"get": {}}}
    paths["/c"] = {"get": {"operationId": "do it"}, "post": {"operationId": "do it"}}
    with opened({"openapi": "3.1.0", "paths": paths}, base_url=BASE) as kit:
        assert set(kit.tools) == {"get_a_b", "get_a_b_2", "do_it", "do_it_2"}
        assert kit.writes == {"do_it_2"}


def test_a_servers_blanks_are_filled_with_their_defaults() -> None:
    def url(**server: Any) -> str:
        seen: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(str(request.url))
            return httpx.Response(204)

        described = document("/x") | {"servers": [server]}
        with opened(described, transport=httpx.MockTransport(answer)) as kit:
            kit.tools["do"]({})
        return seen[0]

    variables = {"where": {"default": "eu"}, "v": {"default": 2}}
    assert url(url="https://{where}.x/v{v}/", variables=variables) == "https://eu.x/v2/x"
    for wrong in ({"url": "https://{where}.x"}, {"url": "/v1"}, {}):
        with pytest.raises(RecipeError, match="give base_url"):
            url(**wrong)
    with pytest.raises(RecipeError, match="is no address"), opened(document("/x"), base_url="x.y"):
        pass
    own = document("/x", servers=[{"url": "https://other"}]) | {"servers": [{"url": "http://a"}]}
    with pytest.raises(DataError, match="a server of its own"), opened(own):
        pass


def test_a_blank_without_a_parameter_is_named() -> None:
    with pytest.raises(DataError, match=r"/x/\{id\} has no parameter id"):
        spec(document("/x/{id}"))


@pytest.mark.parametrize(
    ("content", "headers", "text"),
    [
        (b'{"a": [1, 2]}', {"Content-Type": "application/json"}, '{"a":[1,2]}'),
        (b"a,b\r\n1,2\r\n", {"Content-Type": "text/csv"}, "a,b\r\n1,2\r\n"),
        ("é".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"}, "é"),
        (b"\xff", {"Content-Type": "text/plain"}, "\ufffd"),
        (b"ok", {"Content-Type": "text/plain; charset=no-such"}, "ok"),
        (b"\x89PNG\0", {"Content-Type": "image/png"}, "[image/png: 5 bytes that are no text]"),
        (b"plain", {}, "plain"),
        (b"", {}, "done (200)"),
    ],
)
def test_an_answer_is_text_or_says_what_it_is(
    content: bytes, headers: dict[str, str], text: str
) -> None:
    assert answered(lambda: httpx.Response(200, content=content, headers=headers)) == text


def test_what_would_fail_again_is_not_tried_again() -> None:
    calls: list[int] = []

    def tried(status: int) -> int:
        calls.clear()

        def answer(_: httpx.Request) -> httpx.Response:
            calls.append(status)
            return httpx.Response(status, text="no")

        with opened(document("/x"), base_url=BASE, transport=httpx.MockTransport(answer)) as kit:
            said = Guarded(kit.tools["do"], Manners(retries=2))({})
        assert said.startswith("error: do: ")
        assert str(status) in said
        return len(calls)

    assert [tried(status) for status in (400, 404, 408, 429, 500, 503)] == [1, 1, 3, 3, 3, 3]


def test_where_an_answer_points_is_told_and_not_followed() -> None:
    def away() -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://elsewhere/x"})

    with pytest.raises(Failed, match="302: it points to https://elsewhere/x, and is not followed"):
        answered(away)
    with pytest.raises(Declined, match="404"):
        answered(lambda: httpx.Response(404))


def test_a_secret_may_end_with_a_line_end_and_is_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY", "s3cret-word\n")
    seen: list[str] = []

    def echo(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(403, text=f"{request.headers['Authorization']} may not")

    spoken = {"name": "Authorization", "in": "header", "schema": {"type": "string"}}
    described = document("/x", parameters=[spoken])
    transport = httpx.MockTransport(echo)
    with opened(described, base_url=BASE, auth=Auth("KEY"), transport=transport) as kit:
        assert not kit.tools["do"].spec.properties  # no model may say who it is
        assert "s3cret" not in repr(kit.tools["do"])
        with pytest.raises(Declined, match=r"403 Forbidden: Bearer \[secret\] may not"):
            kit.tools["do"]({})
    assert seen == ["Bearer s3cret-word"]
    monkeypatch.setenv("KEY", "two\nlines-of-it")
    with (
        pytest.raises(RecipeError, match="KEY holds cannot") as e,
        opened(described, base_url=BASE, auth=Auth("KEY")),
    ):
        pass
    assert "lines-of-it" not in str(e.value)


def test_a_yaml_document_may_hold_dates_and_no_key_twice(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(
        "openapi: 3.0.0\npaths:\n  /x:\n    get:\n      operationId: do\n      parameters:\n"
        "        - {name: on, in: query, schema: {type: string, default: 2020-01-02, enum: [no]}}\n"
    )
    [one] = [spec(read(path)).properties["on"]]
    assert json.dumps(one) == '{"type": "string", "default": "2020-01-02", "enum": ["no"]}'
    path.write_text("openapi: 3.0.0\npaths: {}\npaths: {}\n")
    with pytest.raises(DataError, match="'paths' stands here twice"):
        read(path)
    path.write_text('\ufeff{"openapi": "3.0.0",\t"paths": {}}', "utf-8")
    assert read(path)["paths"] == {}
