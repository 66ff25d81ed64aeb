"""Who is asked about the credentials that come to the door, and how they read what they need.

Promises: what one of them remembers, it forgets as soon as it is revoked. In production no development token counts.
"""

from __future__ import annotations

from auth.accounts import load_viewer
from auth.authenticator import Authenticator
from auth.issuer import DevelopmentIssuer
from auth.provider.provider import Provider, make_provider
from auth.provider.verifier import AccessTokenVerifier
from auth.revocations import Revocations
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
        settings.providing, base_host=base_host, secret=secret, is_production=settings.is_production
    )
    return make_provider(given, lambda: database.transaction(None))


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

    issuers = [] if settings.is_production else [DevelopmentIssuer(settings.secret).trusted]
    others, sessions = TokenVerifier(issuers, load), SessionVerifier(load_seen)
    tokens = AccessTokenVerifier(provider, others)
    for each in (others, tokens, sessions):
        revocations.hear_for(each.memory)
    return Authenticator(tokens=tokens, sessions=sessions)
