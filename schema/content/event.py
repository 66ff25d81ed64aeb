"""Events, as a kind of content."""

from datetime import UTC, datetime
from typing import Any

import strawberry
from sqlalchemy import ColumnElement

from auth.policy import Row, Terms
from schema.bind import Expression, at
from schema.content.base import Content, Details, Kind
from schema.errors import bad_input


def _detail(name: str) -> Expression:
    def build(row: Row, _terms: Terms) -> ColumnElement[Any]:
        text: ColumnElement[Any] = row.c.details[name].as_string()
        return text

    return Expression(build)


@strawberry.type(description="Something that takes place at a time.")
class Event(Content):
    """Something that takes place at a time."""

    starts_at: datetime = strawberry.field(description="When it starts.", metadata=at(_detail("startsAt")))
    ends_at: datetime | None = strawberry.field(
        description="When it ends; null if that is open.", metadata=at(_detail("endsAt"))
    )
    location: str = strawberry.field(description="Where; empty if not said.", metadata=at(_detail("location")))


@strawberry.input(description="What only events have.")
class EventDetails:
    """What only events have."""

    starts_at: datetime = strawberry.field(description="When it starts.")
    ends_at: datetime | None = strawberry.field(default=None, description="When it ends, after it starts.")
    location: str = strawberry.field(default="", description="Where; 500 characters at most.")


def store(details: EventDetails | None) -> Details:
    """The stored form of the details: moments in UTC as the API shows them."""
    if details is None:
        raise bad_input("input.event", "An event needs its details.")
    starts_at, ends_at = _utc(details.starts_at, "startsAt"), details.ends_at and _utc(details.ends_at, "endsAt")
    if ends_at and ends_at < starts_at:
        raise bad_input("input.event.endsAt", "An event ends after it starts.")
    if len(details.location) > 500:
        raise bad_input("input.event.location", "At most 500 characters.")
    return {"startsAt": starts_at, "endsAt": ends_at, "location": details.location}


def _utc(moment: datetime, field: str) -> str:
    if moment.tzinfo is None:
        raise bad_input(f"input.event.{field}", "Say the time zone, as in 2030-01-31T10:00:00Z.")
    return moment.astimezone(UTC).isoformat()


KIND = Kind(Event, input_name="event", input_type=EventDetails, store=store)
