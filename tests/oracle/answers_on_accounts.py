"""What an account tells to itself alone, naively."""

from __future__ import annotations

from typing import Any

from tests.oracle import lists
from tests.oracle.answers_from_root import sites_kept
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers


@answers("Account", "apiKeys")
def api_keys(asked: Asked, account: Thing, args: Args) -> Any:
    if account.site is not None:
        return None
    rows = [row for row in asked.world.platform["api_key"] if row["account_id"] == account.row["id"]]
    return asked.listed([Thing("ApiKey", row) for row in rows], lists.OWN_ORDERS, args, account, "apiKeys")


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
