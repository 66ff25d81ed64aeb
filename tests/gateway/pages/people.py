"""People with accounts of their own: registered, signed in and out, all by the pages themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from gateway.app import Gateway
from tests.gateway.pages.post import Post, link_in
from tests.gateway.pages.visitor import Visitor

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """Somebody with an address and a password."""

    email: str = field(default_factory=lambda: f"{secrets.token_hex(8)}@example.nl")
    name: str = "Sanne Bakker"
    password: str = PASSWORD


async def registered(door: Gateway, post: Post, person: Person, visitor: Visitor | None = None) -> Visitor:
    """Register, and be signed in."""
    visitor = visitor or new_visitor(door)
    await visitor.open("/register")
    await visitor.send({"email": person.email})
    assert "We have sent a mail" in visitor.read.text, visitor.read.text
    await visitor.open(path_of(link_in(await post.letter(person.email))))
    await visitor.send({"name": person.name, "password": person.password})
    assert "Your account is made" in visitor.read.text, visitor.read.text
    return visitor


async def signed_in(door: Gateway, person: Person, visitor: Visitor | None = None, next_: str = "/account") -> Visitor:
    """Sign in by the page."""
    visitor = visitor or new_visitor(door)
    await visitor.open(f"/sign-in?next={next_}")
    await visitor.send({"email": person.email, "password": person.password})
    return visitor


def new_visitor(door: Gateway, **headers: str) -> Visitor:
    """A browser that reads English, from an address that nobody else has."""
    at = "https://plein.example" if door.square.settings.is_production else "http://localhost:8000"
    peer = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"
    return Visitor(door, at=at, peer=peer, accept_language="en", **headers)


def path_of(address: str) -> str:
    """An address without its origin."""
    return "/" + address.split("/", 3)[3]
