"""Access tokens: what is accepted, what is refused and how, and what a verified token costs afterwards."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from timeit import timeit
from uuid import UUID, uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from auth import remembered, tokens
from auth.errors import TokenExpired, Unauthenticated
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer, derive_key
from auth.remembered import REMEMBER_SECONDS
from auth.tokens import MAX_TOKEN_BYTES, TokenVerifier, TrustedIssuer
from auth.viewer import PlatformRole, Viewer

SECRET = "a secret of the test, long enough"
START = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    now = START

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Square:
    """The accounts there are, by identity; counts how often it was asked."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], Viewer] = {}
        self.asked = 0

    async def load(self, issuer: str, subject: str) -> Viewer | None:
        """Say who has this identity."""
        self.asked += 1
        return self.accounts.get((issuer, subject))

    def add(self, subject: str, role: PlatformRole = PlatformRole.NONE) -> UUID:
        """Give this subject a new account."""
        account_id = uuid4()
        self.accounts[DEVELOPMENT_ISSUER, subject] = Viewer(account_id, role)
        return account_id


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def square() -> Square:
    return Square()


@pytest.fixture
def issuer(clock: Clock) -> DevelopmentIssuer:
    return DevelopmentIssuer(SECRET, clock=clock)


@pytest.fixture
def verifier(issuer: DevelopmentIssuer, square: Square, clock: Clock) -> TokenVerifier:
    return TokenVerifier([issuer.trusted], square.load, clock=clock)


def claims(**changes: object) -> dict[str, object]:
    """Right claims, changed; None takes one away."""
    right = {"iss": DEVELOPMENT_ISSUER, "sub": "anna", "aud": "plein", "iat": int(START), "exp": int(START) + 600}
    return {name: value for name, value in (right | changes).items() if value is not None}


def sign(payload: dict[str, object], *, secret: str = SECRET, algorithm: str = "HS256", **header: object) -> str:
    key = OctKey.import_key(derive_key(secret, "development-issuer"))
    return jwt.encode({"alg": algorithm, "typ": "at+jwt"} | header, payload, key, algorithms=[algorithm])


def unsigned(header: dict[str, object], payload: dict[str, object], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload))
    return ".".join((*parts, signature))


async def test_a_minted_token_is_the_account_with_that_identity(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square
) -> None:
    account_id = square.add("anna", PlatformRole.ANALYST)
    assert await verifier.verify(issuer.mint("anna").text) == Viewer(account_id, PlatformRole.ANALYST)


async def test_two_tokens_for_one_subject_differ(issuer: DevelopmentIssuer) -> None:
    assert issuer.mint("anna").text != issuer.mint("anna").text


def forged() -> Iterator[tuple[str, str]]:
    """Tokens that must be refused, with the reason as the name of the case."""
    yield "empty", ""
    yield "nonsense", "nonsense"
    yield "dots only", ".."
    yield "not ascii", sign(claims())[:-3] + "ééé"
    yield "half a surrogate", "a.\ud800.b"
    yield "nul", sign(claims()) + "\0"
    yield "no algorithm", unsigned({"alg": "none", "typ": "at+jwt"}, claims())
    yield "no algorithm, in capitals", unsigned({"alg": "NONE", "typ": "at+jwt"}, claims())
    yield "signature left out", sign(claims()).rpartition(".")[0] + "."
    yield "another payload", ".".join((sign(claims()).split(".")[0], sign(claims(sub="eve")).split(".")[1], "x" * 43))
    yield "another secret", sign(claims(), secret="another secret, as long as the first")
    yield "another algorithm, same key", sign(claims(), algorithm="HS512")
    yield "an ID token", sign(claims(), typ="JWT")
    yield "an unknown critical header", unsigned({"alg": "HS256", "typ": "at+jwt", "crit": ["x"], "x": 1}, claims())
    yield "another audience", sign(claims(aud="elsewhere"))
    yield "another issuer", sign(claims(iss="https://elsewhere.example"))
    yield "not yet", sign(claims(nbf=int(START) + 60))
    yield "issued in the future", sign(claims(iat=int(START) + 60))
    yield "unknown account", sign(claims(sub="nobody"))
    yield "subject is a number", sign(claims(sub=7))
    yield "subject is empty", sign(claims(sub=""))
    yield "end is text", sign(claims(exp="tomorrow"))
    yield from ((f"no {name}", sign(claims(**{name: None}))) for name in ("iss", "sub", "aud", "iat", "exp"))
    yield "too long", sign(claims(padding="x" * MAX_TOKEN_BYTES))
    yield "deep", unsigned({"alg": "HS256"}, {}).split(".")[0] + "." + "W" * 4000 + ".x"
    yield "encrypted", "a.b.c.d.e"
    yield "payload is a list", jwt_of_list()


def jwt_of_list() -> str:
    from joserfc import jws  # noqa: PLC0415

    key = OctKey.import_key(derive_key(SECRET, "development-issuer"))
    return jws.serialize_compact({"alg": "HS256", "typ": "at+jwt"}, b"[1]", key)


