"""Signing in at an issuer: how it goes when all is well, and what of a lying, broken or hostile issuer is refused."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.flow import PENDING_SECONDS, Pending, Proof, RelyingParty
from auth.relying.issuers import ClientAuthentication, Issuer
from auth.relying.outside import Outside
from tests.auth.relying.issuer import EC, OTHER_RSA, RSA, FalseIssuer, parameters, running_issuer, unsigned

REDIRECT = "https://plein.example/sign-in/at/test/callback"
SECRET = "a:secret with/odd+characters"


@pytest_asyncio.fixture(scope="module")
async def one_issuer() -> AsyncIterator[FalseIssuer]:
    async with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def at(one_issuer: FalseIssuer) -> FalseIssuer:
    """The other side, doing everything right until told otherwise."""
    one_issuer.reset()
    return one_issuer


@pytest.fixture
def party() -> RelyingParty:
    return RelyingParty(Outside(timeout_s=1.0, size_bytes=64 * 1024))


def trusted(at: FalseIssuer, **fields: Any) -> Issuer:
    usual = {"key": "test", "url": at.url, "name": "Test", "client_id": "plein", "secret": SECRET, "is_near": True}
    return Issuer(**{**usual, **fields})


async def sign_in(party: RelyingParty, at: FalseIssuer, issuer: Issuer | None = None, **how: Any) -> Proof:
    issuer = issuer or trusted(at)
    address, pending = await party.begin(issuer, REDIRECT, purpose={}, **how)
    return await party.finish(issuer, REDIRECT, pending, at.approve(address))


async def refused(party: RelyingParty, at: FalseIssuer, issuer: Issuer | None = None, **how: Any) -> tuple[str, str]:
    """The code and the reason of a sign-in that must fail."""
    with pytest.raises(SignInRefused) as error:
        await sign_in(party, at, issuer, **how)
    assert 400 <= error.value.status < 500
    return error.value.fault.value, error.value.reason


async def test_who_signs_in_is_told(party: RelyingParty, at: FalseIssuer):
    at.claims = {"sid": "s-1", "acr": "high", "amr": ["pwd", "mfa"], "locale": "nl_NL"}
    proof = await sign_in(party, at)
    assert (proof.statement.subject, proof.statement.sid, proof.statement.acr) == ("subject-1", "s-1", "high")
    assert proof.statement.amr == ("pwd", "mfa")
    assert proof.is_strong
    assert abs(proof.statement.authenticated_at - time.time()) < 5
    person = proof.person
    assert (person.name, person.email, person.email_verified, person.language) == (
        "Anna de Wit",
        "anna@example.nl",
        True,
        "nl-NL",
    )
    assert at.count("/userinfo") == 0, "all was told already"


async def test_the_request_is_made_as_it_should_be(party: RelyingParty, at: FalseIssuer):
    at.metadata = {"authorization_endpoint": f"{at.url}/authorize?tenant=a%20b"}
    issuer = trusted(at, strong_acr=("loa:high", "loa:higher"), max_age_seconds=600)
    address, pending = await party.begin(issuer, REDIRECT, purpose={}, strong=True, again=True, language="nl")
    asked = parameters(address)
    assert asked == {
        "tenant": "a b",
        "response_type": "code",
        "client_id": "plein",
        "redirect_uri": REDIRECT,
        "scope": "openid email profile",
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": asked["code_challenge"],
        "code_challenge_method": "S256",
        "max_age": "0",
        "prompt": "login",
        "acr_values": "loa:high loa:higher",
        "ui_locales": "nl",
    }
    _, other = await party.begin(issuer, REDIRECT, purpose={})
    assert len({pending.state, pending.nonce, pending.verifier, other.state, other.nonce, other.verifier}) == 6


async def test_basic_authentication_is_encoded_first(party: RelyingParty, at: FalseIssuer):
    await sign_in(party, at, trusted(at, client_id="plein"))
    shown = next(each["authorization"] for each in at.headers if "authorization" in each)
    assert b64decode(shown.removeprefix("Basic ")).decode() == "plein:a%3Asecret+with%2Fodd%2Bcharacters"


async def test_other_ways_to_show_who_asks(party: RelyingParty, at: FalseIssuer):
    await sign_in(party, at, trusted(at, authentication=ClientAuthentication.POST))
    assert dict(at.asked)["/token"].items() >= {"client_id": "plein", "client_secret": SECRET}.items()
    at.reset()
    await sign_in(party, at, trusted(at, authentication=ClientAuthentication.NONE, secret=None))
    assert dict(at.asked)["/token"]["client_id"] == "plein"
    assert "client_secret" not in dict(at.asked)["/token"]


@pytest.mark.parametrize("made", [("RSA", 2048, "PS256"), ("EC", "P-256", "ES256"), ("EC", "P-521", "ES512")])
async def test_a_signed_assertion_shows_who_asks(party: RelyingParty, at: FalseIssuer, made: Any):
    kind, size, algorithm = made
    key = {"RSA": RSAKey, "EC": ECKey}[kind].generate_key(size, {"kid": "mine"})
    secret = json.dumps(key.as_dict(private=True)) if kind == "EC" else key.as_pem(private=True).decode()
    await sign_in(party, at, trusted(at, authentication=ClientAuthentication.PRIVATE_KEY, secret=secret))
    form = dict(at.asked)["/token"]
    shown = jwt.decode(form["client_assertion"], key, algorithms=[algorithm])
    assert (shown.claims["iss"], shown.claims["sub"], shown.claims["aud"]) == ("plein", "plein", at.url)
    assert shown.claims["exp"] - shown.claims["iat"] == 60
    assert "client_secret" not in form


async def test_what_the_token_lacks_is_asked_of_userinfo(party: RelyingParty, at: FalseIssuer):
    at.claims = {"email": None, "email_verified": None, "name": None}
    at.userinfo = {"email": "anna@example.nl", "email_verified": True, "given_name": "Anna", "family_name": "de Wit"}
    person = (await sign_in(party, at)).person
    assert (person.name, person.email, person.email_verified) == ("Anna de Wit", "anna@example.nl", True)
    at.userinfo["sub"] = "subject-2"
    assert await refused(party, at) == ("ISSUER_FAULTY", "userinfo: of somebody else")


@pytest.mark.parametrize("said", [{"email_verified": "true"}, {"email_verified": 1}, {"email_verified": None}])
async def test_an_address_is_verified_only_by_a_plain_true(party: RelyingParty, at: FalseIssuer, said: Any):
    at.claims = said
    assert not (await sign_in(party, at)).person.email_verified


NOW = int(time.time())
WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"iss": "https://elsewhere.example"}, "iss"),
    ({"iss": None}, "iss"),
    ({"iss": ["https://elsewhere.example"]}, "iss"),
    ({"aud": "somebody-else"}, "aud"),
    ({"aud": None}, "aud"),
    ({"aud": ["somebody-else"]}, "aud"),
    ({"aud": {"plein": 1}}, "aud"),
    ({"aud": ["plein", "other"]}, "azp"),
    ({"azp": "other"}, "azp"),
    ({"aud": ["plein", "other"], "azp": "other"}, "azp"),
    ({"nonce": "another"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"nonce": 7}, "nonce"),
    ({"exp": NOW - 3600}, "exp"),
    ({"exp": None}, "exp"),
    ({"exp": "tomorrow"}, "exp"),
    ({"iat": NOW + 3600}, "iat"),
    ({"iat": None}, "iat"),
    ({"nbf": NOW + 3600}, "nbf"),
    ({"sub": None}, "sub"),
    ({"sub": ""}, "sub"),
    ({"sub": 12}, "sub"),
    ({"sub": "x" * 256}, "sub"),
    ({"sub": "a\x00b"}, "sub"),
    ({"at_hash": "wrong"}, "at_hash"),
    ({"auth_time": "long ago"}, "auth_time"),
    ({"auth_time": NOW + 3600}, "auth_time"),
    ({"amr": "pwd"}, "amr"),
    ({"amr": [1]}, "amr"),
    ({"acr": 3}, "acr"),
    ({"sid": ["a"]}, "sid"),
]


@pytest.mark.parametrize(("claims", "reason"), WRONG_CLAIMS, ids=range(len(WRONG_CLAIMS)))
async def test_a_wrong_claim_is_refused(party: RelyingParty, at: FalseIssuer, claims: dict[str, Any], reason: str):
    at.claims = claims
    assert await refused(party, at) == ("ID_TOKEN_INVALID", reason)


async def test_a_little_skew_of_clocks_is_no_fault(party: RelyingParty, at: FalseIssuer):
    at.claims = {"iat": int(time.time()) + 30, "exp": int(time.time()) - 30, "auth_time": int(time.time()) + 30}
    proof = await sign_in(party, at)
    assert proof.statement.authenticated_at <= time.time()


async def test_a_sign_in_at_the_issuer_that_is_too_old(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at, max_age_seconds=600)
    at.claims = {"auth_time": int(time.time()) - 300}
    await sign_in(party, at, issuer)
    at.claims = {"auth_time": int(time.time()) - 3600}
    assert await refused(party, at, issuer) == ("ID_TOKEN_INVALID", "auth_time")
    at.claims = {"auth_time": None}
    assert await refused(party, at, issuer) == ("ID_TOKEN_INVALID", "auth_time")
    await sign_in(party, at, trusted(at))


async def test_a_second_factor_that_was_asked_for_must_have_been_used(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at, strong=("mfa", "loa:high"), strong_acr=("loa:high",))
    at.claims = {"amr": ["pwd"], "acr": "loa:low"}
    assert await refused(party, at, issuer, strong=True) == ("STEP_UP_FAILED", "amr")
    assert not (await sign_in(party, at, issuer)).is_strong
    at.claims = {"amr": ["pwd"], "acr": "loa:high"}
    assert (await sign_in(party, at, issuer, strong=True)).is_strong


# --- signatures ------------------------------------------------------------------------------------------------------


def compact(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token made by hand, as libraries refuse to make it."""
    signed = b".".join(urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims))
    return (signed + b"." + urlsafe_b64encode(sign(signed)).rstrip(b"=")).decode()


