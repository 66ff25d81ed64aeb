"""The Mutation type: every change that can be asked for, with the payload each gives back.

Promises: a mutation has one argument, `input`, and a payload of its own, so both can grow. Each is nullable: one that
fails leaves the others of the same document their answers. Bindings only; what is done stands in `schema/services/`.
"""

import strawberry

from auth.scopes import Scope
from schema.account import Member
from schema.bind import NOTHING, bound
from schema.content.base import Content
from schema.content.comment import Comment
from schema.content.subject import Subject
from schema.group import Group
from schema.inputs import content as content_inputs
from schema.inputs import group as group_inputs
from schema.inputs import site as site_inputs
from schema.mutations_of_account import AccountMutations
from schema.mutations_of_clients import ClientMutations
from schema.mutations_of_issuers import IssuerMutations
from schema.mutations_of_roles import RoleMutations
from schema.payload import made, mutation
from schema.services import comment, content, group, membership, site
from schema.site import Site


@bound(NOTHING)
@strawberry.type(description="The site that was started.")
class CreateSitePayload:
    """What `createSite` gives back."""

    site: Site | None = made("site", "The new site; the viewer is its owner.")


@bound(NOTHING)
@strawberry.type(description="The site after the change.")
class UpdateSitePayload:
    """What `updateSite` gives back."""

    site: Site | None = made("site", "The site as it is now.")


@bound(NOTHING)
@strawberry.type(description="The suspended site.")
class SuspendSitePayload:
    """What `suspendSite` gives back."""

    site: Site | None = made("site", "The site as it is now; null for an operator who could not find it as a visitor.")


@bound(NOTHING)
@strawberry.type(description="The site that answers again.")
class ResumeSitePayload:
    """What `resumeSite` gives back."""

    site: Site | None = made("site", "The site as it is now; null for an operator who could not find it as a visitor.")


@bound(NOTHING)
@strawberry.type(description="The site that was joined.")
class JoinSitePayload:
    """What `joinSite` gives back."""

    site: Site | None = made("site", "The site, as its member sees it.")
    member: Member | None = made("member", "The viewer as a member; null for a guest, who sees no members.")


@bound(NOTHING)
@strawberry.type(description="The site that was left.")
class LeaveSitePayload:
    """What `leaveSite` gives back."""

    site: Site | None = made("site", "The site, as a visitor sees it; null if only members can find it.")


@bound(NOTHING)
@strawberry.type(description="The group that was started.")
class CreateGroupPayload:
    """What `createGroup` gives back."""

    group: Group | None = made("group", "The new group; the viewer is its owner.")


@bound(NOTHING)
@strawberry.type(description="The group after the change.")
class UpdateGroupPayload:
    """What `updateGroup` gives back."""

    group: Group | None = made("group", "The group as it is now.")


@bound(NOTHING)
@strawberry.type(description="The group that was joined.")
class JoinGroupPayload:
    """What `joinGroup` gives back."""

    group: Group | None = made("group", "The group, as its member sees it.")


@bound(NOTHING)
@strawberry.type(description="The group that was left.")
class LeaveGroupPayload:
    """What `leaveGroup` gives back."""

    group: Group | None = made("group", "The group, as others see it; null for who cannot see it any more.")


@bound(NOTHING)
@strawberry.type(description="The item that was published.")
class CreateContentPayload:
    """What `createContent` gives back."""

    content: Content | None = made("content", "The new item.")


@bound(NOTHING)
@strawberry.type(description="The item after the change.")
class UpdateContentPayload:
    """What `updateContent` gives back."""

    content: Content | None = made("content", "The item as it is now.")


@bound(NOTHING)
@strawberry.type(description="The item that is gone.")
class DeleteContentPayload:
    """What `deleteContent` gives back."""

    deleted_id: strawberry.ID | None = made("deletedId", "The id of the item, to drop it from what the client holds.")


@bound(NOTHING)
@strawberry.type(description="The comment that was written.")
class AddCommentPayload:
    """What `addComment` gives back."""

    comment: Comment | None = made("comment", "The new comment.")


@bound(NOTHING)
@strawberry.type(description="What was reacted to.")
class ReactPayload:
    """What `react` gives back."""

    subject: Subject | None = made("subject", "The item or comment, with its reactions as they are now.")


