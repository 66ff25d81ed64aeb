"""The console: one page, its files, its policy; over plain HTTP, and in a real browser where there is one."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256

import httpx
import pytest
from starlette.applications import Starlette

from gateway.graphiql import FILES, accepts_gzip, console_routes, load_console

VENDORED = re.findall(
    r"^\| `([\w.-]+)` \| [^|]+ \| [^|]+ \| `([0-9a-f]{64})` \|$", (FILES / "VENDORED.md").read_text(), re.M
)


def client(*, is_development: bool = True) -> httpx.AsyncClient:
    app = Starlette(routes=console_routes(is_development=is_development))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000")


async def test_the_page_loads_only_from_here_and_every_file_is_there() -> None:
    async with client() as http:
        page = await http.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        links = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert len(links) > 8
        assert {link for link in links if not link.startswith("/console/")} == {"/", "/sign-in?next=%2F"}
        for link in {link for link in links if link.startswith("/console/")}:
            found = await http.get(link)
            assert found.status_code == 200, link
            assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "{{" not in page.text


async def test_the_policy_lets_no_inline_script_and_no_other_origin_in() -> None:
    async with client() as http:
        page, again = await http.get("/"), await http.get("/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page.text) == []
    nonces = [re.search(r"'nonce-([\w-]{20,})'", each.headers["content-security-policy"])[1] for each in (page, again)]
    assert f'nonce="{nonces[0]}"' in page.text
    assert nonces[0] != nonces[1]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("is_development", [True, False])
async def test_the_page_says_whether_one_can_sign_in_from_it(is_development: bool) -> None:
    async with client(is_development=is_development) as http:
        page = await http.get("/")
    assert f'data-mode="{"development" if is_development else "production"}"' in page.text


async def test_a_file_is_asked_for_again_only_when_it_changed() -> None:
    digest = load_console().digest
    async with client() as http:
        first = await http.get(f"/console/{digest}/console.js")
        again = await http.get(f"/console/{digest}/console.js", headers={"if-none-match": first.headers["etag"]})
        other = await http.get(f"/console/{digest}/session.js", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b""


async def test_a_file_is_sent_compressed_to_who_can_read_that() -> None:
    path, plain = f"/console/{load_console().digest}/vendor/graphiql.min.js", FILES / "vendor" / "graphiql.min.js"
    async with client() as http:
        small = await http.get(path, headers={"accept-encoding": "br, gzip"})
        whole = await http.get(path, headers={"accept-encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < plain.stat().st_size / 2
    assert small.headers["vary"] == whole.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in whole.headers
    assert small.content == whole.content == plain.read_bytes()


@pytest.mark.parametrize(
    ("header", "accepted"),
    [("gzip", True), ("GZip;q=0.5", True), ("*", True), ("", False), ("br", False), ("gzip; q=0", False)],
)
def test_who_can_read_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    "path",
    [
        "/console/{digest}/nothing.js",
        "/console/{digest}/index.html",
        "/console/{digest}/VENDORED.md",
        "/console/{digest}/%2e%2e/graphiql.py",
        "/console/{digest}/vendor%2F..%2F..%2Fgraphiql.py",
        "/console/0123456789abcdef/console.js",
    ],
)
async def test_nothing_else_is_served(path: str) -> None:
    async with client() as http:
        assert (await http.get(path.format(digest=load_console().digest))).status_code == 404


def test_the_files_compressed_are_the_files() -> None:
    for name, asset in load_console().assets.items():
        assert gzip.decompress(asset.compressed) == asset.body, name


def test_what_is_vendored_is_what_was_published() -> None:
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in (FILES / "vendor").iterdir()}
    there.pop("LICENSES.txt")
    assert there == dict(VENDORED)


def test_the_licences_of_what_is_vendored_are_there() -> None:
    texts = (FILES / "vendor" / "LICENSES.txt").read_text()
    for package in ("graphiql", "react", "react-dom", "graphql", "codemirror", "Fira Code (font)", "Roboto (font)"):
        assert re.search(rf"^(?:.*, )?{re.escape(package)}(?:, .*)?$", texts, re.M), package
    assert texts.count("Permission is hereby granted") > 10


def test_our_own_scripts_load_nothing_from_elsewhere() -> None:
    for path in FILES.glob("*.*"):
        if path.suffix in {".js", ".css", ".html"}:
            assert re.findall(r"https?://|//\w+\.\w+/|\beval\b|innerHTML", path.read_text()) == [], path.name
