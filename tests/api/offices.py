"""A company that works now and around the clock, with somebody who can sign in and do everything.

What the front end's guide and its documented operations are run against.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.goals.targets import Goal, Metric
from domain.identity import Team, TeamMember
from domain.ids import new_id, public
from domain.personas import Persona, PersonaVersion
from domain.sla.calendar import Window
from domain.sla.calendars import Calendar, CalendarVersion
from domain.stages import Side
from infra.accounts import create_tenant
from infra.database import Database
from infra.passwords import Passwords
from tests.agreements import a_sla, an_mql, sign
from tests.midnight import enough_of_today
from tests.passwords import PASSWORD
from tests.world import FakeServices, World

ALWAYS = tuple(Window(weekday, 0, 24 * 60) for weekday in range(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One tenant, by what a front end knows of it."""

    world: World
    email: str
    password: str
    sla: str
    goal: str
    persona: str
    leads: tuple[str, ...]
    """The e-mail addresses of qualified leads, the best first."""


async def open_office(database: Database, passwords: Passwords, *, leads: int = 30) -> Office:
    """Found a tenant with two teams, an agreement in force, a goal, a persona and leads."""
    slug = f"t{new_id().hex[-12:]}"
    tenant, owner = await create_tenant(
        database,
        passwords,
        slug=slug,
        name="Acme",
        owner_email=f"olive@{slug}.example",
        owner_name="Olive",
        password=PASSWORD,
        time_zone="UTC",
        currency="EUR",
    )
    at = await enough_of_today()
    calendar_id = new_id()
    hours = CalendarVersion(
        id=new_id(),
        calendar_id=calendar_id,
        number=1,
        time_zone="UTC",
        windows=ALWAYS,
        overrides=(),
        created_at=at,
    )
    calendar = Calendar(id=calendar_id, name="Always", current_id=hours.id, created_at=at)
    marketing, sales = (
        Team(id=new_id(), name=side.capitalize(), side=side, created_at=at, calendar_id=calendar.id)
        for side in (Side.MARKETING, Side.SALES)
    )
    world = World(
        database=database,
        services=FakeServices(database),
        tenant=tenant,
        owner=owner,
        marketer=owner,
        rep=owner,
        other_rep=owner,
        analyst=owner,
        marketing=marketing,
        sales=sales,
        calendar=calendar,
        hours=hours,
        clock={"now": at},
    )
    members = [
        TeamMember(id=new_id(), team_id=team.id, user_id=owner.id, created_at=at)
        for team in (marketing, sales)
    ]
    goal, (persona, version) = _goal(world), _persona(world)
    qualified = [an_mql(at, number, score=99 - number, origin_source="website")
                 for number in range(leads)]  # fmt: skip
    async with database.work(tenant.id) as work:
        await work.add_all([calendar, hours, marketing, sales, *members])
        await work.add_all([goal, persona, version, *qualified])
    first = at.date().replace(day=1)
    sla = await sign(world, sla=a_sla(world, period=(first, first.replace(year=first.year + 1))))
    return Office(
        world=world,
        email=owner.email,
        password=PASSWORD,
        sla=public("Sla", sla.id),
        goal=public("Goal", goal.id),
        persona=public("Persona", persona.id),
        leads=tuple(lead.email or "" for lead in qualified),
    )


def _goal(world: World) -> Goal:
    first = world.now.date().replace(day=1)
    return Goal(
        id=new_id(),
        name="Qualified leads",
        metric=Metric.MQLS,
        team_id=world.marketing.id,
        starts_on=first,
        ends_on=first.replace(year=first.year + 1),
        target=Decimal(120),
        created_by=world.owner.id,
        created_at=world.now,
    )


def _persona(world: World) -> tuple[Persona, PersonaVersion]:
    told = {
        "name": "Fiona Founder",
        "job_title": "Founder",
        "goals": ("Sell more",),
        "challenges": ("No time",),
        "buying_questions": ("What does it cost?",),
        "criterion": {"originSource": {"eq": "website"}},
        "number": 1,
    }
    id: UUID = new_id()
    return (
        Persona(id=id, rank=1, created_at=world.now, **told),  # type: ignore[arg-type]  # told in one place for both
        PersonaVersion(
            id=new_id(),
            persona_id=id,
            changed_by=None,
            changed_at=world.now,
            **told,  # type: ignore[arg-type]  # as above
        ),
    )
