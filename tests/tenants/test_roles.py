"""Isolation, asked of Postgres itself: two sites' roles really logged in, against everything the catalogue lists.

What is looped over comes from the catalogue, so a new table or window is tested the day it is made: a window without
rows for both sites fails here until `FILL` has some.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.errors import (
    InsufficientPrivilege,
    ObjectNotInPrerequisiteState,
    UndefinedColumn,
    WithCheckOptionViolation,
)

from tenants.ids import uuid7
from tenants.registry import TenantRef
from tests.conftest import ProvisionSite

Connection = psycopg.Connection

SECRET = "a secret of the other site"

# Rows of every platform table that has a window, for the site with this id: what is told is in the text columns.
FILL = """
    UPDATE platform.tenant SET name = {told}, description = {told}, language = {told} WHERE id = {site};
    INSERT INTO platform.account (id, name, email, created_at) VALUES ({person}, {told}, {person}, now());
    INSERT INTO platform.membership VALUES ({site}, {person}, {rank}, ARRAY[{person}::uuid], now());
    INSERT INTO platform.activity VALUES ({site}, {person}, {told}, {rank}, {person}, {person}, now());
    INSERT INTO platform.ceiling VALUES ({site}, {person}, {rank});
    INSERT INTO platform.event VALUES (1, {person}, {site}, {told}, 'CREATED', {person}, {person}, {told}, now());
    INSERT INTO platform.audit VALUES
        ({person}, {site}, {person}, 'test.told', {told}, '{{}}', {told}, {told}, {told}, {told}, now());
    INSERT INTO platform.api_key (id, account_id, name, start, secret_hash, scopes, created_at, expires_at)
        VALUES ({person}, {person}, {told}, {told}, decode(repeat('00', 32), 'hex'), ARRAY[{told}], now(), 'infinity');
    INSERT INTO {schema}.member VALUES ({person}, {rank}, now());
    INSERT INTO {schema}."group" VALUES ({person}, {told}, {told}, {rank}, 'OPEN', 1, now(), now());
    INSERT INTO {schema}.group_member VALUES ({person}, {person}, {rank}, now());
    INSERT INTO {schema}.content (id, kind, title, body, author_id, access, published_at, created_at, updated_at)
        VALUES ({person}, 'BLOG', {told}, {told}, {person}, {rank}, now(), now(), now());
    INSERT INTO {schema}.comment VALUES ({person}, {person}, NULL, {person}, {told}, 1, now(), now());
    INSERT INTO {schema}.ownership_offer VALUES ({person}, {person}, true, now(), now());
    INSERT INTO {schema}.reaction VALUES ({person}, {person}, {person}, 'LIKE', now());
"""
RANKS = {"mine": 2, "theirs": 4}

WRITTEN_ONLY = {"event"}
"""Windows that the site's role writes to and reads nothing from."""

ATTEMPTS = (
    "SELECT * FROM {} LIMIT 0",
    "SELECT count(*) FROM {}",
    "INSERT INTO {} DEFAULT VALUES",
    "UPDATE {} SET {column} = {column}",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "LOCK TABLE {} IN ACCESS SHARE MODE",
    "COPY {} TO STDOUT",
    "CREATE TEMP TABLE stolen AS TABLE {}",
    "ALTER TABLE {} ADD COLUMN extra text",
    "DROP TABLE {}",
    "GRANT SELECT ON {} TO PUBLIC",
)