def hs256_with_the_public_key(form: str) -> Callable[..., str]:
    public = RSA.as_pem(private=False) if form == "pem" else json.dumps(RSA.as_dict(private=False)).encode()
    header = {"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}
    return lambda claims, **_: compact(header, claims, lambda signed: hmac.digest(public, signed, "sha256"))


@pytest.mark.parametrize("form", ["pem", "jwk"])
async def test_a_public_key_is_no_secret(
    party: RelyingParty, at: FalseIssuer, form: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(at, "sign", hs256_with_the_public_key(form))
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "alg")


async def test_a_token_without_a_signature(party: RelyingParty, at: FalseIssuer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(at, "sign", lambda claims, **_: unsigned(claims))
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "alg")


async def test_a_key_of_the_issuers_with_an_algorithm_that_is_not_allowed(party: RelyingParty, at: FalseIssuer):
    at.key, at.algorithm = EC, "ES256"
    await sign_in(party, at)
    assert await refused(party, at, trusted(at, algorithms=("RS256",))) == ("ID_TOKEN_INVALID", "alg")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"kid": "never-published"}, "unknown key"),
        ({"kid": "ec-1"}, "unknown key"),
        ({"kid": None}, "signature"),
        ({"typ": "at+jwt"}, "signature"),
        ({"jku": "http://127.0.0.1:9/keys"}, "signature"),
    ],
)
async def test_a_forged_signature(party: RelyingParty, at: FalseIssuer, header: dict[str, Any], reason: str):
    """Signed by a key that nobody published, under every name."""
    at.key = RSAKey.import_key({**OTHER_RSA.as_dict(private=True), "kid": "rsa-1"})
    at.header = header
    at.published = [RSA, EC]
    assert await refused(party, at) == ("ID_TOKEN_INVALID", reason)


