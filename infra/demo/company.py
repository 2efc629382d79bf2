"""The demo's company: its people, its words, its personas and what its teams promise each other."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.audit import Cause
from domain.content_flow import create_asset
from domain.goals.targets import Metric, create_goal
from domain.identity import (
    ROLE_PERMISSIONS,
    Actor,
    Role,
    Tenant,
    User,
    add_team_member,
    create_team,
    system,
)
from domain.lifecycle import propose_definition, sign_definition
from domain.personas import PersonaDetails, create_persona
from domain.sla.agreement import CommitmentKind, LadderStep, Sla
from domain.sla.calendar import Window
from domain.sla.calendars import Opening, create_calendar
from domain.sla.clock import PRESET_LADDER
from domain.sla.signing import Proposal, countersign, propose
from domain.sla.terms import CommitmentTerms
from domain.stages import Side, Stage
from domain.values import Period, PeriodKind
from infra.accounts import Accounts, create_tenant
from infra.database import Database
from infra.demo.life import Crew
from infra.demo.marketing import plan_campaigns, score_by_preset
from infra.demo.reading import assets

SLUG = "demo"
PEOPLE = {
    "olivia": ("Olivia Byrne", Role.OWNER, Side.MARKETING),
    "mia": ("Mia Costa", Role.MANAGER, Side.MARKETING),
    "max": ("Max Weber", Role.MEMBER, Side.MARKETING),
    "sam": ("Sam Novak", Role.MANAGER, Side.SALES),
    "rita": ("Rita Silva", Role.MEMBER, Side.SALES),
    "raj": ("Raj Okafor", Role.MEMBER, Side.SALES),
    "rosa": ("Rosa Lindqvist", Role.MEMBER, Side.SALES),
    "ana": ("Ana Moreau", Role.ANALYST, None),
}
# How much working time each rep takes for a first call, typically.
PACES = {"sam": 35, "rita": 60, "raj": 120, "rosa": 80}
# Weekdays from eight to eight, and a shorter watch at weekends.
OPENING = tuple(
    Window(day, 8 * 60, 20 * 60) if day < 5 else Window(day, 9 * 60, 18 * 60) for day in range(7)
)
WORDS = {
    Stage.PROSPECT: (
        "Somebody who left an address with us.",
        Side.MARKETING,
        {"email": {"isNull": False}},
    ),
    Stage.LEAD: (
        "A prospect from a company we could sell to.",
        Side.MARKETING,
        {"companyId": {"isNull": False}, "score": {"gte": 1}},
    ),
    Stage.MQL: (
        "A lead whose behaviour welcomes a call: scored 50 or more, from where we deliver to.",
        Side.MARKETING,
        {
            "score": {"gte": 50},
            "email": {"isNull": False},
            "country": {"in": ["DE", "IE", "FR", "NL", "PT", "SE"]},
        },
    ),
    Stage.SQL: (
        "An accepted lead with a need, a date and somebody who can sign.",
        Side.SALES,
        {"score": {"gte": 50}},
    ),
}
PERSONAS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Founder Fiona",
        "job_title": "Owner or managing director",
        "goals": ("Grow without hiring", "See the figures herself"),
        "challenges": ("No time for long demonstrations", "Burnt by a tool nobody used"),
        "buying_questions": ("What does it cost in the third year?", "Who helps us to start?"),
        "criterion": {"jobTitle": {"in": ["Owner", "Managing Director"]}},
        "rank": 1,
    },
    {
        "name": "Operations Otto",
        "job_title": "Head of operations, buyer",
        "goals": ("Fewer late deliveries", "One supplier less"),
        "challenges": ("Data in three systems", "A freeze before every season"),
        "buying_questions": ("Does it speak to our warehouse?", "How long is the notice period?"),
        "criterion": {"jobTitle": {"in": ["Head of Operations", "Buyer"]}},
        "rank": 2,
    },
    {
        "name": "Technical Tara",
        "job_title": "CTO, marketing lead with a technical mind",
        "goals": ("An API that does not surprise her", "Nothing to host herself"),
        "challenges": ("Security questionnaires", "A small team"),
        "buying_questions": ("Is there a sandbox?", "What happens when you are down?"),
        "criterion": {"jobTitle": {"in": ["CTO", "Marketing Lead"]}},
        "rank": 3,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What the demo works with: the tenant, its teams and calendar, and who acts in it."""

    tenant: Tenant
    people: Mapping[str, User]
    marketing_id: UUID
    sales_id: UUID
    calendar_id: UUID

    def actor(self, name: str) -> Actor:
        user = self.people[name]
        return Actor(
            tenant_id=self.tenant.id,
            user_id=user.id,
            permissions=ROLE_PERMISSIONS[user.role],
            name=user.name,
            role=user.role,
        )

    def crew(self) -> Crew:
        reps = {
            self.people[name].id: (self.actor(name), timedelta(minutes=pace))
            for name, pace in PACES.items()
        }
        return Crew(marketer=self.actor("mia"), reps=reps, system=system(self.tenant.id))


