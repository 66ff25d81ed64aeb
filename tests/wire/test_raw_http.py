"""Nothing that comes over a socket is answered with a 5xx or with silence that lasts: fuzzed below any HTTP client."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.over_http import GraphQLOverHTTP
from tests.gateway.small_square import make_square


def _dumped(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return b"\xed\xa0\x80"


METHODS = st.sampled_from([b"POST", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"TRACE", b"post"])
NAMES = st.sampled_from(
    [
        b"accept", b"accept-encoding", b"authorization", b"content-type", b"content-encoding", b"if-none-match",
        b"origin", b"x-forwarded-for", b"x-request-id", b"host", b"plein-cost", b"access-control-request-method",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        b"*/*", b"application/json", b"application/graphql-response+json;q=0.5", b"gzip, br;q=2, zstd;q=x", b"*", b"1",
        b"Bearer operator", b"Bearer \xff\xfe", b"null", b"https://[::1", b"https://a:99999999", b'W/"abc", "',
        b"a.plein.example:x",
    ]
) | st.binary(max_size=40).map(lambda value: re.sub(rb"[\r\n\0]", b"", value))  # fmt: skip
DOCUMENTS = st.sampled_from(
    [
        b'{"query":"{ count }"}',
        b'[{"query":"{ me }"},1]',
        b"[]",
        b'{"documentId":"sha256:0"}',
        b'{"query":"mutation{write}"}',
    ]
)
BODIES = (
    DOCUMENTS
    | st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.text(max_size=10),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(_dumped)
)
QUERIES = st.sampled_from(
    [b"", b"?query={count}", b"?documentId=a", b"?query=%7B%00", b"?extensions=%7B%22persistedQuery%22:1%7D"]
) | (st.text(alphabet='?&=%{}[]"query0aF;+:', max_size=30).map(lambda text: b"?" + text.encode()))


async def ask(url: str, sent: bytes) -> bytes:
    """What comes back on a connection of its own, until the server closes it."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(sent)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


@pytest.fixture(scope="module")
async def url(listen: Any):
    async with listen(GraphQLOverHTTP(make_square()), lifespan="off") as url:
        yield url


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=METHODS, query=QUERIES, headers=st.lists(st.tuples(NAMES, VALUES), max_size=5), body=BODIES, data=st.data()
)
async def test_no_request_is_answered_with_a_5xx(
    url: str, method: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        headers = [*headers, (b"content-type", b"application/json")]
    lines = [method + b" /graphql" + query.replace(b" ", b"+") + b" HTTP/1.1", b"connection: close"]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"content-length: %d" % len(body)]
    answer = await ask(url, b"\r\n".join([*lines, b"", body]))
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert status is not None, answer
    assert int(status[1]) < 500, answer


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: -1\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
        b"transfer-encoding: chunked\r\n\r\nZ\r\n",
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_refused(url: str, sent: bytes) -> None:
    answer = await ask(url, sent)
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_connection_is_kept_for_the_next_request(url: str) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    body = b'{"query":"{ count }"}'
    request = b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    for sent in (body, b"{", body):  # also after an error
        writer.write(request % (len(sent), sent))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert b"connection: close" not in head.lower()
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
    writer.close()
