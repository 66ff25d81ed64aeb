"""The models say what the migrations made: compared by alembic, which is used for nothing else.

Indexes are not compared: they stand in the migrations only. Windows are views, so their columns are compared instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, Text, create_engine, inspect
from sqlmodel import SQLModel

from tenants import (
    access_tables,
    issuer_tables,
    local_tables,
    platform_tables,
    provider_tables,
    session_tables,
    site_tables,
)
from tenants.platform_tables import PLATFORM
from tenants.registry import TenantRef
from tenants.site_tables import TENANT
from tests.conftest import ProvisionSite

MODELS = [
    each
    for module in (
        access_tables,
        issuer_tables,
        local_tables,
        platform_tables,
        provider_tables,
        session_tables,
        site_tables,
    )
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, SQLModel) and each is not SQLModel
]
TABLES = [each.__table__ for each in MODELS]  # type: ignore[attr-defined]
WINDOWS = [table for table in TABLES if table.info.get("window")]


@pytest_asyncio.fixture(scope="module")
async def site(provision_site: ProvisionSite) -> TenantRef:
    return await provision_site()


@pytest.fixture(scope="module")
def connection(square_database: str) -> Iterator[Connection]:
    engine = create_engine(square_database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def expected(site: TenantRef) -> MetaData:
    """The models' tables, with the site's schema in the place of the stand-in."""
    metadata = MetaData()
    for table in TABLES:
        if table not in WINDOWS:
            schema = site.schema_name if table.schema == TENANT else table.schema
            table.to_metadata(
                metadata,
                schema=schema,
                referred_schema_fn=lambda _table, schema, _constraint, referred: (
                    schema if referred == TENANT else referred
                ),
            )
    return metadata


def drift(connection: Connection, site: TenantRef, metadata: MetaData) -> list[object]:
    """What would have to be migrated to make the database what the models say."""
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: kind != "schema" or name in {PLATFORM, site.schema_name},
            "include_object": lambda _object, _name, kind, _reflected, _other: kind != "index",
        },
    )
    return list(compare_metadata(context, metadata))


def test_tables_are_as_the_models_say(connection: Connection, site: TenantRef) -> None:
    assert drift(connection, site, expected(site)) == []


def test_drift_is_seen(connection: Connection, site: TenantRef) -> None:
    metadata = expected(site)
    for name in (f"{PLATFORM}.tenant", f"{site.schema_name}.content"):
        metadata.tables[name].append_column(Column("forgotten", Text))
        metadata.tables[name].c.access.type = Text()
    assert len(drift(connection, site, metadata)) == 4


@pytest.mark.parametrize("table", [table for table in TABLES if table not in WINDOWS], ids=str)
def test_primary_keys_are_as_the_models_say(connection: Connection, site: TenantRef, table) -> None:
    schema = site.schema_name if table.schema == TENANT else table.schema
    found = inspect(connection).get_pk_constraint(table.name, schema)["constrained_columns"]
    assert sorted(found) == sorted(column.name for column in table.primary_key)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_windows_have_the_columns_that_the_models_say(connection: Connection, site: TenantRef, window) -> None:
    found = inspect(connection).get_columns(window.name, site.schema_name)
    dialect = connection.dialect
    assert [(each["name"], each["type"].compile(dialect)) for each in found] == [
        (column.name, column.type.compile(dialect)) for column in window.columns
    ]


def test_every_view_is_a_window(connection: Connection, site: TenantRef) -> None:
    assert set(inspect(connection).get_view_names(site.schema_name)) == {window.name for window in WINDOWS}
