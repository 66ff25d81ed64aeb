"""The demo on its built-in sample: what is made, what is loaded, and what is left alone."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from auth.accounts import load_account_by_email, load_cast, load_viewer
from auth.issuer import DEVELOPMENT_ISSUER
from auth.policy import Level, Role
from auth.viewer import PlatformRole
from gateway import cli, demo
from gateway.demo.cast import CAST
from gateway.demo.estate import Estate, is_demo_site, plan_estate
from gateway.demo.moments import END, START, as_datetime
from gateway.demo.names import distinct_slugs, make_slug
from gateway.demo.people import account_id, ids_of_people
from gateway.demo.progress import plain_progress
from gateway.demo.scale import SCALES, Scale
from gateway.demo.site import SiteRows, make_site
from gateway.demo.source import SAMPLE, find_topic, load_source
from gateway.settings import Settings, load_settings
from gateway.terminal import CommandError
from schema.kinds import KINDS
from tenants.database import Database
from tenants.errors import LockTimeout
from tenants.ids import uuid7
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings

ROOT = Path(__file__).resolve().parents[2]
CreateDatabase = Callable[..., str]
SITE_TABLES = ("member", "group", "group_member", "content", "comment", "reaction")
SEEDS = iter(range(100, 1000))  # each test has a seed of its own, so that none reads what another made


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A seed that no other test of the run uses, in whatever process it runs."""
    return seed_of(request)


def seed_of(request: pytest.FixtureRequest) -> int:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return next(SEEDS) + 1000 * int(worker.removeprefix("gw"))


@pytest.fixture(scope="module")
def estate() -> Estate:
    return plan_estate(load_source(sample=True), SCALES["small"], 1)


@pytest.fixture(scope="module")
def sites(estate: Estate) -> list[SiteRows]:
    return [make_site(estate, plan) for plan in estate.sites]


@pytest.fixture
def settings(fresh_square: str) -> Settings:
    return settings_for(fresh_square)


def settings_for(url: str) -> Settings:
    return replace(load_settings({"PLEIN_SECRET": "t" * 32, "PLEIN_MODE": "development"}), database_url=url)


