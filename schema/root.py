"""The schema as a whole: Query, Mutation, Subscription, and the finished GraphQL schema.

Promises: what is asked here is compiled (`compiler/`), never resolved row by row.
"""

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry import federation
from strawberry.federation.schema import FederationAny

from auth import policy
from auth.viewer import PlatformRole
from schema.account import Account
from schema.audit import PlatformAct
from schema.audit_lists import ACT_FILTERS, ACT_ORDERS, ActFilter
from schema.bind import NOTHING, Connected, One, Root, Rooted, at, bound
from schema.client import CLIENT_FILTERS, Client, ClientFilter, ClientOrder
from schema.client import ORDERS as CLIENT_ORDERS
from schema.content.base import Content
from schema.content.every import KIND_OF
from schema.federation import SCALARS as OF_FEDERATION
from schema.federation import VERSION, Service, definition_of, entities
from schema.identity import Identity
from schema.issuer import ORDERS as ISSUER_ORDERS
from schema.issuer import Issuer, IssuerOrder
from schema.kinds import ContentKind
from schema.mutations import Mutation
from schema.relay import Connection, Node, argument, connection, field
from schema.scalars import SCALARS
from schema.sdl import served
from schema.session import Session
from schema.site import SITE_FILTERS, SITE_ORDERS, Site, SiteFilter, SiteOrder
from schema.subscriptions import Subscription

Entity = entities()


@bound(NOTHING)
@strawberry.type(description="Whoever asks.")
class Viewer:
    """Whoever asks."""

    account: Account | None = strawberry.field(
        description="The viewer's account; null for anonymous visitors.",
        metadata=at(One(lambda _, account, terms: account.c.id == terms.me)),
    )
    sites: Connection[Site] = connection(
        Connected(lambda _, site, terms: policy.is_mine(site, terms), SITE_ORDERS, SITE_FILTERS, policy.everyone),
        "The sites that the viewer is a member of, by name if no order is given.",
        filter=(SiteFilter, "Narrows the list."),
        order_by=(SiteOrder, "The order of the list."),
    )
    clients: Connection[Client] | None = connection(
        Connected(lambda _, client, terms: policy.everyone(client, terms), CLIENT_ORDERS, CLIENT_FILTERS),
        "The apps and services that sign people in with the square's account and that the viewer may manage: of sites "
        "that they run, and for operators those of the platform. The latest registered first.",
        filter=(ClientFilter, "Narrows the list."),
        order_by=(ClientOrder, "The order of the list."),
    )


@bound(NOTHING)
@strawberry.type(description="What can be asked.")
class Query:
    """What can be asked."""

    viewer: Viewer = field(Rooted(Root.VIEWER), "Whoever asks: their account and their sites.", [])
    site: Site | None = field(
        Rooted(Root.SITE),
        "A site by its slug; null if there is none, or none that the viewer may find or read.",
        [argument("slug", str, "The site's slug. Without it: the site of the host that was asked.", optional=True)],
    )
    sites: Connection[Site] | None = connection(
        Connected(lambda _, site, terms: policy.everyone(site, terms), SITE_ORDERS, SITE_FILTERS, policy.site_listed),
        "The sites that the viewer may find, by name if no order is given.",
        filter=(SiteFilter, "Narrows the list."),
        order_by=(SiteOrder, "The order of the list."),
    )
    feed: Connection[Content] | None = connection(
        Rooted(Root.FEED),
        "The latest items over all sites that the viewer is a member of, the newest first.",
        kinds=(list[ContentKind], "Of one of these kinds only."),
    )
    search: Connection[Content] | None = connection(
        Rooted(Root.SEARCH),
        "Items with these words over all sites that the viewer is a member of, the best match first.",
        {"query": (str, 'Words to look for; 2 to 200 characters. "Quoted" words stand together, -word is left out.')},
        kinds=(list[ContentKind], "Of one of these kinds only."),
    )
    audit: Connection[PlatformAct] | None = connection(
        Connected(
            lambda _, act, terms: policy.everyone(act, terms), ACT_ORDERS, ACT_FILTERS, only=PlatformRole.OPERATOR
        ),
        "What was done by the power of a role, on the square and on all of its sites, the newest first. For operators.",
        filter=(ActFilter, "Narrows the list."),
    )
    issuers: Connection[Issuer] | None = connection(
        Connected(lambda _, issuer, terms: policy.everyone(issuer, terms), ISSUER_ORDERS, only=PlatformRole.OPERATOR),
        "The OpenID Connect issuers that operators let people sign in with, the latest first. For operators. Those in "
        "the gateway's own file are not among them.",
        order_by=(IssuerOrder, "The order of the list."),
    )
    node: Node | None = field(
        Rooted(Root.NODE),
        "The object with this id; null if there is none, or none that the viewer may see.",
        [argument("id", strawberry.ID, "A global id.")],
    )
    nodes: list[Node | None] = field(
        Rooted(Root.NODES),
        "The objects with these ids, in order; null in the place of each that is not there for the viewer.",
        [argument("ids", list[strawberry.ID], "Global ids; 100 at most.")],
    )
    entities: list[Entity | None] = field(  # type: ignore[valid-type]
        Rooted(Root.ENTITIES),
        "For gateways that compose several services: the things that these refer to, in order; null in the place of "
        "each that is not there for the viewer.",
        [argument("representations", list[FederationAny], "What is referred to: `__typename` and a key's fields.")],
        name="_entities",
    )
    service: Service = field(
        Rooted(Root.SERVICE), "For gateways that compose several services: what this one offers.", [], name="_service"
    )


@cache
def strawberry_schema() -> strawberry.Schema:
    """The schema as strawberry holds it, with everything that a gateway needs to compose it."""
    types = [*(kind.object_type for kind in KIND_OF.values()), Identity, Session]
    return federation.Schema(
        Query, Mutation, Subscription, types=types, federation_version=VERSION, scalar_overrides=SCALARS | OF_FEDERATION
    )


@cache
def graphql_schema() -> GraphQLSchema:
    """The schema as graphql-core holds it."""
    return served(strawberry_schema(), [definition_of(kind.object_type).name for kind in KIND_OF.values()])