async def test_a_header_that_must_be_understood_and_is_not(
    party: RelyingParty, at: FalseIssuer, monkeypatch: pytest.MonkeyPatch
):
    header = {"alg": "RS256", "kid": "rsa-1", "typ": "JWT", "crit": ["sphere"], "sphere": "flat"}

    def sign(signed: bytes) -> bytes:
        return RSA.private_key.sign(signed, PKCS1v15(), SHA256())

    monkeypatch.setattr(at, "sign", lambda claims, **_: compact(header, claims, sign))
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "signature")
    del header["crit"]
    del header["sphere"]
    await sign_in(party, at)


async def test_an_access_token_is_no_id_token(party: RelyingParty, at: FalseIssuer):
    at.header = {"typ": "at+jwt"}
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "typ")


async def test_a_key_that_is_named_in_the_token_is_not_taken(party: RelyingParty, at: FalseIssuer):
    at.key = ECKey.generate_key("P-256")
    at.algorithm = "ES256"
    at.header = {"jwk": at.key.as_dict(private=False), "kid": "ec-1"}
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "signature")


async def test_a_changed_token(party: RelyingParty, at: FalseIssuer, monkeypatch: pytest.MonkeyPatch):
    genuine = FalseIssuer.sign

    def changed(claims: dict[str, Any], **header: Any) -> str:
        head, _, signature = genuine(at, claims, **header).split(".")
        _, body, _ = genuine(at, {**claims, "sub": "the-mayor"}, **header).split(".")
        return f"{head}.{body}.{signature}"

    monkeypatch.setattr(at, "sign", changed)
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "signature")