@dataclass(frozen=True)
class Relation:
    """A table or view, with its columns in order."""

    schema: str
    name: str
    kind: str
    columns: tuple[str, ...]

    @property
    def identifier(self) -> sql.Identifier:
        """Its qualified name."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Sites:
    """Two sites, whatever the catalogue lists of the square, and ways in as each role."""

    mine: TenantRef
    theirs: TenantRef
    owner: Connection
    me: Connection
    platform: Connection
    relations: tuple[Relation, ...]

    def of(self, schema: str, kind: str = "rv") -> list[Relation]:
        """The tables (r) and views (v) of one schema."""
        return [each for each in self.relations if each.schema == schema and each.kind in kind]

    def shown(self) -> list[Relation]:
        """My windows that can be looked through."""
        return [each for each in self.of(self.mine.schema_name, "v") if each.name not in WRITTEN_ONLY]


def load_relations(owner: Connection) -> tuple[Relation, ...]:
    rows = owner.execute(
        """
        SELECT nspname, relname, relkind::text, array_agg(attname::text ORDER BY attnum)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND attnum > 0 AND NOT attisdropped
        AND nspname <> 'information_schema' AND nspname !~ '^pg_'
        GROUP BY nspname, relname, relkind ORDER BY nspname, relname
        """
    )
    return tuple(Relation(schema, name, kind, tuple(columns)) for schema, name, kind, columns in rows)


def log_in(url: str, owner: Connection, role: str) -> Connection:
    """A session that is this role from its start, so that there is nothing to go back to."""
    password = secrets.token_urlsafe(12)
    owner.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password))
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return psycopg.connect(parts._replace(netloc=f"{role}:{quote(password)}@{host}").geturl(), autocommit=True)


@pytest_asyncio.fixture(scope="module")
async def refs(provision_site: ProvisionSite) -> tuple[TenantRef, TenantRef]:
    return await provision_site(), await provision_site()


@pytest.fixture(scope="module")
def sites(square_database: str, refs: tuple[TenantRef, TenantRef]) -> Iterator[Sites]:
    mine, theirs = refs
    with psycopg.connect(square_database, autocommit=True) as owner:
        for ref, told, rank in ((mine, "mine", RANKS["mine"]), (theirs, SECRET, RANKS["theirs"])):
            values = {"site": str(ref.id), "person": str(uuid7()), "told": told, "rank": rank}
            literals = {name: sql.Literal(value) for name, value in values.items()}
            fill = sql.SQL(FILL).format(schema=sql.Identifier(ref.schema_name), **literals)
            owner.execute(fill.as_string(None).encode())
        ((reader_role,),) = owner.execute("SELECT reader_role_name FROM platform.square").fetchall()
        with (
            log_in(square_database, owner, mine.role_name) as me,
            log_in(square_database, owner, reader_role) as platform,
        ):
            yield Sites(mine, theirs, owner, me, platform, load_relations(owner))
        for role in (mine.role_name, reader_role):
            owner.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(sql.Identifier(role)))


def allowed(connection: Connection, relation: Relation, attempts: tuple[str, ...] = ATTEMPTS) -> list[str]:
    """Those of the attempts on the relation that are not refused for want of a right; each is undone."""
    found = []
    for attempt in attempts:
        statement = sql.SQL(attempt).format(relation.identifier, column=sql.Identifier(relation.columns[0]))
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(statement)
        except InsufficientPrivilege:
            continue
        except psycopg.Error as error:
            found.append(f"{statement.as_string()}: {error}")
        else:
            found.append(statement.as_string())
    return found


# What is another's


def test_the_catalogue_is_seen_at_all(sites: Sites) -> None:
    for ref in (sites.mine, sites.theirs):
        assert len(sites.of(ref.schema_name, "r")) >= 6
        assert len(sites.of(ref.schema_name, "v")) >= 5
    assert len(sites.of("platform", "r")) >= 10


def test_a_site_can_do_nothing_with_anything_outside_its_schema(sites: Sites) -> None:
    outside = [each for each in sites.relations if each.schema != sites.mine.schema_name]
    assert {sites.theirs.schema_name, "platform"} <= {each.schema for each in outside}
    assert [what for relation in outside for what in allowed(sites.me, relation)] == []


def test_the_platforms_role_can_do_nothing_on_any_site(sites: Sites) -> None:
    outside = [each for each in sites.relations if each.schema != "platform"]
    assert {sites.theirs.schema_name, sites.mine.schema_name} <= {each.schema for each in outside}
    assert [what for relation in outside for what in allowed(sites.platform, relation)] == []


READABLE = {
    *("account", "activity", "api_key", "audit", "ceiling", "client", "consent", "event", "host", "identity", "issuer"),
    *("membership", "revocation", "session", "square", "tenant"),
}
HIDDEN_COLUMNS = {
    *("api_key.secret_hash", "identity.subject", "issuer.secret"),
    *("client.earlier_secret_hash", "client.earlier_secret_until", "client.secret_hash", "client.subject_salt"),
    *("session.sid", "session.subject", "session.token_hash"),
}


def test_the_platforms_role_reads_what_it_must_and_writes_nothing(sites: Sites) -> None:
    columns = {
        relation.name: {column: allowed_column(sites.platform, relation, column) for column in relation.columns}
        for relation in sites.of("platform")
    }
    # Whatever else there is, and whatever comes, is hidden until somebody says so here.
    assert {name for name, allowed in columns.items() if any(allowed.values())} == READABLE
    partly = {f"{name}.{column}" for name in READABLE for column, allowed in columns[name].items() if not allowed}
    assert partly == HIDDEN_COLUMNS
    writes = tuple(each for each in ATTEMPTS if not each.startswith(("SELECT", "LOCK", "COPY", "GRANT")))
    assert [what for relation in sites.of("platform") for what in allowed(sites.platform, relation, writes)] == []


def allowed_column(connection: Connection, relation: Relation, column: str) -> bool:
    statement = sql.SQL("SELECT {} FROM {} LIMIT 0").format(sql.Identifier(column), relation.identifier)
    try:
        connection.execute(statement)
    except InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("command", ["SET ROLE {}", "SET SESSION AUTHORIZATION {}", "SET LOCAL ROLE {}"])
def test_nobody_becomes_another(sites: Sites, command: str) -> None:
    owner = sites.owner.info.user
    others = {sites.mine.role_name, sites.theirs.role_name, sites.platform.info.user, owner}
    for connection in (sites.me, sites.platform):
        for other in others - {connection.info.user}:
            with pytest.raises(InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL(command).format(sql.Identifier(other)))


# What is made


@pytest.mark.parametrize(
    "command",
    [
        "CREATE SCHEMA mine",
        "CREATE TABLE {mine}.extra (id uuid)",
        "CREATE TABLE {theirs}.extra (id uuid)",
        "CREATE TABLE platform.extra (id uuid)",
        "CREATE TABLE public.extra (id uuid)",
        "CREATE TEMP TABLE extra (id uuid)",
        "CREATE TEMP VIEW extra AS SELECT 1",
        "CREATE TEMP SEQUENCE extra",
        "CREATE VIEW {mine}.extra AS SELECT 1",
        "CREATE MATERIALIZED VIEW {mine}.extra AS SELECT 1",
        "CREATE FUNCTION {mine}.extra(text) RETURNS bool LANGUAGE sql COST 0.0001 AS 'SELECT true'",
        "CREATE FUNCTION pg_temp.extra(text) RETURNS bool LANGUAGE sql COST 0.0001 AS 'SELECT true'",
        "CREATE TYPE {mine}.extra AS (id uuid)",
        "CREATE SEQUENCE {mine}.extra",
        "CREATE INDEX ON {mine}.content (title)",
        "CREATE TRIGGER extra AFTER INSERT ON {mine}.content EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE extra AS ON INSERT TO {mine}.content DO ALSO NOTHING",
        "CREATE ROLE extra",
        "CREATE EXTENSION plpgsql_check",
        "CREATE PUBLICATION extra FOR ALL TABLES",
        "CREATE EVENT TRIGGER extra ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE STATISTICS {mine}.extra ON kind, access FROM {mine}.content",
        "ALTER TABLE {mine}.content DISABLE ROW LEVEL SECURITY",
        "ALTER VIEW {mine}.activity SET (security_barrier = false)",
        "DROP VIEW {mine}.activity",
        "DROP SCHEMA {mine} CASCADE",
        "TRUNCATE {mine}.comment",
        "COPY {mine}.content TO PROGRAM 'true'",
        "COPY {mine}.content TO '/tmp/stolen'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_terminate_backend({owner_pid})",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_statistic",
    ],
)
def test_a_site_makes_and_changes_nothing_but_rows(sites: Sites, command: str) -> None:
    names = {"mine": sql.Identifier(sites.mine.schema_name), "theirs": sql.Identifier(sites.theirs.schema_name)}
    statement = sql.SQL(command).format(**names, owner_pid=sites.owner.info.backend_pid)
    refused = pytest.raises((InsufficientPrivilege, psycopg.errors.FeatureNotSupported))
    with refused, sites.me.transaction(force_rollback=True):
        sites.me.execute(statement)


def test_rights_are_not_handed_on(sites: Sites) -> None:
    """Postgres answers with a warning and does nothing."""
    theirs = sql.Identifier(sites.theirs.role_name)
    for relation in sites.of(sites.mine.schema_name):
        sites.me.execute(sql.SQL("GRANT SELECT ON {} TO {}, PUBLIC").format(relation.identifier, theirs))
        sites.me.execute(
            sql.SQL("GRANT SELECT ({}) ON {} TO PUBLIC").format(
                sql.Identifier(relation.columns[0]), relation.identifier
            )
        )
        grantees = sites.owner.execute(
            "SELECT DISTINCT grantee FROM information_schema.column_privileges"
            " WHERE table_schema = %s AND table_name = %s",
            (relation.schema, relation.name),
        ).fetchall()
        assert {name for (name,) in grantees} <= {sites.owner.info.user, sites.mine.role_name}


# Windows


def test_each_window_shows_its_own_rows_and_no_others(sites: Sites) -> None:
    for window in sites.shown():
        rows = sites.me.execute(sql.SQL("SELECT w::text FROM {} AS w").format(window.identifier)).fetchall()
        assert rows, f"{window.name} has no rows: add some to FILL"
        told = " ".join(row for (row,) in rows)
        assert SECRET not in told
        assert str(sites.theirs.id) not in told
        theirs = sql.Identifier(sites.theirs.schema_name, window.name)
        assert sites.owner.execute(sql.SQL("SELECT count(*) FROM {}").format(theirs)).fetchone() > (0,)


def test_each_window_lets_in_its_own_rows_only(sites: Sites) -> None:
    """The row that is there already, with only the site changed, in every way of writing that there is.

    Where the site is no part of the row's key, the key is a new one, so that it is not the key that is refused.
    """
    for window in sites.of(sites.mine.schema_name, "v"):
        key = "tenant_id" if "tenant_id" in window.columns else "id"
        changed = "jsonb_build_object({name}, {theirs}::text)"
        changed += (
            " || jsonb_build_object('id', gen_random_uuid())" if {"tenant_id", "id"} <= set(window.columns) else ""
        )
        moved = f"INSERT INTO {{window}} SELECT (jsonb_populate_record(w, {changed})).* FROM {{window}} AS w"
        names = {"window": window.identifier, "key": sql.Identifier(key), "theirs": str(sites.theirs.id)}
        for command in ("UPDATE {window} SET {key} = {theirs}", moved, moved + " ON CONFLICT DO NOTHING"):
            refused = pytest.raises((WithCheckOptionViolation, InsufficientPrivilege, ObjectNotInPrerequisiteState))
            with refused, sites.me.transaction(force_rollback=True):
                sites.me.execute(sql.SQL(command).format(name=key, **names))


def test_an_event_is_written_for_ones_own_site_only_and_never_read(sites: Sites) -> None:
    window = sql.Identifier(sites.mine.schema_name, "event")
    row = sql.SQL("INSERT INTO {} VALUES (2, {}, {}, 'CONTENT', 'CREATED', {}, NULL, 'BLOG', now())")
    theirs, mine = (row.format(window, str(uuid7()), str(ref.id), str(uuid7())) for ref in (sites.theirs, sites.mine))
    with pytest.raises(WithCheckOptionViolation), sites.me.transaction():
        sites.me.execute(theirs)
    with sites.me.transaction(force_rollback=True):
        assert sites.me.execute(mine).rowcount == 1
    for command in ("SELECT FROM {0}", "DELETE FROM {0}", "UPDATE {0} SET kind = ''", "INSERT INTO {0} TABLE {0}"):
        with pytest.raises(InsufficientPrivilege), sites.me.transaction():
            sites.me.execute(sql.SQL(command).format(window))


def test_writing_through_a_window_reaches_its_own_rows_only(sites: Sites) -> None:
    """As many rows are changed as are shown, whatever the condition."""
    reached = {}
    for window in sites.shown():
        names = {"window": window.identifier, "column": sql.Identifier(window.columns[0])}
        shown = sites.me.execute(sql.SQL("SELECT FROM {window}").format(**names)).rowcount
        for command in ("DELETE FROM {window} WHERE true OR {column} IS NULL", "UPDATE {window} SET access = access"):
            try:
                with sites.me.transaction(force_rollback=True):
                    changed = sites.me.execute(sql.SQL(command).format(**names)).rowcount
            except (InsufficientPrivilege, ObjectNotInPrerequisiteState, UndefinedColumn):
                continue
            assert changed == shown
            reached.setdefault(window.name, command)
    assert set(reached) == {"activity", "ceiling", "membership", "site"}


def test_a_site_changes_only_these_columns_of_its_row(sites: Sites) -> None:
    (window,) = [each for each in sites.of(sites.mine.schema_name, "v") if each.name == "site"]
    changeable = set()
    for column in window.columns:
        name = sql.Identifier(column)
        try:
            with sites.me.transaction(force_rollback=True):
                sites.me.execute(sql.SQL("UPDATE {} SET {} = {}").format(window.identifier, name, name))
        except InsufficientPrivilege:
            continue
        changeable.add(column)
    said = {"name", "description", "language", "visibility", "access", "joining", "second_factor", "issuers"}
    assert changeable == said | {"version", "updated_at"}


PEEK = """
    CREATE FUNCTION {}(text, text) RETURNS bool LANGUAGE plpgsql COST 0.0001
    AS 'BEGIN IF $1 = $2 THEN RAISE division_by_zero; END IF; RETURN true; END'
