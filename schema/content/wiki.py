"""Wikis, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="A page that members write together.")
class Wiki(Content):
    """A page that members write together."""


KIND = Kind(Wiki)
