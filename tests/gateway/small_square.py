"""A square with a small schema and graphql-core behind it, for tests of the door alone: of HTTP, limits and errors.

The seam is `Square.execute`; everything in front of it is the real thing.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, NoReturn

import orjson
from graphql import build_schema, execute

from auth.errors import Unauthenticated
from auth.viewer import ANONYMOUS, PlatformRole, Viewer
from gateway.callers import ACCOUNT, ADDRESS, KEY
from gateway.context import Square
from gateway.documents import Documents, Prepared
from gateway.limits import Limits
from gateway.rates import Rates
from gateway.settings import load_settings
from schema.errors import ErrorCode, PleinError, not_found
from tenants.errors import DatabaseUnavailable

OPERATOR = Viewer(platform_role=PlatformRole.OPERATOR)
FAILURES: dict[str, Exception] = {
    "forbidden": PleinError(ErrorCode.FORBIDDEN, "Only owners may do this."),
    "missing": not_found("slug"),
    "database": DatabaseUnavailable("connection refused at 10.0.0.1"),
    "bug": KeyError("a secret of the inside"),
    "timeout of its own": TimeoutError(),
}

SCHEMA = build_schema(
    """
    type Query {
        echo(text: String!): String
        count(n: Int = 3): Int
        sum(numbers: [Int!]!, input: Range): Int
        me: String
        here: String
        fail(how: String!): String
        slow: String
        node(id: ID!): Node
        node2: Node
    }
    input Range { from: Int! to: Int, inner: Range }
    type Node { id: ID! child: Node children: [Node] name(arg: Int): String }
    type Mutation { write: Boolean }
    """
)


def make_square(limits: Limits | None = None, **environ: str) -> Square:
    settings = load_settings({"PLEIN_SECRET": "t" * 32, "PLEIN_BASE_HOST": "plein.example", **environ})
    settings = replace(settings, limits=limits or settings.limits)
    documents = Documents(SCHEMA, settings.limits, hide_suggestions=settings.is_production)
    absent: Any = None  # the door itself asks nothing of these
    rated = {ACCOUNT: settings.rate_account, ADDRESS: settings.rate_address, KEY: settings.rate_key}
    rates = Rates(rated, no_database, secret=settings.secret)
    return Square(
        settings, SCHEMA, documents, absent, absent, absent, absent, authenticate, run, absent, absent, rates=rates
    )


async def no_database(_wishes: object) -> NoReturn:
    raise DatabaseUnavailable("there is none here")


async def authenticate(token: str, _host: str | None) -> Viewer:
    if token == "slow":
        await asyncio.sleep(10)
    if token != "operator":
        raise Unauthenticated
    return OPERATOR


async def run(square: Square, prepared: Prepared, viewer: Viewer, here: str | None, _client: object = None) -> bytes:
    async def slow(_info: object) -> str:
        await asyncio.sleep(10)
        return "late"

    def fail(_info: object, how: str) -> str:
        raise FAILURES[how]

    root = {
        "echo": lambda _info, text: text,
        "count": lambda _info, n: n,
        "sum": lambda _info, numbers, **_others: sum(numbers),
        "me": "nobody" if viewer is ANONYMOUS else viewer.platform_role.name,
        "here": here,
        "fail": fail,
        "slow": slow,
        "write": True,
    }
    document, operation, variables, _ = prepared
    result = execute(square.schema, document.ast, root, variable_values=variables, operation_name=operation.name)
    result = await result if asyncio.iscoroutine(result) else result
    for error in result.errors or ():
        raise error.original_error or error
    return orjson.dumps({"data": result.data})
