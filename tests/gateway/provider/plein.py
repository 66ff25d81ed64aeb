"""A square that other services sign people in with, for its tests: its clients, its people, and the way through it."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx
import orjson
from sqlalchemy import update

from auth.accounts import create_account
from auth.provider.clients import Authentication, Client, GrantType, SubjectType
from auth.provider.registration import ClientDescription, create_client
from auth.provider.scopes import TENANT
from auth.sessions import Authentication as How
from auth.sessions import Device, open_session
from auth.viewer import PlatformRole
from gateway.app import Gateway
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tests.gateway.pages.visitor import Visitor

CALLBACK = "https://app.example/callback"
EVERY_GRANT = frozenset(GrantType)
EVERY_SCOPE = frozenset({"openid", "profile", "email", "offline_access", "read", "write", "admin"})


@dataclass
class Person:
    """Somebody with an account."""

    id: UUID
    name: str
    email: str


@dataclass
class Registered:
    """A client with its secret, as whoever registered it has it."""

    client: Client
    secret: str | None

    @property
    def id(self) -> str:
        """Its client_id."""
        return str(self.client.id)

    @property
    def basic(self) -> tuple[str, str]:
        """How it proves who it is."""
        return self.id, self.secret or ""


@dataclass
class Plein:
    """The running square."""

    gateway: Gateway
    url: str
    sites: dict[str, TenantRef]
    anna: Person
    bram: Person

    def browser(self) -> Visitor:
        """A new browser at the square's own address."""
        return Visitor(self.gateway, at=self.url)

    async def signed_in(self, person: Person, **how: Any) -> Visitor:
        """A browser in which this person is signed in; `how` as `sign_in` takes it."""
        visitor = self.browser()
        await self.sign_in(visitor, person, **how)
        return visitor

    async def sign_in(
        self,
        visitor: Visitor,
        person: Person,
        *,
        at: datetime | None = None,
        acr: str | None = None,
        amr: tuple[str, ...] = ("pwd", "otp"),
    ) -> UUID:
        """Let this person sign in in a browser."""
        how = How("urn:plein:test", str(person.id), None, acr, amr, at or datetime.now(UTC))
        async with self.gateway.square.database.transaction(None) as tx:
            session = await open_session(tx, person.id, how, Device("Test", "192.0.2.7"))
        visitor.keep("plein", session.token)
        return session.id

    async def register(
        self, authentication: Authentication = Authentication.SECRET, *, by: Person | None = None, **fields: Any
    ) -> Registered:
        """A client; unless told otherwise one that may do everything that any client may."""
        grants = EVERY_GRANT - ({GrantType.CLIENT_CREDENTIALS} if authentication is Authentication.NONE else set())
        given: dict[str, Any] = {
            "name": f"App {secrets.token_hex(3)}",
            "tenant_id": None,
            "authentication": authentication,
            "grant_types": grants,
            "scopes": EVERY_SCOPE,
            "redirect_uris": (CALLBACK,),
            "subject_type": SubjectType.PAIRWISE,
        }
        description = ClientDescription(**given | fields)
        async with self.gateway.square.database.transaction(None) as tx:
            client, secret = await create_client(tx, description, (by or self.anna).id, datetime.now(UTC))
        return Registered(client, secret)

    async def post(self, path: str, data: dict[str, Any] | str, **more: Any) -> httpx.Response:
        """Send a form to an endpoint for clients."""
        transport = httpx.ASGITransport(self.gateway, client=("192.0.2.9", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as http:
            if isinstance(data, str):
                headers = {"content-type": "application/x-www-form-urlencoded", **more.pop("headers", {})}
                return await http.post(path, content=data, headers=headers, **more)
            return await http.post(path, data=data, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask an endpoint for clients."""
        transport = httpx.ASGITransport(self.gateway, client=("192.0.2.9", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as http:
            return await http.get(path, **more)

    async def ask(self, token: str, document: str) -> dict[str, Any]:
        """Ask the API with an access token."""
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        transport = httpx.ASGITransport(self.gateway, client=("192.0.2.9", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as http:
            return (await http.post("/graphql", json={"query": document}, headers=headers)).json()


@dataclass
class Attempt:
    """One request of a client to sign somebody in, with the verifier that belongs to it."""

    verifier: str
    values: dict[str, str]

    @property
    def path(self) -> str:
        """Where the browser is sent."""
        return f"/oauth/authorize?{urlencode(self.values)}"


def attempt(registered: Registered, **values: str | None) -> Attempt:
    """A request in order; what is None is left out."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    given: dict[str, str | None] = {
        "response_type": "code",
        "client_id": registered.id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return Attempt(verifier, {name: value for name, value in (given | values).items() if value is not None})


def returned(answer: httpx.Response, to: str = CALLBACK) -> dict[str, str]:
    """What the client is told by the address that the browser is sent to."""
    assert answer.status_code in {302, 303}, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{to}?"), location
    return dict(parse_qsl(urlsplit(location).query))


async def agree(visitor: Visitor, answer: httpx.Response, word: str = "yes") -> httpx.Response:
    """Answer the page that asks whether one agrees; whatever else came is given back as it is."""
    if answer.status_code == 200 and "/oauth/consent" in answer.text:
        return await visitor.send({"answer": word})
    return answer


async def code_for(visitor: Visitor, asked: Attempt) -> dict[str, str]:
    """Sign in at the client, agreeing where it is asked."""
    return returned(await agree(visitor, await visitor.open(asked.path)), asked.values["redirect_uri"])


async def tokens_for(plein: Plein, visitor: Visitor, registered: Registered, **values: str | None) -> dict[str, Any]:
    """Sign in at the client and get the tokens."""
    asked = attempt(registered, **values)
    told = await code_for(visitor, asked)
    answer = await redeem(plein, registered, asked, told["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def redeem(plein: Plein, registered: Registered, asked: Attempt, code: str, /, **values: str) -> httpx.Response:
    """Exchange a code."""
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.values["redirect_uri"],
        "code_verifier": asked.verifier,
        **({"client_id": registered.id} if registered.secret is None else {}),
    }
    auth = None if registered.secret is None else registered.basic
    return await plein.post("/oauth/token", data | values, auth=auth)


async def refresh(plein: Plein, registered: Registered, token: str, **values: str) -> httpx.Response:
    """Exchange a refresh token."""
    data = {"grant_type": "refresh_token", "refresh_token": token, **values}
    if registered.secret is None:
        return await plein.post("/oauth/token", data | {"client_id": registered.id})
    return await plein.post("/oauth/token", data, auth=registered.basic)


def claims_in(token: str) -> dict[str, Any]:
    """What a token says, unchecked."""
    part = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def opened(gateway: Gateway, port: int) -> Plein:
    """Fill the square: Anna owns sites A and B and one that demands a second factor, Bram is nowhere."""
    database = gateway.square.database
    people = []
    async with database.transaction(None) as tx:
        for name, role in (("Anna de Boer", PlatformRole.NONE), ("Bram Jansen", PlatformRole.NONE)):
            account = await create_account(tx, name, f"{secrets.token_hex(4)}@example.nl", role=role)
            people.append(Person(account.id, account.name, account.email))
    sites = {}
    for letter in "ab":
        new = NewTenant(
            slug=f"site-{letter}-{secrets.token_hex(3)}", name=f"Site {letter.upper()}", access=2, visibility=4
        )
        sites[letter] = await provision(database, new, owner_account_id=people[0].id)
    strict = NewTenant(slug=f"strict-{secrets.token_hex(3)}", name="Streng", access=2, visibility=4)
    sites["demanding"] = await provision(database, strict, owner_account_id=people[0].id)
    async with database.transaction(None) as tx:
        mine = TENANT.c.id == sites["demanding"].id
        await tx.execute(update(TENANT).where(mine).values(second_factor=True))
    return Plein(gateway, f"http://localhost:{port}", sites, *people)
