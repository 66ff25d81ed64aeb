"""What is told, to whom and when: by the door, on a real port, with real writers."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from auth.policy import Role
from auth.revocations import look_anew
from auth.viewer import ANONYMOUS, Viewer
from gateway.documents import Prepared
from gateway.live.answers import answers
from gateway.live.question import Question, read_question
from gateway.request import from_payload
from gateway.visit import Visit, prepare
from schema.compiler.audience import VISITOR
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.ids import uuid7
from tenants.outbox import Event, Position, load_missed
from tenants.platform_tables import Tenant
from tenants.provisioning import drop
from tenants.registry import TenantRef
from tenants.tables import table_of
from tests.gateway.live.running import Running, Socket
from tests.gateway.mutations.door import Person, id_of
from tests.gateway.mutations.test_content import group_of, item, published

WHOLE = "action contentId cursor content { id title version }"
CHANGED = f"subscription ($site: ID!, $since: String) {{ contentChanged(site: $site, since: $since) {{ {WHOLE} }} }}"
COMMENTED = (
    "subscription ($on: ID!) { commentAdded(content: $on) {"
    " commentId cursor comment { body author { account { name } } } } }"
)
SITE = (
    "subscription ($site: ID!) { siteChanged(site: $site) {"
    " action siteId site { name state content { totalCount } } } }"
)
NOWHERE = UUID(int=9)


async def following(live: Running, socket: Socket, query: str, **variables: Any) -> str:
    """Subscribe, and wait until it runs."""
    count = live.square.live.count + 1
    id_ = await socket.subscribe(query, **variables)
    await live.followed(count)
    return id_


async def refusal(socket: Socket, query: str, **variables: Any) -> tuple[str, str | None]:
    """Code and field of the error that a subscription is refused with."""
    id_ = await socket.subscribe(query, **variables)
    message = await socket.hear()
    assert (message["type"], message["id"]) == ("error", id_), message
    (error,) = message["payload"]
    return error["extensions"]["code"], error["extensions"].get("field")


async def test_an_item_from_its_beginning_to_its_end(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket(await live.member(site)) as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        content = await published(live, owner, site)
        told = (await socket.next())["contentChanged"]
        assert (told["action"], told["contentId"], told["content"]["version"]) == ("CREATED", content, 1)
        await live.change(owner, "updateContent", "content { id }", id=content, version=1, title="Anders")
        told = (await socket.next())["contentChanged"]
        assert (told["action"], told["content"]) == ("UPDATED", {"id": content, "title": "Anders", "version": 2})
        await live.change(owner, "updateContent", "content { id }", id=content, version=2, title="Anders")
        await live.change(owner, "deleteContent", "deletedId", id=content)
        told = (await socket.next())["contentChanged"]
        assert (told["action"], told["contentId"], told["content"]) == ("DELETED", content, None)
        assert await socket.is_quiet()


async def test_only_kinds_that_were_asked_for(live: Running) -> None:
    site, owner = await live.site()
    query = "subscription ($site: ID!) { contentChanged(site: $site, kinds: [WIKI, POLL]) { content { kind } } }"
    async with live.socket() as socket:
        await following(live, socket, query, site=id_of("S", site))
        for kind in ("BLOG", "WIKI", "EVENT", "POLL"):
            await live.change(
                owner, "createContent", "__typename", site=id_of("S", site), access="PUBLIC", **item(kind)
            )
        assert [(await socket.next())["contentChanged"]["content"]["kind"] for _ in range(2)] == ["WIKI", "POLL"]
        assert await socket.is_quiet()


async def test_comments_on_an_item_and_answers_to_them(live: Running) -> None:
    site, owner = await live.site()
    here, elsewhere = await published(live, owner, site), await published(live, owner, site)
    async with live.socket(await live.member(site)) as socket:
        await following(live, socket, COMMENTED, on=here)
        await live.change(owner, "addComment", "__typename", subject=elsewhere, body="Elders")
        made = await live.change(owner, "addComment", "comment { id }", subject=here, body="Hier")
        told = (await socket.next())["commentAdded"]
        assert told["commentId"] == made["comment"]["id"]
        assert told["comment"] == {"body": "Hier", "author": {"account": {"name": "Anna"}}}
        await live.change(owner, "addComment", "__typename", subject=told["commentId"], body="Terug")
        assert (await socket.next())["commentAdded"]["comment"]["body"] == "Terug"
        assert await socket.is_quiet()


async def test_a_site_that_is_suspended_is_followed_and_nothing_on_it(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket(await live.member(site)) as socket:
        await following(live, socket, SITE, site=id_of("S", site))
        content = await following(live, socket, CHANGED, site=id_of("S", site))
        await live.change(owner, "updateSite", "__typename", id=id_of("S", site), version=1, name="Nieuw")
        told = (await socket.next())["siteChanged"]
        assert told == {
            "action": "UPDATED",
            "siteId": encode_id(NodeId("S", PLATFORM_ID, site.id)),
            "site": {"name": "Nieuw", "state": "ACTIVE", "content": {"totalCount": 0}},
        }
        await live.change(owner, "suspendSite", "__typename", id=id_of("S", site))
        heard = {each["id"]: each for each in [await socket.hear(), await socket.hear()]}
        ended = heard.pop(content)
        assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "SITE_SUSPENDED")
        (told,) = heard.values()
        assert told["payload"]["errors"][0]["extensions"]["code"] == "SITE_SUSPENDED"  # of its content
        assert told["payload"]["errors"][0]["path"] == ["siteChanged", "site", "content"]
        assert await refusal(socket, CHANGED, site=id_of("S", site)) == ("SITE_SUSPENDED", None)
        await live.change(owner, "resumeSite", "__typename", id=id_of("S", site))
        assert (await socket.next())["siteChanged"]["site"]["state"] == "ACTIVE"
    await live.followed(0)


async def test_what_is_not_there_is_refused_and_says_which(live: Running) -> None:
    site, owner = await live.site(access=2, visibility=2)
    private = await published(live, owner, site, access="PRIVATE")
    gone = await live.provision_site()
    async with live.database.transaction(None) as tx:
        await drop(tx, gone)
    async with live.socket(await live.person()) as socket:
        for text in (
            id_of("S", site),
            id_of("S", site, NOWHERE),
            id_of("C", site),
            id_of("S", gone),
            "",
            "AVMx",
            private,
        ):
            assert await refusal(socket, CHANGED, site=text) == ("NOT_FOUND", "site")
        for text in (private, id_of("C", site, NOWHERE), id_of("S", site), "x" * 56):
            assert await refusal(socket, COMMENTED, on=text) == ("NOT_FOUND", "content")
        assert (await refusal(socket, "subscription { nothing }"))[0] == "GRAPHQL_VALIDATION_FAILED"
        assert await refusal(socket, CHANGED, site=id_of("S", gone), since="x") == ("NOT_FOUND", "site")
    async with live.socket(owner) as socket:  # the right site, in a spelling that no answer has
        other = encode_id(NodeId("S", site.id, site.id))
        assert await refusal(socket, CHANGED, site=other) == ("NOT_FOUND", "site")
    await live.followed(0)


async def test_everybody_is_told_of_what_they_may_see_and_no_more(live: Running) -> None:
    """What each is told is what each reads, whoever is alike."""
    site, owner = await live.site()
    group = await group_of(live, site, owner)
    people = {
        "visitor": None,
        "stranger": await live.person(),
        "guest": await live.member(site, Role.GUEST),
        "member": await live.member(site),
        "other member": await live.member(site),
        "in the group": await live.member(site),
        "author": await live.member(site),
        "admin": await live.member(site, Role.ADMIN),
    }
    for name in ("in the group", "author"):
        await live.change(people[name], "joinGroup", "__typename", group=group)
    selection = "id title group { name viewerIsMember } author { role } viewerReaction comments { totalCount }"
    plain = "id title group { name } author { role } comments { totalCount }"
    for selected in (plain, selection, "id"):
        told = f"action contentId content {{ {selected} }}"
        query = f"subscription ($site: ID!) {{ contentChanged(site: $site) {{ {told} }} }}"
        async with asyncio.timeout(60):
            await everybody(live, site, people, group, query, selected)


async def everybody(
    live: Running, site: TenantRef, people: dict[str, Person | None], group: str, query: str, selected: str
) -> None:
    stack = [live.socket(who) for who in people.values()]
    sockets = dict(zip(people, [await each.__aenter__() for each in stack], strict=True))
    try:
        for socket in sockets.values():
            await following(live, socket, query, site=id_of("S", site))
        items = []
        for given in (
            {"access": "PRIVATE"},
            {"access": "GROUP", "group": group},
            {"access": "PUBLIC", "group": group},
            {"access": "MEMBERS"},
            {"access": "ACCOUNTS"},
            {"access": "PUBLIC"},
        ):
            items.append(await published(live, people["author"], site, **given))
        node = f"query ($id: ID!) {{ node(id: $id) {{ ... on Content {{ {selected} }} }} }}"
        for name, socket in sockets.items():
            reads = [(await live.ask(people[name], node, id=each))["data"]["node"] for each in items]
            told = [(await socket.next())["contentChanged"]["content"] for each in reads if each is not None]
            assert told == [each for each in reads if each is not None], name
        seen = {name: [await sees(live, who, each) for each in items] for name, who in people.items()}
        for each in items:
            await live.change(people["author"], "deleteContent", "__typename", id=each)
        for name, socket in sockets.items():
            expected = [each for each, visible in zip(items, seen[name], strict=True) if visible]
            told = [(await socket.next())["contentChanged"] for _ in expected]
            assert [each["contentId"] for each in told] == expected, name
            assert {each["action"] for each in told} == {"DELETED"}
        assert all(await asyncio.gather(*(socket.is_quiet() for socket in sockets.values())))
        assert {tuple(each) for each in seen.values()} >= {(False,) * 5 + (True,), (True,) * 6}
    finally:
        for each in stack:
            await each.__aexit__(None, None, None)
        await live.followed(0)


async def sees(live: Running, who: Person | None, id_: str) -> bool:
    return (await live.ask(who, "query ($id: ID!) { node(id: $id) { id } }", id=id_))["data"]["node"] is not None


async def test_who_leaves_hears_no_more_at_once(live: Running) -> None:
    site, owner = await live.site()
    members = [await live.member(site) for _ in range(3)]
    async with live.socket(members[0]) as leaver, live.socket(members[1]) as stayer:
        for socket in (leaver, stayer):
            await following(live, socket, CHANGED, site=id_of("S", site))
        await published(live, owner, site, access="MEMBERS")
        assert [(await each.next())["contentChanged"]["action"] for each in (leaver, stayer)] == ["CREATED"] * 2
        await live.change(members[0], "leaveSite", "__typename", site=id_of("S", site))
        await published(live, owner, site, access="MEMBERS")
        assert (await stayer.next())["contentChanged"]["action"] == "CREATED"
        assert await leaver.is_quiet()
        await live.change(members[0], "joinSite", "__typename", site=id_of("S", site))
        await published(live, owner, site, access="MEMBERS")
        assert (await leaver.next())["contentChanged"]["action"] == "CREATED"


@dataclasses.dataclass
class Counting:
    """A reader that counts what it is asked."""

    reader: Any
    count: int = 0

    async def fetch(self, *args: Any) -> Any:
        """As the reader's."""
        self.count += 1
        return await self.reader.fetch(*args)


