"""A small world with a schema of its own: the engine and the transports know no other."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from api.engine import Engine, Gauges, Kind, Limits
from api.transport import Unauthenticated
from domain.errors import NotFound, PermissionDenied, StaleWrite


@dataclass
class World:
    """What the resolvers see and change, and what tests look at."""

    headline: str = "quiet"
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    opened: int = 0
    closed: int = 0
    events_sent: int = 0
    contexts: int = 0
    ended: bool = False

    def tell(self, headline: str) -> None:
        self.headline = headline
        self.wake()

    def wake(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()


@dataclass(frozen=True)
class Context:
    """One operation's or event's context."""

    world: World
    request_id: str = "request-1"
    tenant: str = "acme"
    token: str | None = None

    def forget(self) -> None:
        pass

    def fresh(self) -> "Context":
        self.world.contexts += 1
        return replace(self)

    def audience(self, field_name: str, shared: bool) -> Hashable:
        return (self.tenant, field_name, shared)

    def together(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


Info = strawberry.Info[Context, None]


@strawberry.type
class Owner:
    name: str


@strawberry.type
class Lead:
    name: str

    @strawberry.field
    def owner(self) -> Owner:
        return Owner(name="Rep")

    @strawberry.field
    def friends(self) -> "list[Lead]":
        return [Lead(name="friend")]

    @strawberry.field
    def leads(self, first: int = 25) -> "LeadConnection":
        return LeadConnection(nodes=[])


@strawberry.type
class PageInfo:
    has_next_page: bool = False


@strawberry.type
class LeadConnection:
    nodes: list[Lead]
    page_info: PageInfo = field(default_factory=PageInfo)


@strawberry.type
class Board:
    headline: str

    @strawberry.field
    def lead(self) -> Lead:
        return Lead(name="Ada")


@strawberry.input
class Filter:
    name: str


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def lead(self) -> Lead:
        return Lead(name="Ada")

    @strawberry.field
    def leads(
        self, first: int = 25, where: Annotated[Filter | None, strawberry.argument()] = None
    ) -> LeadConnection:
        return LeadConnection(
            nodes=[Lead(name=f"lead {number}") for number in range(min(first, 3))]
        )

    @strawberry.field
    async def slow(self, info: Info) -> str:
        await info.context.world.gate.wait()
        return "done"

    @strawberry.field
    def bug(self) -> str | None:
        raise RuntimeError("secret database password")

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound("lead")

    @strawberry.field
    def forbidden(self) -> str | None:
        raise PermissionDenied("You may not.")

    @strawberry.field
    def stale(self) -> str | None:
        raise StaleWrite("lead")

    @strawberry.field
    def unencodable(self) -> str:
        return "\ud800"

    @strawberry.field
    def variables(self, info: Info, a: int) -> str:
        return str(info.variable_values)

    @strawberry.field
    def who(self, info: Info) -> str | None:
        return info.context.token


@strawberry.type
class Mutation:
    @strawberry.mutation
    def tell(self, info: Info, headline: str) -> str:
        info.context.world.tell(headline)
        return headline


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def board(self, info: Info, shout: bool = False) -> AsyncIterator[Board]:
        """A state: how things stand, again on every wake-up."""
        world = info.context.world
        world.opened += 1
        try:
            while not world.ended:
                news = world.news
                yield Board(headline=world.headline.upper() if shout else world.headline)
                await news.wait()
        finally:
            world.closed += 1

    @strawberry.subscription
    async def events(self, info: Info, count: int = 3) -> AsyncIterator[int]:
        """A feed: a backlog that is replayed without ever waiting."""
        world = info.context.world
        world.opened += 1
        try:
            for number in range(count):
                world.events_sent += 1
                yield number
        finally:
            world.closed += 1

    @strawberry.subscription
    async def chatter(self, info: Info, size: int = 65536) -> AsyncIterator[str]:
        """A feed that never ends, of large events."""
        world = info.context.world
        world.opened += 1
        try:
            while True:
                world.events_sent += 1
                yield "x" * size
        finally:
            world.closed += 1

    @strawberry.subscription
    async def broken(self, info: Info) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("secret database password")

    @strawberry.subscription
    async def closed_to_you(self, info: Info) -> AsyncIterator[int]:
        raise PermissionDenied("You may not.")
        yield 1


schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
KINDS = {"board": Kind.STATE}


def an_engine(limits: Limits | None = None, gauges: Gauges | None = None) -> Engine:
    return Engine(schema._schema, limits, kinds=KINDS, gauges=gauges)


@dataclass
class FakeSession:
    """Somebody signed in, or nobody."""

    world: World
    token: str | None = None
    expires_at: datetime | None = None
    revoked: asyncio.Event = field(default_factory=asyncio.Event)

    async def now(self) -> datetime:
        return datetime.now(UTC)

    def context(self, connection, request_id: str) -> Context:
        return Context(self.world, request_id=request_id, token=self.token)


@dataclass
class Door:
    """Authenticates: `good` may enter, nobody may be anonymous, anything else may not."""

    world: World
    sessions: list[FakeSession] = field(default_factory=list)
    expires_at: datetime | None = None
    hold: asyncio.Event | None = None

    async def __call__(self, connection, payload) -> FakeSession:
        if self.hold is not None:
            await self.hold.wait()
        given = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if payload is not None:
            given = payload.get("token", "")
        if given not in ("", "good"):
            raise Unauthenticated
        session = FakeSession(self.world, given or None, self.expires_at)
        self.sessions.append(session)
        return session
