"""What thieves, forgers and neighbours try at the provider, and that it is of no use."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import update

from auth.provider.client_authentication import ASSERTION_TYPE
from auth.provider.clients import Authentication, GrantType
from auth.provider.token_requests import CODE, REFRESH
from auth.provider.tokens import hash_of
from tests.gateway.provider.plein import (
    CALLBACK,
    Plein,
    Registered,
    attempt,
    claims_in,
    code_for,
    redeem,
    refresh,
    returned,
    tokens_for,
)

WHO = "{ viewer { account { name } } }"


async def is_good(plein: Plein, token: str) -> bool:
    """Whether an access token lets anybody in, at the API and at the userinfo endpoint."""
    api = "errors" not in await plein.ask(token, WHO)
    userinfo = (await plein.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"})).status_code == 200
    assert api == userinfo
    return api


# --- codes and refresh tokens ----------------------------------------------------------------------------------------


async def test_a_code_shown_again_ends_what_came_of_it(plein: Plein) -> None:
    app = await plein.register()
    asked = attempt(app, scope="openid read")
    code = (await code_for(await plein.signed_in(plein.anna), asked))["code"]
    tokens = (await redeem(plein, app, asked, code)).json()
    assert await is_good(plein, tokens["access_token"])
    again = await redeem(plein, app, asked, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    await plein.gateway.square.catch_up()
    assert not await is_good(plein, tokens["access_token"])
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_two_with_one_code_at_once_one_gets_tokens_at_the_most(plein: Plein) -> None:
    app = await plein.register()
    asked = attempt(app)
    code = (await code_for(await plein.signed_in(plein.anna), asked))["code"]
    answers = await asyncio.gather(*(redeem(plein, app, asked, code) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 400, 400, 400]


async def test_a_refresh_token_shown_again_ends_the_family(plein: Plein) -> None:
    app = await plein.register(Authentication.NONE)
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read")
    second = (await refresh(plein, app, tokens["refresh_token"])).json()
    assert await is_good(plein, second["access_token"])
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    await plein.gateway.square.catch_up()
    assert not await is_good(plein, second["access_token"])
    assert (await refresh(plein, app, second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_what_is_anothers_is_of_no_use(plein: Plein) -> None:
    mine, thief = await plein.register(), await plein.register()
    asked = attempt(mine)
    visitor = await plein.signed_in(plein.anna)
    code = (await code_for(visitor, asked))["code"]
    stolen = await redeem(plein, thief, asked, code)
    assert stolen.json()["error"] == "invalid_grant"
    tokens = (await redeem(plein, mine, asked, code)).json()
    assert (await refresh(plein, thief, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    token = {"token": tokens["refresh_token"]}
    assert (await plein.post("/oauth/introspect", token, auth=thief.basic)).json() == {"active": False}
    assert (await plein.post("/oauth/revoke", token, auth=thief.basic)).status_code == 200
    assert (await refresh(plein, mine, tokens["refresh_token"])).status_code == 200, "the owner lost nothing"


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "a" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "https://app.example/other"},
        {"redirect_uri": ""},
        {"code": "x" * 43},
        {"grant_type": "password"},
        {"resource": "https://elsewhere.example"},
    ],
)
async def test_a_code_needs_all_that_belongs_to_it(plein: Plein, change: dict[str, str]) -> None:
    app = await plein.register(redirect_uris=(CALLBACK, "https://app.example/other"))
    asked = attempt(app)
    code = (await code_for(await plein.signed_in(plein.anna), asked))["code"]
    answer = await redeem(plein, app, asked, code, **change)
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_grant", "invalid_request", "unsupported_grant_type", "invalid_target"}
    assert (await redeem(plein, app, asked, code)).status_code == 200


async def test_what_is_late_is_gone(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    asked = attempt(app)
    code, tokens = (await code_for(visitor, asked))["code"], await tokens_for(plein, visitor, app)
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with plein.gateway.square.database.transaction(None) as tx:
        await tx.execute(update(CODE).where(CODE.c.hash == hash_of(code)).values(expires_at=past))
        shown = REFRESH.c.hash == hash_of(tokens["refresh_token"])
        await tx.execute(update(REFRESH).where(shown).values(expires_at=past))
    assert (await redeem(plein, app, asked, code)).json()["error"] == "invalid_grant"
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"


# --- PKCE, and what a client may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "openid platform:admin"}, "invalid_scope"),
        ({"scope": "nothing known"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[" * 4000}, "invalid_request"),
        ({"claims": '{"id_token":{"acr":{"essential":true,"values":"x"}}}', "prompt": "none"}, "login_required"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"nonce": "n" * 600}, "invalid_request"),
        ({"nonce": "a\x00b"}, "invalid_request"),
        ({"resource": "https://elsewhere.example", "prompt": "none"}, "login_required"),
    ],
)
async def test_the_client_is_told_what_it_did_wrong(plein: Plein, values: dict[str, str | None], error: str) -> None:
    app = await plein.register()
    told = returned(await plein.browser().open(attempt(app, **values).path))
    assert (told["error"], told["state"], told["iss"]) == (error, "state-1", plein.url)
    assert "code" not in told


async def test_a_parameter_given_twice_is_refused(plein: Plein) -> None:
    app = await plein.register()
    asked = attempt(app)
    told = returned(await plein.browser().open(asked.path + "&scope=admin"))
    assert told["error"] == "invalid_request"
    for name in ("client_id", "redirect_uri"):
        answer = await plein.browser().open(f"{asked.path}&{name}=x")
        assert answer.status_code == 400
    data = "grant_type=client_credentials&scope=read&scope=admin"
    assert (await plein.post("/oauth/token", data, auth=app.basic)).json()["error"] == "invalid_request"


async def test_a_client_does_only_what_it_was_registered_for(plein: Plein) -> None:
    app = await plein.register(grant_types=frozenset({GrantType.AUTHORIZATION_CODE}), scopes=frozenset({"openid"}))
    asked = attempt(app)
    answer = (
        await redeem(plein, app, asked, (await code_for(await plein.signed_in(plein.anna), asked))["code"])
    ).json()
    assert "refresh_token" not in answer
    own = await plein.post("/oauth/token", {"grant_type": "client_credentials"}, auth=app.basic)
    assert own.json()["error"] == "unauthorized_client"
    machine = await plein.register(grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}))
    assert returned(await plein.browser().open(attempt(machine).path))["error"] == "unauthorized_client"
    for scope in ("openid", "platform:admin", "nothing"):
        data = {"grant_type": "client_credentials", "scope": scope}
        assert (await plein.post("/oauth/token", data, auth=machine.basic)).json()["error"] == "invalid_scope"


# --- where people are sent -------------------------------------------------------------------------------------------

NATIVE = "http://127.0.0.1/back"


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "https://app.example/callback/",
        "https://app.example/callback?x=1",
        "https://app.example/callback#x",
        "https://app.example/Callback",
        "https://APP.example/callback",
        "https://app.example:443/callback",
        "https://app.example/callback/../evil",
        "https://app.example/%63allback",
        "https://app.example@evil.example/callback",
        "https://app.example\\@evil.example/callback",
        "https://app.example.evil.example/callback",
        "//app.example/callback",
        "http://app.example/callback",
        " https://app.example/callback",
        "https://app.example/callback\r\nset-cookie: x=1",
        "javascript:alert(1)//https://app.example/callback",
        "data:text/html,x",
        "http://127.0.0.1:80/other",
        "http://127.0.0.1:99999/back",
        "http://127.0.0.1:x/back",
        "http://127.0.0.1:1234@evil.example/back",
        "http://evil.example#127.0.0.1:1234/back",
        "http://localhost:1234/back",
        "http://127.0.0.2:1234/back",
        "https://127.0.0.1:1234/back",
        "",
    ],
)
async def test_nobody_is_sent_where_the_client_did_not_register(plein: Plein, uri: str) -> None:
    app = await plein.register(Authentication.NONE, redirect_uris=(CALLBACK, NATIVE), is_trusted=True)
    visitor = await plein.signed_in(plein.anna)
    answer = await visitor.open(attempt(app, redirect_uri=uri or None).path)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("client_id", ["", "x", "00000000-0000-4000-8000-000000000000", "é", "a" * 3000])
async def test_a_client_that_is_not_there_gets_nobody(plein: Plein, client_id: str) -> None:
    app = await plein.register()
    answer = await plein.browser().open(attempt(app, client_id=client_id).path)
    assert answer.status_code == 400
    upper = await plein.browser().open(attempt(app, client_id=app.id.upper()).path)
    assert upper.status_code == 400 or app.id == app.id.upper()


async def test_the_host_that_a_request_names_counts_for_nothing(plein: Plein) -> None:
    app = await plein.register(is_trusted=True)
    for host in ("evil.example", f"{plein.sites['a'].slug}.{plein.url.removeprefix('http://')}"):
        answer = await plein.get(attempt(app).path, headers={"host": host, "x-forwarded-host": "evil.example"})
        assert answer.status_code == 307
        assert answer.headers["location"] == plein.url + answer.request.url.raw_path.decode()
        told = (await plein.get("/.well-known/openid-configuration", headers={"host": host})).json()
        assert told["issuer"] == plein.url
        assert "evil" not in str(told)


async def test_answers_say_whose_they_are(plein: Plein) -> None:
    """Against mix-up: `iss` in every answer, and the metadata says that it is there (RFC 9207)."""
    assert (await plein.get("/.well-known/oauth-authorization-server")).json()[
        "authorization_response_iss_parameter_supported"
    ]


# --- the page where one agrees ---------------------------------------------------------------------------------------


async def test_the_page_where_one_agrees_cannot_be_framed_or_kept(plein: Plein) -> None:
    app = await plein.register(name='<script>alert("x")</script>')
    visitor = await plein.signed_in(plein.anna)
    page = await visitor.open(attempt(app).path)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert "form-action 'self' https://app.example" in page.headers["content-security-policy"]
    assert "<script" not in page.text


async def test_nobody_agrees_for_somebody_else(plein: Plein) -> None:
    app = await plein.register()
    asked = attempt(app)
    visitor = await plein.signed_in(plein.anna)
    evil = await plein.signed_in(plein.bram)
    await evil.open(asked.path)
    theirs = evil.read.forms[0].fields["form"]
    await visitor.open(asked.path)
    mine = visitor.read.forms[0].fields
    here = {"origin": plein.url, "sec-fetch-site": "same-origin"}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        (mine, {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
        (mine, {}),
        (mine | {"form": theirs}, here),
        ({name: value for name, value in mine.items() if name != "form"}, here),
    ]
    for form, headers in tries:
        answer = await visitor.http.post("/oauth/consent", data=form | {"answer": "yes"}, headers=headers)
        assert answer.status_code == 403, (form, headers)
    assert (await visitor.open(asked.path)).status_code == 200, "nothing was agreed to"
    assert "code" in returned(await visitor.send({"answer": "yes"}))


async def test_agreeing_is_checked_as_a_whole_again(plein: Plein) -> None:
    app, other = await plein.register(), await plein.register(redirect_uris=("https://other.example/cb",))
    visitor = await plein.signed_in(plein.anna)
    await visitor.open(attempt(app).path)
    form = visitor.read.forms[0].fields
    for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": other.id}):
        bent = urlencode(attempt(app).values | change)
        here = {"origin": plein.url, "sec-fetch-site": "same-origin"}
        answer = await visitor.http.post("/oauth/consent", data=form | {"request": bent, "answer": "yes"}, headers=here)
        assert answer.status_code == 400
        assert "location" not in answer.headers


# --- who a client is -------------------------------------------------------------------------------------------------


def assertion(
    app: Registered, url: str, key: Any, *, header: dict[str, Any] | None = None, **claims: Any
) -> dict[str, str]:
    """What a client with a key of its own shows; what is None is left out."""
    now = int(time.time())
    said = {
        "iss": app.id,
        "sub": app.id,
        "aud": url,
        "exp": now + 60,
        "iat": now,
        "jti": f"{now}-{time.monotonic_ns()}",
    }
    said = {name: value for name, value in (said | claims).items() if value is not None}
    head = {"alg": "ES256", "kid": "k1"} | (header or {})
    token = jwt.encode(head, said, key, algorithms=[head["alg"]])
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}


OWN = {"grant_type": "client_credentials", "scope": "read"}


async def keyed(plein: Plein) -> tuple[Registered, ECKey]:
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    jwks = orjson.dumps({"keys": [key.as_dict(private=False)]}).decode()
    return await plein.register(Authentication.PRIVATE_KEY, jwks=jwks), key


async def test_a_client_with_a_key_of_its_own(plein: Plein) -> None:
    app, key = await keyed(plein)
    shown = assertion(app, plein.url, key)
    assert (await plein.post("/oauth/token", OWN | shown)).status_code == 200
    again = await plein.post("/oauth/token", OWN | shown)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client"), "an assertion is good once"
    at_endpoint = assertion(app, f"{plein.url}/oauth/token", key)
    assert (await plein.post("/oauth/token", OWN | at_endpoint)).status_code == 200


async def test_assertions_that_prove_nothing(plein: Plein) -> None:
    app, key = await keyed(plein)
    other, _ = await keyed(plein)
    now = int(time.time())
    public = orjson.dumps(key.as_dict(private=False))
    forged: list[dict[str, str]] = [
        assertion(app, plein.url, ECKey.generate_key("P-256", {"kid": "k1"})),
        assertion(app, plein.url, key, header={"kid": "k2"}),
        assertion(app, plein.url, OctKey.import_key(public), header={"alg": "HS256"}),
        assertion(app, "https://other.example", key),
        assertion(app, plein.url, key, aud=[plein.url, "https://other.example"]),
        assertion(app, plein.url, key, aud=None),
        assertion(app, plein.url, key, exp=now - 60),
        assertion(app, plein.url, key, exp=now + 7200),
        assertion(app, plein.url, key, exp=None),
        assertion(app, plein.url, key, nbf=now + 120),
        assertion(app, plein.url, key, iat=now + 120),
        assertion(app, plein.url, key, jti=None),
        assertion(app, plein.url, key, iss=other.id),
        assertion(app, plein.url, key, sub=other.id),
        assertion(other, plein.url, key),
    ]
    none = (
        ".".join(
            base64.urlsafe_b64encode(each).rstrip(b"=").decode()
            for each in (
                b'{"alg":"none"}',
                orjson.dumps({"iss": app.id, "sub": app.id, "aud": plein.url, "exp": now + 60, "jti": "x"}),
            )
        )
        + "."
    )
    forged += [
        {"client_assertion_type": ASSERTION_TYPE, "client_assertion": each} for each in (none, "a.b.c", "..", "é.e.e")
    ]
    for each in forged:
        answer = await plein.post("/oauth/token", OWN | each)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), each


async def test_secrets_that_prove_nothing(plein: Plein) -> None:
    app, other = await plein.register(), await plein.register()
    public = await plein.register(Authentication.NONE)
    keys, _ = await keyed(plein)
    tries: list[tuple[dict[str, str], tuple[str, str] | None]] = [
        ({}, (app.id, "wrong")),
        ({}, (app.id, "")),
        ({}, (app.id, other.secret or "")),
        ({}, ("nobody", app.secret or "")),
        ({"client_id": app.id}, None),
        ({}, None),
        ({"client_id": app.id, "client_secret": "x"}, None),
        ({"client_id": public.id, "client_secret": "x"}, None),
        ({"client_id": keys.id, "client_secret": "x"}, None),
        ({"client_id": keys.id}, None),
    ]
    for data, auth in tries:
        answer = await plein.post("/oauth/token", OWN | data, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (data, auth)
        assert answer.headers["www-authenticate"].startswith("Basic")
    two = await plein.post("/oauth/token", OWN | {"client_secret": app.secret}, auth=app.basic)
    assert two.json()["error"] == "invalid_request"
    named = await plein.post("/oauth/token", OWN | {"client_id": other.id}, auth=app.basic)
    assert named.json()["error"] == "invalid_request"
    for header in ("Basic !!!", "Basic " + base64.b64encode(b"no-colon").decode(), "Bearer x", "Basic", "Digest x"):
        answer = await plein.post("/oauth/token", OWN, headers={"authorization": header})
        assert answer.status_code == 401, header


# --- access tokens ---------------------------------------------------------------------------------------------------


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def confused(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """A token that takes our public key for a shared secret."""
    text = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(key, text.encode(), 'sha256')).rstrip(b'=').decode()}"


async def test_forged_tokens_let_nobody_in(plein: Plein) -> None:
    app = await plein.register()
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read")
    good = tokens["access_token"]
    assert await is_good(plein, good)
    head, body, mark = good.split(".")
    header, claims = orjson.loads(base64.urlsafe_b64decode(head + "==")), claims_in(good)
    published = (await plein.get("/oauth/jwks")).json()["keys"]
    public = next(each for each in published if each["kid"] == header["kid"])
    elliptic = next(each for each in published if each["alg"] == "ES256")
    own = RSAKey.generate_key(2048)
    pem = RSAKey.import_key(public).as_pem(private=False)
    forged = [
        tokens["id_token"],
        f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': header['kid']})}.{body}.",
        f"{part({**header, 'alg': 'none'})}.{body}.{mark}",
        f"{head}.{part(claims | {'sub': 'x'})}.{mark}",
        f"{head}.{part(claims | {'scope': 'openid read write admin'})}.{mark}",
        f"{head}.{body}.{mark[:-4]}AAAA",
        f"{head}.{body}",
        f"{part({**header, 'kid': elliptic['kid']})}.{body}.{mark}",
        f"{part({**header, 'kid': 'unknown'})}.{body}.{mark}",
        f"{part({**header, 'kid': ['x']})}.{body}.{mark}",
        f"{part({**header, 'kid': '../../etc/passwd'})}.{body}.{mark}",
        jwt.encode(header, claims, own),
        jwt.encode({**header, "jwk": own.as_dict(private=False)}, claims, own),
        confused(header, claims, pem),
        confused(header, claims, orjson.dumps(public)),
    ]
    for each in forged:
        assert not await is_good(plein, each), each
    assert await is_good(plein, good)


async def test_only_what_is_in_time_and_for_this_square_counts(plein: Plein) -> None:
    """Signed with the square's own key, so that nothing but the claim itself can be the reason."""
    app = await plein.register()
    good = (await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read"))["access_token"]
    claims, provider = claims_in(good), plein.gateway.square.provider
    signer = await provider.keys.current("RS256")
    header = {"alg": "RS256", "kid": signer.id, "typ": "at+jwt"}
    assert await is_good(plein, jwt.encode(header, claims, signer.key))
    now = int(time.time())
    changes: list[dict[str, Any]] = [
        {"exp": now - 60},
        {"iat": now + 600},
        {"nbf": now + 600},
        {"iss": "https://other.example"},
        {"aud": []},
        {"grant": "00000000-0000-7000-8000-000000000000"},
        {"grant": "x"},
        {"client_id": "00000000-0000-7000-8000-000000000000"},
        {"scope": None},
        {"exp": None},
        {"sites": "x"},
    ]
    for change in changes:
        bent = {name: value for name, value in (claims | change).items() if value is not None}
        assert not await is_good(plein, jwt.encode(header, bent, signer.key)), change
    for kind in ("JWT", "logout+jwt", None):
        bent_header = {name: value for name, value in (header | {"typ": kind}).items() if value is not None}
        assert not await is_good(plein, jwt.encode(bent_header, claims, signer.key, default_type=None)), kind


async def test_a_token_is_dead_as_soon_as_it_is_given_back(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    for kind in ("access_token", "refresh_token"):
        tokens = await tokens_for(plein, visitor, app, scope="openid read")
        assert await is_good(plein, tokens["access_token"])
        about = {"token": tokens[kind]}
        assert (await plein.post("/oauth/introspect", about, auth=app.basic)).json()["active"] is True
        assert (await plein.post("/oauth/revoke", about, auth=app.basic)).status_code == 200
        await plein.gateway.square.catch_up()
        assert not await is_good(plein, tokens["access_token"])
        assert (await plein.post("/oauth/introspect", about, auth=app.basic)).json() == {"active": False}
        assert (await refresh(plein, app, tokens["refresh_token"])).status_code == 400
    assert (await plein.post("/oauth/revoke", {"token": "unknown"}, auth=app.basic)).status_code == 200


# --- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"grant_type=authorization_code&code=%ff", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % each for each in range(100)), "application/x-www-form-urlencoded"),
        (b"token=" + b"a" * 30_000, "application/x-www-form-urlencoded"),
        (b'{"grant_type":"client_credentials"}', "application/json"),
        (b"token=%00&grant_type=%00&client_id=%00", "application/x-www-form-urlencoded"),
    ],
)
async def test_nonsense_is_told_as_such(plein: Plein, path: str, content: bytes, kind: str) -> None:
    transport = httpx.ASGITransport(plein.gateway)
    async with httpx.AsyncClient(transport=transport, base_url=plein.url) as http:
        answer = await http.post(path, content=content, headers={"content-type": kind})
    assert answer.status_code in {400, 401, 413}
    assert answer.json()["error"] in {"invalid_request", "invalid_client"}
    assert answer.headers["cache-control"] == "no-store"


