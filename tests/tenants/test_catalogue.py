"""The rules that let a square move to Citus and keep sites apart, asked of the catalogues of a real square.

Each rule is a query that lists what breaks it. Every one is also shown to find something in a database that was spoilt.
"""

from __future__ import annotations

import psycopg
import pytest
import pytest_asyncio

from tenants.database import Database
from tenants.ids import uuid7
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings
from tests.conftest import ProvisionSite

OURS = """
    SELECT pg_class.oid, nspname, relname, nspname || '.' || relname AS name, relkind, reloptions, relacl, relowner
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'platform' OR nspname IN (SELECT schema_name FROM platform.tenant)
"""
KEYS = """
    SELECT pg_constraint.*, one.nspname AS schema, one.name AS table_name
    FROM pg_constraint JOIN ours AS one ON one.oid = conrelid WHERE contype = 'f'
"""

RULES = {
    "every table has a primary key": """
        SELECT name FROM ours WHERE relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = ours.oid AND indisprimary)
    """,
    "no key is a lone int, and there are no sequences": """
        SELECT name FROM ours WHERE relkind = 'S'
        UNION ALL
        SELECT name || '.' || attname FROM ours
        JOIN pg_index ON indrelid = ours.oid AND indisprimary AND indnkeyatts = 1
        JOIN pg_attribute ON attrelid = ours.oid AND attnum = indkey[0]
        WHERE atttypid IN ('int2'::regtype, 'int4'::regtype)
    """,
    "no triggers but those of foreign keys": """
        SELECT name || ': ' || tgname FROM pg_trigger JOIN ours ON ours.oid = tgrelid WHERE NOT tgisinternal
    """,
    "no rules but those of views": """
        SELECT name || ': ' || rulename FROM pg_rewrite JOIN ours ON ours.oid = ev_class WHERE rulename <> '_RETURN'
    """,
    "no foreign key leaves its schema": """
        SELECT table_name || ': ' || conname FROM keys JOIN pg_class ON pg_class.oid = confrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname <> schema
    """,
    "every foreign key has an index": """
        SELECT table_name || ': ' || conname FROM keys WHERE NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indisvalid
            AND (SELECT array_agg(each ORDER BY each) FROM unnest(conkey) AS each)
              = (SELECT array_agg(each ORDER BY each) FROM unnest((indkey::int2[])[0:cardinality(conkey) - 1]) AS each)
            -- A key that is null refers to nothing, so an index may leave it out; nothing else may be.
            AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
        )
    """,
    "tables and views only: nothing inherits, is partitioned, foreign or materialised": """
        SELECT name FROM ours WHERE relkind NOT IN ('r', 'v', 'i', 'S')
        UNION ALL SELECT name FROM ours JOIN pg_inherits ON ours.oid IN (inhrelid, inhparent)
    """,
    "no default is volatile": """
        SELECT name || '.' || attname FROM pg_attrdef JOIN ours ON ours.oid = adrelid
        JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum,
        LATERAL regexp_matches(adbin::text, 'func(?:id)? (\\d+)', 'g') AS called
        JOIN pg_proc ON pg_proc.oid = called[1]::oid WHERE provolatile = 'v'
    """,
    "views are security barriers": """
        SELECT name FROM ours WHERE relkind = 'v'
        AND NOT coalesce(reloptions @> ARRAY['security_barrier=true'], false)
    """,
    "what is written through a view can be seen through it": """
        SELECT ours.name FROM ours JOIN platform.tenant ON schema_name = nspname JOIN pg_roles ON rolname = role_name
        WHERE relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['check_option=cascaded'], false)
        AND has_any_column_privilege(pg_roles.oid, ours.oid, 'INSERT, UPDATE')
    """,
    "site roles log in and can do nothing else of their own": """
        SELECT slug FROM platform.tenant LEFT JOIN pg_roles ON rolname = role_name
        WHERE rolname IS NULL OR NOT rolcanlogin OR rolinherit OR rolsuper OR rolcreaterole OR rolcreatedb
        OR rolreplication OR rolbypassrls OR rolconfig IS NOT NULL
        OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
    """,
    "nobody but the owner owns or may hand on": """
        SELECT name FROM ours WHERE relowner <> current_user::regrole
        UNION ALL SELECT name FROM ours, aclexplode(relacl) WHERE is_grantable AND grantee <> relowner
        UNION ALL SELECT name FROM ours, aclexplode(relacl) WHERE grantee = 0
    """,
    "every site has a schema and a role of its own": """
        SELECT slug FROM platform.tenant
        WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema_name)
        OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) OR NOT starts_with(role_name, schema_name || '_')
    """,
}

SPOIL = """
    CREATE TABLE platform.spoilt (id serial PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE {schema}.spoilt (tenant_id uuid REFERENCES platform.tenant, at uuid DEFAULT gen_random_uuid());
    CREATE TABLE {schema}.heir () INHERITS ({schema}.member);
    CREATE FUNCTION {schema}.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER spoilt AFTER INSERT ON {schema}.content FOR EACH ROW EXECUTE FUNCTION {schema}.nothing();
    CREATE RULE spoilt AS ON INSERT TO {schema}.comment DO ALSO NOTHING;
    CREATE VIEW {schema}.everything AS SELECT * FROM platform.activity;
    GRANT INSERT ON {schema}.everything TO {role};
    GRANT SELECT ON {schema}.everything TO PUBLIC;
    ALTER ROLE {role} CREATEDB;
    UPDATE platform.tenant SET role_name = 'nobody_at_all' WHERE slug = 'gone';
"""


def broken(connection: psycopg.Connection, rule: str) -> list[str]:
    """What breaks the rule."""
    query = f"WITH ours AS ({OURS}), keys AS ({KEYS}) {RULES[rule]}"
    return [str(name) for (name,) in connection.execute(query.encode()).fetchall()]


@pytest_asyncio.fixture(scope="module", autouse=True)
async def two_sites(provision_site: ProvisionSite) -> None:
    for _ in range(2):
        await provision_site()


@pytest.mark.parametrize("rule", RULES)
def test_the_square_keeps(square_database: str, rule: str) -> None:
    with psycopg.connect(square_database) as connection:
        assert broken(connection, rule) == []


async def test_each_rule_finds_what_breaks_it(fresh_square: str) -> None:
    database = Database(DatabaseSettings(fresh_square))
    await database.open()
    refs = [
        await provision(database, NewTenant(slug=slug, name="X"), owner_account_id=uuid7()) for slug in ("site", "gone")
    ]
    await database.close()
    with psycopg.connect(fresh_square) as connection:
        connection.execute(SPOIL.format(schema=refs[0].schema_name, role=refs[0].role_name).encode())
        assert [rule for rule in RULES if not broken(connection, rule)] == []
        connection.rollback()
