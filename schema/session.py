"""Sessions as their owner sees them: the browsers in which they are signed in.

Promises: nothing by which one could come in is in any field. Nobody sees another's sessions.
"""

from datetime import datetime

import strawberry
from sqlalchemy import ColumnElement, exists, or_, select

from auth import policy
from auth.policy import Terms
from auth.scopes import Scope as Word
from schema.bind import Column, Expression, Place, Row, Source, at, bound
from schema.relay import Node
from tenants.session_tables import Session as SessionTable
from tenants.tables import table_of, without

SESSIONS = Source(
    tables={Place.PLATFORM: without(table_of(SessionTable), "token_hash", "sid", "subject")},
    key="id",
    policy=policy.my_session,
    tag="N",
    needs={Place.PLATFORM: Word.ACCOUNT},
)


def _is_current(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Whether the viewer came by this session, or by one on a site's host that was made from it."""
    below = table_of(SessionTable).alias()
    made = select(below.c.id).where(below.c.parent_id == row.c.id, below.c.id == terms.session)
    return or_(row.c.id == terms.session, exists(made.correlate_except(below))).is_(True)


@bound(SESSIONS)
@strawberry.type(description="A browser in which somebody is signed in, on the square's host and on the sites' hosts.")
class Session(Node):
    """A browser in which somebody is signed in."""

    device: str = strawberry.field(
        description="What it is, such as `Firefox, Windows`; empty if it does not say.", metadata=at(Column("device"))
    )
    address: str = strawberry.field(
        description="The address from which somebody signed in.", metadata=at(Column("address"))
    )
    is_current: bool = strawberry.field(
        description="Whether this request came by it.", metadata=at(Expression(_is_current))
    )
    methods: list[str] = strawberry.field(
        description="How somebody signed in, in words of RFC 8176: `pwd` is a password, `otp` a code, `mfa` both.",
        metadata=at(Column("amr")),
    )
    created_at: datetime = strawberry.field(description="When it began.", metadata=at(Column("created_at")))
    authenticated_at: datetime = strawberry.field(
        description="When somebody last signed in in it.", metadata=at(Column("authenticated_at"))
    )
    last_seen_at: datetime = strawberry.field(
        description="When it was last used, to the minute.", metadata=at(Column("last_seen_at"))
    )
