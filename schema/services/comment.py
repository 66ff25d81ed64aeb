"""Saying something about an item or a comment, in words or by a reaction.

Promises: one reaction per account and subject; giving the same again, or taking back none, changes nothing.
Never lets anybody speak about what they cannot see.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete
from sqlalchemy import insert as insert_one
from sqlalchemy.dialects.postgresql import insert

from auth.policy import Role
from auth.viewer import Viewer
from schema.content.base import CONTENT
from schema.content.comment import COMMENTS
from schema.errors import not_found
from schema.events import ChangeAction, Topic, record
from schema.inputs.content import AddCommentInput, ReactInput
from schema.relay import NodeId, decode_id
from schema.services.standing import Standing, require_answering, require_visible
from schema.services.texts import given, prose, require_account
from schema.work import Done, Work
from tenants.ids import uuid7
from tenants.site_tables import Comment, Reaction
from tenants.tables import table_of

COMMENT = table_of(Comment)
REACTION = table_of(Reaction)

BODY_MAX = 10_000
FIELD = "input.subject"


async def add_comment(work: Work, viewer: Viewer, asked: AddCommentInput) -> Done:
    """Writes a comment on an item, or an answer to a comment, for members."""
    me = require_account(viewer, asked)
    body = prose(asked.body, "input.body", BODY_MAX, required=True)
    standing, subject, content_id = await _enter_subject(work, me, asked.subject)
    standing.require_role(Role.MEMBER, "comment")
    now = datetime.now(UTC)
    comment_id = uuid7()
    comment = {
        "id": comment_id,
        "content_id": content_id,
        "parent_id": subject.key if subject.tag == "K" else None,
        "author_id": me,
        "body": body,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    await work.tx.execute(insert_one(COMMENT).values(comment))
    await record(work, Topic.COMMENT, ChangeAction.CREATED, comment_id, within_id=content_id)
    return Done(standing.site, {"comment": work.node("K", comment_id)})


async def react(work: Work, viewer: Viewer, asked: ReactInput) -> Done:
    """Gives, changes or takes back the viewer's one reaction, for members."""
    me = require_account(viewer, asked)
    standing, subject, content_id = await _enter_subject(work, me, asked.subject)
    standing.require_role(Role.MEMBER, "react")
    kind = given(asked.reaction)
    if kind is None:
        mine = (REACTION.c.subject_id == subject.key, REACTION.c.account_id == me)
        await work.tx.execute(delete(REACTION).where(*mine))
    else:
        row = {"subject_id": subject.key, "account_id": me, "content_id": content_id, "kind": kind.name}
        given_now = insert(REACTION).values(row | {"created_at": datetime.now(UTC)})
        changed = {"kind": given_now.excluded.kind, "created_at": given_now.excluded.created_at}
        other = REACTION.c.kind != given_now.excluded.kind
        key = [REACTION.c.subject_id, REACTION.c.account_id]
        await work.tx.execute(given_now.on_conflict_do_update(index_elements=key, set_=changed, where=other))
    return Done(standing.site, {"subject": subject})


async def _enter_subject(work: Work, me: UUID, text: str) -> tuple[Standing, NodeId, UUID]:
    """Enters the site of an item or a comment; the viewer's standing there, the subject, and the item's key."""
    node = decode_id(text)
    if node is None or node.tag not in {"C", "K"}:
        raise not_found(FIELD)
    await work.enter_site_of(text, node.tag, FIELD)
    standing = await require_answering(work, me, FIELD)
    row: Row[Any] = await require_visible(work, me, CONTENT if node.tag == "C" else COMMENTS, node.key, FIELD)
    return standing, node, row.id if node.tag == "C" else row.content_id
