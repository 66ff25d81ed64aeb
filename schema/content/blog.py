"""Blogs, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="A longer piece by one person.")
class Blog(Content):
    """A longer piece by one person."""


KIND = Kind(Blog)