"""


def leaks(connection: Connection, peek: sql.Identifier, window: sql.Identifier, column: str, value: str) -> bool:
    """Whether a condition that fails on `value` fails: then the row with it was looked at, though never shown."""
    statement = sql.SQL("SELECT count(*) FROM {} WHERE {}({}::text, {})")
    try:
        connection.execute(statement.format(window, peek, sql.Identifier(column), value))
    except psycopg.errors.DivisionByZero:
        return True
    return False


@pytest.fixture
def peek(sites: Sites) -> Iterator[sql.Identifier]:
    """A function so cheap that the planner would rather ask it first, and no index that would make it ask for less."""
    name = sql.Identifier(sites.mine.schema_name, "peek")
    sites.owner.execute(sql.SQL(PEEK).format(name))
    for connection in (sites.me, sites.owner):
        for setting in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"):
            connection.execute(sql.SQL("SET {} = off").format(sql.Identifier(setting)))
    yield name
    sites.owner.execute(sql.SQL("DROP FUNCTION {}").format(name))
    for connection in (sites.me, sites.owner):
        connection.execute("RESET ALL")


def test_a_failing_condition_tells_nothing_of_rows_that_are_not_shown(sites: Sites, peek: sql.Identifier) -> None:
    """For every column of every window and every value that only the other site has there."""
    tried = 0
    for window in sites.shown():
        theirs = sql.Identifier(sites.theirs.schema_name, window.name)
        for column in window.columns:
            question = sql.SQL("SELECT {}::text FROM {}")
            values = [
                {value for (value,) in sites.owner.execute(question.format(sql.Identifier(column), relation))}
                for relation in (theirs, window.identifier)
            ]
            for value in values[0] - values[1]:
                tried += 1
                assert not leaks(sites.me, peek, window.identifier, column, value), f"{window.name}.{column}"
    assert tried > 20


def test_without_the_barrier_it_would_tell(sites: Sites, peek: sql.Identifier) -> None:
    with sites.owner.transaction(force_rollback=True):
        bare = sql.Identifier(sites.mine.schema_name, "bare")
        view = sql.SQL("CREATE VIEW {} AS SELECT * FROM platform.activity WHERE tenant_id = {}")
        sites.owner.execute(view.format(bare, sites.mine.id))
        assert leaks(sites.owner, peek, bare, "kind", SECRET)