async def asked(live: Running, query: str, who: Person | None, **variables: Any) -> Question:
    visit = Visit(await viewer_of(live, who), None, None, True, False, None)  # type: ignore[arg-type]
    prepared = prepare(live.square, visit, from_payload({"query": query, "variables": variables}))
    assert isinstance(prepared, Prepared)
    question = read_question(live.square, live.square.live.plans, prepared, visit.viewer)
    return await question.enter(live.square, visit.viewer)


async def viewer_of(live: Running, who: Person | None) -> Viewer:
    return ANONYMOUS if who is None else await live.square.authenticate(who.token, None)


async def last_event(live: Running, site: TenantRef, topic: str = "CONTENT") -> Event:
    square = live.square
    everything = (Position(0, VISITOR), Position(2**62, VISITOR))
    role = square.registry.platform_role
    return (await load_missed(square.reader, role, site.id, topic, None, everything, 10_000))[-1]


@pytest.mark.parametrize(
    ("selected", "statements"),
    [
        ("action contentId content { title author { account { name } } comments { totalCount } }", "classes"),
        ("content { title site { name viewerMembership { role } } }", "accounts"),
        ("content { title viewerReaction }", "accounts"),
        ("action contentId cursor", "none"),
    ],
)
async def test_statements_per_event_by_access_class_and_not_by_connection(
    live: Running, selected: str, statements: str
) -> None:
    site, owner = await live.site()
    members = [await live.member(site) for _ in range(12)]
    guests = [await live.member(site, Role.GUEST) for _ in range(5)]
    strangers = [await live.person() for _ in range(3)]
    query = f"subscription ($site: ID!) {{ contentChanged(site: $site) {{ {selected} }} }}"
    question = await asked(live, query, owner, site=id_of("S", site))
    await published(live, owner, site, access="ACCOUNTS")
    event = await last_event(live, site)
    accounts = [VISITOR, owner.id, *(each.id for each in [*members, *guests, *strangers])]
    counting = Counting(live.square.reader)
    square = dataclasses.replace(live.square, reader=counting)  # type: ignore[arg-type]
    told = await answers(square, question, event, accounts, asyncio.Semaphore(4))
    assert set(told) == set(accounts) - {VISITOR}
    # One says who may know; then one for owners, members, guests and strangers, or one for each of the accounts.
    assert counting.count == {"classes": 1 + 4, "accounts": len(accounts), "none": 1}[statements]


