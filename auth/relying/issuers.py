"""Which issuers people may sign in with, and how each is spoken to.

Promises: an `Issuer` that was made is in order: its address is one that can be trusted to be its own, its algorithms
are asymmetric ones, and its secret fits the way it is used. A secret is never shown, not even by `repr`.
Never fetches anything: what an issuer publishes of itself is `metadata`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth.loopback import is_loopback

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What an issuer may sign with: every one of these needs a private key that only the issuer has."""

USUAL_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
USUAL_SCOPES = ("openid", "email", "profile")
USUAL_STRONG = ("mfa",)
LONGEST_URL = 2_000
LONGEST_NAME = 100
LONGEST_SECRET = 20_000
MOST_WORDS = 50


class ClientAuthentication(StrEnum):
    """How Plein shows at the token endpoint that it is itself. All of them with PKCE."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY = "private_key_jwt"


class Joiners(StrEnum):
    """For whom an account is made at the first sign-in."""

    OPEN = "open"
    DOMAINS = "domains"
    INVITED = "invited"


class IssuerInvalid(ValueError):  # noqa: N818 - a verdict
    """A configuration that is not in order: `field` is the word that is wrong, as the file has it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID Connect issuer. `key` is its short name here, and part of the redirect URI that it must know.

    `strong`: values of `amr` or `acr` that say a second factor was used. `strong_acr`: what is asked for in
    `acr_values` where one is needed. `vouches`: its addresses count as verified though it does not say so.
    `is_near`: it may be at a private address and, on this machine, without TLS.
    """

    key: str
    url: str
    name: str
    client_id: str
    authentication: ClientAuthentication = ClientAuthentication.BASIC
    secret: str | None = field(default=None, repr=False)
    algorithms: tuple[str, ...] = USUAL_ALGORITHMS
    scopes: tuple[str, ...] = USUAL_SCOPES
    joiners: Joiners = Joiners.OPEN
    domains: tuple[str, ...] = ()
    vouches: bool = False
    strong: tuple[str, ...] = USUAL_STRONG
    strong_acr: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    is_near: bool = False
    version: int = 0

    def __post_init__(self) -> None:
        _check_names(self)
        _check_url(self)
        _check_secret(self)
        _check_words(self)
        if self.max_age_seconds is not None and not 0 <= self.max_age_seconds <= 365 * 86_400:
            raise IssuerInvalid("max_age_seconds", "from 0 to a year")

    @property
    def discovery_url(self) -> str:
        """Where it publishes its metadata."""
        return self.url.rstrip("/") + "/.well-known/openid-configuration"

    def is_strong(self, acr: str | None, amr: Sequence[str]) -> bool:
        """Whether these words of an ID token say that a second factor was used."""
        return any(word in self.strong for word in (acr, *amr))

    def signing_key(self) -> Key:
        """The private key for `private_key_jwt`. Raises IssuerInvalid."""
        return read_private_key(self.secret or "")


def issuer_from(key: str, given: Mapping[str, Any], *, is_near: bool) -> Issuer:
    """The issuer in a table of the file. Raises IssuerInvalid, which names the word."""
    words: dict[str, type] = {
        "issuer": str,
        "name": str,
        "client_id": str,
        "authentication": str,
        "client_secret": str,
        "private_key": str,
        "algorithms": list,
        "scopes": list,
        "accounts": str,
        "domains": list,
        "email_is_verified": bool,
        "strong": list,
        "strong_acr": list,
        "max_age_seconds": int,
    }
    for word, value in given.items():
        if word not in words:
            raise IssuerInvalid(word, "there is no such word")
        if type(value) is not words[word]:
            raise IssuerInvalid(word, f"must be of type {words[word].__name__}")
        if isinstance(value, list) and not all(isinstance(each, str) for each in value):
            raise IssuerInvalid(word, "must be a list of texts")
    for word in ("issuer", "client_id"):
        if word not in given:
            raise IssuerInvalid(word, "must be given")
    secret = given.get("client_secret") or given.get("private_key")
    usual = ClientAuthentication.PRIVATE_KEY if "private_key" in given else ClientAuthentication.BASIC
    usual = usual if secret else ClientAuthentication.NONE
    return Issuer(
        key=key,
        url=given["issuer"],
        name=given.get("name", key),
        client_id=given["client_id"],
        authentication=_one_of(ClientAuthentication, given, "authentication", usual),
        secret=secret,
        algorithms=tuple(given.get("algorithms", USUAL_ALGORITHMS)),
        scopes=tuple(given.get("scopes", USUAL_SCOPES)),
        joiners=_one_of(Joiners, given, "accounts", Joiners.OPEN),
        domains=tuple(each.lower() for each in given.get("domains", ())),
        vouches=given.get("email_is_verified", False),
        strong=tuple(given.get("strong", USUAL_STRONG)),
        strong_acr=tuple(given.get("strong_acr", ())),
        max_age_seconds=given.get("max_age_seconds"),
        is_near=is_near,
    )


def read_private_key(text: str) -> Key:
    """A private key in PEM or as a JWK. Raises IssuerInvalid for anything else."""
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key: Key = kind.import_key(_json_object(text) or text)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if key.is_private:
            return key
    raise IssuerInvalid("private_key", "must be a private RSA, EC or Ed25519 key in PEM or as a JWK")


def is_loopback_url(url: str) -> bool:
    """Whether this address is this machine's own."""
    return is_loopback(urlsplit(url).hostname or "")


