"""A model's table, typed."""

from __future__ import annotations

from typing import cast

from sqlalchemy import MetaData, Table
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model, for Core statements."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]


def without(table: Table, *hidden: str) -> Table:
    """The table as somebody sees it who has no right on these columns: statements then never name them."""
    shown = [each._copy() for each in table.columns if each.name not in hidden]
    return Table(table.name, MetaData(), *shown, schema=table.schema)
