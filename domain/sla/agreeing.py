"""What was agreed, as everybody who judges by it reads it: the agreement, its terms, its hours."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ports import Question, Work
from domain.sla.agreement import Commitment, Sla, minutes
from domain.sla.calendar import WorkingHours
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.clock import ClockPolicy, EscalationStep

# Versions never change, so what was read once stays true; an id that was rolled back never returns.
_MOST_VERSIONS = 512
_versions: OrderedDict[tuple[UUID, UUID], tuple[CalendarVersion, WorkingHours]] = OrderedDict()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementsAround(Question[Sequence[Sla]]):
    """Signed agreements of a sales team that may be in force at an instant, time zones aside."""

    sales_team_id: UUID
    marketing_team_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVersionAt(Question[CalendarVersion]):
    """The version of a calendar that was current at an instant, or its first one."""

    calendar_id: UUID
    at: datetime


async def agreement_in_force(
    work: Work, *, sales_team_id: UUID, marketing_team_id: UUID | None, at: datetime
) -> tuple[Sla, tuple[Commitment, ...]] | None:
    """Return what a hand-off made at an instant is judged by, its commitments in order.

    Without a marketing team any agreement of the sales team will do; of several, the one that took
    effect last.
    """
    around = await work.ask(
        AgreementsAround(sales_team_id=sales_team_id, marketing_team_id=marketing_team_id, at=at)
    )
    in_force = [sla for sla in around if sla.in_force(at)]
    if not in_force:
        return None
    sla = max(in_force, key=lambda sla: (sla.effective_at, sla.id))
    return sla, await commitments_of(work, sla.id)


async def commitments_of(work: Work, sla_id: UUID) -> tuple[Commitment, ...]:
    """Return an agreement's commitments in order."""
    found = await work.find(Commitment, sla_id=sla_id)
    return tuple(sorted(found, key=lambda commitment: commitment.position))


def policy_of(commitment: Commitment) -> ClockPolicy:
    """Return what a timed commitment promises about each hand-off.

    Raises:
        ValueError: if the commitment starts no clocks.
    """
    if not commitment.kind.is_timed or commitment.within_minutes is None:
        raise ValueError(f"a {commitment.kind} commitment starts no clocks")
    return ClockPolicy(
        target=minutes(commitment.within_minutes),
        attempts=commitment.attempts,
        warnings=tuple(minutes(before) for before in commitment.warn_minutes),
        escalation=tuple(
            EscalationStep(minutes(step.after_minutes), step.action)
            for step in commitment.escalation
        ),
    )


async def hours_of(work: Work, calendar_version_id: UUID) -> WorkingHours:
    """Return the hours of one version of a calendar; the same object every time it is kept."""
    return (await _version(work, calendar_version_id))[1]


async def calendar_version_at(work: Work, calendar_id: UUID, at: datetime) -> CalendarVersion:
    """Return the version of a calendar that was current at an instant.

    What happened before the first version was made goes by the first: a history that is imported
    had no calendar when it happened.
    """
    calendar = await work.get(Calendar, calendar_id)
    current, _ = await _version(work, calendar.current_id)
    if current.number == 1 or current.created_at <= at:
        return current
    return await work.ask(CalendarVersionAt(calendar_id=calendar_id, at=at))


async def _version(work: Work, id: UUID) -> tuple[CalendarVersion, WorkingHours]:
    key = (work.tenant_id, id)
    found = _versions.get(key)
    if found is None:
        version = await work.get(CalendarVersion, id)
        found = _versions[key] = (version, version.hours)
        if len(_versions) > _MOST_VERSIONS:
            _versions.popitem(last=False)
    _versions.move_to_end(key)
    return found
