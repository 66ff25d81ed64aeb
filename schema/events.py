"""What happens on a site, as events for who subscribed: the topics, and how a service tells of one.

Promises: an event is written in the transaction of what it tells of, so it is there if and only if that was done.
Never holds a text: who is told reads the thing itself, as they may.
"""

from enum import Enum, StrEnum
from uuid import UUID

import strawberry

from schema.levels import value
from schema.work import Work
from tenants.outbox import NewEvent, append


class Topic(StrEnum):
    """What an event is about."""

    CONTENT = "CONTENT"
    COMMENT = "COMMENT"
    SITE = "SITE"


@strawberry.enum(description="What was done to a thing.")
class ChangeAction(Enum):
    """What was done to a thing."""

    CREATED = value("CREATED", "It is new.")
    UPDATED = value("UPDATED", "It was changed.")
    DELETED = value("DELETED", "It is gone.")


async def record(
    work: Work,
    topic: Topic,
    action: ChangeAction,
    subject_id: UUID,
    *,
    within_id: UUID | None = None,
    kind: str = "",
) -> None:
    """Tells who subscribed, once the work is committed. The site must have been entered."""
    assert work.tenant is not None
    await append(work.tx, work.tenant, NewEvent(topic.value, action.name, subject_id, within_id, kind))
    work.is_heard = True