async def test_groups_make_a_class_only_where_they_are_looked_at(live: Running) -> None:
    site, owner = await live.site()
    groups = [await group_of(live, site, owner) for _ in range(4)]
    members = [await live.member(site) for _ in range(8)]
    for number, member in enumerate(members):
        await live.change(member, "joinGroup", "__typename", group=groups[number % 4])
    await published(live, owner, site, access="PUBLIC")
    event = await last_event(live, site)
    for selected, classes in (("content { title }", 1), ("content { title group { name } }", 4)):
        query = f"subscription ($site: ID!) {{ contentChanged(site: $site) {{ {selected} }} }}"
        question = await asked(live, query, owner, site=id_of("S", site))
        counting = Counting(live.square.reader)
        square = dataclasses.replace(live.square, reader=counting)  # type: ignore[arg-type]
        told = await answers(square, question, event, [each.id for each in members], asyncio.Semaphore(4))
        assert (len(told), counting.count) == (8, 1 + classes)


async def test_those_who_ask_alike_are_one_circle(live: Running) -> None:
    """Whatever they give as `since`, if only as that."""
    site, owner = await live.site()
    members = [await live.member(site) for _ in range(3)]
    await published(live, owner, site)
    questions = [await asked(live, CHANGED, who, site=id_of("S", site), since=str(who.id)) for who in members]
    assert len({question.key for question in questions}) == 1
    other = CHANGED.replace("title", "t: title")
    assert (await asked(live, other, owner, site=id_of("S", site))).key != questions[0].key
    one = CHANGED.replace("content {", "content @include(if: $with) {").replace("($site", "($with: Boolean!, $site")
    keys = {(await asked(live, one, owner, site=id_of("S", site), **{"with": each})).key for each in (True, False)}
    assert len(keys) == 2


