"""What an account tells to itself alone, naively."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schema.errors import ErrorCode, PleinError
from tests.oracle import lists
from tests.oracle.answers_from_root import is_operator, sites_kept
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers


def is_own(asked: Asked, account: Thing) -> bool:
    """Whether this is the account of whoever asks."""
    return bool(account.row["id"] == asked.viewer.account_id)


def own_rows(asked: Asked, account: Thing, table: str) -> list[Any]:
    """The account's rows of a table of the platform; none of another account, which operators see in the audit."""
    rows = asked.world.platform[table] if is_own(asked, account) else []
    return [row for row in rows if row["account_id"] == account.row["id"]]


def own_list(field: str, type_name: str, table: str, orders: Mapping[str, lists.ListOrder], **only: Any) -> None:
    """A list that an account tells to itself alone: its rows of a table, those with these values."""

    @answers("Account", field)
    def read(asked: Asked, account: Thing, args: Args) -> Any:
        if account.site is not None:
            return None
        rows = [row for row in own_rows(asked, account, table) if only.items() <= row.items()]
        return asked.listed([Thing(type_name, row) for row in rows], orders, args, account, field)


own_list("apiKeys", "ApiKey", "api_key", lists.OWN_ORDERS)
own_list("identities", "Identity", "identity", lists.FIRST_ORDERS)
own_list("consents", "Consent", "consent", lists.OWN_ORDERS)
own_list("sessions", "Session", "session", lists.SESSION_ORDERS, parent_id=None)


@answers("Account", "contact")
def contact(asked: Asked, account: Thing, _args: Args) -> Any:
    return None if account.site is not None or not is_own(asked, account) else Thing("Contact", account.row)


@answers("Query", "issuers")
def issuers(asked: Asked, _query: Thing, args: Args) -> Any:
    if asked.viewer.platform_role < 2:
        raise PleinError(ErrorCode.FORBIDDEN, "no operator")
    rows = asked.world.platform["issuer"] if is_operator(asked) else []
    return asked.listed([Thing("Issuer", row) for row in rows], lists.OWN_ORDERS, args, "Query", "issuers")


@answers("Issuer", "issuer")
def issuer_address(_asked: Asked, issuer: Thing, _args: Args) -> Any:
    return issuer.row["url"]


@answers("Issuer", "authentication")
def issuer_authentication(_asked: Asked, issuer: Thing, _args: Args) -> Any:
    return issuer.row["authentication"].upper()


@answers("Issuer", "accounts")
def issuer_accounts(_asked: Asked, issuer: Thing, _args: Args) -> Any:
    return issuer.row["joiners"].upper()


@answers("Issuer", "emailIsVerified")
def issuer_email_is_verified(_asked: Asked, issuer: Thing, _args: Args) -> Any:
    return issuer.row["vouches"]


@answers("Site", "apiKeys")
def site_api_keys(asked: Asked, here: Thing, args: Args) -> Any:
    """Those of members that are good here, by the tables of the platform and the site."""
    now = datetime.now(UTC)
    members = {row["account_id"] for row in here.site.member if row["left_at"] is None}
    rows = [
        {**row, "is_for_all_sites": row["tenant_ids"] is None}
        for row in asked.world.platform["api_key"]
        if row["account_id"] in members
        and (row["tenant_ids"] is None or here.site.id in row["tenant_ids"])
        and row["revoked_at"] is None
        and row["expires_at"] > now
    ]
    things = [Thing("SiteApiKey", row, here.site) for row in rows if asked.standing(here.site).sees_act(row)]
    return asked.listed(things, lists.OWN_ORDERS, args, here, "apiKeys")


@answers("SiteApiKey", "account")
def whose(asked: Asked, key: Thing, _args: Args) -> Any:
    return Thing("Account", asked.world.accounts[key.row["account_id"]], key.site)


@answers("SiteApiKey", "scopes")
@answers("ApiKey", "scopes")
def scopes(_asked: Asked, key: Thing, _args: Args) -> Any:
    return [word.upper().replace(":", "_") for word in key.row["scopes"]]


@answers("ApiKey", "isForAllSites")
def is_for_all_sites(_asked: Asked, key: Thing, _args: Args) -> Any:
    return key.row["tenant_ids"] is None


@answers("ApiKey", "sites")
def sites(asked: Asked, key: Thing, args: Args) -> Any:
    named = [asked.world.sites[id_] for id_ in key.row["tenant_ids"] or () if id_ in asked.world.sites]
    found = [site for site in named if asked.standing(site).finds_in_list()]
    return asked.listed(sites_kept(found, {}), lists.SITE_ORDERS, args, key, "sites")


@answers("Consent", "application")
def application(asked: Asked, consent: Thing, _args: Args) -> Any:
    rows = asked.world.platform["client"]
    return next(Thing("Application", row) for row in rows if row["id"] == consent.row["client_id"])


@answers("Consent", "scopes")
def consented_scopes(_asked: Asked, consent: Thing, _args: Args) -> Any:
    words = {each.partition("@")[0] for each in consent.row["permissions"]}
    return sorted(word.upper().replace(":", "_") for word in words)


@answers("Consent", "isForAllSites")
def is_consent_for_all_sites(_asked: Asked, consent: Thing, _args: Args) -> Any:
    return any(each.endswith("@*") for each in consent.row["permissions"])


@answers("Consent", "sites")
def consented_sites(asked: Asked, consent: Thing, args: Args) -> Any:
    named = {each.partition("@")[2] for each in consent.row["permissions"]}
    found = [site for site in asked.world.sites.values() if str(site.id) in named]
    listed = [site for site in found if asked.standing(site).finds_in_list()]
    return asked.listed(sites_kept(listed, {}), lists.SITE_ORDERS, args, consent, "sites")


@answers("Client", "clientId")
def client_id(_asked: Asked, client: Thing, _args: Args) -> Any:
    return str(client.row["id"])


@answers("Client", "site")
def client_site(asked: Asked, client: Thing, _args: Args) -> Any:
    site = asked.world.sites.get(client.row["tenant_id"])
    return Thing("Site", site.row) if site is not None and asked.standing(site).finds_in_list() else None


@answers("Client", "grantTypes")
def grant_types(_asked: Asked, client: Thing, _args: Args) -> Any:
    return client.row["grant_types"]


@answers("Client", "scopes")
def client_scopes(_asked: Asked, client: Thing, _args: Args) -> Any:
    return [word.upper().replace(":", "_") for word in client.row["scopes"]]


@answers("Client", "isTrusted")
def is_trusted(_asked: Asked, client: Thing, _args: Args) -> Any:
    return client.row["trusted_at"] is not None


@answers("Session", "isCurrent")
def is_current(asked: Asked, session: Thing, _args: Args) -> Any:
    below = [row["id"] for row in asked.world.platform["session"] if row["parent_id"] == session.row["id"]]
    return asked.viewer.session_id in [session.row["id"], *below]


@answers("Session", "methods")
def methods(_asked: Asked, session: Thing, _args: Args) -> Any:
    return list(session.row["amr"])