def new_password() -> str:
    """Return a password that can be read out and typed."""
    return "-".join(secrets.token_hex(2) for _ in range(4))


async def found(accounts: Accounts, *, password: str, time_zone: str) -> Company:
    """Set the company up: people, teams, calendar, shared words, personas."""
    database = accounts.database
    tenant, owner = await create_tenant(
        database,
        accounts.passwords,
        slug=SLUG,
        name="Northwind Trading",
        owner_email=_email("olivia"),
        owner_name=PEOPLE["olivia"][0],
        password=password,
        time_zone=time_zone,
        currency="EUR",
    )
    boss = Actor(
        tenant_id=tenant.id,
        user_id=owner.id,
        permissions=ROLE_PERMISSIONS[Role.OWNER],
        name=owner.name,
        role=Role.OWNER,
    )
    people = {"olivia": owner}
    for name, (full, role, _) in PEOPLE.items():
        if name != "olivia":
            people[name] = await accounts.add_user(
                boss, email=_email(name), name=full, role=role, password=password
            )
    async with database.work(tenant.id, by=owner.id, cause=told_by(boss)) as work:
        calendar = await create_calendar(
            work,
            boss,
            name="Trading hours",
            opening=Opening(time_zone=time_zone, windows=OPENING),
        )
        teams = {
            side: await create_team(
                work, boss, name=side.capitalize(), side=side, calendar_id=calendar.id
            )
            for side in Side
        }
        for name, (_, _, side) in PEOPLE.items():
            if side is not None:
                await add_team_member(
                    work, boss, team_id=teams[side].id, user_id=people[name].id, capacity=60
                )
    company = Company(
        tenant=tenant,
        people=people,
        marketing_id=teams[Side.MARKETING].id,
        sales_id=teams[Side.SALES].id,
        calendar_id=calendar.id,
    )
    await _agree_on_words(database, company)
    return company


async def _agree_on_words(database: Database, company: Company) -> None:
    mia, sam = company.actor("mia"), company.actor("sam")
    async with database.work(company.tenant.id, by=mia.user_id, cause=told_by(mia)) as work:
        for stage, (words, side, criterion) in WORDS.items():
            proposal = await propose_definition(
                work,
                mia,
                stage=stage,
                words=words,
                owner_side=side,
                criterion=criterion,
                effective_at=work.now - timedelta(days=1),
            )
            await sign_definition(work, sam, proposal.id)
        personas = [
            await create_persona(work, mia, PersonaDetails(**persona)) for persona in PERSONAS
        ]
        for asset, rank in assets():
            made_for = None if rank is None else personas[rank - 1].id
            await create_asset(work, mia, replace(asset, persona_id=made_for))
        await plan_campaigns(work, mia)
        await score_by_preset(work, mia)


