"""Bodies: aws-chunked in all its forms, lengths, checksums; what is not as announced leaves nothing behind."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import zlib
from collections.abc import AsyncIterator
from itertools import pairwise
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.client import ObjectStore
from storage.devstore.checksums import new_checksum
from storage.devstore.chunked import ChunkedDecoder
from storage.devstore.errors import S3Error
from storage.devstore.signature import ChunkSigner, Signed
from storage.errors import ObjectMissing
from storage.keys import object_key
from storage.settings import StorageSettings
from storage.sigv4 import EMPTY_SHA256, signing_key
from tests.storage.signing import signed_headers

TENANT = UUID(int=4)
KEY = object_key(TENANT, "chunked")
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNKS = [b"first chunk ", b"x" * 70_000, b" last"]
WHOLE = b"".join(CHUNKS)
CRC32 = base64.b64encode(zlib.crc32(WHOLE).to_bytes(4, "big")).decode()

# From "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" of Amazon.
EXAMPLE = Signed(
    SIGNED,
    signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1"),
    "20130524/us-east-1/s3/aws4_request",
    "20130524T000000Z",
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
)
EXAMPLE_BODY = (
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    + b"a" * 1024
    + b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
)


def decode(decoder: ChunkedDecoder, body: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    output = b"".join(decoder.feed(body[start:end]) for start, end in pairwise(edges))
    decoder.finish()
    return output


@given(st.lists(st.integers(0, 100_000), max_size=6))
def test_amazons_own_example_however_it_is_cut(cuts: list[int]) -> None:
    assert decode(ChunkedDecoder(ChunkSigner(EXAMPLE), has_trailer=False), EXAMPLE_BODY, cuts) == b"a" * 66560


@pytest.mark.parametrize("position", [3, 40, 100, 65_700, 65_800, 66_800, len(EXAMPLE_BODY) - 10])
def test_one_changed_byte_is_noticed(position: int) -> None:
    body = bytearray(EXAMPLE_BODY)
    body[position] ^= 1
    with pytest.raises(S3Error):
        decode(ChunkedDecoder(ChunkSigner(EXAMPLE), has_trailer=False), bytes(body), [])


def test_a_missing_end_is_noticed() -> None:
    for length in (0, 50, 66_000, len(EXAMPLE_BODY) - 2):
        with pytest.raises(S3Error, match="ended early"):
            decode(ChunkedDecoder(ChunkSigner(EXAMPLE), has_trailer=False), EXAMPLE_BODY[:length], [])
    with pytest.raises(S3Error, match="after the end"):
        decode(ChunkedDecoder(ChunkSigner(EXAMPLE), has_trailer=False), EXAMPLE_BODY + b"x", [])


@given(st.binary(max_size=200), st.booleans())
def test_noise_ends_in_no_other_error(noise: bytes, has_trailer: bool) -> None:
    decoder = ChunkedDecoder(None, has_trailer=has_trailer)
    with contextlib.suppress(S3Error):
        decode(decoder, noise, [7, 30])


def encode(settings: StorageSettings, headers: dict[str, str], trailer: str, break_at: str = "") -> bytes:
    """An aws-chunked body: chunks signed if the payload says so, a trailer if there is one."""
    stamp = headers["X-Amz-Date"]
    scope = f"{stamp[:8]}/{settings.region}/s3/aws4_request"
    key = signing_key(settings.secret_key, stamp[:8], settings.region)
    previous = headers["Authorization"].rpartition("=")[2]
    is_signed = headers["X-Amz-Content-SHA256"].startswith("STREAMING-AWS4")

    def sign(kind: str, rest: str) -> str:
        text = f"AWS4-HMAC-SHA256-{kind}\n{stamp}\n{scope}\n{previous}\n{rest}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    output = b""
    for chunk in [*CHUNKS, b""]:
        output += f"{len(chunk):x}".encode()
        if is_signed:
            previous = sign("PAYLOAD", f"{EMPTY_SHA256}\n{hashlib.sha256(chunk).hexdigest()}")
            output += f";chunk-signature={'0' * 64 if break_at == 'chunk' else previous}".encode()
        output += b"\r\n" + chunk + (b"\r\n" if chunk else b"")
    if trailer:
        output += f"{trailer}\r\n".encode()
        if is_signed:
            signature = sign("TRAILER", hashlib.sha256(f"{trailer}\n".encode()).hexdigest())
            output += f"x-amz-trailer-signature:{'0' * 64 if break_at == 'trailer' else signature}\r\n".encode()
    return output + b"\r\n"


async def send(
    bundled: ObjectStore, http: httpx.AsyncClient, claim: str, trailer: str, *, length: int = len(WHOLE),
    break_at: str = "", announced: str = "x-amz-checksum-crc32",
) -> httpx.Response:  # fmt: skip
    url = f"{bundled.settings.endpoint_url}/{bundled.settings.bucket}/{KEY}"
    headers = {"x-amz-decoded-content-length": str(length), "content-encoding": "aws-chunked"}
    if trailer:
        headers["x-amz-trailer"] = announced
    signed = signed_headers(bundled.settings, "PUT", url, headers=headers, claim=claim)
    return await http.put(url, headers=signed, content=encode(bundled.settings, signed, trailer, break_at))


@pytest.mark.parametrize(
    ("claim", "trailer"),
    [
        (SIGNED, ""),
        (SIGNED_TRAILER, f"x-amz-checksum-crc32:{CRC32}"),
        (UNSIGNED_TRAILER, f"x-amz-checksum-crc32:{CRC32}"),
    ],
)
async def test_streamed_bodies(bundled: ObjectStore, http: httpx.AsyncClient, claim: str, trailer: str) -> None:
    answer = await send(bundled, http, claim, trailer)
    assert answer.status_code == 200, answer.text
    if trailer:
        assert answer.headers["x-amz-checksum-crc32"] == CRC32
    assert await bundled.get(KEY) == WHOLE
    await bundled.delete(KEY)


@pytest.mark.parametrize(
    ("claim", "trailer", "options", "code"),
    [
        (SIGNED, "", {"break_at": "chunk"}, "SignatureDoesNotMatch"),
        (SIGNED, "", {"length": 5}, "InvalidRequest"),
        (SIGNED, "", {"length": 100_000}, "IncompleteBody"),
        (SIGNED_TRAILER, f"x-amz-checksum-crc32:{CRC32}", {"break_at": "trailer"}, "SignatureDoesNotMatch"),
        (UNSIGNED_TRAILER, "x-amz-checksum-crc32:AAAAAA==", {}, "BadDigest"),
        (UNSIGNED_TRAILER, "x-amz-checksum-crc32:%%%", {}, "InvalidDigest"),
        (UNSIGNED_TRAILER, "x-amz-checksum-sha1:AAAA", {}, "InvalidRequest"),
        (UNSIGNED_TRAILER, "x-amz-meta-a:b", {"announced": "x-amz-meta-a"}, "InvalidRequest"),
        (UNSIGNED_TRAILER, "x-amz-checksum-crc64nvme:x", {"announced": "x-amz-checksum-crc64nvme"}, "NotImplemented"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "", {}, "InvalidArgument"),
    ],
)
async def test_streamed_bodies_refused(
    bundled: ObjectStore, http: httpx.AsyncClient, claim: str, trailer: str, options: dict[str, str], code: str
) -> None:
    answer = await send(bundled, http, claim, trailer, **options)  # type: ignore[arg-type]
    assert f"<Code>{code}</Code>" in answer.text
    with pytest.raises(ObjectMissing):
        await bundled.head(KEY)


async def test_content_md5(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    url = f"{bundled.settings.endpoint_url}/{bundled.settings.bucket}/{KEY}"
    right = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    for md5, status in ((right, 200), (base64.b64encode(b"0" * 16).decode(), 400), ("short", 400)):
        headers = signed_headers(bundled.settings, "PUT", url, body=b"body", headers={"content-md5": md5})
        assert (await http.put(url, headers=headers, content=b"body")).status_code == status
    await bundled.delete(KEY)


async def test_a_length_is_needed(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    url = f"{bundled.settings.endpoint_url}/{bundled.settings.bucket}/{KEY}"
    headers = signed_headers(bundled.settings, "PUT", url, claim="UNSIGNED-PAYLOAD")

    async def unknown_length() -> AsyncIterator[bytes]:
        yield b"body"  # without a length, so httpx sends Transfer-Encoding

    assert (await http.put(url, headers=headers, content=unknown_length())).status_code == 501


CHECKSUMS = [
    ("crc32", bytes.fromhex("cbf43926")),
    ("crc32c", bytes.fromhex("e3069283")),
    ("sha1", hashlib.sha1(b"123456789").digest()),
    ("sha256", hashlib.sha256(b"123456789").digest()),
]


@pytest.mark.parametrize(("algorithm", "expected"), CHECKSUMS)
def test_checksums_of_the_standard_text(algorithm: str, expected: bytes) -> None:
    """The check values of the catalogue of CRC algorithms are over the digits one to nine."""
    checksum = new_checksum(algorithm)
    checksum.update(b"1234")
    checksum.update(b"56789")
    assert checksum.digest() == expected


async def test_documents_are_plain(bundled: ObjectStore, http: httpx.AsyncClient) -> None:
    """No document type, no entities, no depth, no size."""
    url = f"{bundled.settings.endpoint_url}/{bundled.settings.bucket}?delete"
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>'
    documents = [bomb, bomb.decode().encode("utf-16"), b"<a>" * 5000, b"", b"<Delete/>", b"<Delete>", b"<Other/>"]
    for document in documents:
        md5 = base64.b64encode(hashlib.md5(document).digest()).decode()
        headers = signed_headers(bundled.settings, "POST", url, body=document, headers={"content-md5": md5})
        answer = await http.post(url, headers=headers, content=document)
        assert "<Code>MalformedXML</Code>" in answer.text, document[:20]
    large = b" " * (2 * 1024 * 1024 + 1)
    headers = signed_headers(bundled.settings, "POST", url, body=large, headers={"content-md5": "x"})
    assert "EntityTooLarge" in (await http.post(url, headers=headers, content=large)).text