# --- keys ------------------------------------------------------------------------------------------------------------


async def test_keys_are_rotated(at: FalseIssuer):
    now = [time.time()]
    party = RelyingParty(Outside(timeout_s=1.0), clock=lambda: now[0])
    await sign_in(party, at)
    await sign_in(party, at)
    assert at.count("/keys") == 1, "keys are remembered"
    at.key, at.published = OTHER_RSA, [OTHER_RSA, EC]
    await sign_in(party, at)
    assert at.count("/keys") == 2, "an unknown key is looked for once"
    at.published, at.key = [OTHER_RSA], RSA
    for _ in range(3):
        assert await refused(party, at) == ("ID_TOKEN_INVALID", "unknown key")
    assert at.count("/keys") == 2, "and then not again for a while, whoever asks"
    now[0] += 31
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "unknown key")
    assert at.count("/keys") == 3
    now[0] += 3_600
    at.claims = {"iat": int(now[0]), "exp": int(now[0]) + 60, "auth_time": None}
    assert await refused(party, at) == ("ID_TOKEN_INVALID", "unknown key")
    assert at.count("/keys") == 5, "an hour later once for the age and once for the key"


async def test_many_at_once_fetch_once(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at)
    begun = [await party.begin(issuer, REDIRECT, purpose={}) for _ in range(20)]
    answers = [at.approve(address) for address, _ in begun]
    await asyncio.gather(
        *(party.finish(issuer, REDIRECT, pending, answer) for (_, pending), answer in zip(begun, answers, strict=True))
    )
    assert at.count("/.well-known/openid-configuration") == 1
    assert at.count("/keys") == 1


