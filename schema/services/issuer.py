"""Adding, changing and taking out the issuers that people sign in with. For operators.

Promises: an issuer that is not in order is refused with the field that is wrong; a secret is sealed before it is
written and told to nobody. Each of it is a row in the audit, without the secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from uuid import UUID

from auth.relying.directory import IssuerTaken, with_changes
from auth.relying.issuers import ClientAuthentication, Issuer, IssuerInvalid, Joiners
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input, not_found
from schema.inputs.issuer import CreateIssuerInput, DeleteIssuerInput, UpdateIssuerInput
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.services.standing import forbidden
from schema.services.texts import given, require_account
from schema.work import Done, Work

FIELDS = {
    "issuer": "issuer",
    "client_id": "clientId",
    "client_secret": "secret",
    "private_key": "secret",
    "strong_acr": "strongAcr",
    "max_age_seconds": "maxAgeSeconds",
}
"""What the file of issuers calls a word, and what the input does, where they differ."""


async def create_issuer(work: Work, viewer: Viewer, asked: CreateIssuerInput) -> Done:
    """Lets people sign in with an issuer."""
    require_account(viewer, asked)
    if not viewer.is_operator:
        raise forbidden("Only operators of the platform decide whom people can sign in with.")
    with _told():
        new = Issuer(
            key=asked.key,
            url=asked.issuer,
            is_near=work.about.directory.allows_near,
            **{"name": asked.name, "client_id": asked.client_id, **_given(asked)},
        )
        issuer_id = await work.about.directory.add(work.tx, new)
    node = NodeId("I", PLATFORM_ID, issuer_id)
    await work.audit(viewer, "issuer.created", encode_id(node), key=new.key, issuer=new.url)
    return Done(None, {"issuer": node})


async def update_issuer(work: Work, viewer: Viewer, asked: UpdateIssuerInput) -> Done:
    """Changes an issuer."""
    issuer_id = _key(work, viewer, asked)
    old = await work.about.directory.lock(work.tx, issuer_id)
    if old is None:
        raise not_found("input.id")
    if old.version != asked.version:
        message = f"It has changed since: its version is {old.version} now. Read it again, then decide."
        raise PleinError(ErrorCode.CONFLICT, message, field="input.version")
    changes = {**_given(asked), **_named(asked)}
    if changes.get("authentication") is ClientAuthentication.NONE:
        changes.setdefault("secret", None)
    with _told():
        new = with_changes(old, changes)
        if new != old:
            await work.about.directory.change(work.tx, issuer_id, new)
            changed = sorted(each.name for each in fields(Issuer) if getattr(new, each.name) != getattr(old, each.name))
            await work.audit(viewer, "issuer.updated", asked.id, key=new.key, fields=changed)
    return Done(None, {"issuer": NodeId("I", PLATFORM_ID, issuer_id)})


async def delete_issuer(work: Work, viewer: Viewer, asked: DeleteIssuerInput) -> Done:
    """Takes an issuer out: nobody signs in with it any more. Identities stay, and count again if it comes back."""
    issuer_id = _key(work, viewer, asked)
    if not await work.about.directory.remove(work.tx, issuer_id):
        raise not_found("input.id")
    await work.audit(viewer, "issuer.deleted", asked.id)
    return Done(None, {"deletedId": asked.id})


def _key(work: Work, viewer: Viewer, asked: UpdateIssuerInput | DeleteIssuerInput) -> UUID:
    """The key of the issuer, which is there for operators only."""
    require_account(viewer, asked)
    key = work.key_on_platform(asked.id, "I", "input.id")
    if not viewer.is_operator:
        raise not_found("input.id")
    return key


def _given(asked: CreateIssuerInput | UpdateIssuerInput) -> dict[str, Any]:
    """The fields of an issuer that were given, as it has them."""
    authentication, accounts = given(asked.authentication), given(asked.accounts)
    domains = given(asked.domains)
    values = {
        "authentication": None if authentication is None else ClientAuthentication(authentication.name.lower()),
        "secret": given(asked.secret) or None,
        "algorithms": _words(given(asked.algorithms)),
        "scopes": _words(given(asked.scopes)),
        "joiners": None if accounts is None else Joiners(accounts.name.lower()),
        "domains": None if domains is None else tuple(each.lower() for each in domains),
        "vouches": given(asked.email_is_verified),
        "strong": _words(given(asked.strong)),
        "strong_acr": _words(given(asked.strong_acr)),
        "max_age_seconds": given(asked.max_age_seconds),
    }
    return {name: each for name, each in values.items() if each is not None}


def _named(asked: UpdateIssuerInput) -> dict[str, Any]:
    values = {"name": given(asked.name), "client_id": given(asked.client_id)}
    return {name: each for name, each in values.items() if each is not None}


def _words(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with an issuer, as the error of the input's field."""
    try:
        yield
    except IssuerInvalid as error:
        raise bad_input(f"input.{FIELDS.get(error.field, error.field)}", f"{error.message}.") from None
    except IssuerTaken as error:
        message = "There is an issuer with this already."
        raise PleinError(ErrorCode.CONFLICT, message, field=f"input.{error.field}") from None