async def sign_month(database: Database, company: Company, first: date, *, leads: int) -> Sla:
    """Have both sides sign the agreement for one month, and set its goals."""
    mia, sam = company.actor("mia"), company.actor("sam")
    period = Period.month(first.year, first.month)
    async with database.work(company.tenant.id, by=mia.user_id, cause=told_by(mia)) as work:
        sla = await propose(
            work,
            mia,
            Proposal(
                name=f"{first:%B %Y}",
                period_kind=PeriodKind.MONTH,
                starts_on=period.first,
                ends_on=None,
                marketing_team_id=company.marketing_id,
                sales_team_id=company.sales_id,
                commitments=_commitments(leads),
                calendar_id=company.calendar_id,
            ),
        )
    async with database.work(company.tenant.id, by=sam.user_id, cause=told_by(sam)) as work:
        sla = await countersign(work, sam, sla.id)
    async with database.work(company.tenant.id, by=mia.user_id, cause=told_by(mia)) as work:
        for name, metric, team_id, target in (
            (f"MQLs in {first:%B}", Metric.MQLS, company.marketing_id, Decimal(leads)),
            (
                f"Hand-offs accepted in {first:%B}",
                Metric.HANDOFFS_ACCEPTED,
                company.sales_id,
                Decimal(leads * 7 // 10),
            ),
            (
                f"Response rate in {first:%B}",
                Metric.RESPONSE_RATE,
                company.sales_id,
                Decimal("0.9"),
            ),
        ):
            await create_goal(
                work,
                mia,
                name=name,
                metric=metric,
                team_id=team_id,
                period=period,
                target=target,
            )
    return sla


def told_by(actor: Actor) -> Cause:
    """Return who sets the company up, for the audit log."""
    return Cause(action="demo").by(actor)


def _commitments(leads: int) -> tuple[CommitmentTerms, ...]:
    return (
        CommitmentTerms(
            kind=CommitmentKind.DELIVERY,
            name="Qualified leads",
            target=leads,
            quality_floor=Decimal("0.6"),
            claw_back_days=5,
        ),
        CommitmentTerms(
            kind=CommitmentKind.DELIVERY,
            name="Founders among them",
            target=max(1, leads // 4),
            segment={"jobTitle": {"in": ["Owner", "Managing Director"]}},
            claw_back_days=5,
        ),
        CommitmentTerms(
            kind=CommitmentKind.RESPONSE,
            name="First call within 4 hours",
            within_minutes=240,
            target_share=Decimal("0.9"),
            escalation=tuple(
                LadderStep(
                    after_minutes=4 * int(step.after.total_seconds()) // 60, action=step.action
                )
                for step in PRESET_LADDER
            ),
        ),
        CommitmentTerms(
            kind=CommitmentKind.ATTEMPTS,
            name="Five attempts in 14 days",
            within_minutes=14 * 24 * 60,
            working_time=False,
            attempts=5,
            target_share=Decimal("0.8"),
        ),
        CommitmentTerms(
            kind=CommitmentKind.DISPOSITION,
            name="An answer within 2 days",
            within_minutes=24 * 60,
            target_share=Decimal("0.85"),
        ),
        CommitmentTerms(
            kind=CommitmentKind.FEEDBACK,
            name="A word within 5 days",
            within_minutes=5 * 12 * 60,
            target_share=Decimal("0.8"),
        ),
        CommitmentTerms(
            kind=CommitmentKind.COVERAGE,
            name="Every promise kept",
            target_share=Decimal("0.75"),
        ),
    )


def _email(name: str) -> str:
    return f"{name}@northwind.example"


def dumped(values: Mapping[str, Any]) -> str:
    """Return what the demo remembers between its starts, as JSON."""
    return json.dumps(values, indent=2) + "\n"


def zone_at_work(now: datetime) -> str:
    """Return a time zone in which it is about noon, so that the demo's office is open."""
    zones = {
        13: "Europe/Dublin",
        12: "Europe/Berlin",
        9: "Asia/Dubai",
        5: "Asia/Singapore",
        0: "Pacific/Auckland",
        23: "Pacific/Honolulu",
        21: "America/Los_Angeles",
        18: "America/New_York",
    }
    noon = min(zones, key=lambda hour: min((hour - now.hour) % 24, (now.hour - hour) % 24))
    return zones[noon]
