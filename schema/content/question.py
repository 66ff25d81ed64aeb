"""Questions, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="Something asked, for others to answer.")
class Question(Content):
    """Something asked, for others to answer."""


KIND = Kind(Question)