async def test_pages_of_registered_origins_may_use_the_endpoints(plein: Plein) -> None:
    origin = "https://spa.example"
    app = await plein.register(Authentication.NONE, origins=(origin,))
    plein.gateway.square.provider.origins.forget()
    transport = httpx.ASGITransport(plein.gateway)
    async with httpx.AsyncClient(transport=transport, base_url=plein.url) as http:
        for path in ("/oauth/token", "/oauth/userinfo", "/oauth/revoke"):
            asked = {"origin": origin, "access-control-request-method": "POST"}
            preflight = await http.options(path, headers=asked)
            assert preflight.headers["access-control-allow-origin"] == origin
            assert "access-control-allow-credentials" not in preflight.headers
            other = await http.options(path, headers=asked | {"origin": "https://evil.example"})
            assert "access-control-allow-origin" not in other.headers
        for asked_by, let_in in ((origin, origin), ("https://evil.example", None)):
            answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": asked_by})
            assert answer.headers.get("access-control-allow-origin") == let_in
        for path in ("/.well-known/openid-configuration", "/oauth/jwks"):
            answer = await http.get(path, headers={"origin": "https://anybody.example"})
            assert answer.headers["access-control-allow-origin"] == "*"
        data = {"grant_type": "authorization_code", "client_id": app.id}
        answer = await http.post("/oauth/token", data=data, headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
