"""A model's table, typed."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model, for Core statements."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]
