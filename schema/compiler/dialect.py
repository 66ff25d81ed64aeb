"""SQLAlchemy statements as text with `$1..$n`.

Promises: only named parameters become placeholders; constants that our own code wrote (levels, the letters in a
function call) stand in the text, so that the planner sees them. Nothing a caller sent is ever a constant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.sql.elements import CompilerElement

from schema.compiler.slices import breathe


class _Compiler(PGCompiler):
    def visit_bindparam(self, bindparam: BindParameter[Any], **kwargs: Any) -> str:  # type: ignore[override]
        if bindparam.unique and "literal_binds" not in kwargs:
            kwargs["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, **kwargs))  # type: ignore[no-untyped-call]

    def visit_select(self, *args: Any, **kwargs: Any) -> str:
        breathe()
        return str(super().visit_select(*args, **kwargs))  # type: ignore[no-untyped-call]


class _Dialect(postgresql.dialect):  # type: ignore[misc,valid-type]
    statement_compiler = _Compiler
    supports_statement_cache = False


def render(statement: CompilerElement | Select[Any]) -> tuple[str, tuple[str, ...]]:
    """The text of a statement, and the names of its parameters in the order of their numbers."""
    compiled = statement.compile(dialect=_Dialect(paramstyle="numeric_dollar"))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