def private(key: Any) -> dict[str, Any]:
    return {**key.as_dict(private=True)}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"<html>", ("ISSUER_FAULTY", "keys: no JSON")),
        (b"[]", ("ISSUER_FAULTY", "keys: no object")),
        (b'{"keys": 1}', ("ISSUER_FAULTY", "keys: no set")),
        (
            b'{"keys": [1, null, {}, {"kty": 1}, {"kty": "RSA", "n": "!", "e": []}]}',
            ("ID_TOKEN_INVALID", "unknown key"),
        ),
        (json.dumps({"keys": [{"kty": "RSA", "kid": "rsa-1", "n": "AQAB", "e": "AQAB"}]}).encode(), None),
        (json.dumps({"keys": [{}] * 101}).encode(), ("ISSUER_FAULTY", "keys: no set")),
        (json.dumps({"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}).encode(), None),
        (json.dumps({"keys": [{**RSA.as_dict(private=False), "alg": "RS512"}]}).encode(), None),
        (json.dumps({"keys": [RSA.as_dict(private=False)] * 2}).encode(), None),
        (b'{"keys": [' + b" " * 70_000 + b"]}", ("ISSUER_FAULTY", "too long")),
    ],
)
async def test_keys_that_are_none(party: RelyingParty, at: FalseIssuer, answer: bytes, expected: Any):
    at.answers["/keys"] = lambda _: Response(answer, media_type="application/json")
    assert await refused(party, at) == (expected or ("ID_TOKEN_INVALID", "unknown key"))


async def test_a_set_with_private_parts_and_unknown_kinds_still_works(party: RelyingParty, at: FalseIssuer):
    keys = [{"kty": "AKP", "kid": "later"}, private(RSA)]
    at.answers["/keys"] = lambda _: JSONResponse({"keys": keys})
    await sign_in(party, at)


# --- the answer of the browser ---------------------------------------------------------------------------------------


async def begin(party: RelyingParty, at: FalseIssuer, issuer: Issuer) -> tuple[Pending, dict[str, str]]:
    address, pending = await party.begin(issuer, REDIRECT, purpose={})
    return pending, at.approve(address)


async def fault_of(party: RelyingParty, issuer: Issuer, pending: Pending, answer: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(SignInRefused) as error:
        await party.finish(issuer, REDIRECT, pending, answer)
    return error.value.fault.value, error.value.reason


async def test_a_mix_up_of_issuers(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    assert await fault_of(party, issuer, pending, {**answer, "iss": "https://evil.example"}) == (
        "ISSUER_MISMATCH",
        "iss",
    )
    silent = {name: value for name, value in answer.items() if name != "iss"}
    assert await fault_of(party, issuer, pending, silent) == ("ISSUER_MISMATCH", "no iss")
    assert await fault_of(party, replace(issuer, key="other"), pending, answer) == (
        "ISSUER_MISMATCH",
        "begun at another",
    )
    assert at.count("/token") == 0, "the code went nowhere"


async def test_an_issuer_that_never_names_itself(party: RelyingParty, at: FalseIssuer):
    at.metadata = {"authorization_response_iss_parameter_supported": False}
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    del answer["iss"]
    assert (await party.finish(issuer, REDIRECT, pending, answer)).statement.subject == "subject-1"


async def test_a_state_of_another_sign_in(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    other, _ = await begin(party, at, issuer)
    assert await fault_of(party, issuer, other, answer) == ("SIGN_IN_EXPIRED", "state")
    assert await fault_of(party, issuer, pending, {**answer, "state": "\udcff"}) == ("SIGN_IN_EXPIRED", "state")
    assert await fault_of(party, issuer, pending, {}) == ("SIGN_IN_EXPIRED", "state")
    assert at.count("/token") == 0


async def test_a_code_of_another_sign_in(party: RelyingParty, at: FalseIssuer):
    """An injected code: the issuer has another challenge for it, and one that does not look has another nonce."""
    issuer = trusted(at)
    _, stolen = await begin(party, at, issuer)
    mine, answer = await begin(party, at, issuer)
    injected = {**answer, "code": stolen["code"]}
    assert await fault_of(party, issuer, mine, injected) == ("SIGN_IN_EXPIRED", "code")
    _, stolen = await begin(party, at, issuer)
    at.codes[stolen["code"]]["code_challenge"] = at.codes[answer["code"]]["code_challenge"]
    injected = {**answer, "code": stolen["code"]}
    assert await fault_of(party, issuer, mine, injected) == ("ID_TOKEN_INVALID", "nonce")


async def test_a_code_that_was_used(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    await party.finish(issuer, REDIRECT, pending, answer)
    assert await fault_of(party, issuer, pending, answer) == ("SIGN_IN_EXPIRED", "code")


async def test_a_sign_in_that_took_too_long(at: FalseIssuer):
    now = [time.time()]
    party = RelyingParty(Outside(timeout_s=1.0), clock=lambda: now[0])
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    now[0] += PENDING_SECONDS + 1
    assert await fault_of(party, issuer, pending, answer) == ("SIGN_IN_EXPIRED", "state")


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("access_denied", "SIGN_IN_CANCELLED"),
        ("login_required", "SIGN_IN_CANCELLED"),
        ("server_error", "ISSUER_REFUSED"),
        ("<script>" * 1000, "ISSUER_REFUSED"),
        ("", "ISSUER_REFUSED"),
    ],
)
async def test_an_error_of_the_issuers(party: RelyingParty, at: FalseIssuer, told: str, fault: str):
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    found, reason = await fault_of(party, issuer, pending, {**answer, "error": told, "error_description": "x" * 10_000})
    assert found == fault
    assert len(reason) <= 100
    assert at.count("/token") == 0


async def test_an_answer_without_a_code(party: RelyingParty, at: FalseIssuer):
    issuer = trusted(at)
    pending, answer = await begin(party, at, issuer)
    assert await fault_of(party, issuer, pending, {**answer, "code": ""}) == ("ISSUER_FAULTY", "no code")
    assert await fault_of(party, issuer, pending, {**answer, "code": "x" * 9_000}) == ("ISSUER_FAULTY", "no code")


# --- a broken or hostile server --------------------------------------------------------------------------------------


async def slowly() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.2)


async def endlessly() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 10_000
        await asyncio.sleep(0)


async def late(_request: Any) -> Response:
    await asyncio.sleep(5)
    return JSONResponse({})


BROKEN: list[tuple[Callable[[Any], Any], str]] = [
    (lambda _: Response(status_code=500), "status 500"),
    (lambda _: Response(b"<html>404</html>", 404), "status 404"),
    (lambda _: Response(b"\xff\xfe{"), "no JSON"),
    (lambda _: Response(b"[" * 60_000), "no JSON"),
    (lambda _: JSONResponse("text"), "no object"),
    (lambda _: JSONResponse(None), "no object"),
    (lambda _: Response(b"{}", headers={"content-encoding": "gzip"}), "compressed"),
    (lambda _: RedirectResponse("http://127.0.0.1:1/", 302), "redirect"),
    (lambda _: RedirectResponse("http://169.254.169.254/latest/meta-data/", 307), "redirect"),
    (lambda _: Response(b" " * 100_000), "too long"),
    (lambda _: StreamingResponse(endlessly()), "too long"),
    (lambda _: StreamingResponse(slowly()), "timeout"),
    (late, "timeout"),
]


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"])
@pytest.mark.parametrize(("answer", "reason"), BROKEN, ids=[f"{number}" for number in range(len(BROKEN))])
async def test_a_broken_server_is_their_fault_and_told_so(
    at: FalseIssuer, path: str, answer: Callable[[Any], Any], reason: str
):
    party = RelyingParty(Outside(timeout_s=0.5, size_bytes=64 * 1024))
    at.claims = {"email": None}
    at.answers[path] = answer
    fault, told = await refused(party, at)
    assert fault in {"ISSUER_FAULTY", "ISSUER_UNREACHABLE"}
    assert reason in told


@pytest.mark.parametrize(
    "tokens",
    [
        {"id_token": None},
        {"id_token": 7},
        {"id_token": {"a": 1}},
        {"id_token": "a.b.c"},
        {"id_token": "..."},
        {"id_token": "é.é.é"},
        {"id_token": "x" * 60_000 + ".y.z"},
    ],
)
async def test_tokens_of_the_wrong_form(party: RelyingParty, at: FalseIssuer, tokens: dict[str, Any]):
    at.tokens = tokens
    assert (await refused(party, at))[0] == "ID_TOKEN_INVALID"


@pytest.mark.parametrize("tokens", [{"access_token": 7}, {"access_token": "a\r\nb: c"}, {"token_type": "DPoP"}])
async def test_an_access_token_that_cannot_be_used_is_not(party: RelyingParty, at: FalseIssuer, tokens: dict[str, Any]):
    at.tokens, at.claims = tokens, {"email": None, "at_hash": None}
    assert (await sign_in(party, at)).person.email is None
    assert at.count("/userinfo") == 0


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 7},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"jwks_uri": "https://name:password@example.nl/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://"},
        {"jwks_uri": "https://example.nl:99999/keys"},
        {"userinfo_endpoint": "https://exa mple.nl"},
        {"authorization_response_iss_parameter_supported": "yes"},
    ],
)
async def test_metadata_that_is_wrong(party: RelyingParty, at: FalseIssuer, metadata: dict[str, Any]):
    at.metadata = metadata
    fault, reason = await refused(party, at)
    assert fault == "ISSUER_FAULTY"
    assert reason.startswith("metadata: ")