def rows_of(site: SiteRows, table: str) -> list[dict[str, Any]]:
    found = next(each for each in (*site.own, *site.platform) if each.table == table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def all_rows(sites: list[SiteRows], table: str) -> list[dict[str, Any]]:
    return [row for site in sites for row in rows_of(site, table)]


# --- what is made ----------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same(estate: Estate, sites: list[SiteRows]) -> None:
    again = plan_estate(load_source(SAMPLE), SCALES["small"], 1)
    assert again.people == estate.people
    assert again.sites == estate.sites
    # In another order: a site comes out of its plan alone.
    assert [make_site(again, plan) for plan in reversed(again.sites)] == sites[::-1]
    other = plan_estate(load_source(SAMPLE), SCALES["small"], 2)
    assert {plan.id for plan in other.sites}.isdisjoint(plan.id for plan in estate.sites)
    assert [each.id for each in other.people] == [each.id for each in estate.people]


def test_totals_are_those_of_the_scale(estate: Estate, sites: list[SiteRows]) -> None:
    scale = estate.scale
    assert (len(sites), len(estate.people)) == (scale.site_count, scale.account_count)
    assert len(all_rows(sites, "content")) == scale.content_count
    assert len(all_rows(sites, "comment")) == scale.comment_count
    assert len(all_rows(sites, "reaction")) >= 0.9 * scale.reaction_count
    assert 0.9 * scale.membership_count <= len(all_rows(sites, "member")) <= scale.membership_count


@pytest.mark.parametrize("name", [name for name, scale in SCALES.items() if not scale.whole_texts])
def test_a_few_sites_are_large_and_most_are_small(name: str) -> None:
    estate = plan_estate(load_source(sample=True), SCALES[name], 1)
    contents = [plan.content_count for plan in estate.sites]
    assert sum(contents) == estate.scale.content_count
    assert contents == sorted(contents, reverse=True)
    assert contents[0] >= (5 if name == "small" else 100) * median(contents)
    assert len({plan.slug for plan in estate.sites}) == len({plan.id for plan in estate.sites}) == len(contents)
    if name == "pleio":
        on_home_site = Counter(len(plan.home) for plan in estate.sites)
        assert max(on_home_site) > 20 * median(on_home_site.elements())


def test_where_each_text_is_an_item_all_of_them_are_used_once() -> None:
    source = load_source(sample=True)
    estate = plan_estate(source, SCALES["municipalities"], 1)
    assert {plan.name for plan in estate.sites} == {each.name for each in source.municipalities}
    items = all_rows([make_site(estate, plan) for plan in estate.sites], "content")
    titles = Counter(row["title"] for row in items if row["kind"] != "STATUS")
    assert len(items) == len(source.texts)
    assert set(titles) <= {text.title[0].upper() + text.title[1:] for text in source.texts}
    bodies = {text.body for text in source.texts}
    assert all(row["body"] in bodies for row in items if row["kind"] != "STATUS")


def test_a_few_people_are_on_many_sites_and_most_on_one(sites: list[SiteRows]) -> None:
    on_sites = Counter(row["account_id"] for row in all_rows(sites, "member"))
    assert max(on_sites.values()) >= 3 * median(on_sites.values())


def test_all_kinds_levels_and_roles_are_there(sites: list[SiteRows]) -> None:
    contents = all_rows(sites, "content")
    assert {row["kind"] for row in contents} == set(KINDS)
    assert {row["access"] for row in contents} == set(Level)
    assert {row["access"] for row in all_rows(sites, "group")} == {1, 2, 3, 4}
    assert {row["role"] for row in all_rows(sites, "member")} == set(Role)
    assert {row["kind"] for row in all_rows(sites, "reaction")} == {"LIKE", "SUPPORT", "INSIGHTFUL", "THANKS"}
    assert any(row["tags"] for row in contents)
    assert any(row["deleted_at"] for row in contents)
    assert any(row["left_at"] for row in all_rows(sites, "member"))
    for site in sites:
        assert max(row["role"] for row in rows_of(site, "member") if row["left_at"] is None) == Role.OWNER


def test_details_are_what_each_kind_would_store(sites: list[SiteRows]) -> None:
    """Whatever the demo made, the kind's own check takes it and stores the very same."""
    checked = Counter()
    for row in all_rows(sites, "content"):
        kind = importlib.import_module(f"schema.content.{row['kind'].lower()}").KIND
        details = psycopg.types.json.json.loads(row["details"])
        assert (row["title"] == "") == (not kind.titled)
        assert len(row["title"]) <= 200
        if row["kind"] == "EVENT":
            moments = {key: details[key] and datetime.fromisoformat(details[key]) for key in ("startsAt", "endsAt")}
            given = SimpleNamespace(
                starts_at=moments["startsAt"], ends_at=moments["endsAt"], location=details["location"]
            )
        elif row["kind"] == "POLL":
            given = SimpleNamespace(options=details["options"])
        elif row["kind"] == "NEWS":
            given = SimpleNamespace(source=details.get("source"))
        else:
            assert details == {}
            continue
        assert kind.store(given) == details
        checked[row["kind"]] += 1
    assert set(checked) == {"EVENT", "POLL", "NEWS"}


def test_nothing_happens_before_it_can(sites: list[SiteRows]) -> None:
    for site in sites:
        contents = {row["id"]: row for row in rows_of(site, "content")}
        comments = {row["id"]: row for row in rows_of(site, "comment")}
        members = {row["account_id"]: row for row in rows_of(site, "member")}
        places = {(row["group_id"], row["account_id"]): row for row in rows_of(site, "group_member")}
        for row in contents.values():
            author = members[row["author_id"]]
            assert author["joined_at"] <= row["published_at"] <= row["updated_at"]
            assert author["left_at"] is None or author["left_at"] > row["published_at"]
            assert row["access"] != Level.GROUP or row["group_id"]
            if row["group_id"]:
                assert places[row["group_id"], row["author_id"]]["joined_at"] <= row["published_at"]
        for row in comments.values():
            assert row["author_id"] in members
            assert contents[row["content_id"]]["published_at"] < row["created_at"]
            if row["parent_id"]:
                assert comments[row["parent_id"]]["content_id"] == row["content_id"]
                assert comments[row["parent_id"]]["created_at"] < row["created_at"]
        for row in rows_of(site, "reaction"):
            subject = contents.get(row["subject_id"]) or comments[row["subject_id"]]
            assert subject.get("published_at", subject["created_at"]) < row["created_at"]
        for _, account in places:
            assert members[account]["left_at"] is None


def test_moments_are_plausible_and_never_the_same(sites: list[SiteRows]) -> None:
    for site in sites:
        for table, column in (("content", "published_at"), ("comment", "created_at")):
            moments = [row[column] for row in rows_of(site, table)]
            assert len(set(moments)) == len(moments)
            assert all(as_datetime(START) <= moment <= as_datetime(END) for moment in moments)
    years = {row["published_at"].year for row in all_rows(sites, "content")}
    assert len(years) >= 10
    assert as_datetime(START).year == 2012
    assert as_datetime(END) < datetime.now(UTC)


def test_talk_is_nested_and_skewed(sites: list[SiteRows]) -> None:
    comments = all_rows(sites, "comment")
    parents = {row["id"]: row["parent_id"] for row in comments}
    answers = [row for row in comments if row["parent_id"]]
    assert 0.2 < len(answers) / len(comments) < 0.6
    assert any(parents[row["parent_id"]] for row in answers), "answers to answers"
    by_item = Counter(row["content_id"] for row in comments)
    assert max(by_item.values()) > 5 * median(by_item.values())
    assert len({row["body"] for row in comments}) > 200


def test_nobody_talks_where_they_may_not_look(sites: list[SiteRows]) -> None:
    for site in sites:
        contents = {row["id"]: row for row in rows_of(site, "content")}
        groups = {row["id"]: row for row in rows_of(site, "group")}
        places = {(row["group_id"], row["account_id"]) for row in rows_of(site, "group_member")}
        said = [(row["content_id"], row["author_id"]) for row in rows_of(site, "comment")]
        said += [(row["content_id"], row["account_id"]) for row in rows_of(site, "reaction")]
        for content_id, account in said:
            item = contents[content_id]
            assert item["access"] > Level.PRIVATE
            group = groups.get(item["group_id"])
            if group and min(item["access"], group["access"]) <= Level.GROUP:
                assert (group["id"], account) in places


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("'s-Gravenhage", "s-gravenhage"),
        ("Súdwest-Fryslân", "sudwest-fryslan"),
        ("Bergen (NH.)", "bergen-nh"),
        ("Nuenen, Gerwen en Nederwetten", "nuenen-gerwen-en-nederwetten"),
        ("Łódź ß Ørsted", "lodz-ss-orsted"),
        ("1e Exloërmond", "site-1e-exloermond"),
        ("Y", "site-y"),
        ("…", "site"),
        ("x" * 90, "x" * 63),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert make_slug(name) == slug


def test_the_same_name_twice_gets_its_region_and_then_its_code() -> None:
    names = [("Bergen", "VR10", "GM1"), ("Bergen", "VR23", "GM2"), ("Bérgen", "VR23", "GM3"), ("Bergen", "VR23", "GM3")]
    assert distinct_slugs(names) == ["bergen", "bergen-vr23", "bergen-gm3", "bergen-2"]


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("Besluit van 1 mei 2001, houdende regels (Regeling standplaatsen)", "Regeling standplaatsen"),
        ("Wet van 24 juni 1992, houdende wijziging van de Bedrijfswet", "wijziging van de Bedrijfswet"),
        ("Beleidsregels juli en augustus 2004", "Beleidsregels juli en augustus 2004"),
    ],
)
def test_topics(title: str, topic: str) -> None:
    assert find_topic(title) == topic


