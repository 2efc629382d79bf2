"""A small believable tenant for tests: two teams, a calendar, people, and a clock that obeys."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from api.context import Context
from api.engine import Engine, GraphQLRequest
from api.schema import kinds, schema
from domain.identity import ROLE_PERMISSIONS, Actor, Role, Team, TeamMember, Tenant, User
from domain.ids import new_id
from domain.sla.calendar import Window
from domain.sla.calendars import Calendar, CalendarVersion
from domain.stages import Side
from infra.database import Database
from infra.live import Hub, LocalBus

# A Tuesday, within working hours.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
OFFICE = tuple(Window(weekday, 9 * 60, 17 * 60) for weekday in range(5))


class FakeServices:
    """What a context needs of a process, without the process."""

    def __init__(self, database: Database, **more: Any) -> None:
        self.database = database
        self.hub = Hub(LocalBus())
        for name, value in more.items():
            setattr(self, name, value)

    def over(self, database: Database) -> FakeServices:
        """Return the same services over another database."""
        other = copy.copy(self)
        other.database = database
        if hasattr(self, "accounts"):
            other.accounts = replace(self.accounts, database=database)
        return other


@dataclass
class World:
    """A tenant, the people in it, and a way to ask the API as any of them."""

    database: Database
    services: Any
    tenant: Tenant
    owner: User
    marketer: User
    rep: User
    other_rep: User
    analyst: User
    marketing: Team
    sales: Team
    calendar: Calendar
    hours: CalendarVersion
    clock: dict[str, datetime] = field(default_factory=dict)
    sessions: dict[UUID, UUID] = field(default_factory=dict)
    """In which session people ask, by their own id; those that are not here are in none."""

    @property
    def now(self) -> datetime:
        return self.clock["now"]

    def wait(self, **parts: float) -> datetime:
        """Let time go by."""
        self.clock["now"] += timedelta(**parts)
        return self.now

    def at(self, instant: datetime) -> None:
        """Set the clock."""
        self.clock["now"] = instant

    def actor(self, user: User | None = None) -> Actor:
        """Return a user as the one who asks; the owner if none is named."""
        user = user or self.owner
        return Actor(
            tenant_id=self.tenant.id,
            user_id=user.id,
            permissions=ROLE_PERMISSIONS[user.role],
            name=user.name,
            role=user.role,
            session_id=self.sessions.get(user.id),
        )

    def work(self, by: UUID | None = None) -> Any:
        """Open a writing transaction."""
        return self.database.work(self.tenant.id, by=by)

    def context(self, as_: User | None = None) -> Context:
        return Context(self.services, self.actor(as_), "test")

    async def ask(
        self, document: str, variables: dict[str, Any] | None = None, *, as_: User | None = None
    ) -> dict[str, Any]:
        """Execute a document as a user and return the whole answer, without its extensions."""
        request = GraphQLRequest(query=document, variables=variables or {})
        response = await ENGINE().execute(request, self.context(as_))
        answer: dict[str, Any] = orjson.loads(response.body)
        answer.pop("extensions", None)
        return answer

    async def data(
        self, document: str, variables: dict[str, Any] | None = None, *, as_: User | None = None
    ) -> dict[str, Any]:
        """Execute a document that must not fail and return its data."""
        answer = await self.ask(document, variables, as_=as_)
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]
        return found


_engine: list[Engine] = []


def ENGINE() -> Engine:  # noqa: N802  # one for all tests, made when first needed
    if not _engine:
        _engine.append(Engine(schema()._schema, kinds=kinds()))
    return _engine[0]


async def make_world(database: Database, clock: dict[str, datetime], **services: Any) -> World:
    """Store a fresh tenant and return its world.  `clock["now"]` is the database's clock."""
    tenant_id, at = new_id(), clock["now"]
    tenant = Tenant(
        id=tenant_id,
        slug=f"t{tenant_id.hex[-12:]}",
        name="Acme",
        time_zone="UTC",
        currency="EUR",
        created_at=at,
    )

    def user(name: str, role: Role) -> User:
        return User(
            id=new_id(),
            account_id=new_id(),
            email=f"{name}@{tenant.slug}.example",
            name=name.capitalize(),
            role=role,
            created_at=at,
        )

    owner, marketer = user("olive", Role.OWNER), user("mia", Role.MANAGER)
    rep, other_rep, analyst = (
        user("sam", Role.MANAGER),
        user("rita", Role.MEMBER),
        user("ana", Role.ANALYST),
    )
    calendar_id = new_id()
    hours = CalendarVersion(
        id=new_id(),
        calendar_id=calendar_id,
        number=1,
        time_zone="UTC",
        windows=OFFICE,
        overrides=(),
        created_at=at,
    )
    calendar = Calendar(id=calendar_id, name="Office", current_id=hours.id, created_at=at)
    marketing, sales = (
        Team(
            id=new_id(),
            name=side.capitalize(),
            side=side,
            created_at=at,
            calendar_id=calendar.id,
        )
        for side in (Side.MARKETING, Side.SALES)
    )
    places = ((owner, marketing), (owner, sales), (marketer, marketing), (rep, sales))
    members = [
        TeamMember(id=new_id(), team_id=team.id, user_id=person.id, created_at=at)
        for person, team in (*places, (other_rep, sales))
        if (person, team) != (owner, sales)
    ]
    async with database.work(tenant_id) as work:
        await work.add_all([tenant, owner, marketer, rep, other_rep, analyst])
        await work.add_all([calendar, hours, marketing, sales, *members])
    return World(
        database=database,
        services=FakeServices(database, **services),
        tenant=tenant,
        owner=owner,
        marketer=marketer,
        rep=rep,
        other_rep=other_rep,
        analyst=analyst,
        marketing=marketing,
        sales=sales,
        calendar=calendar,
        hours=hours,
        clock=clock,
    )


async def enter_directory(world: World) -> None:
    """Let it be found which tenant is meant by its name, as whoever signs in has to."""
    await world.database.platform.execute(
        "INSERT INTO directory VALUES ($1, $2, $3, 'default')",
        world.tenant.slug,
        world.tenant.id,
        world.tenant.name,
    )
