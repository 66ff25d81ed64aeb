"""Starting, changing, suspending and resuming sites."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from sqlalchemy import func, select

from auth.policy import Role
from auth.viewer import PlatformRole
from schema.relay import NodeId, encode_id
from schema.services.site import RESERVED_SLUGS
from tenants.platform_tables import Membership, Tenant
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, id_of

TENANT = table_of(Tenant)
SITE = "site { id slug name description language state visibility access joining version }"


def new_slug() -> str:
    return f"new-{secrets.token_hex(6)}"


async def count_sites(door: Door, slug: str) -> int:
    async with door.database.transaction(None) as tx:
        return int(await tx.scalar(select(func.count()).select_from(TENANT).where(TENANT.c.slug == slug)) or 0)


async def test_whoever_starts_a_site_owns_it(door: Door) -> None:
    anna, slug = await door.person(), new_slug()
    selection = "site { slug name language state visibility access joining version viewerMembership { role } }"
    made = await door.change(anna, "createSite", selection, slug=slug, name="  Fietsen in Fryslân ", language="fy")
    assert made["site"] == {
        "slug": slug,
        "name": "Fietsen in Fryslân",
        "language": "fy",
        "state": "ACTIVE",
        "visibility": "PUBLIC",
        "access": "MEMBERS",
        "joining": "REQUEST",
        "version": 1,
        "viewerMembership": {"role": "OWNER"},
    }
    mine = await door.ask(anna, "{ viewer { sites { edges { node { slug } } } } }")
    assert mine["data"]["viewer"]["sites"]["edges"] == [{"node": {"slug": slug}}]


async def test_a_site_is_started_as_told(door: Door) -> None:
    anna = await door.person()
    told = {
        "name": "x" * 200,
        "slug": new_slug(),
        "description": "d" * 5000,
        "language": "en-GB",
        "visibility": "MEMBERS",
        "access": "PUBLIC",
        "joining": "OPEN",
    }
    fields = " ".join(told)
    assert (await door.change(anna, "createSite", f"site {{ {fields} }}", **told))["site"] == told


async def test_a_taken_slug_is_a_conflict(door: Door) -> None:
    site, _ = await door.site()
    refused = await door.refused(await door.person(), "createSite", name="Again", slug=site.slug)
    assert (refused.code, refused.field) == ("CONFLICT", "input.slug")


async def test_one_of_two_at_once_gets_the_slug(door: Door) -> None:
    people, slug = [await door.person() for _ in range(2)], new_slug()
    answers = await asyncio.gather(
        *(door.send(person, "createSite", "site { id }", name="Race", slug=slug) for person in people)
    )
    assert sorted("errors" in answer for answer in answers) == [False, True]
    assert await count_sites(door, slug) == 1


async def test_a_request_repeated_at_once_makes_one_site(door: Door) -> None:
    anna, slug = await door.person(), new_slug()
    asked = {"name": "Once", "slug": slug, "idempotencyKey": "same"}
    answers = await asyncio.gather(*(door.send(anna, "createSite", SITE, **asked) for _ in range(3)))
    assert [answer for answer in answers if answer != answers[0] or "errors" in answer] == []
    assert await count_sites(door, slug) == 1


async def test_a_repeated_request_gives_the_first_answer(door: Door) -> None:
    anna, slug, key = await door.person(), new_slug(), secrets.token_hex(8)
    asked = {"name": "Once", "slug": slug, "idempotencyKey": key}
    first = await door.change(anna, "createSite", SITE, **asked)
    assert await door.change(anna, "createSite", SITE, **asked) == first
    refused = await door.refused(anna, "createSite", **asked | {"name": "Twice"})
    assert (refused.code, refused.field) == ("CONFLICT", "input.idempotencyKey")
    assert await count_sites(door, slug) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("slug", slug) for slug in ("", "a", "A-b", "a_b", "a--b", "-a", "a-", "1a", "é", "a b", "a.b", "a" * 64)),
        *(("slug", slug) for slug in ("a\n", "ab\n", "www", "api", "graphql", *sorted(RESERVED_SLUGS)[:3])),
        *(("name", name) for name in ("", "  \n\t", "x" * 201, "a\nb")),
        ("description", "x" * 5001),
        *(("language", tag) for tag in ("", "n", "nederlands", "nl_NL", "nl-", "n1")),
        *(("visibility", level) for level in ("PRIVATE", "GROUP")),
        *(("access", level) for level in ("PRIVATE", "GROUP")),
        ("idempotencyKey", "x" * 201),
    ],
)
async def test_bad_input_names_its_field_and_makes_nothing(door: Door, field: str, value: str) -> None:
    asked = {"name": "Fine", "slug": new_slug()} | {field: value}
    refused = await door.refused(await door.person(), "createSite", **asked)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}")
    assert value in RESERVED_SLUGS or await count_sites(door, asked["slug"]) == 0


@pytest.mark.parametrize("role", Role)
async def test_admins_change_settings(door: Door, role: Role) -> None:
    site, _ = await door.site()
    person, site_id = await door.member(site, role), id_of("S", site)
    told = {"name": "Nieuw", "description": "Anders", "language": "en", "visibility": "ACCOUNTS", "access": "ACCOUNTS"}
    told["joining"] = "INVITATION"
    if role < Role.ADMIN:
        assert (await door.refused(person, "updateSite", id=site_id, version=1, **told)).code == "FORBIDDEN"
        told = {"name": site.slug.title()}
        version = 1
    else:
        await door.change(person, "updateSite", SITE, id=site_id, version=1, **told)
        version = 2
    now = (await door.ask(person, "query($slug: String) { site(slug: $slug) { " + SITE[7:] + " }", slug=site.slug))[
        "data"
    ]["site"]
    assert now.items() >= (told | {"version": version}).items()


async def test_what_is_not_given_stays_and_what_is_so_already_is_no_change(door: Door) -> None:
    site, owner = await door.site(description="As it was")
    same = {"name": site.slug.title(), "description": None, "access": "PUBLIC"}
    changed = await door.change(owner, "updateSite", SITE, id=id_of("S", site), version=1, **same)
    assert (changed["site"]["version"], changed["site"]["description"]) == (1, "As it was")
    changed = await door.change(owner, "updateSite", SITE, id=id_of("S", site), version=1, description="")
    assert (changed["site"]["version"], changed["site"]["description"]) == (2, "")


async def test_an_old_version_is_a_conflict_that_tells_the_current_one(door: Door) -> None:
    site, owner = await door.site()
    await door.change(owner, "updateSite", SITE, id=id_of("S", site), version=1, name="One")
    refused = await door.refused(owner, "updateSite", id=id_of("S", site), version=1, name="Two")
    assert (refused.code, refused.field) == ("CONFLICT", "input.version")
    assert "version is 2" in refused.message


async def test_one_of_two_changes_at_once_wins(door: Door) -> None:
    site, owner = await door.site()
    names = [f"Name {number}" for number in range(4)]
    changes = (door.send(owner, "updateSite", SITE, id=id_of("S", site), version=1, name=name) for name in names)
    answers = await asyncio.gather(*changes)
    won = [answer["data"]["updateSite"]["site"] for answer in answers if "errors" not in answer]
    lost = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert (len(won), lost) == (1, ["CONFLICT"] * 3)
    now = await door.ask(owner, "query($slug: String) { site(slug: $slug) { name version } }", slug=site.slug)
    assert now["data"]["site"] == {"name": won[0]["name"], "version": 2}


async def test_a_site_has_one_id(door: Door) -> None:
    site, owner = await door.site()
    other = encode_id(NodeId("S", site.id, site.id))  # the right site, in a spelling that no answer has
    refused = await door.refused(owner, "updateSite", id=other, version=1, name="Anders")
    assert (refused.code, refused.field) == ("NOT_FOUND", "input.id")


async def test_a_hidden_site_is_not_there_for_others(door: Door) -> None:
    site, _ = await door.site(visibility=2, access=2)
    for who in (await door.person(), await door.person(PlatformRole.ANALYST)):
        for mutation in ("updateSite", "suspendSite"):
            given = {"id": id_of("S", site)} | ({"version": 1} if mutation == "updateSite" else {})
            refused = await door.refused(who, mutation, **given)
            assert (refused.code, refused.field) == ("NOT_FOUND", "input.id")


@pytest.mark.parametrize("role", Role)
async def test_owners_suspend_and_resume(door: Door, role: Role) -> None:
    site, _ = await door.site()
    person = await door.member(site, role)
    for mutation, state, version in (("suspendSite", "SUSPENDED", 2), ("resumeSite", "ACTIVE", 3)):
        if role < Role.OWNER:
            assert (await door.refused(person, mutation, id=id_of("S", site))).code == "FORBIDDEN"
            continue
        for _ in range(2):  # again is no fault and no change
            changed = await door.change(person, mutation, SITE, id=id_of("S", site))
            assert (changed["site"]["state"], changed["site"]["version"]) == (state, version)


async def test_operators_suspend_and_resume_every_site(door: Door) -> None:
    site, owner = await door.site(visibility=2, access=2)
    operator = await door.person(PlatformRole.OPERATOR)
    assert (await door.change(operator, "suspendSite", SITE, id=id_of("S", site)))["site"] is None
    refused = await door.refused(owner, "updateSite", id=id_of("S", site), version=2, name="Closed")
    assert refused.code == "SITE_SUSPENDED"
    await door.change(operator, "resumeSite", SITE, id=id_of("S", site))
    await door.change(owner, "updateSite", SITE, id=id_of("S", site), version=3, name="Open")
    assert (await door.refused(operator, "updateSite", id=id_of("S", site), version=4, name="Mine")).code == "NOT_FOUND"


async def test_owners_do_not_resume_what_an_operator_suspended(door: Door) -> None:
    site, owner = await door.site(visibility=4, access=4)
    operator = await door.person(PlatformRole.OPERATOR)
    here, by = id_of("S", site), "site { state suspendedBy }"
    first = await door.change(owner, "suspendSite", by, id=here)
    assert first["site"] == {"state": "SUSPENDED", "suspendedBy": "OWNER"}
    second = await door.change(operator, "suspendSite", by, id=here)
    assert second["site"] == {"state": "SUSPENDED", "suspendedBy": "OPERATOR"}
    refused = await door.refused(owner, "resumeSite", id=here)
    assert refused.code == "FORBIDDEN"
    seen = await door.ask(owner, "query($slug: String) { site(slug: $slug) { state suspendedBy } }", slug=site.slug)
    assert seen["data"]["site"] == second["site"], seen
    assert (await door.change(operator, "resumeSite", by, id=here))["site"] == {"state": "ACTIVE", "suspendedBy": None}
    assert (await door.change(owner, "resumeSite", by, id=here))["site"]["state"] == "ACTIVE"  # again is no fault


async def test_a_new_site_is_in_the_index(door: Door) -> None:
    anna, slug = await door.person(), new_slug()
    await door.change(anna, "createSite", SITE, name="Indexed", slug=slug)
    index = table_of(Membership)
    query = select(TENANT.c.slug, index.c.role, index.c.group_ids).join(TENANT, TENANT.c.id == index.c.tenant_id)
    async with door.database.transaction(None) as tx:
        rows = list(await tx.execute(query.where(index.c.account_id == anna.id)))
    assert rows == [(slug, int(Role.OWNER), [])]
