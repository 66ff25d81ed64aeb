"""The pages that there are."""

from __future__ import annotations

from starlette.routing import BaseRoute

from gateway.pages.account import account_routes
from gateway.pages.address import address_routes
from gateway.pages.again import again_routes
from gateway.pages.at_issuers import at_issuer_routes
from gateway.pages.identities import identity_routes
from gateway.pages.layout import style_routes
from gateway.pages.linking import linking_routes
from gateway.pages.logging_out import logging_out_routes
from gateway.pages.password import password_routes
from gateway.pages.registering import registering_routes
from gateway.pages.second_factor import second_factor_routes
from gateway.pages.signing_in import signing_in_routes
from gateway.pages.signing_out import signing_out_routes
from gateway.pages.site_hosts import site_host_routes
from gateway.pages.step_up import step_up_routes
from gateway.settings import Settings


def page_routes(settings: Settings) -> list[BaseRoute]:
    """The routes of all pages for these settings."""
    routes: list[BaseRoute] = [
        *style_routes(),
        *signing_in_routes(),
        *site_host_routes(),
        *again_routes(),
        *signing_out_routes(),
        *account_routes(),
        *linking_routes(),
        *identity_routes(),
        *step_up_routes(),
        *at_issuer_routes(),
        *logging_out_routes(),
    ]
    if settings.local.passwords:
        routes += [*registering_routes(), *password_routes(), *second_factor_routes(), *address_routes()]
    return routes
