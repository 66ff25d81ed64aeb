"""News, as a kind of content."""

import strawberry

from schema.bind import Expression, at
from schema.content.base import Content, Details, Kind
from schema.errors import bad_input


@strawberry.type(description="An announcement on behalf of the site.")
class News(Content):
    """An announcement on behalf of the site."""

    source: str | None = strawberry.field(
        description="Where it came from, such as a web address; null if from the site itself.",
        metadata=at(Expression(lambda row, _: row.c.details["source"].as_string())),
    )


@strawberry.input(description="What only news has.")
class NewsDetails:
    """What only news has."""

    source: str | None = strawberry.field(default=None, description="Where it came from; 500 characters at most.")


def store(details: NewsDetails | None) -> Details:
    """The stored form of the details."""
    if details is None or details.source is None:
        return {}
    if len(details.source) > 500:
        raise bad_input("input.news.source", "At most 500 characters.")
    return {"source": details.source}


KIND = Kind(News, input_name="news", input_type=NewsDetails, store=store)
