"""Plein behind a gateway with other services: asked across all, from every side, as anybody and as somebody."""

from __future__ import annotations

from typing import Any

from tests.federation.conftest import Composed, account_id, site_id
from tests.gateway.mutations.door import id_of

BLIND_TO_KINDS = ("hive-router",)
"""Gateways that cannot plan a field of one kind on an item that comes from a service which knows the interface only."""

BLIND_TO_ADDED = ("hive",)
"""Gateways that do not ask another service for a field it adds to the interface, unless they go there anyhow."""


def sent_to_plein(asked: list[dict[str, Any]]) -> list[int]:
    """How many representations each request to Plein for entities held."""
    return [
        sum(len(value) for value in each["variables"].values() if isinstance(value, list))
        for each in asked
        if each["service"] == "plein" and "_entities" in each["query"]
    ]


async def test_things_of_plein_that_another_service_refers_to(composed: Composed) -> None:
    """Over several sites at once; what the caller may not see is null, like what was never there."""
    await composed.asked()
    of_news = "" if composed.gateway in BLIND_TO_KINDS else "... on News { source }"
    text = f"""{{ badges {{ name
        site {{ name memberCount }}
        item {{ __typename title rating {of_news} author {{ account {{ name }} }} }}
        account {{ nickname }} }} }}"""
    answer = await composed.ask(composed.guest, text)
    shown = answer["data"]["badges"]
    assert [each["name"] for each in shown] == ["Badge 0", "Badge 1", "Badge 2", "Badge 3", "Forged"]
    for number, site in enumerate(composed.sites):
        assert shown[number]["site"] == {"name": site.slug.title(), "memberCount": 1}
        kind = {"__typename": "News"} | ({"source": None} if of_news else {}) if number == 0 else {"__typename": "Blog"}
        title = {"title": f"On {site.slug}", "rating": 56, "author": {"account": {"name": "Anna"}}}
        assert shown[number]["item"] == kind | title
    for unseen in shown[3:]:
        assert (unseen["site"], unseen["item"]) == (None, None)
    # That another service refers to something which Plein does not show is the gateway's own complaint, if any.
    assert {tuple(error["path"][:2]) for error in answer.get("errors", ())} <= {("badges", 3), ("badges", 4)}
    assert "Code" not in str(answer.get("errors"))
    assert composed.hidden.slug not in str(answer).lower()
    # All sites and all items are asked for at once, or each of the two, whatever the number of badges.
    assert sent_to_plein(await composed.asked()) in ([10], [5, 5])


async def test_who_may_see_more_is_shown_more(composed: Composed) -> None:
    """The token goes through the gateway, and each caller gets what is theirs."""
    text = "{ badges { site { slug viewerMembership { role } } item { title } } }"
    owner = (await composed.ask(composed.owner, text))["data"]["badges"]
    assert owner[3] == {
        "site": {"slug": composed.hidden.slug, "viewerMembership": {"role": "OWNER"}},
        "item": {"title": f"On {composed.hidden.slug}"},
    }
    nobody = (await composed.ask(None, text))["data"]["badges"]
    assert nobody[0] == {
        "site": {"slug": composed.sites[0].slug, "viewerMembership": None},
        "item": {"title": f"On {composed.sites[0].slug}"},
    }
    assert nobody[3] == nobody[4] == {"site": None, "item": None}


async def test_sites_by_their_slug(composed: Composed) -> None:
    """From a service that knows no id, to one that knows no slug."""
    text = "{ homepages { address site { id name badges { name } } } }"
    for who, visible in ((composed.owner, 4), (composed.guest, 3), (None, 3)):
        shown = (await composed.ask(who, text))["data"]["homepages"]
        ids = [site_id(site) for site in (*composed.sites, composed.hidden)][:visible]
        assert [each["site"]["id"] for each in shown[:visible]] == ids
        assert [each["site"] for each in shown[visible:]] == [None] * (5 - visible)
        assert shown[1]["site"]["badges"] == [{"name": "Badge 1"}]