def check_address(url: object, *, is_near: bool) -> str:
    """An address to speak to: https, or plain http on this machine where that is allowed. Raises ValueError."""
    if not isinstance(url, str) or len(url) > LONGEST_URL or re.search(r"[^\x21-\x7e]", url):
        raise ValueError("must be an address")
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("must be an address with a port that can be") from None
    if not parts.hostname or parts.username is not None or parts.password is not None or "#" in url:
        raise ValueError("must be an address with a host, without a name, a password or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_near and is_loopback_url(url)):
        raise ValueError("must begin with https://")
    return url


def _check_names(issuer: Issuer) -> None:
    if not KEY.fullmatch(issuer.key):
        raise IssuerInvalid("key", "1 to 40 lower-case letters, digits and hyphens, no hyphen first")
    if not 1 <= len(issuer.name.strip()) <= LONGEST_NAME:
        raise IssuerInvalid("name", f"1 to {LONGEST_NAME} characters")
    if not 1 <= len(issuer.client_id) <= 500 or not issuer.client_id.isprintable():
        raise IssuerInvalid("client_id", "1 to 500 printable characters")


def _check_url(issuer: Issuer) -> None:
    try:
        check_address(issuer.url, is_near=issuer.is_near)
    except ValueError as error:
        raise IssuerInvalid("issuer", str(error)) from None
    if "?" in issuer.url:
        raise IssuerInvalid("issuer", "must have no query")


def _check_secret(issuer: Issuer) -> None:
    wants = issuer.authentication is not ClientAuthentication.NONE
    if wants and not issuer.secret:
        word = "private_key" if issuer.authentication is ClientAuthentication.PRIVATE_KEY else "client_secret"
        raise IssuerInvalid(word, f"must be given for {issuer.authentication}")
    if not wants and issuer.secret:
        raise IssuerInvalid("client_secret", "is of no use without authentication")
    if issuer.secret is not None and len(issuer.secret) > LONGEST_SECRET:
        raise IssuerInvalid("client_secret", f"at most {LONGEST_SECRET} characters")
    if issuer.authentication is ClientAuthentication.PRIVATE_KEY:
        issuer.signing_key()


def _check_words(issuer: Issuer) -> None:
    for name in ("algorithms", "scopes", "domains", "strong", "strong_acr"):
        words = getattr(issuer, name)
        if len(words) > MOST_WORDS or not all(1 <= len(word) <= 300 and word.isprintable() for word in words):
            raise IssuerInvalid(name, f"at most {MOST_WORDS} words of 1 to 300 characters")
        if name in {"scopes", "strong_acr"} and any(" " in word for word in words):
            raise IssuerInvalid(name, "a word has no spaces")
    if not issuer.algorithms or set(issuer.algorithms) - set(ALGORITHMS):
        raise IssuerInvalid("algorithms", f"some of {', '.join(ALGORITHMS)}")
    if "openid" not in issuer.scopes:
        raise IssuerInvalid("scopes", "must hold openid")
    if (issuer.joiners is Joiners.DOMAINS) != bool(issuer.domains):
        raise IssuerInvalid("domains", "must be given where accounts are for domains, and only there")
    if not all(DOMAIN.fullmatch(each) for each in issuer.domains):
        raise IssuerInvalid("domains", "must be names such as example.nl")


def _one_of(kind: Any, given: Mapping[str, Any], word: str, usual: Any) -> Any:
    if word not in given:
        return usual
    try:
        return kind(given[word])
    except ValueError:
        raise IssuerInvalid(word, f"one of {', '.join(each.value for each in kind)}") from None


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
