"""GraphQL over HTTP: methods, media types, statuses, and that nothing a client sends is answered with a 5xx."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.limits import Limits
from gateway.over_http import GraphQLOverHTTP
from tests.gateway.small_square import FAILURES, make_square

MODERN = "application/graphql-response+json"
JSON = "application/json"


def client(limits: Limits | None = None, **environ: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(GraphQLOverHTTP(make_square(limits, **environ)))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://plein.example")


async def post(payload: Any, accept: str = MODERN, limits: Limits | None = None, **headers: str) -> httpx.Response:
    content = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    sent = {"content-type": JSON, "accept": accept} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with client(limits) as http:
        return await http.post("/graphql", content=content, headers=sent)


def error_of(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"errors"}, body
    return body["errors"][0]


def code_of(response: httpx.Response) -> str:
    return error_of(response)["extensions"]["code"]


async def test_post_answers_in_the_media_type_asked_for() -> None:
    for accept in (MODERN, JSON):
        response = await post({"query": '{ echo(text: "é") }'}, accept)
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.json() == {"data": {"echo": "é"}}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        ("", JSON),
        ("text/html", None),
        ("text/html, */*;q=0.8", JSON),
        (f"{MODERN}, {JSON}", MODERN),
        (f"{JSON}, {MODERN}", JSON),
        (f"{JSON}, */*", JSON),
        (f"{JSON};q=0.9, {MODERN}", MODERN),
        (f"{MODERN};q=0.5, {JSON};q=0.9", JSON),
        (f"{MODERN};q=0, */*;q=0.1", JSON),
        (f"{JSON};q=0", None),
        (f"{MODERN}; charset=utf-8, {JSON}; charset=utf-8", MODERN),
        (f"{JSON}; charset=latin1", None),
        (f"{JSON};q=tomato", None),
        ("APPLICATION/JSON", JSON),
        (";;;,,,=q", None),
    ],
)
async def test_accept_is_followed_by_quality_and_order(accept: str, expected: str | None) -> None:
    response = await post({"query": "{ count }"}, accept)
    assert response.status_code == (200 if expected else 406)
    assert response.headers["content-type"] == f"{expected or MODERN}; charset=utf-8"


async def test_no_accept_header_means_json() -> None:
    async with client() as http:
        del http.headers["accept"]
        response = await http.post("/graphql", json={"query": "{ count }"})
    assert response.headers["content-type"].startswith(JSON)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{ count"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { count } query B { count }"}, "BAD_USER_INPUT"),
        ({"query": "query A { count }", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "query ($n: Int!) { count(n: $n) }"}, "BAD_USER_INPUT"),
        ({"query": "{ a: count b: count }", "limits": Limits(aliases=1)}, "LIMIT_EXCEEDED"),
        ({"query": '{ fail(how: "forbidden") }', "status": 403}, "FORBIDDEN"),
        ({"query": '{ fail(how: "missing") }', "status": 404}, "NOT_FOUND"),
    ],
)
async def test_a_well_formed_request_that_fails_has_a_status_in_the_modern_type_only(payload, code: str) -> None:
    limits, status = payload.pop("limits", None), payload.pop("status", 400)
    modern, legacy = [await post(payload, accept, limits) for accept in (MODERN, JSON)]
    assert (modern.status_code, legacy.status_code) == (status, 200)
    assert code_of(modern) == code_of(legacy) == code


@pytest.mark.parametrize("accept", [MODERN, JSON])
@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", None),
        (b"null", None),
        (b'"query"', None),
        (b"1", None),
        (b"[]", None),
        (b"{", None),
        (b'{"query": "\xff"}', None),
        (b'{"query": "\\ud800"}', None),
        (b"\xef\xbb\xbf{}", None),
        (b"[" * 100_000, None),
        (b'{"variables": ' + b'{"a":' * 50_000, None),
        (b"{}", "query"),
        (b'{"query": null}', "query"),
        (b'{"query": ""}', "query"),
        (b'{"query": 1}', "query"),
        (b'{"query": {}}', "query"),
        (b'{"query": ["{ count }"]}', "query"),
        (b'{"query": "{ count }", "operationName": 1}', "operationName"),
        (b'{"query": "{ count }", "operationName": {}}', "operationName"),
        (b'{"query": "{ count }", "variables": []}', "variables"),
        (b'{"query": "{ count }", "variables": "{}"}', "variables"),
        (b'{"query": "{ count }", "extensions": 1}', "extensions"),
        (b'{"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "a\\u0000"}}', "t"),
        (b'{"query": "{ count }", "variables": {"t": [{"a\\u0000": 1}]}}', "t"),
    ],
)
async def test_what_is_no_request_is_refused_in_both_types(content: bytes, field: str | None, accept: str) -> None:
    response = await post(content, accept)
    assert response.status_code == 400
    error = error_of(response)
    assert error["extensions"].get("field") == field
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_nul_in_the_document_is_refused() -> None:
    for text in ('{ echo(text: "a\\u0000") }', '{ echo(text: "a\\u{0}") }', "{ count }\0", '{ echo(text: """a\0""") }'):
        assert (await post({"query": text})).status_code == 400
    assert (await post({"query": '{ echo(text: "\\u00e9") }'})).json() == {"data": {"echo": "é"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin1",
        "text/plain; application/json",
    ],
)
async def test_what_a_page_elsewhere_may_send_unasked_is_refused(content_type: str) -> None:
    response = await post({"query": "mutation { write }"}, content_type=content_type)
    assert response.status_code == 415
    assert code_of(response) == "BAD_USER_INPUT"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_by_any_spelling_is_accepted(content_type: str) -> None:
    assert (await post({"query": "mutation { write }"}, content_type=content_type)).status_code == 200


async def test_a_compressed_body_is_refused() -> None:
    assert (await post({"query": "{ count }"}, content_encoding="gzip")).status_code == 415


async def test_get_answers_queries() -> None:
    query = urlencode(
        {
            "query": "query A($t: String!) { echo(text: $t) } query B { count }",
            "variables": '{"t": "a+b &"}',
            "operationName": "A",
        }
    )
    async with client() as http:
        assert (await http.get(f"/graphql?{query}")).json() == {"data": {"echo": "a+b &"}}
        head = await http.head("/graphql?query={count}")
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(b'{"data":{"count":3}}')
        empty = await http.get("/graphql?query={count}&operationName=&variables=&extensions=")
        assert empty.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "query=",
        "query=%ff",
        "query={count}&variables=x",
        "query={count}&variables=[]",
        "query={count}&extensions=1",
        "a=b&" * 200 + "query={count}",
        "query={count}&variables=%7B%22a%22:%22%5Cu0000%22%7D",
    ],
)
async def test_a_get_that_is_no_request_is_refused(query: str) -> None:
    async with client() as http:
        assert (await http.get(f"/graphql?{query}")).status_code == 400


@pytest.mark.parametrize("accept", [MODERN, JSON])
async def test_a_mutation_needs_post(accept: str) -> None:
    async with client() as http:
        response = await http.get("/graphql?query=mutation{write}", headers={"accept": accept})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "BREW"])
async def test_other_methods_are_told_which_there_are(method: str) -> None:
    async with client() as http:
        response = await http.request(method, "/graphql")
        options = await http.options("/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == options.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert (options.status_code, options.content) == (204, b"")


async def test_the_bearer_token_says_who_asks() -> None:
    assert (await post({"query": "{ me }"})).json() == {"data": {"me": "nobody"}}
    for scheme in ("Bearer", "bearer"):
        assert (await post({"query": "{ me }"}, authorization=f"{scheme} operator")).json() == {
            "data": {"me": "OPERATOR"}
        }


@pytest.mark.parametrize("accept", [MODERN, JSON])
@pytest.mark.parametrize("authorization", ["Bearer forged", "Bearer", "Bearer ", "Basic b3BlcmF0b3I=", "operator", ""])
async def test_a_token_that_is_not_ours_is_refused_not_ignored(authorization: str, accept: str) -> None:
    response = await post({"query": "{ me }"}, accept, authorization=authorization)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert code_of(response) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("plein.example", None),
        ("plein.example:8000", None),
        ("localhost:8000", None),
        ("127.0.0.1:8000", None),
        ("[::1]:8000", None),
        ("muiden.plein.example", "muiden"),
        ("MUIDEN.Plein.Example:8000", "muiden"),
        ("wij.muiden.nl", "wij.muiden.nl"),
        ("plein.example.evil.example", "plein.example.evil.example"),
        ("notplein.example", "notplein.example"),
    ],
)
async def test_the_host_says_where(host: str, here: str | None) -> None:
    assert (await post({"query": "{ here }"}, host=host)).json() == {"data": {"here": here}}


async def test_a_body_that_is_too_long_is_refused_while_it_comes() -> None:
    limits = Limits(body_bytes=1000)
    announced = await post({"query": "{ count }" + " " * 1000}, limits=limits)
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b" " * 100, "more_body": True}

    streamed = await call(receive, limits)
    assert received == 11 + 80  # the rest of an honest client's body is let go by, an endless one is not
    for status, code in ((announced.status_code, code_of(announced)), streamed):
        assert (status, code) == (413, "LIMIT_EXCEEDED")
    assert "`body_bytes`" in error_of(announced)["message"]
    assert "1000" in error_of(announced)["message"]


async def test_a_body_in_pieces_is_one_body() -> None:
    pieces = [b'{"que', b"", b'ry": "{ cou', b'nt"}'[:2] + b' }"}']

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    assert await call(receive) == (200, None)


async def test_a_client_that_hangs_up_gets_no_answer_and_harms_nothing() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await call(receive) is None


@pytest.mark.parametrize("authorization", [None, "Bearer slow"])
async def test_a_request_that_takes_too_long_is_ended(authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}
    response = await post({"query": "{ slow }"}, limits=Limits(time_ms=30), **headers)
    assert response.status_code == 400
    assert error_of(response)["message"] == "Limit `time_ms` exceeded: at most 30 milliseconds for a request."


async def test_a_body_that_never_comes_is_ended_too() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(10)
        raise AssertionError

    assert await call(receive, Limits(time_ms=30)) == (408, "LIMIT_EXCEEDED")


async def test_a_database_that_is_down_is_503_with_a_time_to_come_back() -> None:
    response = await post({"query": '{ fail(how: "database") }'}, JSON)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert code_of(response) == "UNAVAILABLE"
    assert "10.0.0.1" not in response.text


@pytest.mark.parametrize("how", ["bug", "timeout of its own"])
async def test_our_own_faults_are_masked_and_logged(how: str, caplog: pytest.LogCaptureFixture) -> None:
    response = await post({"query": f'{{ fail(how: "{how}") }}'}, JSON)
    assert response.status_code == 500
    error = error_of(response)
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in response.text
    assert error["extensions"]["requestId"] in caplog.text
    assert any(record.exc_info and record.exc_info[1] is FAILURES[how] for record in caplog.records)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
queries = st.sampled_from(
    [
        "{ count }",
        "query($n: Int, $i: Range) { count(n: $n) sum(numbers: [1], input: $i) }",
        "query A { me } query B { me }",
    ]
) | st.text(alphabet='{}()[]$:!@#"\\ \n\0aquery123.…é', max_size=60)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    payload=json_values
    | st.fixed_dictionaries(
        {},
        optional={
            "query": queries | json_values,
            "variables": json_values | st.fixed_dictionaries({}, optional={"n": json_values, "i": json_values}),
            "operationName": st.sampled_from(["A", "", None]) | json_values,
            "extensions": json_values,
        },
    )
)
async def test_nothing_a_client_sends_is_answered_with_a_5xx(payload: Any) -> None:
    try:
        content = orjson.dumps(payload)
    except TypeError:  # a lone surrogate, or an integer JSON readers do not hold
        content = repr(payload).encode("utf-8", "surrogatepass")
    response = await post(content)
    assert response.status_code in {200, 400}
    for answer in response.json() if isinstance(payload, list) and response.status_code == 200 else [response.json()]:
        assert set(answer) <= {"data", "errors"}


async def test_every_answer_names_the_request() -> None:
    given = await post({"query": "{ count }"}, x_request_id="abc-1.2:3_4")
    assert given.headers["x-request-id"] == "abc-1.2:3_4"
    for spoilt in ("", "a b", "a" * 129, "a;b", "<script>"):
        made = await post({"query": "{ count }"}, x_request_id=spoilt)
        assert re.fullmatch("[0-9a-f]{16}", made.headers["x-request-id"])
    refused = [await post(b"", x_request_id="r-1"), await post({"query": "{ me }"}, "text/html", x_request_id="r-1")]
    assert [each.headers["x-request-id"] for each in refused] == ["r-1", "r-1"]
    masked = await post({"query": '{ fail(how: "bug") }'}, x_request_id="r-2")
    assert error_of(masked)["extensions"]["requestId"] == masked.headers["x-request-id"] == "r-2"


async def call(receive: Any, limits: Limits | None = None) -> tuple[int, str | None] | None:
    """Speak ASGI to the endpoint; gives the status and the error's code, or None where it sent nothing."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", MODERN.encode())],
    }
    await GraphQLOverHTTP(make_square(limits))(scope, receive, send)  # type: ignore[arg-type]
    if not sent:
        return None
    errors = orjson.loads(sent[1]["body"]).get("errors")
    return sent[0]["status"], errors and errors[0]["extensions"]["code"]
