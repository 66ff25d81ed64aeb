"""An access token for one site is nothing on another: not by name, by host, by id, across sites or by exchange."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.gateway.provider.plein import Plein, attempt, claims_in, code_for, redeem, refresh, returned, tokens_for


def site_url(plein: Plein, letter: str) -> str:
    return plein.url.replace("://", f"://{plein.sites[letter].slug}.")


def site_id(plein: Plein, letter: str) -> str:
    return encode_id(NodeId("S", PLATFORM_ID, plein.sites[letter].id))


def renamed(plein: Plein, letter: str) -> str:
    """A mutation that gives a site another name."""
    given = f'{{id: "{site_id(plein, letter)}", version: 1, name: "Mine"}}'
    return f"mutation {{ updateSite(input: {given}) {{ site {{ name }} }} }}"


async def token_for(plein: Plein, letter: str, scope: str = "openid read write admin") -> dict[str, Any]:
    """Tokens of Anna, who owns both sites, for one of them."""
    app = await plein.register()
    return await tokens_for(
        plein, await plein.signed_in(plein.anna), app, scope=scope, resource=site_url(plein, letter)
    )


async def test_a_token_says_for_which_site_it_is(plein: Plein) -> None:
    claims = claims_in((await token_for(plein, "a"))["access_token"])
    assert claims["aud"] == site_url(plein, "a")
    assert claims["sites"] == [str(plein.sites["a"].id)]


async def test_it_is_nothing_on_another_site(plein: Plein) -> None:
    token = (await token_for(plein, "a"))["access_token"]
    mine, other = plein.sites["a"].slug, plein.sites["b"].slug
    here = await plein.ask(token, f'{{ site(slug: "{mine}") {{ name memberCount }} }}')
    assert here["data"]["site"] == {"name": "Site A", "memberCount": 1}
    questions = {
        f'{{ site(slug: "{other}") {{ name }} }}': {"site": None},
        f'{{ node(id: "{site_id(plein, "b")}") {{ id }} }}': {"node": None},
        f'{{ nodes(ids: ["{site_id(plein, "b")}"]) {{ id }} }}': {"nodes": [None]},
    }
    for question, answer in questions.items():
        assert (await plein.ask(token, question))["data"] == answer, question
    listed = await plein.ask(
        token, "{ viewer { sites { edges { node { name } } } } sites { edges { node { slug } } } }"
    )
    assert [edge["node"]["name"] for edge in listed["data"]["viewer"]["sites"]["edges"]] == ["Site A"], listed
    assert [edge["node"]["slug"] for edge in listed["data"]["sites"]["edges"]] == [mine]


async def test_it_changes_nothing_on_another_site(plein: Plein) -> None:
    token = (await token_for(plein, "a"))["access_token"]
    refused = await plein.ask(token, renamed(plein, "b"))
    assert refused["errors"][0]["extensions"]["code"] in {"NOT_FOUND", "FORBIDDEN"}
    started = await plein.ask(token, 'mutation { createSite(input: {name: "X", slug: "xx-yy"}) { site { id } } }')
    assert started["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    everywhere = await tokens_for(
        plein, await plein.signed_in(plein.anna), await plein.register(), scope="openid read write admin"
    )
    seen = await plein.ask(everywhere["access_token"], f'{{ site(slug: "{plein.sites["b"].slug}") {{ name }} }}')
    assert seen["data"]["site"] == {"name": "Site B"}, "nothing was changed, and a token for the square sees it"


async def test_the_host_that_is_asked_does_not_widen_it(plein: Plein) -> None:
    token = (await token_for(plein, "a"))["access_token"]
    for letter, name in (("a", "Site A"), ("b", None)):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(plein.gateway), base_url=plein.url) as http:
            headers = {"authorization": f"Bearer {token}", "host": site_url(plein, letter).removeprefix("http://")}
            answer = (await http.post("/graphql", json={"query": "{ site { name } }"}, headers=headers)).json()
        assert answer["data"]["site"] == (None if name is None else {"name": name})


async def test_scopes_narrow_what_the_person_may(plein: Plein) -> None:
    reading = (await token_for(plein, "a", "openid read"))["access_token"]
    assert (await plein.ask(reading, renamed(plein, "a")))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    knowing = (await token_for(plein, "a", "openid profile"))["access_token"]
    asked = await plein.ask(knowing, f'{{ site(slug: "{plein.sites["a"].slug}") {{ name }} }}')
    assert asked.get("data") in (None, {"site": None})
    assert asked["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_it_cannot_be_exchanged_for_one_of_another_site(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    asked = attempt(app, scope="openid read", resource=site_url(plein, "a"))
    code = (await code_for(visitor, asked))["code"]
    for resource in (site_url(plein, "b"), plein.url):
        answer = await redeem(plein, app, asked, code, resource=resource)
        assert answer.json()["error"] == "invalid_target"
    tokens = (await redeem(plein, app, asked, code)).json()
    for resource in (site_url(plein, "b"), plein.url):
        answer = await refresh(plein, app, tokens["refresh_token"], resource=resource)
        assert answer.json()["error"] == "invalid_target"
    same = (await refresh(plein, app, tokens["refresh_token"], resource=site_url(plein, "a"))).json()
    assert claims_in(same["access_token"])["sites"] == [str(plein.sites["a"].id)]


async def test_a_token_for_the_square_is_narrowed_to_a_site(plein: Plein) -> None:
    app = await plein.register()
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read")
    assert "sites" not in claims_in(tokens["access_token"])
    narrow = (await refresh(plein, app, tokens["refresh_token"], resource=site_url(plein, "b"))).json()
    seen = await plein.ask(narrow["access_token"], f'{{ site(slug: "{plein.sites["a"].slug}") {{ name }} }}')
    assert seen["data"]["site"] is None


async def test_a_sites_own_client_gets_nothing_but_its_site(plein: Plein) -> None:
    app = await plein.register(tenant_id=plein.sites["a"].id)
    visitor = await plein.signed_in(plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    assert claims_in(tokens["access_token"])["sites"] == [str(plein.sites["a"].id)]
    for resource in (site_url(plein, "b"), plein.url):
        told = returned(await visitor.open(attempt(app, scope="openid read", resource=resource).path))
        assert told["error"] == "invalid_target"
        own = {"grant_type": "client_credentials", "scope": "read", "resource": resource}
        assert (await plein.post("/oauth/token", own, auth=app.basic)).json()["error"] == "invalid_target"


async def test_agreeing_for_one_site_is_not_agreeing_for_another(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    await tokens_for(plein, visitor, app, scope="openid read", resource=site_url(plein, "a"))
    again = attempt(app, scope="openid read", resource=site_url(plein, "a"), prompt="none")
    assert "code" in returned(await visitor.open(again.path))
    page = await visitor.open(attempt(app, scope="openid read", resource=site_url(plein, "b")).path)
    assert page.status_code == 200
    assert "Site B" in visitor.read.text
    assert (await visitor.open(attempt(app, scope="openid read").path)).status_code == 200


@pytest.mark.parametrize("shape", ["{0}", "{0}/", "{0}/graphql"])
async def test_a_site_is_named_by_its_address(plein: Plein, shape: str) -> None:
    app = await plein.register()
    resource = shape.format(site_url(plein, "a"))
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read", resource=resource)
    assert claims_in(tokens["access_token"])["sites"] == [str(plein.sites["a"].id)]


@pytest.mark.parametrize(
    "resource",
    [
        "http://nosite.{0}",
        "https://evil.example",
        "http://{1}.evil.example",
        "http://{1}.{0}/x",
        "http://a@{1}.{0}",
        "x",
        "http://{1}.{0}#f",
    ],
)
async def test_what_is_no_site_is_no_resource(plein: Plein, resource: str) -> None:
    app = await plein.register(is_trusted=True)
    named = resource.format(plein.url.removeprefix("http://"), plein.sites["a"].slug)
    told = returned(await (await plein.signed_in(plein.anna)).open(attempt(app, resource=named).path))
    assert told["error"] == "invalid_target"


async def test_a_site_that_demands_a_second_factor_knows_who_signed_in_with_one(plein: Plein) -> None:
    """The token carries how the person signed in; without what the site demands they are visitors there."""
    app = await plein.register()
    site = plein.sites["demanding"]
    seen = []
    for amr in (("pwd",), ("pwd", "otp", "mfa")):
        visitor = await plein.signed_in(plein.anna, amr=amr)
        token = (await tokens_for(plein, visitor, app, scope="openid read"))["access_token"]
        answer = await plein.ask(
            token, f'{{ site(slug: "{site.slug}") {{ memberCount viewerMembership {{ role }} }} }}'
        )
        seen.append((answer.get("data") or {}).get("site"))
    assert seen[0] is None or seen[0]["viewerMembership"] is None
    assert seen[1] == {"memberCount": 1, "viewerMembership": {"role": "OWNER"}}
