"""Browsers: pages of allowed origins may send and fetch, others are not told that they may."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from storage.client import ObjectStore
from storage.keys import object_key
from storage.presign import Presigner
from tests.storage.conftest import ALLOWED_ORIGIN

KEY = object_key(UUID(int=6), "page.txt")


def preflight_headers(origin: str, method: str = "PUT") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type,x-amz-checksum-sha256",
    }


async def test_an_allowed_origin(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    upload = Presigner(bundled.settings).put_url(KEY, size_bytes=2, content_type="text/plain")
    preflight = await http.options(upload.url, headers=preflight_headers(ALLOWED_ORIGIN))
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type,x-amz-checksum-sha256"
    assert "Origin" in preflight.headers["vary"]
    answer = await http.put(upload.url, content=b"ok", headers={**upload.headers, "origin": ALLOWED_ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_errors_can_be_read_by_the_page(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{bundled.settings.endpoint_url}/x/y", headers={"origin": ALLOWED_ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (403, ALLOWED_ORIGIN)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{ALLOWED_ORIGIN}.evil.example", "http://square.example"]
)
async def test_another_origin(bundled: ObjectStore, http: httpx.AsyncClient, origin: str) -> None:
    url = Presigner(bundled.settings).get_url(KEY)
    preflight = await http.options(url, headers=preflight_headers(origin, "GET"))
    assert preflight.status_code == 403
    assert "access-control-allow-origin" not in preflight.headers
    answer = await http.get(url, headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def test_incomplete_preflights(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    url = Presigner(bundled.settings).get_url(KEY)
    assert (await http.options(url)).status_code == 400
    assert (await http.options(url, headers=preflight_headers(ALLOWED_ORIGIN, "TRACE"))).status_code == 403