async def test_what_another_service_adds_to_things_of_plein(composed: Composed) -> None:
    """By id, by what it requires, through the interface, and by a key of several fields."""
    await composed.asked()
    site = composed.sites[0]
    text = """query ($slug: String!) { site(slug: $slug) {
        slogan badges { name member { role points account { name nickname } } }
        content { edges { node { __typename id title rating author { points } } } }
        members { edges { node { role points } } } } }"""
    answer = await composed.ask(composed.owner, text, slug=site.slug)
    assert "errors" not in answer, answer["errors"]
    shown = answer["data"]["site"]
    assert shown["slogan"] == f"{site.slug.title()} ({site.slug}) shines"
    nickname = f"nick-{account_id(composed.owner)[-4:]}"
    member = {"role": "OWNER", "points": 7, "account": {"name": "Anna", "nickname": nickname}}
    assert shown["badges"] == [{"name": "Badge 0", "member": member}]
    news = {"__typename": "News", "id": composed.items[0], "title": f"On {site.slug}", "rating": 56}
    assert shown["content"]["edges"] == [{"node": news | {"author": {"points": 7}}}]
    assert shown["members"]["edges"] == [{"node": {"role": "OWNER", "points": 7}}]


async def test_lists_over_several_sites_from_either_side(composed: Composed) -> None:
    rating = "" if composed.gateway in BLIND_TO_ADDED else "rating"
    badges = "badges { item { title site { slug } } }"
    text = f"""{{ viewer {{ sites {{ edges {{ node {{ slug slogan {badges} }} }} }} }}
        feed(first: 10) {{ edges {{ node {{ id {rating} site {{ slogan }} }} }} }} }}"""
    answer = await composed.ask(composed.owner, text)
    assert "errors" not in answer, answer["errors"]
    rated = (await composed.ask(composed.guest, "{ mostRated { __typename rating title } }"))["data"]["mostRated"]
    assert [each and each["__typename"] for each in rated] == ["News", "Blog", "Blog", None, None]
    slugs = {each["node"]["slug"] for each in answer["data"]["viewer"]["sites"]["edges"]}
    assert slugs == {site.slug for site in (*composed.sites, composed.hidden)}
    for each in answer["data"]["viewer"]["sites"]["edges"]:
        (badge,) = each["node"]["badges"]
        assert badge["item"]["site"]["slug"] == each["node"]["slug"]
    items = [each["node"] for each in answer["data"]["feed"]["edges"]]
    assert {each["id"] for each in items} == {*composed.items, composed.secret_item}
    assert all(each["site"]["slogan"].endswith("shines") for each in items)
    assert not rating or {each["rating"] for each in items} == {56}


async def test_a_change_through_the_gateway_and_its_errors(composed: Composed) -> None:
    text = """mutation ($input: AddCommentInput!) { addComment(input: $input) {
        comment { body author { points } content { rating } } } }"""
    given = {"subject": composed.items[1], "body": "Mooi"}
    answer = await composed.ask(composed.owner, text, input=given)
    comment = {"body": "Mooi", "author": {"points": 7}, "content": {"rating": 56}}
    assert answer == {"data": {"addComment": {"comment": comment}}}
    refused = await composed.ask(None, text, input=given)
    assert refused["data"] == {"addComment": None}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]
    lost = await composed.ask(composed.owner, text, input=given | {"subject": id_of("C", composed.hidden)})
    assert lost["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert lost["errors"][0]["extensions"]["field"] == "input.subject"


async def test_relay_still_works_through_the_gateway(composed: Composed) -> None:
    text = "query ($id: ID!) { node(id: $id) { __typename id ... on Site { slogan } ... on Content { title } } }"
    shown = await composed.ask(None, text, id=site_id(composed.sites[0]))
    assert shown["data"]["node"]["slogan"].endswith("shines")
    shown = await composed.ask(None, text, id=composed.items[2])
    assert shown == {
        "data": {"node": {"__typename": "Blog", "id": composed.items[2], "title": f"On {composed.sites[2].slug}"}}
    }
    assert (await composed.ask(composed.guest, text, id=composed.secret_item)) == {"data": {"node": None}}