def test_names_are_of_many_kinds(estate: Estate) -> None:
    people = plan_estate(estate.source, Scale("test", 12, 3000, 5000, 100, 100, 100), 1).people
    names = " ".join(each.name for each in people)
    assert " van der " in names
    assert any(not name.isascii() for name in names.split())
    assert all(each.email.isascii() and each.email.endswith("@example.org") for each in people)
    assert len({each.email for each in people}) == len(people)
    first, last = ids_of_people()
    assert all(first <= each.id < last for each in people)
    assert not first <= uuid7() <= last


def test_a_folder_without_texts_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        load_source(tmp_path)
    (tmp_path / "municipalities.csv").write_text("code,name,region\n")
    (tmp_path / "regulations.ndjson").write_text("{}\n")
    with pytest.raises(CommandError, match="not as expected"):
        load_source(tmp_path)
    (tmp_path / "regulations.ndjson").write_text("")
    with pytest.raises(CommandError, match="empty"):
        load_source(tmp_path)


# --- what is loaded --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loaded:
    """A square that holds the demo, which no test changes."""

    settings: Settings
    seed: int
    summary: demo.Summary
    lines: list[str]
    query: Any


@pytest_asyncio.fixture(scope="module")
async def loaded(
    create_database: CreateDatabase, empty_square: str, request: pytest.FixtureRequest
) -> AsyncIterator[Loaded]:
    url, seed, lines = create_database(empty_square), seed_of(request), []
    summary = await demo.run(settings_for(url), scale="small", seed=seed, progress=plain_progress(lines.append))
    with psycopg.connect(url, autocommit=True) as connection:
        yield Loaded(settings_for(url), seed, summary, lines, querying(connection))


