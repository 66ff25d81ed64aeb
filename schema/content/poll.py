"""Polls, as a kind of content."""

import strawberry
from sqlalchemy import FromClause, Integer, Text, column, func, select

from auth.policy import Row, Terms
from schema.bind import Column, Derived, Listed, at, bound
from schema.content.base import Content, Details, Kind
from schema.errors import bad_input

OPTIONS = (2, 20)
"""The least and the most options a poll has."""


def _options(row: Row, _terms: Terms) -> FromClause:
    listed = (
        func.jsonb_array_elements_text(row.c.details["options"])
        .table_valued(column("text", Text), with_ordinality="number")
        .render_derived("option")
    )
    options = select(listed.c.number.cast(Integer).label("number"), listed.c.text).order_by(listed.c.number)
    return options.correlate(row).subquery()  # type: ignore[arg-type]


@bound(Derived())
@strawberry.type(description="One of the options of a poll.")
class PollOption:
    """One of the options of a poll."""

    number: int = strawberry.field(description="Its number in the poll, from 1.", metadata=at(Column("number")))
    text: str = strawberry.field(description="What it says.", metadata=at(Column("text")))


@strawberry.type(description="A question with a few options.")
class Poll(Content):
    """A question with a few options."""

    options: list[PollOption] = strawberry.field(description="The options, in order.", metadata=at(Listed(_options)))


@strawberry.input(description="What only polls have.")
class PollDetails:
    """What only polls have."""

    options: list[str] = strawberry.field(description="2 to 20 different options, 1 to 200 characters each.")


def store(details: PollDetails | None) -> Details:
    """The stored form of the details."""
    if details is None:
        raise bad_input("input.poll", "A poll needs its options.")
    options = [option.strip() for option in details.options]
    least, most = OPTIONS
    if not least <= len(options) <= most or len(set(options)) < len(options):
        raise bad_input("input.poll.options", f"Give {least} to {most} different options.")
    if any(not 1 <= len(option) <= 200 for option in options):
        raise bad_input("input.poll.options", "An option has 1 to 200 characters.")
    return {"options": options}


KIND = Kind(Poll, input_name="poll", input_type=PollDetails, store=store)
