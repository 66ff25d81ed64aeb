"""Introspection by policy: who may ask what can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from gateway.app import create_app
from gateway.settings import load_settings
from tenants.database import Database

SECRET = "a secret for tests, of some length"
ASKED = {"query": '{ __type(name: "Site") { name } viewer { __typename } }'}


@pytest.mark.parametrize(
    ("policy", "anonymous", "signed_in"),
    [("everyone", None, None), ("accounts", "UNAUTHENTICATED", None), ("nobody", "FORBIDDEN", "FORBIDDEN")],
)
async def test_the_schema_is_told_to_whom_the_policy_says(
    policy: str,
    anonymous: str | None,
    signed_in: str | None,
    square_database: str,
    database: Database,
    listen: Any,
    tmp_path: Path,
) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    settings = load_settings({**environ, "PLEIN_SECRET": SECRET, "PLEIN_INTROSPECTION": policy})
    async with database.transaction(None) as tx:
        account = await create_account(tx, "Anna", f"{policy}@introspection.example")
        await link_identity(tx, account.id, DEVELOPMENT_ISSUER, str(account.id))
    token = DevelopmentIssuer(SECRET).mint(str(account.id)).text
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as http:
        for headers, code in (({}, anonymous), ({"authorization": f"Bearer {token}"}, signed_in)):
            answer = (await http.post("/graphql", json=ASKED, headers=headers)).json()
            told = {"name": "Site"} if code is None else None
            assert answer["data"] == {"__type": told, "viewer": {"__typename": "Viewer"}}
            errors = [(each["path"], each["extensions"]["code"]) for each in answer.get("errors", ())]
            assert errors == ([] if code is None else [(["__type"], code)])
        whole = (await http.post("/graphql", json={"query": "{ __schema { queryType { name } } __typename }"})).json()
        assert (whole["data"] is None) is (anonymous is not None)  # `__schema` cannot be null, so nothing is left
        typename = await http.post("/graphql", json={"query": "{ __typename }"})
        assert typename.json() == {"data": {"__typename": "Query"}}
