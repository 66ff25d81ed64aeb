"""Compression: the coding a client likes best, from a size on, and nothing below it."""

from __future__ import annotations

import gzip

import brotli
import httpx
import pytest

from gateway.compression import BESIDE_BYTES, LEAST_BYTES, accepted_coding, compressed, zstd
from gateway.over_http import GraphQLOverHTTP
from tests.gateway.small_square import make_square

OPENED = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br, zstd", b"zstd"),
        ("gzip, deflate, br", b"br"),
        ("gzip", b"gzip"),
        ("GZIP;Q=0.5, BR;Q=0.4", b"gzip"),
        ("br;q=0.5, zstd;q=0.1, gzip;q=0.9", b"gzip"),
        ("zstd;q=0, *", b"br"),
        ("*", b"zstd"),
        ("*;q=0", None),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", b"gzip"),
        ("deflate", None),
        ("gzip;q=tomato", None),
        ("", None),
        (";;,=;q", None),
        ("gzip;q=0", None),
    ],
)
def test_the_header_is_followed_by_quality(accepts: str, coding: bytes | None) -> None:
    assert accepted_coding(accepts.encode()) == coding


@pytest.mark.parametrize("coding", OPENED)
@pytest.mark.parametrize("size", [LEAST_BYTES + 1, BESIDE_BYTES + 1])
async def test_what_is_compressed_can_be_opened(coding: str, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    for _ in range(2):
        assert OPENED[coding](await compressed(body, coding.encode())) == body


@pytest.mark.parametrize("coding", OPENED)
@pytest.mark.parametrize("method", ["POST", "HEAD", "GET"])
async def test_long_answers_are_compressed_and_short_ones_are_not(coding: str, method: str) -> None:
    transport = httpx.ASGITransport(GraphQLOverHTTP(make_square()))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://plein.example") as http:
        for length in (100, 5_000):
            asked = {"query": '{ echo(text: "' + "a" * length + '") }'}
            sent = {"json": asked} if method == "POST" else {"params": asked}
            response = await http.request(method, "/graphql", headers={"accept-encoding": coding}, **sent)
            assert response.headers.get("content-encoding") == (coding if length > LEAST_BYTES else None)
            assert "accept-encoding" in response.headers["vary"]
            if method != "HEAD" and coding != "zstd":  # which httpx cannot open without another package
                assert response.json() == {"data": {"echo": "a" * length}}
            assert int(response.headers["content-length"]) < (200 if length > LEAST_BYTES else 130)
