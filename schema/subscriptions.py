"""The Subscription type: what can be followed while it happens, with the payload of each event.

Promises: bindings only; to add one is to record its event in a service and to add a payload and a field here. Every
field is nullable, so that an event with a fault in it still comes. A payload has no field `id`: clients that keep
things by id, as Relay does, would take it for the thing that it tells of.
"""

from typing import Any

import strawberry

from auth import policy
from schema.bind import NOTHING, Made, Subscribed, at, bound
from schema.content.base import Content
from schema.content.comment import Comment
from schema.events import ChangeAction, Topic
from schema.kinds import ContentKind
from schema.relay import argument, field
from schema.site import Site

CURSOR = "The event's place: given as `since`, what came after it is told again. Good for a week, for this site only."
SINCE = "Tell first what happened after the event with this `cursor`: for who was away."


def made(name: str, description: str) -> Any:
    """A payload's field."""
    return strawberry.field(description=description, metadata=at(Made(name)))


def subscription(binding: Subscribed, description: str, at_description: str) -> Any:
    """A subscription's field: where, of which kinds, and since when."""
    parameters = [argument(binding.at, strawberry.ID, at_description)]
    if binding.kinds:
        kinds = argument("kinds", list[ContentKind], "Of one of these kinds only.", optional=True)
        parameters.append(kinds)
    return field(binding, description, [*parameters, argument("since", str, SINCE, optional=True)])


@bound(NOTHING)
@strawberry.type(description="An item was published, changed or deleted.")
class ContentChanged:
    """What `contentChanged` tells."""

    action: ChangeAction = made("action", "What was done to it.")
    content_id: strawberry.ID = made("id", "The item's id.")
    content: Content | None = made("node", "The item as it is now; null if it is deleted.")
    cursor: str = made("cursor", CURSOR)


@bound(NOTHING)
@strawberry.type(description="A comment was written.")
class CommentAdded:
    """What `commentAdded` tells."""

    comment_id: strawberry.ID = made("id", "The comment's id.")
    comment: Comment | None = made("node", "The comment.")
    cursor: str = made("cursor", CURSOR)


@bound(NOTHING)
@strawberry.type(description="The settings of a site were changed, or it was suspended or resumed.")
class SiteChanged:
    """What `siteChanged` tells."""

    action: ChangeAction = made("action", "What was done to it.")
    site_id: strawberry.ID = made("id", "The site's id.")
    site: Site | None = made("node", "The site as it is now.")
    cursor: str = made("cursor", CURSOR)


@bound(NOTHING)
@strawberry.type(
    description="What can be followed while it happens. An event comes only to who may see what it is about, by what "
    "they may see at that moment."
)
class Subscription:
    """What can be followed."""

    content_changed: ContentChanged | None = subscription(
        Subscribed(Topic.CONTENT, "C", "site", "S", policy.content_known, kinds=True),
        "Items of a site that are published, changed or deleted.",
        "The site's id.",
    )
    comment_added: CommentAdded | None = subscription(
        Subscribed(Topic.COMMENT, "K", "content", "C", policy.comment_visible),
        "Comments on an item, answers to comments included.",
        "The item's id.",
    )
    site_changed: SiteChanged | None = subscription(
        Subscribed(Topic.SITE, "S", "site", "S", policy.site_visible),
        "Changes to the settings of a site; also told while it is suspended.",
        "The site's id.",
    )
