"""An agreement of March 2026, its counts, and how it stands, all without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.ids import new_id
from domain.sla.agreement import Commitment, CommitmentKind, Sla, start_of_day
from domain.sla.calendar import Window
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.clocks import SlaTally
from domain.sla.standing import (
    CommitmentStanding,
    CountsOf,
    DayCounts,
    SlaStanding,
    UnsweptHandoffs,
    sla_standing,
)
from domain.stages import Side
from domain.values import PeriodKind
from tests.fakes import FakeWork

D = Decimal
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OFFICE = tuple(Window(day, 9 * 60, 17 * 60) for day in range(5))
ANALYST = Actor(
    tenant_id=new_id(), user_id=new_id(), permissions=ROLE_PERMISSIONS[Role.ANALYST], name="Ana"
)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def march(day: int) -> date:
    return date(2026, 3, day)


def a_signed_sla(**changes: Any) -> Sla:
    id, starts_on = new_id(), changes.get("starts_on", march(1))
    zone = changes.get("time_zone", "UTC")
    values: dict[str, Any] = {
        "id": id,
        "series_id": id,
        "number": 1,
        "name": "March",
        "period_kind": PeriodKind.MONTH,
        "starts_on": starts_on,
        "ends_on": date(2026, 4, 1),
        "time_zone": zone,
        "calendar_id": new_id(),
        "currency": "EUR",
        "marketing_team_id": new_id(),
        "sales_team_id": new_id(),
        "effective_at": start_of_day(starts_on, zone),
        "proposed_side": Side.MARKETING,
        "proposed_by": new_id(),
        "proposed_at": LONG_AGO,
        "marketing_signed_by": new_id(),
        "marketing_signed_at": LONG_AGO,
        "sales_signed_by": new_id(),
        "sales_signed_at": LONG_AGO,
    }
    return Sla(**{**values, **changes})


def promise(sla: Sla, kind: CommitmentKind, **terms: Any) -> Commitment:
    values = {"position": 0, "name": kind.value, "within_minutes": 240, **terms}
    return Commitment(id=new_id(), sla_id=sla.id, kind=kind, **values)


def delivery(sla: Sla, target: int = 1000, **terms: Any) -> Commitment:
    return promise(sla, CommitmentKind.DELIVERY, target=target, **terms)


def response(sla: Sla, share: str = "0.9", **terms: Any) -> Commitment:
    return promise(sla, CommitmentKind.RESPONSE, target_share=D(share), **terms)


def coverage(sla: Sla, share: str = "0.8", **terms: Any) -> Commitment:
    return promise(sla, CommitmentKind.COVERAGE, target_share=D(share), **terms)


def on_day(
    commitment: Commitment,
    day: date,
    *,
    open: int = 0,
    late: int = 0,
    due_soon: int = 0,
    unswept: int = 0,
    next_at: datetime | None = None,
    **counters: int,
) -> DayCounts:
    return DayCounts(
        tally=SlaTally(commitment_id=commitment.id, on=day, **counters),
        open=open,
        late=late,
        due_soon=due_soon,
        unswept=unswept,
        next_at=next_at,
    )


async def standing(
    sla: Sla,
    commitments: list[Commitment],
    counts: list[DayCounts],
    now: datetime,
    *,
    unswept: Mapping[date, int] | None = None,
) -> SlaStanding:
    """Read how an agreement stands from counts."""
    hours = CalendarVersion(
        id=new_id(),
        calendar_id=sla.calendar_id,
        number=1,
        time_zone=sla.time_zone,
        windows=OFFICE,
        overrides=(),
        created_at=LONG_AGO,
    )
    calendar = Calendar(id=sla.calendar_id, name="Office", current_id=hours.id, created_at=LONG_AGO)
    work = FakeWork(
        now,
        sla,
        *commitments,
        calendar,
        hours,
        answers={CountsOf: lambda _: counts, UnsweptHandoffs: lambda _: unswept or {}},
    )
    return await sla_standing(work, ANALYST, sla.id)


async def standing_of_one(
    commitment: Commitment, counts: list[DayCounts], now: datetime, sla: Sla
) -> CommitmentStanding:
    return (await standing(sla, [commitment], counts, now)).commitments[0]


def explained(found: CommitmentStanding) -> dict[str, str]:
    return {each.name: each.value for each in found.explain.inputs}
