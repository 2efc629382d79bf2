"""Two teams about to come to an agreement, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from domain.handoff import Handoff
from domain.identity import ROLE_PERMISSIONS, Actor, Role, Team, TeamMember, Tenant
from domain.leads import Lead
from domain.sla.agreeing import AgreementsAround
from domain.sla.agreement import CommitmentKind, Sla
from domain.sla.calendar import Window
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.keeping import LeadLocks
from domain.sla.signing import (
    HandedOffByDay,
    HasJudged,
    Proposal,
    SignedAgreements,
    UnjudgedHandoffs,
    countersign,
    propose,
)
from domain.sla.terms import CommitmentTerms
from domain.stages import Side
from domain.values import PeriodKind
from tests.fakes import FakeWork

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH_1, APRIL_1 = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
TERMS = (
    CommitmentTerms(kind=CommitmentKind.DELIVERY, name="MQLs", target=100),
    CommitmentTerms(
        kind=CommitmentKind.RESPONSE, name="Call", target_share=Decimal(1), within_minutes=240
    ),
)


@dataclass
class Scene:
    """Two teams of a tenant, somebody in each, and one person in both."""

    work: FakeWork
    mia: Actor
    sam: Actor
    bo: Actor
    marketing: Team
    sales: Team
    calendar: Calendar
    judged: set[UUID] = field(default_factory=set)
    handoffs: list[Handoff] = field(default_factory=list)
    leads: dict[UUID, Lead] = field(default_factory=dict)
    by_day: dict[date, int] = field(default_factory=dict)

    def proposal(self, **change: Any) -> Proposal:
        asked = Proposal(
            name="March",
            period_kind=PeriodKind.MONTH,
            starts_on=date(2026, 3, 1),
            ends_on=None,
            marketing_team_id=self.marketing.id,
            sales_team_id=self.sales.id,
            commitments=TERMS,
        )
        return replace(asked, **change)

    async def signed(self, **change: Any) -> Sla:
        sla = await propose(self.work, self.mia, self.proposal(**change))
        return await countersign(self.work, self.sam, sla.id)

    async def stored(self) -> Sequence[Sla]:
        return await self.work.find(Sla)


def make_scene() -> Scene:
    """Return the scene, with every question answered from what its work keeps."""
    hours = CalendarVersion(
        id=uuid4(),
        calendar_id=uuid4(),
        number=1,
        time_zone="UTC",
        windows=tuple(Window(day, 540, 1020) for day in range(5)),
        overrides=(),
        created_at=NOW,
    )
    calendar = Calendar(id=hours.calendar_id, name="Office", current_id=hours.id, created_at=NOW)
    marketing, sales = (
        Team(id=uuid4(), name=side.capitalize(), side=side, created_at=NOW, calendar_id=calendar.id)
        for side in Side
    )
    work = FakeWork(NOW, calendar, hours, marketing, sales)
    mia, sam, bo = (
        Actor(
            tenant_id=work.tenant_id,
            user_id=uuid4(),
            permissions=ROLE_PERMISSIONS[Role.MANAGER],
        )
        for _ in range(3)
    )
    for actor, team in ((mia, marketing), (sam, sales), (bo, marketing), (bo, sales)):
        member = TeamMember(id=uuid4(), team_id=team.id, user_id=actor.user_id, created_at=NOW)
        work._stored[TeamMember, member.id] = member
    tenant = Tenant(
        id=work.tenant_id, slug="acme", name="Acme", time_zone="UTC", currency="EUR", created_at=NOW
    )
    work._stored[Tenant, tenant.id] = tenant
    scene = Scene(work, mia, sam, bo, marketing, sales, calendar)

    async def signed_agreements(question: SignedAgreements) -> Sequence[Sla]:
        return [
            sla
            for sla in await work.find(Sla)
            if sla.signed_at and sla.period.overlaps(question.period)
        ]

    async def around(question: AgreementsAround) -> Sequence[Sla]:
        return await work.find(Sla, sales_team_id=question.sales_team_id)

    async def unjudged(question: UnjudgedHandoffs) -> Sequence[Handoff]:
        return [
            each
            for each in await work.find(Handoff)
            if each.sla_id is None and question.since <= each.handed_off_at < question.until
        ]

    work._answers = {
        SignedAgreements: signed_agreements,
        AgreementsAround: around,
        HasJudged: lambda question: question.sla_id in scene.judged,
        UnjudgedHandoffs: unjudged,
        LeadLocks: lambda question: scene.leads,
        HandedOffByDay: lambda question: scene.by_day,
    }
    return scene
