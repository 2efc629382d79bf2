"""Signed agreements and marketing-qualified leads for tests."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.ids import new_id
from domain.leads import Lead
from domain.sla.agreement import Commitment, CommitmentKind, LadderStep, Sla, start_of_day
from domain.sla.clock import EscalationAction
from domain.stages import Side, Stage
from domain.values import PeriodKind
from tests.world import World

MARCH = (date(2026, 3, 1), date(2026, 4, 1))


def a_sla(world: World, *, period: tuple[date, date] = MARCH, **changes: Any) -> Sla:
    """Return an agreement of the world's two teams that both have signed."""
    starts_on, ends_on = period
    id = new_id()
    values: dict[str, Any] = {
        "id": id,
        "series_id": id,
        "number": 1,
        "name": f"{starts_on:%B %Y}",
        "period_kind": PeriodKind.MONTH,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "time_zone": "UTC",
        "calendar_id": world.calendar.id,
        "currency": "EUR",
        "marketing_team_id": world.marketing.id,
        "sales_team_id": world.sales.id,
        "effective_at": start_of_day(starts_on, "UTC"),
        "proposed_side": Side.MARKETING,
        "proposed_by": world.marketer.id,
        "proposed_at": world.now,
        "marketing_signed_by": world.marketer.id,
        "marketing_signed_at": world.now,
        "sales_signed_by": world.rep.id,
        "sales_signed_at": world.now,
    }
    return Sla(**{**values, **changes})


def a_commitment(sla: Sla, kind: CommitmentKind, position: int = 0, **terms: Any) -> Commitment:
    """Return a promise of an agreement."""
    return Commitment(
        id=new_id(),
        sla_id=sla.id,
        position=position,
        kind=kind,
        name=terms.pop("name", kind.capitalize()),
        **terms,
    )


def usual_commitments(sla: Sla) -> list[Commitment]:
    """Return one promise of each kind: 20 leads; 4 hours, 3 attempts in 16, an answer in 8."""
    share = Decimal("0.9")
    return [
        a_commitment(
            sla,
            CommitmentKind.DELIVERY,
            0,
            target=20,
            quality_floor=Decimal("0.5"),
            claw_back_days=3,
        ),
        a_commitment(
            sla,
            CommitmentKind.RESPONSE,
            1,
            within_minutes=240,
            target_share=share,
            warn_minutes=(60,),
        ),
        a_commitment(
            sla,
            CommitmentKind.ATTEMPTS,
            2,
            within_minutes=960,
            attempts=3,
            target_share=share,
        ),
        a_commitment(
            sla,
            CommitmentKind.DISPOSITION,
            3,
            within_minutes=480,
            target_share=share,
            escalation=(
                LadderStep(after_minutes=120, action=EscalationAction.NOTIFY),
                LadderStep(after_minutes=360, action=EscalationAction.NOTIFY_MANAGER),
            ),
        ),
        a_commitment(sla, CommitmentKind.COVERAGE, 4, target_share=Decimal("0.8")),
    ]


async def sign(world: World, *commitments: Commitment, sla: Sla | None = None) -> Sla:
    """Store an agreement, by default the usual one for March."""
    sla = sla or a_sla(world)
    async with world.work() as work:
        await work.add(sla)
        await work.add_all(list(commitments or usual_commitments(sla)))
    return sla


def an_mql(at: datetime, number: int = 0, **changes: Any) -> Lead:
    """Return a lead that marketing holds qualified."""
    id = new_id()
    values: dict[str, Any] = {
        "id": id,
        "stage": Stage.MQL,
        "stage_entered_at": at,
        "created_at": at,
        "updated_at": at,
        "email": f"lead{number}.{id.hex[-10:]}@example.com",
        "score": 60,
    }
    return Lead(**{**values, **changes})


async def add_mql(world: World, **changes: Any) -> Lead:
    """Store a lead that marketing holds qualified."""
    lead = an_mql(world.now, **changes)
    async with world.work() as work:
        await work.add(lead)
    return lead
