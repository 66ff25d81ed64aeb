"""Pages, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="A page of the site that stays.")
class Page(Content):
    """A page of the site that stays."""


KIND = Kind(Page)
