"""Who may give whom which role, how a site changes hands, and what operators may do to accounts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from auth.policy import Role
from auth.viewer import PlatformRole
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.platform_tables import Account, Membership
from tenants.registry import TenantRef
from tenants.site_tables import Member, OwnershipOffer
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, Person, id_of

MEMBERSHIP, ACCOUNT, OFFER = table_of(Membership), table_of(Account), table_of(OwnershipOffer)


async def roles(door: Door, site: TenantRef) -> dict[object, Role]:
    """Who is what on the site; the index over all sites says the same."""
    rows = await door.rows(site, Member, table_of(Member).c.left_at.is_(None))
    there = {row.account_id: Role(row.role) for row in rows}
    async with door.database.transaction(None) as tx:
        index = await tx.execute(select(MEMBERSHIP).where(MEMBERSHIP.c.tenant_id == site.id))
        assert {row.account_id: Role(row.role) for row in index} == there
    return there


def member_id(site: TenantRef, who: Person) -> str:
    return id_of("M", site, who.id)


def account_id(who: Person) -> str:
    return encode_id(NodeId("A", PLATFORM_ID, who.id))


@pytest.mark.parametrize("mine", Role)
@pytest.mark.parametrize("theirs", Role)
async def test_nobody_acts_above_their_own_role(door: Door, mine: Role, theirs: Role) -> None:
    """Every role of who does it, and of whom it is done to, and every role that could be given."""
    site, _ = await door.site()
    me = await door.member(site, mine)
    for role in Role:
        other = await door.member(site, theirs)
        may = mine >= Role.ADMIN and theirs <= mine and (role is theirs or (role <= mine and role is not Role.OWNER))
        if may:
            body = await door.change(
                me, "setMemberRole", "member { role }", member=member_id(site, other), role=role.name
            )
            assert body == {"member": {"role": role.name}}
        else:
            refused = await door.refused(me, "setMemberRole", member=member_id(site, other), role=role.name)
            assert refused.code == ("NOT_FOUND" if mine is Role.GUEST else "FORBIDDEN")
        assert (await roles(door, site))[other.id] is (role if may else theirs)
    other = await door.member(site, theirs)
    if mine >= Role.ADMIN and theirs <= mine:
        await door.change(me, "removeMember", "removedId", member=member_id(site, other))
        assert other.id not in await roles(door, site)
    else:
        await door.refused(me, "removeMember", member=member_id(site, other))
        assert (await roles(door, site))[other.id] is theirs


async def test_who_was_given_a_role_may_use_it_at_once(door: Door) -> None:
    site, owner = await door.site()
    who = await door.member(site)
    given = {"id": id_of("S", site), "version": 1, "name": "Nieuw"}
    assert (await door.refused(who, "updateSite", **given)).code == "FORBIDDEN"
    await door.change(owner, "setMemberRole", "__typename", member=member_id(site, who), role="ADMIN")
    await door.change(who, "updateSite", "__typename", **given)
    await door.change(owner, "setMemberRole", "__typename", member=member_id(site, who), role="MEMBER")
    assert (await door.refused(who, "updateSite", **{**given, "version": 2})).code == "FORBIDDEN"


async def test_the_last_owner_stays_one(door: Door) -> None:
    site, owner = await door.site()
    me = member_id(site, owner)
    assert (await door.refused(owner, "setMemberRole", member=me, role="ADMIN")).code == "CONFLICT"
    assert (await door.refused(owner, "leaveSite", site=id_of("S", site))).code == "CONFLICT"
    second = await door.member(site, Role.OWNER)
    await door.change(owner, "setMemberRole", "__typename", member=me, role="ADMIN")
    for deed, given in (("setMemberRole", {"member": member_id(site, second), "role": "GUEST"}),):
        assert (await door.refused(second, deed, **given)).code == "CONFLICT"
    assert (await roles(door, site))[second.id] is Role.OWNER


async def test_two_owners_who_step_down_at_once_leave_one(door: Door) -> None:
    site, one = await door.site()
    other = await door.member(site, Role.OWNER)
    given = [{"member": member_id(site, whom), "role": "ADMIN"} for whom in (one, other)]
    bodies = await asyncio.gather(
        door.send(one, "setMemberRole", "__typename", **given[0]),
        door.send(other, "setMemberRole", "__typename", **given[1]),
        door.send(one, "setMemberRole", "__typename", **given[1]),
        door.send(other, "leaveSite", "__typename", site=id_of("S", site)),
    )
    assert list((await roles(door, site)).values()).count(Role.OWNER) == 1
    codes = {error["extensions"]["code"] for body in bodies for error in body.get("errors", ())}
    assert codes <= {"CONFLICT", "FORBIDDEN", "NOT_FOUND"}


async def test_a_site_changes_hands_when_both_want_it(door: Door) -> None:
    site, owner = await door.site()
    who = await door.member(site)
    listed = (
        "query ($slug: String!) { site(slug: $slug) { ownershipOffers { edges { node { id member { role } } } } } }"
    )
    payload = await door.change(owner, "offerOwnership", "offer { id stepsDown }", member=member_id(site, who))
    assert payload["offer"]["stepsDown"] is True
    assert (await roles(door, site))[who.id] is Role.MEMBER
    for sees, count in ((owner, 1), (who, 1), (await door.member(site, Role.ADMIN), 0), (await door.person(), 0)):
        edges = (await door.ask(sees, listed, slug=site.slug))["data"]["site"]["ownershipOffers"]["edges"]
        assert len(edges) == count
    accepted = await door.change(who, "acceptOwnership", "member { role } site { slug }", site=id_of("S", site))
    assert accepted == {"member": {"role": "OWNER"}, "site": {"slug": site.slug}}
    now = await roles(door, site)
    assert (now[owner.id], now[who.id]) == (Role.ADMIN, Role.OWNER)
    assert (await door.refused(who, "acceptOwnership", site=id_of("S", site))).code == "NOT_FOUND"
    await door.change(owner, "leaveSite", "__typename", site=id_of("S", site))


async def test_an_owner_can_be_added(door: Door) -> None:
    site, owner = await door.site()
    who = await door.member(site)
    await door.change(owner, "offerOwnership", "__typename", member=member_id(site, who), stepsDown=False)
    await door.change(who, "acceptOwnership", "__typename", site=id_of("S", site))
    assert list((await roles(door, site)).values()) == [Role.OWNER, Role.OWNER]


async def test_an_offer_is_good_for_whom_it_is_made_and_as_long_as_it_is(door: Door) -> None:
    site, owner = await door.site()
    who, other = await door.member(site), await door.member(site, Role.ADMIN)
    here = id_of("S", site)
    offer = (await door.change(owner, "offerOwnership", "offer { id }", member=member_id(site, who)))["offer"]["id"]
    for stranger in (other, await door.person()):
        assert (await door.refused(stranger, "acceptOwnership", site=here)).code == "NOT_FOUND"
        assert (await door.refused(stranger, "declineOwnership", offer=offer)).code == "NOT_FOUND"
        refused = await door.refused(stranger, "offerOwnership", member=member_id(site, other))
        assert refused.code == ("FORBIDDEN" if stranger is other else "NOT_FOUND")
    assert (await door.refused(owner, "acceptOwnership", site=here)).code == "NOT_FOUND"
    async with door.database.transaction(site) as tx:
        await tx.execute(update(OFFER).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert (await door.refused(who, "acceptOwnership", site=here)).code == "NOT_FOUND"
    # Made again it is new; declined it is gone; and so it is when whoever made it is no owner any more.
    await door.change(owner, "offerOwnership", "__typename", member=member_id(site, who))
    assert (await door.change(who, "declineOwnership", "declinedId", offer=offer)) == {"declinedId": offer}
    assert (await door.refused(who, "acceptOwnership", site=here)).code == "NOT_FOUND"
    await door.change(owner, "offerOwnership", "__typename", member=member_id(site, who))
    second = await door.member(site, Role.OWNER)
    await door.change(second, "setMemberRole", "__typename", member=member_id(site, owner), role="EDITOR")
    assert (await door.refused(who, "acceptOwnership", site=here)).code == "NOT_FOUND"
    for guest in (await door.member(site, Role.GUEST), second):
        refused = await door.refused(second, "offerOwnership", member=member_id(site, guest))
        assert (refused.code, refused.field) == ("BAD_USER_INPUT", "input.member")


async def test_who_was_removed_accepts_nothing(door: Door) -> None:
    site, owner = await door.site(access=2, visibility=2)
    who = await door.member(site)
    await door.change(owner, "offerOwnership", "__typename", member=member_id(site, who))
    await door.change(owner, "removeMember", "__typename", member=member_id(site, who))
    assert (await door.refused(who, "acceptOwnership", site=id_of("S", site))).code == "NOT_FOUND"
    refused = await door.refused(owner, "removeMember", member=member_id(site, owner))
    assert refused.code in ("BAD_USER_INPUT", "CONFLICT")


async def test_a_role_on_the_square_works_at_once(door: Door) -> None:
    operator, who = await door.person(PlatformRole.OPERATOR), await door.person()
    site, _ = await door.site()
    assert (await door.refused(who, "suspendSite", id=id_of("S", site))).code == "FORBIDDEN"
    body = await door.change(operator, "setPlatformRole", "accountId role", account=account_id(who), role="OPERATOR")
    assert body == {"accountId": account_id(who), "role": "OPERATOR"}
    await door.change(who, "suspendSite", "__typename", id=id_of("S", site))
    await door.change(operator, "setPlatformRole", "role", account=account_id(who), role="NONE")
    assert (await door.refused(who, "resumeSite", id=id_of("S", site))).code == "FORBIDDEN"


async def test_nobody_comes_in_as_a_suspended_account(door: Door) -> None:
    """By token and by key, at once; when it is resumed, what it had before is still over."""
    operator, who = await door.person(PlatformRole.OPERATOR), await door.person()
    made = await door.change(who, "createApiKey", "secret", name="x", scopes=["READ"])
    by_key = Person(who.id, made["secret"])
    question = "{ viewer { account { id } } }"
    for way in (who, by_key):
        assert (await door.ask(way, question))["data"]["viewer"]["account"]["id"] == account_id(who)
    await door.change(operator, "suspendAccount", "accountId", account=account_id(who))
    for way in (who, by_key):
        assert (await door.ask(way, question))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await door.change(operator, "resumeAccount", "accountId", account=account_id(who))
    assert (await door.ask(who, question))["data"]["viewer"]["account"]["id"] == account_id(who)
    assert (await door.ask(by_key, question))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_square_keeps_an_operator(door: Door) -> None:
    """Several who go at once: the last one stays."""
    operators = [await door.person(PlatformRole.OPERATOR) for _ in range(3)]
    async with door.database.transaction(None) as tx:
        others = ACCOUNT.c.id.not_in([each.id for each in operators])
        before = {row.id: row.role for row in await tx.execute(select(ACCOUNT).where(ACCOUNT.c.role == 2, others))}
        await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id.in_(before)).values(role=0))
    try:
        await asyncio.gather(
            *(door.send(each, "setPlatformRole", "role", account=account_id(each), role="NONE") for each in operators),
            door.send(operators[0], "suspendAccount", "__typename", account=account_id(operators[1])),
        )
        async with door.database.transaction(None) as tx:
            live = (ACCOUNT.c.role == 2, ACCOUNT.c.suspended_at.is_(None))
            (last,) = (await tx.execute(select(ACCOUNT.c.id).where(*live))).scalars()
        whoever = next(each for each in operators if each.id == last)
        for deed, more in (("setPlatformRole", {"role": "ANALYST"}), ("suspendAccount", {})):
            assert (await door.refused(whoever, deed, account=account_id(whoever), **more)).code == "CONFLICT"
    finally:
        async with door.database.transaction(None) as tx:
            await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id.in_(before)).values(role=2))