@pytest.fixture
def query(fresh_square: str) -> Iterator[Any]:
    """Runs a statement as the owner of everything."""
    with psycopg.connect(fresh_square, autocommit=True) as connection:
        yield querying(connection)


def querying(connection: psycopg.Connection[Any]) -> Any:
    return lambda statement, *values: connection.execute(statement, values).fetchall()


def registered(query: Any) -> list[TenantRef]:
    rows = query("SELECT id, slug, schema_name, role_name FROM platform.tenant ORDER BY id")
    return [TenantRef(*row) for row in rows]


def content_of(query: Any, tenants: list[TenantRef], tables: tuple[str, ...] = SITE_TABLES) -> dict[Any, Any]:
    """Every row of these tables of these sites, by site and table."""
    command = sql.SQL("SELECT * FROM {} ORDER BY 1, 2")
    return {
        (tenant.slug, table): query(command.format(sql.Identifier(tenant.schema_name, table)))
        for tenant in tenants
        for table in tables
    }


def truth(query: Any, statement: str) -> list[tuple[Any, ...]]:
    """What the sites' own tables say, one site after the other."""
    rows = []
    for tenant in registered(query):
        command = sql.SQL(statement).format(schema=sql.Identifier(tenant.schema_name))
        rows += [(tenant.id, *row) for row in query(command)]
    return sorted(rows, key=lambda row: row[:2])


def test_what_is_loaded_is_what_was_made(loaded: Loaded) -> None:
    query, summary, lines = loaded.query, loaded.summary, loaded.lines
    estate = plan_estate(load_source(sample=True), SCALES["small"], loaded.seed)
    tenants = registered(query)
    assert {each.id for each in tenants} == {plan.id for plan in estate.sites}
    assert all(is_demo_site(each.id) for each in tenants)
    for plan in estate.sites:
        site = make_site(estate, plan)
        (tenant,) = [each for each in tenants if each.id == plan.id]
        for table in SITE_TABLES:
            expected = next(each for each in site.own if each.table == table)
            columns = sql.SQL(", ").join(map(sql.Identifier, expected.columns))
            command = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(tenant.schema_name, table))
            found = [tuple(row) for row in query(command)]
            assert sorted(map(comparable, found)) == sorted(map(comparable, expected.rows)), table
        created_at = query("SELECT created_at FROM platform.tenant WHERE id = %s", plan.id)
        assert created_at == [(as_datetime(plan.created_us),)]
    assert (summary["sites"], summary["content"], summary["accounts"]) == (12, 400, 150)
    assert lines[0].strip() == "0 of 12 sites"
    assert lines[-1].strip() == "12 of 12 sites"
    assert 2 < len(lines) <= 12


