"""Where requests to issuers may go, and where not: never into this network because a name points there."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest

from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.issuers import check_address
from auth.relying.outside import Outside, is_public
from tests.auth.relying.issuer import running_issuer

INSIDE_4 = """
127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 255.255.255.255 198.18.0.1
192.0.2.1 240.0.0.1
"""
INSIDE_6 = """
::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
2002:7f00:1:: 2002:a00:1:: 2001:db8::1
"""


@pytest.mark.parametrize("address", (INSIDE_4 + INSIDE_6).split())
def test_an_address_inside(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_outside(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.nl/",
        "ftp://example.nl/",
        "https:///path",
        "https://user@example.nl/",
        "https://example.nl/#x",
        "https://example.nl:port/",
        "https://example.nl/\r\nHost: x",
        "https://exämple.nl/",
        "//example.nl/",
        "",
        None,
        7,
        "https://example.nl/" + "x" * 2_000,
    ],
)
def test_what_is_no_address_to_speak_to(url: Any):
    with pytest.raises(ValueError, match="must"):
        check_address(url, is_near=False)


def test_without_tls_only_on_this_machine_and_only_where_allowed():
    for url in ("http://localhost:8080/x", "http://127.0.0.1/", "http://[::1]:5/", "http://a.localhost/"):
        assert check_address(url, is_near=True) == url
        with pytest.raises(ValueError, match="https"):
            check_address(url, is_near=False)
    with pytest.raises(ValueError, match="https"):
        check_address("http://10.0.0.1/", is_near=True)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "0x7f.1", "2130706433"])
async def test_a_name_that_points_inside_is_not_connected_to(name: str):
    with pytest.raises(SignInRefused) as error:
        await Outside(timeout_s=2.0).get(f"https://{name}/", near=False)
    assert error.value.fault is SignInFault.ISSUER_UNREACHABLE
    assert error.value.reason in {"private address", "gaierror"}


async def test_a_name_that_points_elsewhere_a_moment_later_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    """The address that was looked at is the one connected to: the name is not looked up again."""
    async with running_issuer() as at:
        port = int(at.url.rpartition(":")[2])
        loop = asyncio.get_running_loop()
        asked, genuine = [], loop.getaddrinfo

        async def getaddrinfo(host: Any, *args: Any, **more: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name == "issuer.localhost":
                asked.append(name)
                host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
            return await genuine(host, *args, **more)

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        answer = await Outside(timeout_s=2.0).get(f"http://issuer.localhost:{port}/keys", near=True)
    assert answer.status == 200
    assert asked == ["issuer.localhost"]
    assert at.headers[0]["host"] == f"issuer.localhost:{port}"


async def test_one_inner_address_among_outer_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch):
    async def getaddrinfo(*_: Any, **__: Any) -> Any:
        return [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(SignInRefused) as error:
        await Outside(timeout_s=2.0).get("https://issuer.example/", near=False)
    assert error.value.reason == "private address"


async def test_nobody_is_there():
    with pytest.raises(SignInRefused) as error:
        await Outside(timeout_s=2.0).get("http://127.0.0.1:1/", near=True)
    assert error.value.fault is SignInFault.ISSUER_UNREACHABLE


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with running_issuer() as at:
        assert (await Outside(timeout_s=2.0).get(f"{at.url}/keys", near=True)).status == 200
