"""Publishing, changing and deleting items of every kind.

Promises: an item is in the indexes over all sites as it is on its own. What is deleted is marked and shown nowhere.
A new kind needs nothing here: what is its own it brings itself (`schema.content.base.Kind`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from auth.policy import Level, Role
from auth.viewer import Viewer
from schema.content.base import CONTENT, Details, Kind
from schema.content.every import KIND_OF
from schema.errors import bad_input
from schema.events import ChangeAction, Topic, record
from schema.group import GROUPS
from schema.inputs.content import CreateContentInput, DeleteContentInput, UpdateContentInput
from schema.levels import AccessLevel
from schema.services.indexes import index_activity
from schema.services.standing import Standing, forbidden, group_role, require_answering, require_visible
from schema.services.texts import account_node, given, line, prose, require_account, tag_list
from schema.services.versions import changes_of, require_version, write_changes
from schema.work import Done, Work
from tenants.ids import uuid7
from tenants.site_tables import Content
from tenants.tables import table_of

ITEM = table_of(Content)

TITLE_MAX = 300
BODY_MAX = 100_000
UNTITLED_BODY_MAX = 500
FOR_EDITORS = frozenset({"NEWS", "PAGE"})
"""Kinds that speak for the site."""


async def create_content(work: Work, viewer: Viewer, asked: CreateContentInput) -> Done:
    """Publishes an item, for members; in a group for its members and the site's admins."""
    me = require_account(viewer, asked)
    word = asked.kind.value
    values = _new_item(asked, word, KIND_OF[word])
    await work.enter_site_of(asked.site, "S", "input.site")
    standing = await require_answering(work, me, "input.site")
    group = given(asked.group)
    group_id = None if group is None else work.key_here(group, "G", "input.group")
    if group_id is not None:
        await require_visible(work, me, GROUPS, group_id, "input.group")
    await _require_writing(work, standing, me, word, group_id)
    now = datetime.now(UTC)
    item_id = uuid7()
    times = {"published_at": now, "created_at": now, "updated_at": now}
    own = {"id": item_id, "kind": word, "author_id": me, "group_id": group_id, "version": 1}
    await work.tx.execute(insert(ITEM).values(values | own | times))
    await index_activity(work, item_id)
    await record(work, Topic.CONTENT, ChangeAction.CREATED, item_id, kind=word)
    return Done(standing.site, {"content": work.node("C", item_id)})


async def update_content(work: Work, viewer: Viewer, asked: UpdateContentInput) -> Done:
    """Changes an item, for its author and for editors."""
    me = require_account(viewer, asked)
    access, tags = given(asked.access), tag_list(asked.tags, "input.tags")
    item_id = await work.enter_site_of(asked.id, "C", "input.id")
    standing = await require_answering(work, me, "input.id")
    row = await require_visible(work, me, CONTENT, item_id, "input.id", lock=True)
    # Whether these are right depends on the kind, which only the row tells.
    kind = KIND_OF[row.kind]
    changes = {
        "title": _title(asked.title, kind),
        "body": _body(asked.body, kind),
        "access": None if access is None else _level(access, row.group_id is not None),
        "tags": tags,
        "details": _details(asked, row.kind, kind, required=False),
    }
    is_author = row.author_id == me
    if not (standing.is_at_least(Role.EDITOR) or (is_author and standing.is_at_least(Role.MEMBER))):
        raise forbidden("Only its author, as a member of this site, and the site's editors can change this.")
    if access is AccessLevel.PRIVATE and not is_author:
        raise forbidden("Only its author can make this private.")
    require_version(row, asked.version)
    if await write_changes(work, ITEM, row, changes):
        if not is_author:
            about = {
                "kind": row.kind,
                "author": account_node(row.author_id),
                "fields": sorted(changes_of(row, changes)),
            }
            await work.audit(viewer, "content.updated", asked.id, **about)
        await index_activity(work, item_id)
        await record(work, Topic.CONTENT, ChangeAction.UPDATED, item_id, kind=row.kind)
    return Done(standing.site, {"content": work.node("C", item_id)})


async def delete_content(work: Work, viewer: Viewer, asked: DeleteContentInput) -> Done:
    """Marks an item as deleted, for its author and for moderators."""
    me = require_account(viewer, asked)
    item_id = await work.enter_site_of(asked.id, "C", "input.id")
    standing = await require_answering(work, me, "input.id")
    row = await require_visible(work, me, CONTENT, item_id, "input.id", lock=True)
    is_author = row.author_id == me and standing.role is not None
    if not (is_author or standing.is_at_least(Role.MODERATOR)):
        raise forbidden("Only its author, as a member of this site, and the site's moderators can delete this.")
    version = given(asked.version)
    if version is not None:
        require_version(row, version)
    deleted = {"deleted_at": datetime.now(UTC), "version": row.version + 1}
    await work.tx.execute(update(ITEM).where(ITEM.c.id == item_id).values(deleted))
    await index_activity(work, item_id)
    await record(work, Topic.CONTENT, ChangeAction.DELETED, item_id, kind=row.kind)
    if not is_author:
        await work.audit(viewer, "content.deleted", asked.id, kind=row.kind, author=account_node(row.author_id))
    return Done(standing.site, {"deletedId": asked.id})


async def _require_writing(work: Work, standing: Standing, me: UUID, word: str, group_id: UUID | None) -> None:
    editorial = word in FOR_EDITORS
    standing.require_role(Role.EDITOR if editorial else Role.MEMBER, f"write {word.lower()}" if editorial else "write")
    if group_id is not None and not standing.is_at_least(Role.ADMIN) and await group_role(work, group_id, me) is None:
        raise forbidden("Only members of this group can write in it; join it first.")


def _new_item(asked: CreateContentInput, word: str, kind: Kind) -> dict[str, Any]:
    """The columns of a new item that its author decides, checked."""
    access, grouped = given(asked.access), given(asked.group) is not None
    return {
        "title": _title(given(asked.title) or "", kind),
        "body": _body(given(asked.body) or "", kind),
        "access": _level(access or (AccessLevel.GROUP if grouped else AccessLevel.MEMBERS), grouped),
        "tags": tag_list(asked.tags, "input.tags") or [],
        "details": _details(asked, word, kind, required=True),
    }


def _title(title: str | None, kind: Kind) -> str | None:
    if kind.titled:
        return line(title, "input.title", TITLE_MAX)
    if given(title):
        raise bad_input("input.title", "This kind has no title.")
    return given(title)


def _body(body: str | None, kind: Kind) -> str | None:
    if kind.titled:
        return prose(body, "input.body", BODY_MAX)
    return prose(body, "input.body", UNTITLED_BODY_MAX, required=True)


def _level(access: AccessLevel, grouped: bool) -> int:
    if access is AccessLevel.GROUP and not grouped:
        raise bad_input("input.access", "GROUP is for items in a group, and this is in none.")
    return int(Level[access.name])


def _details(asked: object, word: str, kind: Kind, *, required: bool) -> Details | None:
    """What only this kind has, as it is stored; None for no change. Details of another kind are refused."""
    for other_word, other in KIND_OF.items():
        if other_word != word and other.input_name and given(getattr(asked, other.input_name)) is not None:
            raise bad_input(f"input.{other.input_name}", f"This is for {other_word} only, and the item is {word}.")
    details = given(getattr(asked, kind.input_name)) if kind.input_name else None
    return kind.store(details) if required or details is not None else None
