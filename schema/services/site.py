"""Starting, changing, suspending and resuming a site.

Promises: a site exists whole or not at all, with whoever started it as its owner. Suspending what is suspended, and
resuming what answers, succeeds and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from auth.local.local import LOCAL_ISSUER
from auth.policy import Level, Role
from auth.revocations import look_anew
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input, step_up_required
from schema.events import ChangeAction, Topic, record
from schema.inputs.site import CreateSiteInput, ResumeSiteInput, SuspendSiteInput, UpdateSiteInput
from schema.levels import AccessLevel, Joining
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.services.standing import Standing, forbidden, load_standing, require_answering, require_visible
from schema.services.texts import given, line, prose, require_account
from schema.services.versions import changes_of, require_version, write_changes
from schema.site import SITES
from schema.work import Done, Work
from tenants.errors import SlugTaken
from tenants.provisioning import NewTenant, provision_in
from tenants.registry import Demand
from tenants.site_tables import SiteWindow
from tenants.suspension import ACTIVE, SUSPENDED, Authority, Suspender, is_suspended, resume, suspend
from tenants.tables import table_of

NAME_MAX = 200
DESCRIPTION_MAX = 5_000
ISSUERS_MAX = 20
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_LENGTHS = (2, 63)  # the longest label of a host name
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")

# fmt: off
RESERVED_SLUGS = frozenset((
    "account", "accounts", "admin", "api", "app", "assets", "auth", "autoconfig", "autodiscover", "cdn", "console",
    "docs", "download", "downloads", "files", "ftp", "gateway", "graphiql", "graphql", "health", "healthz", "help",
    "host", "imap", "internal", "issuer", "live", "localhost", "login", "logout", "mail", "media", "metrics", "mx",
    "ns", "ns1", "ns2", "oauth", "oauth2", "oidc", "operator", "plein", "platform", "pop", "pop3", "postgres",
    "postmaster", "ready", "register", "root", "s3", "security", "settings", "sftp", "sites", "smtp", "square",
    "static", "status", "storage", "support", "system", "upload", "uploads", "webhook", "webhooks", "webmail",
    "webmaster", "well-known", "worker", "ws", "www",
))
"""Names under the square's own host that the square needs itself, now or later, or that would look like its own."""
# fmt: on


async def create_site(work: Work, viewer: Viewer, asked: CreateSiteInput) -> Done:
    """Starts a site; whoever asks becomes its owner. A taken slug is a CONFLICT."""
    me = require_account(viewer, asked)
    if viewer.sites is not None:
        raise forbidden("Your key or token is for some sites only, and cannot start another.")
    new = _new_site(asked)
    try:
        tenant = await provision_in(work.tx, new, owner_account_id=me)
    except SlugTaken:
        message = "There is a site with this slug already; take another."
        raise PleinError(ErrorCode.CONFLICT, message, field="input.slug") from None
    await work.enter(tenant)
    await work.audit(viewer, "site.created", site_node(tenant.id), slug=new.slug, name=new.name)
    return Done(tenant, {"site": work.node("S", tenant.id)})


async def update_site(work: Work, viewer: Viewer, asked: UpdateSiteInput) -> Done:
    """Changes a site's settings, for admins. Its level is a ceiling that works at once: nothing else is rewritten."""
    me = require_account(viewer, asked)
    changes = {
        "name": line(asked.name, "input.name", NAME_MAX),
        "description": prose(asked.description, "input.description", DESCRIPTION_MAX),
        "language": _language(asked.language),
        "visibility": _level(asked.visibility, "input.visibility"),
        "access": _level(asked.access, "input.access"),
        "joining": joining_name(asked.joining),
        "second_factor": given(asked.requires_second_factor),
        "issuers": await _issuers(work, given(asked.sign_in_issuers)),
    }
    site_id = await work.enter_site_of(asked.id, "S", "input.id")
    standing = await require_answering(work, me, "input.id")
    standing.require_role(Role.ADMIN, "change its settings")
    row = await require_visible(work, me, SITES, site_id, "input.id", lock=True)
    require_version(row, asked.version)
    demands = _demands(work, row, changes)
    if await write_changes(work, table_of(SiteWindow), row, changes):
        await work.audit(viewer, "site.updated", site_node(site_id), **told(changes_of(row, changes)))
        await record(work, Topic.SITE, ChangeAction.UPDATED, site_id, kind=standing.state)
        if demands:
            await _look_anew(work, standing)
    return Done(standing.site, {"site": work.node("S", site_id)})


