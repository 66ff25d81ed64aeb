"""The way of one sign-in: to the issuer with a browser, and back with a code that becomes a statement.

Promises: every sign-in has a state, a nonce and a PKCE verifier of its own, made here; an answer counts only for the
sign-in that it answers, from the issuer that was asked, within its time. What the issuer says of a person comes from
its ID token, or from its userinfo endpoint about the same subject.
Never takes an address to go to from an answer, and never keeps a token that it does not need.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from auth.relying.client import authenticated
from auth.relying.faults import SignInFault, SignInRefused, faulty
from auth.relying.id_tokens import Expected, LogoutNotice, Statement, check_id_token, check_logout_token
from auth.relying.issuers import Issuer
from auth.relying.keys import KeysOfIssuer
from auth.relying.metadata import Metadata, MetadataOfIssuer
from auth.relying.outside import HEADERS, Answer, Outside
from auth.relying.person import Person, read_person

PENDING_SECONDS = 600
LONGEST_PARAMETER = 8_000
LONGEST_ACCESS_TOKEN = 16_000
TOLD_ERROR = 100  # characters of an issuer's own error code that go to the log
CANCELLED = {
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
}
MOST_KEPT = 200  # issuers of which metadata and keys are remembered


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in on its way, kept by the browser in a sealed cookie. `purpose` is whatever the caller has to know."""

    issuer: str
    state: str
    nonce: str
    verifier: str = field(repr=False)
    started_at: float
    max_age_seconds: int | None
    wants_strong: bool
    purpose: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """A sign-in at an issuer that came to a good end. `is_strong`: with a second factor, by the issuer's own words."""

    issuer: Issuer
    statement: Statement
    person: Person
    is_strong: bool
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one issuer."""

    issuer: Issuer
    metadata: MetadataOfIssuer
    keys: KeysOfIssuer


class RelyingParty:
    """Signs people in at issuers. One per process, on one event loop."""

    def __init__(self, outside: Outside | None = None, *, clock: Callable[[], float] = time) -> None:
        """`clock` gives seconds since the epoch; tests move it."""
        self._outside = outside or Outside()
        self._clock = clock
        self._known: dict[str, Known] = {}

    async def begin(
        self,
        issuer: Issuer,
        redirect_uri: str,
        *,
        purpose: dict[str, Any],
        strong: bool = False,
        again: bool = False,
        language: str | None = None,
    ) -> tuple[str, Pending]:
        """The address to send the browser to, and what to keep of it.

        `strong` asks for a second factor, `again` for signing in anew although the issuer knows them still.
        """
        metadata = await self._of(issuer).metadata.load()
        max_age = 0 if again else issuer.max_age_seconds
        pending = Pending(
            issuer=issuer.key,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            started_at=self._clock(),
            max_age_seconds=max_age,
            wants_strong=strong,
            purpose=purpose,
        )
        address = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=issuer.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=list(issuer.scopes),
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
            max_age=None if max_age is None else str(max_age),
            prompt="login" if again else None,
            acr_values=" ".join(issuer.strong_acr) if strong and issuer.strong_acr else None,
            ui_locales=language,
        )
        return address, pending

    async def finish(self, issuer: Issuer, redirect_uri: str, pending: Pending, answer: Mapping[str, str]) -> Proof:
        """Who signed in, by the answer that the browser brought. Raises SignInRefused."""
        self._require_answer_to(issuer, pending, answer)
        known = self._of(issuer)
        metadata = await known.metadata.load()
        require_same_issuer(issuer, metadata, answer)
        if "error" in answer:
            told = answer["error"][:TOLD_ERROR]
            fault = SignInFault.SIGN_IN_CANCELLED if told in CANCELLED else SignInFault.ISSUER_REFUSED
            raise SignInRefused(fault, told)
        code = answer.get("code", "")
        if not code or len(code) > LONGEST_PARAMETER:
            raise faulty("no code")
        tokens = await self._exchange(issuer, metadata, redirect_uri, pending, code)
        access_token = _access_token(tokens)
        expected = Expected(pending.nonce, access_token, pending.max_age_seconds)
        id_token = tokens.get("id_token")
        statement = await check_id_token(issuer, known.keys, id_token, expected, self._clock())
        person = read_person(statement.claims)
        if person.lacks_something and access_token is not None and metadata.userinfo_endpoint is not None:
            person = person.completed_by(await self._ask_userinfo(issuer, metadata, access_token, statement))
        is_strong = issuer.is_strong(statement.acr, statement.amr)
        if pending.wants_strong and not is_strong:
            raise SignInRefused(SignInFault.STEP_UP_FAILED, "amr")
        return Proof(issuer, statement, person, is_strong, str(id_token))

    async def read_logout_token(self, issuer: Issuer, token: object) -> LogoutNotice:
        """What a back-channel logout token says. Raises SignInRefused."""
        return await check_logout_token(issuer, self._of(issuer).keys, token, self._clock())

    async def end_session_address(
        self, issuer: Issuer, *, id_token: str | None, return_to: str, state: str
    ) -> str | None:
        """Where a browser goes to sign out at the issuer too; None where there is no such place, or no answer."""
        try:
            metadata = await self._of(issuer).metadata.load()
        except SignInRefused:
            return None
        if metadata.end_session_endpoint is None:
            return None
        parameters = [
            ("client_id", issuer.client_id),
            ("post_logout_redirect_uri", return_to),
            ("state", state),
        ]
        hint = [("id_token_hint", id_token)] if id_token else []
        address: str = add_params_to_uri(metadata.end_session_endpoint, [*hint, *parameters])
        return address

    def is_over(self, pending: Pending) -> bool:
        """Whether a sign-in took too long, or began in the future."""
        return not pending.started_at - 1 <= self._clock() <= pending.started_at + PENDING_SECONDS

    def _require_answer_to(self, issuer: Issuer, pending: Pending, answer: Mapping[str, str]) -> None:
        if pending.issuer != issuer.key:
            raise SignInRefused(SignInFault.ISSUER_MISMATCH, "begun at another")
        state = answer.get("state", "").encode("utf-8", "surrogatepass")
        if self.is_over(pending) or not hmac.compare_digest(state, pending.state.encode()):
            raise SignInRefused(SignInFault.SIGN_IN_EXPIRED, "state")

    async def _exchange(
        self, issuer: Issuer, metadata: Metadata, redirect_uri: str, pending: Pending, code: str
    ) -> dict[str, Any]:
        """The tokens for a code."""
        body = prepare_token_request(
            "authorization_code", "", redirect_uri=redirect_uri, code=code, code_verifier=pending.verifier
        )
        headers = {**HEADERS, "content-type": "application/x-www-form-urlencoded"}
        url, headers, body = authenticated(issuer, metadata.token_endpoint, headers, body)
        answer = await self._outside.post(url, body, headers, near=issuer.is_near)
        if answer.status == 200:
            return answer.json_object("tokens")
        raise _refused_code(answer)

    async def _ask_userinfo(
        self, issuer: Issuer, metadata: Metadata, access_token: str, statement: Statement
    ) -> dict[str, Any]:
        """What the userinfo endpoint tells of the one who signed in; of anybody else it is a fault."""
        assert metadata.userinfo_endpoint is not None
        headers = {"authorization": f"Bearer {access_token}"}
        answer = await self._outside.get(metadata.userinfo_endpoint, near=issuer.is_near, headers=headers)
        if answer.status != 200:
            raise faulty(f"userinfo: status {answer.status}")
        claims = answer.json_object("userinfo")
        if claims.get("sub") != statement.subject:
            raise faulty("userinfo: of somebody else")
        return claims

    def _of(self, issuer: Issuer) -> Known:
        """What is remembered of this issuer; nothing any more once its configuration changed."""
        known = self._known.pop(issuer.key, None)
        if known is None or known.issuer != issuer:
            metadata = MetadataOfIssuer(issuer, self._outside, self._clock)
            known = Known(issuer, metadata, KeysOfIssuer(issuer, metadata, self._outside, self._clock))
        self._known[issuer.key] = known
        if len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]
        return known


def require_same_issuer(issuer: Issuer, metadata: Metadata, answer: Mapping[str, str]) -> None:
    """Raise ISSUER_MISMATCH unless the answer is this issuer's, as RFC 9207 has it."""
    told = answer.get("iss")
    if told is None and metadata.names_itself:
        raise SignInRefused(SignInFault.ISSUER_MISMATCH, "no iss")
    if told is not None and told != issuer.url:
        raise SignInRefused(SignInFault.ISSUER_MISMATCH, "iss")


def _access_token(tokens: Mapping[str, Any]) -> str | None:
    """The access token, if there is one that can be used: as a bearer, printable, of a sound length."""
    token, kind = tokens.get("access_token"), tokens.get("token_type", "Bearer")
    if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    is_sound = token.isascii() and token.isprintable() and " " not in token and 0 < len(token) <= LONGEST_ACCESS_TOKEN
    return token if is_sound else None


def _refused_code(answer: Answer) -> SignInRefused:
    """What the token endpoint's refusal means: an old code is the person's to repeat, all else the operator's."""
    try:
        told = answer.json_object("tokens").get("error")
    except SignInRefused:
        told = None
    if answer.status == 400 and told == "invalid_grant":
        return SignInRefused(SignInFault.SIGN_IN_EXPIRED, "code")
    if answer.status >= 500:
        return SignInRefused(SignInFault.ISSUER_UNREACHABLE, f"tokens: status {answer.status}")
    return faulty(f"tokens: status {answer.status} {str(told)[:TOLD_ERROR]!r}")