@bound(NOTHING)
@strawberry.type(
    description="What can be changed. Several in one document are done one after the other, each whole or not at all."
)
class Mutation(AccountMutations, ClientMutations, IssuerMutations, RoleMutations):
    """What can be changed."""

    create_site: CreateSitePayload | None = mutation(
        site.create_site,
        "site",
        site_inputs.CreateSiteInput,
        "Starts a site. Whoever is signed in may, and becomes its owner. A slug that is taken is a CONFLICT.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    update_site: UpdateSitePayload | None = mutation(
        site.update_site,
        "site",
        site_inputs.UpdateSiteInput,
        "Changes the settings of a site. For its admins.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    suspend_site: SuspendSitePayload | None = mutation(
        site.suspend_site,
        "site",
        site_inputs.SuspendSiteInput,
        "Closes a site for now: it can be found, but nothing on it can be seen or changed (SITE_SUSPENDED). Nothing is "
        "lost. For its owners and the platform's operators. A suspended site stays as it is.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    resume_site: ResumeSitePayload | None = mutation(
        site.resume_site,
        "site",
        site_inputs.ResumeSiteInput,
        "Opens a suspended site again. For the platform's operators, and for its owners if one of them suspended it "
        "(`suspendedBy`). One that answers stays as it is.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    join_site: JoinSitePayload | None = mutation(
        membership.join_site,
        "site",
        site_inputs.JoinSiteInput,
        "Makes the viewer a member of a site whose `joining` is OPEN; any other is FORBIDDEN. A member stays one.",
        needs=Scope.WRITE,
    )
    leave_site: LeaveSitePayload | None = mutation(
        membership.leave_site,
        "site",
        site_inputs.LeaveSiteInput,
        "Ends the viewer's membership of a site and of its groups; what they wrote stays. The last owner cannot leave: "
        "CONFLICT. For who is no member nothing changes.",
        needs=Scope.WRITE,
    )
    create_group: CreateGroupPayload | None = mutation(
        group.create_group,
        "group",
        group_inputs.CreateGroupInput,
        "Starts a group on a site. For its members; whoever starts it becomes the group's owner.",
        needs=Scope.WRITE,
    )
    update_group: UpdateGroupPayload | None = mutation(
        group.update_group,
        "group",
        group_inputs.UpdateGroupInput,
        "Changes a group. For the group's owners and the site's admins.",
        needs=Scope.WRITE,
    )
    join_group: JoinGroupPayload | None = mutation(
        group.join_group,
        "group",
        group_inputs.JoinGroupInput,
        "Makes the viewer a member of a group whose `joining` is OPEN; FORBIDDEN for others. For members of its site. "
        "For a member of the group nothing changes.",
        needs=Scope.WRITE,
    )
    leave_group: LeaveGroupPayload | None = mutation(
        group.leave_group,
        "group",
        group_inputs.LeaveGroupInput,
        "Ends the viewer's membership of a group; what they wrote stays. For who is no member nothing changes.",
        needs=Scope.WRITE,
    )
    create_content: CreateContentPayload | None = mutation(
        content.create_content,
        "content",
        content_inputs.CreateContentInput,
        "Publishes an item of any kind. For members, in a group for its members; NEWS and PAGE for editors.",
        needs=Scope.WRITE,
    )
    update_content: UpdateContentPayload | None = mutation(
        content.update_content,
        "content",
        content_inputs.UpdateContentInput,
        "Changes an item. For its author and for editors.",
        needs=Scope.WRITE,
    )
    delete_content: DeleteContentPayload | None = mutation(
        content.delete_content,
        "deletedId",
        content_inputs.DeleteContentInput,
        "Deletes an item, with what was said about it, for everybody. For its author and for moderators. "
        "An item that is deleted already is NOT_FOUND.",
        needs=Scope.WRITE,
    )
    add_comment: AddCommentPayload | None = mutation(
        comment.add_comment,
        "comment",
        content_inputs.AddCommentInput,
        "Says something about an item, or answers a comment. For members who can see it.",
        needs=Scope.WRITE,
    )
    react: ReactPayload | None = mutation(
        comment.react,
        "subject",
        content_inputs.ReactInput,
        "Gives an item or a comment the viewer's one reaction, or takes it back. For members who can see it.",
        needs=Scope.WRITE,
    )