def comparable(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(
        str(sorted(psycopg.types.json.json.loads(each).items()))
        if isinstance(each, str) and each.startswith("{")
        else str(sorted(each.items()))
        if isinstance(each, dict)
        else str(each)
        for each in row
    )


def test_the_indexes_over_all_sites_equal_the_truth(loaded: Loaded) -> None:
    query = loaded.query
    memberships = truth(
        query,
        "SELECT m.account_id, m.role, ARRAY(SELECT g.group_id FROM {schema}.group_member g"
        " WHERE g.account_id = m.account_id ORDER BY 1), m.joined_at FROM {schema}.member m WHERE m.left_at IS NULL",
    )
    index = "SELECT tenant_id, account_id, role, group_ids, joined_at FROM platform.membership ORDER BY 1, 2"
    assert query(index) == memberships
    assert any(row[3] for row in memberships)
    activities = truth(
        query,
        "SELECT id, kind, access, group_id, author_id, published_at FROM {schema}.content WHERE deleted_at IS NULL",
    )
    index = "SELECT tenant_id, content_id, kind, access, group_id, author_id, published_at"
    assert query(f"{index} FROM platform.activity ORDER BY 1, 2") == activities
    ceilings = truth(query, 'SELECT id, access FROM {schema}."group"')
    assert query("SELECT tenant_id, group_id, access FROM platform.ceiling ORDER BY 1, 2") == ceilings
    nobody = "SELECT 1 FROM platform.membership m LEFT JOIN platform.account a ON a.id = m.account_id WHERE a IS NULL"
    assert query(nobody) == []


async def test_a_second_run_does_nothing(loaded: Loaded) -> None:
    query = loaded.query
    before = query("SELECT id, version, updated_at, xmin::text FROM platform.tenant ORDER BY id")
    accounts = query("SELECT id, xmin::text FROM platform.account ORDER BY id")
    summary = await demo.run(loaded.settings, scale="small", seed=loaded.seed)
    assert summary["done"] == "nothing: the demo is there already"
    assert summary["sites there already"] == 12
    assert query("SELECT id, version, updated_at, xmin::text FROM platform.tenant ORDER BY id") == before
    assert query("SELECT id, xmin::text FROM platform.account ORDER BY id") == accounts


@pytest.mark.parametrize("how", ["cancelled", "connections killed"])
async def test_a_load_that_is_broken_off_is_completed_by_the_next(
    settings: Settings, query: Any, seed: int, how: str
) -> None:
    estate = plan_estate(load_source(sample=True), SCALES["small"], seed)

    def break_off(line: str, _done: int, _total: int) -> None:
        if line.startswith("4 of"):
            if how == "cancelled":
                loading.cancel()
            else:
                others = "datname = current_database() AND pid <> pg_backend_pid()"
                query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    loading = asyncio.create_task(demo.run(settings, scale="small", seed=seed, progress=break_off))
    with pytest.raises((asyncio.CancelledError, Exception)):
        await loading
    there = registered(query)
    assert 4 <= len(there) < 12
    for tenant in there:  # each is whole
        site = make_site(estate, next(plan for plan in estate.sites if plan.id == tenant.id))
        counts = {table: len(rows) for (_, table), rows in content_of(query, [tenant]).items()}
        assert counts == {table: site.count(table) for table in SITE_TABLES}
        count = "SELECT count(*) FROM platform.membership WHERE tenant_id = %s"
        assert query(count, tenant.id) == [(site.count("membership"),)]
    schemas = {name for (name,) in query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%%'")}
    assert schemas == {tenant.schema_name for tenant in there}

    kept = content_of(query, there)
    summary = await demo.run(settings, scale="small", seed=seed)
    assert summary["sites"] == 12 - len(there)
    assert {each.id for each in registered(query)} == {plan.id for plan in estate.sites}
    assert content_of(query, there) == kept


async def test_reset_takes_the_demo_away_and_nothing_else(settings: Settings, query: Any, seed: int) -> None:
    await demo.run(settings, scale="small", seed=seed)
    first = content_of(query, registered(query))
    busy = account_id(20)  # somebody of the demo, on a site that is not
    database = Database(DatabaseSettings(settings.database_url or ""))
    await database.open()
    try:
        await provision(database, NewTenant(slug="eigen", name="Eigen"), owner_account_id=busy)
    finally:
        await database.close()
    with pytest.raises(CommandError, match="--reset"):
        await demo.run(settings, scale="small", seed=seed + 1_000_000)

    summary = await demo.run(settings, scale="small", seed=seed + 1_000_000, reset=True)
    assert (summary["removed sites"], summary["sites"]) == (12, 12)
    tenants = registered(query)
    assert len(tenants) == 13
    assert query("SELECT role FROM platform.membership m JOIN platform.tenant t ON t.id = tenant_id AND slug = 'eigen'")
    assert query("SELECT count(*) FROM platform.account") == [(150,)]

    await demo.run(settings, scale="small", seed=seed, reset=True)
    demo_sites = [each for each in registered(query) if is_demo_site(each.id)]
    assert content_of(query, demo_sites) == first, "the same seed, the same rows"


async def test_names_that_are_taken_are_left_to_who_has_them(settings: Settings, query: Any, seed: int) -> None:
    estate = plan_estate(load_source(sample=True), SCALES["small"], seed)
    mine = uuid4()
    query("INSERT INTO platform.account VALUES (%s, 'Ik', 'Owner@example.org', 0, now()) RETURNING id", mine)
    database = Database(DatabaseSettings(settings.database_url or ""))
    await database.open()
    try:
        slug = estate.sites[3].slug
        ref = await provision(database, NewTenant(slug=slug, name="Van mij"), owner_account_id=mine)
    finally:
        await database.close()
    await demo.run(settings, scale="small", seed=seed)
    assert query("SELECT slug FROM platform.tenant WHERE id = %s", estate.sites[3].id) == [(f"{slug}-demo",)]
    assert query("SELECT count(*) FROM platform.membership WHERE tenant_id = %s", ref.id) == [(1,)]
    owner = next(number for number, part in enumerate(CAST) if part.email == "owner@example.org")
    assert query("SELECT email FROM platform.account WHERE id = %s", account_id(owner)) == [("owner+demo@example.org",)]


async def test_one_load_at_a_time(settings: Settings, seed: int) -> None:
    first = asyncio.create_task(demo.run(settings, scale="small", seed=seed))
    second = asyncio.create_task(demo.run(settings, scale="small", seed=seed))
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], LockTimeout)
    assert "another load" in str(refused[0])