async def test_metadata_outlives_an_issuer_that_is_down_for_a_while(at: FalseIssuer):
    now = [time.time()]
    party = RelyingParty(Outside(timeout_s=1.0), clock=lambda: now[0])
    issuer = trusted(at)
    await party.begin(issuer, REDIRECT, purpose={})
    at.answers["/.well-known/openid-configuration"] = lambda _: Response(status_code=503)
    now[0] += 4_000
    for _ in range(3):
        await party.begin(issuer, REDIRECT, purpose={})
    assert at.count("/.well-known/openid-configuration") == 2, "it is not asked again and again"
    now[0] += 90_000
    with pytest.raises(SignInRefused) as error:
        await party.begin(issuer, REDIRECT, purpose={})
    assert error.value.fault is SignInFault.ISSUER_FAULTY
    now[0] += 31
    del at.answers["/.well-known/openid-configuration"]
    await party.begin(issuer, REDIRECT, purpose={})


# --- signing out -----------------------------------------------------------------------------------------------------


async def test_a_logout_token(party: RelyingParty, at: FalseIssuer):
    notice = await party.read_logout_token(trusted(at), at.logout_token(sid="s-1", jti="one"))
    assert (notice.id, notice.subject, notice.sid) == ("one", "subject-1", "s-1")
    assert (await party.read_logout_token(trusted(at), at.logout_token(sid="s-1", sub=None))).subject is None


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "n"}, "nonce"),
        ({"events": None}, "events"),
        ({"events": {"other": {}}}, "events"),
        ({"events": []}, "events"),
        ({"aud": "other"}, "aud"),
        ({"iss": "https://elsewhere.example"}, "iss"),
        ({"jti": None}, "jti"),
        ({"sub": None}, "sub"),
        ({"iat": NOW - 3_600}, "iat"),
        ({"iat": NOW + 3_600}, "iat"),
        ({"exp": NOW - 3_600}, "exp"),
    ],
)
async def test_a_logout_token_that_is_wrong(party: RelyingParty, at: FalseIssuer, claims: dict[str, Any], reason: str):
    with pytest.raises(SignInRefused) as error:
        await party.read_logout_token(trusted(at), at.logout_token(**claims))
    assert (error.value.fault, error.value.reason) == (SignInFault.LOGOUT_TOKEN_INVALID, reason)


async def test_an_id_token_is_no_logout_token(party: RelyingParty, at: FalseIssuer):
    with pytest.raises(SignInRefused) as error:
        await party.read_logout_token(trusted(at), at.id_token({"client_id": "plein"}, None))
    assert error.value.fault is SignInFault.LOGOUT_TOKEN_INVALID


async def test_where_to_sign_out(party: RelyingParty, at: FalseIssuer):
    address = await party.end_session_address(trusted(at), id_token="a.b.c", return_to="https://p/", state="s")
    assert address is not None
    assert address.startswith(f"{at.url}/end?")
    assert parameters(address) == {
        "id_token_hint": "a.b.c",
        "client_id": "plein",
        "post_logout_redirect_uri": "https://p/",
        "state": "s",
    }
    at.metadata = {"end_session_endpoint": None}
    assert (
        await RelyingParty().end_session_address(trusted(at), id_token=None, return_to="https://p/", state="") is None
    )
