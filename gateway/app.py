"""The ASGI application: the living parts opened and closed around it, and the way to each endpoint.

Promises: `/graphql` is reached without a router, as it is the hot path; everything else goes through Starlette's. What
was opened is closed in the opposite order, also when opening fails half-way. Never starts a database, an object store
or a migration: whoever serves does that first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.issuer import DevelopmentIssuer
from auth.provider.upkeep import keep_up
from auth.revocations import SITE, RevocationFeed, Revocations, Revoked, load_revocations
from gateway.context import Deliver, Execute, Square, Weigh, undivided, weightless
from gateway.credentials import make_authenticator, make_directory, provider_of
from gateway.documents import Documents
from gateway.errors import Problem, problem_from
from gateway.execute import Executor
from gateway.graphiql import console_routes
from gateway.health import Check, health_routes
from gateway.housekeeping import pruning, remove_old_acts
from gateway.key_uses import noting_uses
from gateway.live.hub import Live
from gateway.login import DevelopmentLogin, login_routes
from gateway.over_http import GraphQLOverHTTP
from gateway.over_websocket import GraphQLOverWebSocket
from gateway.pages.at_issuers import offered
from gateway.pages.faults import error_page, page_of_fault, wants_page
from gateway.pages.identities import SECTION as IDENTITIES
from gateway.pages.layout import Pages
from gateway.pages.logging_out import end_at_issuer
from gateway.pages.opened import opened_pages
from gateway.pages.pending import make_relying
from gateway.pages.routes import page_routes
from gateway.parts import database_settings, opened_database, opened_store
from gateway.persisted import Persisted
from gateway.provider.agreed import SECTION as SERVICES
from gateway.provider.door import Door
from gateway.provider.routes import provider_routes
from gateway.provider.telling import telling_clients
from gateway.rates import opened_rates
from gateway.request_id import HEADER as REQUEST_ID
from gateway.request_id import begin_request
from gateway.settings import Settings
from gateway.telemetry.telemetry import Telemetry
from schema.errors import ErrorCode
from schema.root import graphql_schema
from tenants.reader import Reader
from tenants.registry import Registry
from tenants.watch import Watch


def create_app(settings: Settings) -> Gateway:
    """The application for these settings, which name a database and an object store that run."""
    executor = Executor()
    return Gateway(settings, executor.execute, executor.weigh, lambda: {"plans": executor.plans_kept}, executor.deliver)


class Gateway:
    """An ASGI application. It serves from the start of its lifespan to the end."""

    def __init__(
        self,
        settings: Settings,
        execute: Execute,
        weigh: Weigh = weightless,
        holds: Callable[[], Mapping[str, float]] = dict,
        deliver: Deliver = undivided,
    ) -> None:
        """`holds`: what the executor keeps, by name, for the metrics."""
        self.telemetry = Telemetry(settings)
        self.is_draining = False  # while it is, it answers everything but says that it will not for long
        self._settings = settings
        self._execute = self.telemetry.executing(execute)
        self._deliver = self.telemetry.delivering(deliver)
        self._weigh = weigh
        self._holds = holds
        self._square: Square | None = None
        self._graphql: ASGIApp | None = None
        self._websocket: GraphQLOverWebSocket | None = None
        handlers = {HTTPException: answer_refusal, Exception: answer_fault}
        self._others = Starlette(routes=self._routes(), lifespan=self._lifespan, exception_handlers=handlers)
        self._pages = self._others.state.pages = Pages(
            settings, lambda: self.square, offered, end_at_issuer, [IDENTITIES, SERVICES]
        )
        self._others.state.relying = make_relying(settings)
        self._others.state.provider = Door(settings, lambda: self.square)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live through the lifespan."""
        if scope["type"] == "http" and scope["path"] == "/graphql" and self._graphql is not None:
            await self._graphql(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == "/graphql" and self._websocket is not None:
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._others(scope, receive, _naming(scope, send))
        else:
            await self._others(scope, receive, send)

    async def drain(self) -> None:
        """Let go of the connections that last, before the server waits for requests to end."""
        if self._square is not None:
            await self._square.live.drain()

    @property
    def square(self) -> Square:
        """The living parts; RuntimeError before the lifespan has begun."""
        if self._square is None:
            raise RuntimeError("the application has not been started: its server must support lifespan events")
        return self._square

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        telemetry = self.telemetry
        async with (
            telemetry.watching(self._gauges),
            open_square(self._settings, self._execute, self._weigh, telemetry.watch, self._deliver) as square,
        ):
            over_http = GraphQLOverHTTP(square)
            self._square, self._graphql = square, telemetry.endpoint(over_http)
            self._websocket = GraphQLOverWebSocket(square, over_http.visit, over_http.streams)
            try:
                async with opened_pages(self._pages, partial(square.database.transaction, None)):
                    yield
            finally:
                self._square = self._graphql = self._websocket = None

    def _routes(self) -> list[BaseRoute]:
        is_development = not self._settings.is_production
        routes: list[BaseRoute] = [*health_routes(self._checks, lambda: self.is_draining)]
        routes += [*page_routes(self._settings), *provider_routes()]
        if self._settings.console:
            routes += console_routes(is_development=is_development)
        if is_development:
            routes += login_routes(DevelopmentLogin(DevelopmentIssuer(self._settings.secret), self._transaction))
        return routes

    def _transaction(self) -> AbstractAsyncContextManager[Any]:
        return self.square.database.transaction(None)

    def _gauges(self) -> dict[str, float]:
        """What this process holds, for the metrics."""
        square = self.square
        load = square.reader.load
        return {
            "reads_in_flight": load.in_flight,
            "reads_waiting": load.waiting,
            "reader_connections": load.connections,
            "pool_in_use": square.database.in_use,
            "documents": square.documents.kept,
            "subscriptions": square.live.count,
            **self._holds(),
        }

    def _checks(self) -> Mapping[str, Check]:
        square = self.square
        checks: dict[str, Check] = {"database": partial(check_database, square)}
        if square.store is not None:
            checks["store"] = square.store.check
        return checks


@asynccontextmanager
async def open_square(
    settings: Settings,
    execute: Execute,
    weigh: Weigh = weightless,
    watch: Watch | None = None,
    deliver: Deliver = undivided,
) -> AsyncIterator[Square]:
    """The living parts, open while the block lasts. `watch` is told of SQL statements.

    Raises what opening raises: DatabaseUnavailable, NotMigrated. A store that does not answer is no fault here, as
    nothing is read from it yet.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings, watch))
        reader = Reader(
            database_settings(settings).url,
            connections=settings.reader_connections,
            statement_timeout_ms=settings.statement_timeout_ms,
            watch=watch,
        )
        await reader.open()
        stack.push_async_callback(reader.close)
        registry = Registry(reader)
        await registry.open()
        store = None if settings.s3 is None else await stack.enter_async_context(opened_store(settings))
        schema = graphql_schema()
        live = Live(database_settings(settings), most=settings.subscriptions, heartbeat_s=settings.heartbeat_seconds)
        stack.push_async_callback(live.close)
        provider = provider_of(settings, database)
        chores = (partial(keep_up, provider), partial(remove_old_acts, database, settings.access.audit))
        await stack.enter_async_context(pruning(database, settings.signing_in.sessions, *chores))
        rates = await stack.enter_async_context(opened_rates(settings))
        revocations = Revocations()
        authenticator = make_authenticator(settings, database, revocations, provider)
        await stack.enter_async_context(noting_uses(database, authenticator.keys))
        revocations.hear(live.revoke)
        revocations.hear(partial(look_anew, live, registry, settings.base_url))
        feed = RevocationFeed(
            database_settings(settings), revocations, partial(load_revocations, reader, registry.platform_role)
        )
        feed.open()
        stack.push_async_callback(feed.close)
        await stack.enter_async_context(telling_clients(provider, revocations))
        yield Square(
            settings=settings,
            schema=schema,
            documents=Documents(schema, settings.limits, hide_suggestions=settings.is_production),
            reader=reader,
            database=database,
            registry=registry,
            store=store,
            authenticate=authenticator.verify,
            known=authenticator.known,
            execute=execute,
            weigh=weigh,
            deliver=deliver,
            persisted=Persisted(settings.documents, only=settings.documents_only),
            live=live,
            rates=rates,
            provider=provider,
            revocations=revocations,
            catch_up=feed.catch_up,
            directory=make_directory(settings),
        )


def look_anew(live: Live, registry: Registry, base_url: str, revoked: Revoked) -> None:
    """Hear that a site demands more of how people signed in."""
    if revoked.kind == SITE:
        live.look_anew(registry, base_url, revoked.subject_id)


async def check_database(square: Square) -> None:
    """Return if the database answers on both ways to it and holds a square; raise what is wrong otherwise."""
    await square.registry.open()
    async with square.database.transaction(None):
        pass


def _naming(scope: Scope, send: Send) -> Send:
    """`send` with the request's id in the answer's headers."""
    given = next((value for name, value in scope["headers"] if name == REQUEST_ID), None)
    request_id = begin_request(given)

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id)]
        await send(message)

    return named


async def answer_refusal(request: Request, error: Exception) -> Response:
    """The router's own refusals (no such path, wrong method): a page for browsers, else in the shape of all errors."""
    assert isinstance(error, HTTPException)
    code = ErrorCode.NOT_FOUND if error.status_code == 404 else ErrorCode.BAD_USER_INPUT
    if wants_page(request):
        return error_page(request, error.status_code, code)
    message = "There is nothing at this address." if error.status_code == 404 else error.detail
    headers = tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
    errors = ({"message": message, "extensions": {"code": code.value}},)
    return _response(Problem(error.status_code, errors, headers))


async def answer_fault(request: Request, error: Exception) -> Response:
    """Whatever else an endpoint raises, by the one map."""
    if wants_page(request):
        return page_of_fault(request, error)
    return _response(problem_from(error))


def _response(problem: Problem) -> Response:
    response = Response(orjson.dumps({"errors": problem.errors}), problem.status, media_type="application/json")
    response.raw_headers.extend([*problem.headers, (b"cache-control", b"no-store")])
    return response