async def test_an_event_that_is_about_nothing_any_more_is_not_told(live: Running) -> None:
    site, owner = await live.site()
    member = await live.member(site)
    question = await asked(live, CHANGED, member, site=id_of("S", site))
    event = Event(
        Position(1, uuid7()), site.id, "CONTENT", "CREATED", uuid7(), None, "BLOG", (await now(live, site, owner))
    )
    assert await answers(live.square, question, event, [member.id, owner.id, VISITOR], asyncio.Semaphore(4)) == {}


async def now(live: Running, site: TenantRef, owner: Person) -> Any:
    await published(live, owner, site)
    return (await last_event(live, site)).happened_at


async def test_a_site_that_demands_more_is_followed_by_nobody_it_does_not_know(live: Running) -> None:
    """At the start, and in the middle: whoever it does not know any more is told, and told nothing after it."""
    site, owner = await live.site()
    member = await live.member(site)
    async with live.socket(member) as socket, live.socket() as visitor:
        await socket.subscribe(CHANGED, site=id_of("S", site))
        await visitor.subscribe(CHANGED, site=id_of("S", site))
        await live.followed(2)
        table = table_of(Tenant)
        async with live.database.transaction(None) as tx:
            await tx.execute(update(table).where(table.c.id == site.id).values(second_factor=True))
            await look_anew(tx, site.id)
        heard = await socket.hear()
        assert heard["type"] == "error"
        assert heard["payload"][0]["extensions"]["code"] == "STEP_UP_REQUIRED"
        await live.followed(1)
        async with live.socket(owner) as late:
            await late.subscribe(CHANGED, site=id_of("S", site))
            heard = await late.hear()
            assert heard["payload"][0]["extensions"]["code"] == "STEP_UP_REQUIRED"
        assert await visitor.is_quiet(), "a visitor stays one"