async def test_the_well_known_can_sign_in_and_play_their_part(loaded: Loaded) -> None:
    database = Database(DatabaseSettings(loaded.settings.database_url or ""))
    await database.open()
    try:
        async with database.transaction(None) as tx:
            for number, part in enumerate(CAST):
                account = await load_account_by_email(tx, part.email)
                assert account is not None
                assert (account.id, account.name) == (account_id(number), part.name)
                viewer = await load_viewer(tx, DEVELOPMENT_ISSUER, str(account.id))
                assert viewer is not None
                assert (viewer.account_id, viewer.platform_role) == (account.id, part.platform_role)
            shown = await load_cast(tx, DEVELOPMENT_ISSUER)
    finally:
        await database.close()
    parts = {(each.account.role, each.site_role) for each in shown}
    assert {role for role, _ in parts} == set(PlatformRole)
    assert {role for _, role in parts} == {None, *Role}


def test_the_well_known_have_their_places(loaded: Loaded) -> None:
    roles: dict[UUID, list[int]] = {}
    for account, role in loaded.query("SELECT account_id, role FROM platform.membership"):
        roles.setdefault(account, []).append(role)
    by_email = {part.email.partition("@")[0]: roles.get(account_id(number), []) for number, part in enumerate(CAST)}
    assert by_email["owner"].count(Role.OWNER) >= 3
    assert by_email["editor"].count(Role.EDITOR) >= 2
    assert by_email["traveller"] == [Role.MEMBER] * 10
    assert by_email["member"] == [Role.MEMBER]
    assert set(by_email["guest"]) == {Role.GUEST}
    assert by_email["newcomer"] == by_email["operator"] == by_email["analyst"] == []


async def test_another_database_of_the_server_may_hold_the_same_demo(
    settings: Settings, query: Any, loaded: Loaded
) -> None:
    await demo.run(settings, scale="small", seed=loaded.seed)
    here, there = registered(query), registered(loaded.query)
    assert [(each.id, each.schema_name) for each in here] == [(each.id, each.schema_name) for each in there]
    assert not {each.role_name for each in here} & {each.role_name for each in there}


async def test_a_scale_that_there_is_not(settings: Settings) -> None:
    with pytest.raises(CommandError, match="municipalities"):
        await demo.run(settings, scale="galaxy")


def test_from_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, fresh_database: str, seed: int
) -> None:
    monkeypatch.setenv("PLEIN_MODE", "development")
    monkeypatch.setenv("PLEIN_DATABASE_URL", fresh_database)
    monkeypatch.setenv("PLEIN_DATA_DIR", str(tmp_path))
    arguments = ["demo", "--scale", "small", "--data", str(SAMPLE), "--seed", str(seed)]
    assert cli.main(arguments) == 0
    told = capsys.readouterr()
    assert "sites" in told.out
    assert "12 of 12 sites" in told.err
    assert cli.main([*arguments, "--json"]) == 0
    assert '"sites there already": 12' in capsys.readouterr().out
    assert cli.main([*arguments[:-1], "7", "--scale", "galaxy"]) == 1


def test_a_signal_ends_it_without_a_word_too_many(tmp_path: Path, fresh_square: str, seed: int) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--scale", "small", "--data", str(SAMPLE), "--seed", str(seed)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLEIN_")}
    environ |= {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": fresh_square, "PLEIN_DATA_DIR": str(tmp_path)}
    told = ""
    with (
        psycopg.connect(fresh_square) as holding,
        subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as process,
    ):
        holding.execute("LOCK TABLE platform.membership IN EXCLUSIVE MODE")  # no site can be finished
        assert process.stderr is not None
        for line in process.stderr:
            told += line
            if "0 of 12 sites" in line:
                break
        process.send_signal(signal.SIGINT)
        told += process.stderr.read()
        assert process.wait(20) == 130, told
    assert "Traceback" not in told
