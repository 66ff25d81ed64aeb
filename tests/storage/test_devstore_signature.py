"""Attacks on the bundled store: nothing passes that was not signed, as it was signed, while it was valid."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from storage.client import ObjectStore
from storage.keys import ObjectKey, object_key
from storage.presign import Presigner
from storage.settings import StorageSettings
from tests.storage.signing import signed_headers

TENANT = UUID(int=3)
KEY = object_key(TENANT, "secret.txt")


@pytest.fixture(scope="module")
async def settings(bundled: ObjectStore) -> StorageSettings:
    await bundled.put(KEY, b"top secret", content_type="text/plain")
    return bundled.settings


def url_of(settings: StorageSettings, key: ObjectKey = KEY) -> str:
    return f"{settings.endpoint_url}/{settings.bucket}/{key}"


def assert_refused(answer: httpx.Response, code: str, status: int = 403) -> None:
    found = re.search("<Code>(.*)</Code>", answer.text)
    assert (answer.status_code, found and found[1]) == (status, code), answer.text
    assert b"top secret" not in answer.content
    assert "<RequestId>" in answer.text


async def test_unsigned(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH"):
        assert_refused(await http.request(method, url_of(settings)), "AccessDenied")
    assert_refused(await http.get(settings.endpoint_url), "AccessDenied")
    assert (await http.head(url_of(settings))).status_code == 403


async def test_signed_as_it_should_be(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    answer = await http.get(url_of(settings), headers=signed_headers(settings, "GET", url_of(settings)))
    assert (answer.status_code, answer.content) == (200, b"top secret")


async def test_wrong_secret_and_unknown_key(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    wrong, unknown = replace(settings, secret_key="x" * 40), replace(settings, access_key="someone")
    for lying, code in ((wrong, "SignatureDoesNotMatch"), (unknown, "InvalidAccessKeyId")):
        assert_refused(await http.get(url_of(settings), headers=signed_headers(lying, "GET", url_of(settings))), code)
        assert_refused(await http.get(Presigner(lying).get_url(KEY)), code)


@pytest.mark.parametrize("age_s", [901, -960])
async def test_skewed_clock(settings: StorageSettings, http: httpx.AsyncClient, age_s: int) -> None:
    headers = signed_headers(settings, "GET", url_of(settings), age_s=age_s)
    assert_refused(await http.get(url_of(settings), headers=headers), "RequestTimeTooSkewed")


async def test_tampered_header(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    url = url_of(settings, object_key(TENANT, "tampered"))
    good = signed_headers(settings, "PUT", url, body=b"x", headers={"x-amz-meta-owner": "me", "content-type": "a/b"})
    changes = [
        ({"x-amz-meta-owner": "you"}, "SignatureDoesNotMatch"),
        ({"content-type": "text/html"}, "SignatureDoesNotMatch"),
        ({"x-amz-meta-more": "unsigned"}, "AccessDenied"),
        ({"x-amz-copy-source": f"/{settings.bucket}/{KEY}"}, "AccessDenied"),
        ({"X-Amz-Date": "20260101T000000Z"}, "AuthorizationHeaderMalformed"),
        ({"host": "evil.example"}, "SignatureDoesNotMatch"),
        ({"Authorization": good["Authorization"][:-1] + "g"}, "AuthorizationHeaderMalformed"),
        ({"Authorization": good["Authorization"].replace("host;", "")}, "AccessDenied"),
        ({"Authorization": "Basic eDp5"}, "AuthorizationHeaderMalformed"),
    ]
    for change, code in changes:
        answer = await http.put(url, content=b"x", headers={**good, **change})
        assert_refused(answer, code, 400 if "Malformed" in code else 403)
    assert_refused(await http.put(url, content=b"y", headers=good), "XAmzContentSHA256Mismatch", 400)
    assert (await http.put(url, content=b"x", headers=good)).status_code == 200


async def test_signature_of_another_method_path_or_bucket(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    good = signed_headers(settings, "GET", url_of(settings))
    other = url_of(settings, object_key(TENANT, "other"))
    assert_refused(await http.delete(url_of(settings), headers=good), "SignatureDoesNotMatch")
    assert_refused(await http.get(other, headers=good), "SignatureDoesNotMatch")
    assert_refused(await http.get(url_of(settings) + "?x=1", headers=good), "SignatureDoesNotMatch")
    elsewhere = url_of(replace(settings, bucket="other-bucket"))
    assert_refused(await http.get(elsewhere, headers=good), "SignatureDoesNotMatch")


async def test_tampered_query(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    url = Presigner(settings).get_url(KEY, expires_s=60, content_disposition="attachment")
    assert (await http.get(url)).content == b"top secret"
    stranger = url.replace(TENANT.hex, uuid4().hex)
    tampered = [
        (url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), "SignatureDoesNotMatch", 403),
        (url.replace("=attachment", "=inline"), "SignatureDoesNotMatch", 403),
        (url + "&response-content-type=text%2Fhtml", "SignatureDoesNotMatch", 403),
        (url.replace("secret.txt", "secret.txu"), "SignatureDoesNotMatch", 403),
        (url.replace(settings.bucket, "another"), "SignatureDoesNotMatch", 403),
        (stranger, "SignatureDoesNotMatch", 403),
        (url + "&X-Amz-Expires=600", "InvalidArgument", 400),
        (url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"), "AuthorizationQueryParametersError", 400),
        (url.replace("X-Amz-Expires=60", "X-Amz-Expires=-1"), "AuthorizationQueryParametersError", 400),
        (re.sub("X-Amz-Signature=.*", "X-Amz-Signature=", url), "AuthorizationQueryParametersError", 400),
        (url.replace("us-east-1", "eu-west-1"), "AuthorizationQueryParametersError", 400),
        (url.replace("%2Fs3%2F", "%2Fiam%2F"), "AuthorizationQueryParametersError", 400),
        (url.partition("&X-Amz-Signature")[0], "AuthorizationQueryParametersError", 400),
    ]
    for bad, code, status in tampered:
        assert_refused(await http.get(bad), code, status)
    assert_refused(await http.delete(url), "SignatureDoesNotMatch")
    both = signed_headers(settings, "GET", url)
    assert_refused(await http.get(url, headers=both), "InvalidArgument", 400)


async def test_replay_after_expiry(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    url = Presigner(settings).get_url(KEY, expires_s=1)
    assert (await http.get(url)).status_code == 200
    old = Presigner(settings, clock=lambda: time.time() - 61)
    assert_refused(await http.get(old.get_url(KEY, expires_s=60)), "AccessDenied")
    assert (await http.get(old.get_url(KEY, expires_s=90))).status_code == 200
    early = Presigner(settings, clock=lambda: time.time() + 1000)
    assert_refused(await http.get(early.get_url(KEY)), "AccessDenied")


async def test_a_signed_upload_is_for_these_bytes_only(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    key = object_key(TENANT, "announced")
    upload = Presigner(settings).put_url(key, size_bytes=5, content_type="text/plain", create_only=True)
    bad = [
        (b"longer", {}),
        (b"four", {}),
        (b"12345", {"content-type": "text/html"}),
        (b"12345", {"if-none-match": ""}),
        (b"12345", {"x-amz-meta-a": "b"}),
        (b"12345", {"x-amz-acl": "public-read"}),
    ]
    for body, change in bad:
        answer = await http.put(upload.url, content=body, headers={**upload.headers, **change})
        assert answer.status_code == 403, (body, change)
    assert (await http.put(upload.url, content=b"12345", headers=upload.headers)).status_code == 200


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/a/%00", "/x/%ff"])
def test_paths_reach_no_files(settings: StorageSettings, path: str) -> None:
    """Sent raw, because clients would tidy the path up before they send it."""
    parts = urlsplit(settings.endpoint_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.split(b" ", 2)[1] in {b"400", b"403"}
    assert b"root:" not in answer


async def test_dots_and_odd_names_are_plain_names(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    signer = Presigner(bundled.settings)
    for name in ("../../../escape", "./x", "a//b", "\x01", "a\r\nb: c", "%2e%2e/x", "+ +"):
        url = signer.sign("PUT", name, headers={"content-length": "1"})
        # httpx would resolve the dots
        connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("PUT", url.removeprefix(bundled.settings.endpoint_url), body=b"z")
        assert connection.getresponse().status == 200, name
        connection.close()
    listed = await http.get(signer.sign("GET", "", query={"list-type": "2", "encoding-type": "url"}))
    for name in ("../../../escape", "a//b", "%01", "a%0D%0Ab%3A%20c", "%252e%252e/x", "%2B%20%2B"):
        assert f"<Key>{name}</Key>" in listed.text


async def test_answers_split_no_headers(settings: StorageSettings, http: httpx.AsyncClient) -> None:
    signer = Presigner(settings)
    for value in ("a\r\nset-cookie: x=y", "\x00", "☃"):
        assert_refused(await http.get(signer.get_url(KEY, content_disposition=value)), "InvalidArgument", 400)