@pytest.mark.parametrize(("reason", "token"), list(forged()), ids=lambda value: value[:40])
async def test_refused(verifier: TokenVerifier, square: Square, reason: str, token: str) -> None:
    square.add("anna")
    square.add("eve")
    square.add("")
    if reason == "subject is empty":
        square.accounts.pop((DEVELOPMENT_ISSUER, ""))
    with pytest.raises(Unauthenticated) as refusal:
        await verifier.verify(token)
    assert type(refusal.value) is Unauthenticated
    assert refusal.value.message == "The access token is not valid."


async def test_the_public_key_is_no_secret() -> None:
    """A token signed with the text of an RSA public key as HMAC key is refused: the issuer's algorithm decides."""
    key = RSAKey.generate_key(2048, private=True)
    verifier = TokenVerifier([TrustedIssuer("https://id.example", "RS256", key)], Square().load, clock=Clock())
    signed = unsigned({"alg": "HS256", "typ": "at+jwt"}, claims(iss="https://id.example")).rpartition(".")[0]
    digest = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
    token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_only_expired_is_told_apart(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square, clock: Clock
) -> None:
    square.add("anna")
    token = issuer.mint("anna", lifetime_seconds=60)
    clock.now = token.expires_at + tokens.CLOCK_SKEW_SECONDS - 1
    await verifier.verify(token.text)
    clock.now = token.expires_at + tokens.CLOCK_SKEW_SECONDS + 1
    with pytest.raises(TokenExpired, match="sign in again"):
        await verifier.verify(token.text)


async def test_no_token_outlives_an_hour(issuer: DevelopmentIssuer) -> None:
    assert issuer.mint("anna", lifetime_seconds=10**9).expires_at == START + 3600


async def test_where_the_development_issuer_is_not_trusted_its_tokens_are_nothing(
    issuer: DevelopmentIssuer, square: Square, clock: Clock
) -> None:
    square.add("anna")
    production = TokenVerifier([], square.load, clock=clock)
    with pytest.raises(Unauthenticated):
        await production.verify(issuer.mint("anna").text)
    assert square.asked == 0


async def test_two_issuers_side_by_side(issuer: DevelopmentIssuer, square: Square, clock: Clock) -> None:
    account_id = square.add("anna")
    other = TrustedIssuer("https://id.example", "RS256", RSAKey.generate_key(2048, private=True))
    square.accounts["https://id.example", "anna"] = other_viewer = Viewer(uuid4())
    verifier = TokenVerifier([other, issuer.trusted], square.load, clock=clock)
    assert (await verifier.verify(issuer.mint("anna").text)).account_id == account_id
    theirs = jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims(iss="https://id.example"), other.key)
    assert await verifier.verify(theirs) == other_viewer
    # One issuer's key is not good for another issuer's name.
    crossed = jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims(), other.key)
    with pytest.raises(Unauthenticated):
        await verifier.verify(crossed)


async def test_a_verified_token_is_remembered_for_half_a_minute(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square, clock: Clock
) -> None:
    square.add("anna")
    token = issuer.mint("anna").text
    assert verifier.memory.find(token) is None
    viewer = await verifier.verify(token)
    square.accounts.clear()
    clock.now += REMEMBER_SECONDS - 1
    assert verifier.memory.find(token) == viewer == await verifier.verify(token)
    assert square.asked == 1
    clock.now += 2
    assert verifier.memory.find(token) is None
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_nothing_is_remembered_past_its_end(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square, clock: Clock
) -> None:
    square.add("anna")
    token = issuer.mint("anna", lifetime_seconds=5)
    await verifier.verify(token.text)
    clock.now = token.expires_at
    assert verifier.memory.find(token.text) is None


async def test_a_refusal_is_not_remembered(issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square) -> None:
    token = issuer.mint("anna").text
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)
    square.add("anna")
    assert (await verifier.verify(token)).account_id is not None


async def test_what_is_remembered_is_bounded(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "REMEMBER_CREDENTIALS", 3)
    square.add("anna")
    several = [issuer.mint("anna").text for _ in range(5)]
    for token in several:
        await verifier.verify(token)
    assert [verifier.memory.find(token) is not None for token in several] == [False, False, True, True, True]


async def test_a_remembered_token_costs_next_to_nothing(
    issuer: DevelopmentIssuer, verifier: TokenVerifier, square: Square
) -> None:
    square.add("anna")
    token = issuer.mint("anna").text
    await verifier.verify(token)
    runs = 2_000
    microseconds = min(timeit(lambda: verifier.memory.find(token), number=runs) for _ in range(5)) / runs * 1e6
    assert microseconds < 10, f"{microseconds:.1f} us; about 1.3 us on a quiet machine"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        DevelopmentIssuer("short")


def test_each_purpose_has_its_own_key() -> None:
    assert derive_key(SECRET, "one") != derive_key(SECRET, "other") != derive_key(SECRET + "x", "other")
    assert len(derive_key(SECRET, "one")) == 32
