"""Somebody at a browser without JavaScript: reads pages, fills in their forms and sends them, and keeps cookies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

REFRESH = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]*)">')


@dataclass
class Form:
    """A form on a page: where it goes, and what stands in it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Read(HTMLParser):
    """The forms, links and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self._open = False
        self._href: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in the beginning of an element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
            self._open = True
        elif tag in {"input", "button"} and self._open and given.get("name"):
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self.forms[-1].fields.setdefault(given["name"], given.get("value", ""))
        elif tag == "a":
            self._href = given.get("href", "")
            self.links.append((self._href, ""))

    def handle_endtag(self, tag: str) -> None:
        """Take in its end."""
        if tag == "form":
            self._open = False
        elif tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        """Take in text."""
        self.text += data
        if self._href is not None:
            href, text = self.links[-1]
            self.links[-1] = (href, text + data)


class Visitor:
    """One browser. `page` is the last answer, after redirects within the same origin."""

    def __init__(self, app: Any, *, at: str = "http://localhost:8000", peer: str = "127.0.0.1", **headers: str) -> None:
        """`headers` are sent with everything; names with underscores."""
        transport = httpx.ASGITransport(app, client=(peer, 5000))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http = httpx.AsyncClient(transport=transport, base_url=at, headers={"accept": "text/html", **named})
        self.page = httpx.Response(0)
        self.stopped_at: str | None = None  # where a page led to that is of another origin

    @property
    def read(self) -> Read:
        """The last page, read."""
        return Read(self.page.text)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the browser has, by name."""
        return dict(self.http.cookies)

    def keep(self, name: str, value: str) -> None:
        """Have a cookie, as if this host had set it."""
        host = self.http.base_url.host
        self.http.cookies.set(name, value, domain=host if "." in host else f"{host}.local")

    async def open(self, address: str) -> httpx.Response:
        """Go to an address as if it was typed."""
        return await self._follow(await self.http.get(address, headers={"sec-fetch-site": "none"}))

    async def send(self, values: dict[str, str], *, form: int = 0, **headers: str) -> httpx.Response:
        """Fill in a form of the last page and send it."""
        found = self.read.forms[form]
        address = urljoin(str(self.page.url), found.action)
        parts = urlsplit(str(self.page.url))
        sent = {"origin": f"{parts.scheme}://{parts.netloc}", "sec-fetch-site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._follow(await self.http.post(address, data=found.fields | values, headers=sent))

    async def ask(self, document: str, variables: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """Send a GraphQL request, as a script of this origin does."""
        sent = {"origin": str(self.http.base_url).rstrip("/"), "accept": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"query": document, "variables": variables or {}}
        answer: dict[str, Any] = (await self.http.post("/graphql", json=body, headers=sent)).json()
        return answer

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect or (refreshed := REFRESH.search(answer.text)):
            where = answer.headers["location"] if answer.is_redirect else unescape(refreshed[1])
            there = urljoin(str(answer.url), where)
            if urlsplit(there).netloc != urlsplit(str(answer.url)).netloc:
                self.stopped_at = there
                break
            answer = await self.http.get(there, headers={"sec-fetch-site": "same-origin"})
        self.page = answer
        return answer
