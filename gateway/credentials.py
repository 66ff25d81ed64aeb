"""Who is asked about the credentials that come to the door, and how they read what they need.

Promises: what one of them remembers, it forgets as soon as it is revoked. In production no development token counts.
"""

from __future__ import annotations

from uuid import UUID

from auth.accounts import load_viewer
from auth.api_keys import KeyVerifier, StoredKey, load_key
from auth.authenticator import Authenticator
from auth.issuer import DevelopmentIssuer
from auth.provider.provider import Provider, make_provider
from auth.provider.signing_keys import ALL_KEYS
from auth.provider.verifier import AccessTokenVerifier
from auth.relying.directory import Directory
from auth.revocations import Revocations, Revoked
from auth.session_verifier import SessionVerifier
from auth.sessions import Session, load_session, touch_session
from auth.tokens import TokenVerifier
from auth.viewer import Viewer
from gateway.providing import provider_settings
from gateway.settings import Settings
from tenants.database import Database


def provider_of(settings: Settings, database: Database) -> Provider:
    """The OpenID Provider that this square is."""
    base_host, secret = settings.base_host, settings.secret
    given = provider_settings(
        settings.providing,
        settings.signing_in.sessions,
        settings.base_url,
        base_host=base_host,
        secret=secret,
        is_production=settings.is_production,
    )
    return make_provider(given, lambda: database.transaction(None))


def make_directory(settings: Settings) -> Directory:
    """The issuers that people sign in with."""
    return Directory(settings.signing_in.issuers, settings.secret, allows_near=not settings.is_production)


def make_authenticator(
    settings: Settings, database: Database, revocations: Revocations, provider: Provider
) -> Authenticator:
    """The one of this process."""

    async def load(issuer: str, subject: str) -> Viewer | None:
        async with database.transaction(None) as tx:
            return await load_viewer(tx, issuer, subject)

    async def load_seen(token: str, host: str) -> Session | None:
        async with database.transaction(None) as tx:
            session = await load_session(tx, token, host, settings.signing_in.sessions)
            if session is not None:
                await touch_session(tx, session)
        return session

    async def load_one(key_id: UUID) -> StoredKey | None:
        async with database.transaction(None) as tx:
            return await load_key(tx, key_id)

    keys = KeyVerifier(load_one)
    issuers = [] if settings.is_production else [DevelopmentIssuer(settings.secret).trusted]
    others, sessions = TokenVerifier(issuers, load), SessionVerifier(load_seen)
    tokens = AccessTokenVerifier(provider, others)
    for each in (tokens, sessions, keys):
        revocations.hear_for(each.memory)

    def hear(revoked: Revoked) -> None:
        if revoked.subject_id == ALL_KEYS:
            provider.keys.forget()
            tokens.memory.forget_all()

    revocations.hear(hear)
    return Authenticator(tokens=tokens, sessions=sessions, keys=keys)
