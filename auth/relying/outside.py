"""The only way from here to an issuer's server: short, small, to public addresses, and never further than asked.

Promises: a request ends within its time and its answer is at most so large, however slowly or endlessly the other side
sends; a redirect is not followed; the address that was checked is the one that is connected to, so a name that points
elsewhere a moment later leads nowhere. No cookie and no proxy of the environment takes part.
Never speaks to an address inside this network, unless the issuer may be there (`near`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM
from typing import TYPE_CHECKING, Any, cast

import orjson

from auth.relying.faults import SignInFault, SignInRefused, faulty
from auth.relying.issuers import check_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    import httpx

TIMEOUT_S = 8.0
SIZE_BYTES = 256 * 1024
NAT64 = IPv6Network("64:ff9b::/96")
HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "Plein"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status and the body as it is."""

    status: int
    body: bytes

    def json_object(self, what: str) -> dict[str, Any]:
        """The body as a JSON object. Raises ISSUER_FAULTY for anything else, naming `what` it should have been."""
        try:
            value = orjson.loads(self.body)
        except ValueError:
            raise faulty(f"{what}: no JSON") from None
        if not isinstance(value, dict):
            raise faulty(f"{what}: no object")
        return value


@dataclass(frozen=True, slots=True)
class Outside:
    """Speaks to servers of issuers. One per process; it keeps no connection."""

    timeout_s: float = TIMEOUT_S
    size_bytes: int = SIZE_BYTES

    async def get(self, url: str, *, near: bool, headers: Mapping[str, str] | None = None) -> Answer:
        """Read this address. Raises ISSUER_UNREACHABLE and ISSUER_FAULTY."""
        return await self.send("GET", url, {**HEADERS, **(headers or {})}, None, near=near)

    async def post(self, url: str, body: bytes | str, headers: Mapping[str, str], *, near: bool) -> Answer:
        """Post this to an address. Raises ISSUER_UNREACHABLE and ISSUER_FAULTY."""
        return await self.send("POST", url, headers, body, near=near)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None, *, near: bool
    ) -> Answer:
        """Send a request. Raises ISSUER_UNREACHABLE and ISSUER_FAULTY."""
        import httpx  # noqa: PLC0415 - it takes a while, and most squares have no issuer

        request = httpx.Request(method, url, headers=headers, content=body)
        try:
            check_address(str(request.url), is_near=near)
        except ValueError as error:
            raise faulty(f"address: {error}") from None
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._exchange(request, near=near)
        except TimeoutError:
            raise SignInRefused(SignInFault.ISSUER_UNREACHABLE, "timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError) as error:
            raise SignInRefused(SignInFault.ISSUER_UNREACHABLE, type(error).__name__) from error

    async def _exchange(self, request: httpx.Request, *, near: bool) -> Answer:
        import httpx  # noqa: PLC0415

        pinned = await _pinned(request, near=near)
        # A connection per request: kept ones are found by address, and two names may share one.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        async with httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False) as transport:
            response = await transport.handle_async_request(pinned)
            try:
                if 300 <= response.status_code < 400:
                    raise faulty("redirect")
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    raise faulty("compressed without being asked")
                return Answer(response.status_code, await self._read(response))
            finally:
                await response.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in cast("AsyncIterable[bytes]", response.stream):
            body += chunk
            if len(body) > self.size_bytes:
                raise faulty("too long")
        return bytes(body)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on the public network, also where it carries another one inside."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


async def _pinned(request: httpx.Request, *, near: bool) -> httpx.Request:
    """The same request to an address that its name has now and that may be spoken to; TLS still asks for the name."""
    import httpx  # noqa: PLC0415

    host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    addresses = [ip_address(each[4][0]) for each in found]
    if not near and not all(is_public(each) for each in addresses):
        raise SignInRefused(SignInFault.ISSUER_UNREACHABLE, "private address")
    # IPv4 first: where a machine has IPv6 in name only, one that does not answer would use up the time.
    address = min(addresses, key=lambda each: each.version)
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
    named = host if request.url.port is None else f"{host}:{request.url.port}"
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=[(b"host", named.encode("ascii")), *headers],
        content=request.content,
        extensions={"sni_hostname": host},
    )


@cache
def _tls() -> ssl.SSLContext:
    """How certificates are checked: by the usual authorities, or those in `SSL_CERT_FILE`."""
    import httpx  # noqa: PLC0415

    return httpx.create_ssl_context()