def _demands(work: Work, row: Row[Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What changes of how people must have signed in. Raises STEP_UP_REQUIRED for who would shut themselves out."""
    names = ("second_factor", "issuers")
    demands = {name: changes[name] for name in names if changes[name] not in (None, getattr(row, name))}
    after = {name: demands.get(name, getattr(row, name)) for name in names}
    if demands and not work.assurance.meets(Demand(after["second_factor"], frozenset(after["issuers"]))):
        raise step_up_required(row.slug, work.about.base_url)
    return demands


async def _look_anew(work: Work, standing: Standing) -> None:
    """Let every process forget what the site demanded, and look anew at whoever is on it."""
    await work.leave()
    await look_anew(work.tx, standing.site.id)
    work.has_revoked = True
    await work.enter(standing.site)


async def _issuers(work: Work, asked: list[str] | None) -> list[str] | None:
    """The issuers that were named, if people can sign in with each here. To be asked before a site is entered."""
    if asked is None:
        return None
    if len(asked) > ISSUERS_MAX:
        raise bad_input("input.signInIssuers", f"At most {ISSUERS_MAX} issuers.")
    known = {LOCAL_ISSUER, *(issuer.url for issuer in await work.about.directory.load_all(work.tx))}
    if not known.issuperset(asked):
        raise bad_input("input.signInIssuers", "People cannot sign in here with each of these.")
    return sorted(set(asked))


async def suspend_site(work: Work, viewer: Viewer, asked: SuspendSiteInput) -> Done:
    """Lets a site answer no more, for its owners and the platform's operators."""
    return await _change_state(work, viewer, asked, SUSPENDED)


async def resume_site(work: Work, viewer: Viewer, asked: ResumeSiteInput) -> Done:
    """Lets a suspended site answer again, for operators, and for its owners if one of them suspended it."""
    return await _change_state(work, viewer, asked, ACTIVE)


async def _change_state(work: Work, viewer: Viewer, asked: SuspendSiteInput | ResumeSiteInput, state: str) -> Done:
    me = require_account(viewer, asked)
    site_id = await work.enter_site_of(asked.id, "S", "input.id")
    standing = await load_standing(work, me, "input.id", knows_all=viewer.is_operator)
    if not (viewer.is_operator or standing.is_at_least(Role.OWNER)):
        raise forbidden("Only owners of this site and operators of the platform can suspend or resume it.")
    # Who is both acts as an operator: that is what the others cannot undo.
    who = Suspender(Authority.OPERATOR if viewer.is_operator else Authority.OWNER, me)
    await work.leave()  # no site's role may change a state, not even its own
    change = suspend if state == SUSPENDED else resume
    work.is_heard = await change(work.tx, site_id, who)
    if state == ACTIVE and not work.is_heard and await is_suspended(work.tx, site_id):
        raise forbidden("An operator of the platform suspended this site; only an operator can let it answer again.")
    await work.enter(standing.site)
    if work.is_heard:
        done = "site.suspended" if state == SUSPENDED else "site.resumed"
        await work.audit(viewer, done, site_node(site_id), authority=who.authority.name)
    return Done(standing.site, {"site": work.node("S", site_id)})


def site_node(site_id: UUID) -> str:
    """A site's id as the API tells it."""
    return encode_id(NodeId("S", PLATFORM_ID, site_id))


def told(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as the audit tells them: which fields, and what decides about access by its name."""
    levels = {name: Level(changes[name]).name for name in ("access", "visibility") if name in changes}
    deciding = {name: changes[name] for name in ("joining", "second_factor", "issuers") if name in changes}
    return {"fields": sorted(changes), **levels, **deciding}


def joining_name(joining: Joining | None) -> str | None:
    """How one joins, as it is stored; None where it was not given."""
    joining = given(joining)
    return None if joining is None else joining.name


def _new_site(asked: CreateSiteInput) -> NewTenant:
    values = {
        "name": line(asked.name, "input.name", NAME_MAX),
        "slug": _slug(asked.slug),
        "description": prose(asked.description, "input.description", DESCRIPTION_MAX),
        "language": _language(asked.language),
        "visibility": _level(asked.visibility, "input.visibility"),
        "access": _level(asked.access, "input.access"),
        "joining": joining_name(asked.joining),
    }
    return NewTenant(**{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def _slug(slug: str) -> str:
    least, most = SLUG_LENGTHS
    if not (least <= len(slug) <= most and SLUG.fullmatch(slug)):
        message = "2 to 63 lower-case letters, digits and single hyphens, a letter first and no hyphen last."
        raise bad_input("input.slug", message)
    if slug in RESERVED_SLUGS:
        raise bad_input("input.slug", "The square keeps this name for itself; take another.")
    return slug


def _language(tag: str | None) -> str | None:
    tag = given(tag)
    if tag is not None and not LANGUAGE.fullmatch(tag):
        raise bad_input("input.language", "Give a BCP 47 tag, such as nl, fy or en-GB.")
    return tag


def _level(access: AccessLevel | None, field: str) -> int | None:
    access = given(access)
    if access is None:
        return None
    level = Level[access.name]
    if level < Level.MEMBERS:
        raise bad_input(field, "A site is for its MEMBERS, for all ACCOUNTS, or PUBLIC.")
    return int(level)
