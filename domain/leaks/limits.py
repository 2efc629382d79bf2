"""How long a lead of each stage may go without an owner, a next step or a touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.errors import Invalid
from domain.events import LeakLimitChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.ports import Work, first
from domain.sla.calendar import WorkingHours
from domain.stages import Stage

_TICK = timedelta(microseconds=1)
_LONGEST_MINUTES = 366 * 24 * 60
# No calendar that is ever open takes longer for the longest limit than this.
_LONG_AGO = timedelta(days=40 * 365)


class LeakKind(StrEnum):
    """What a lead lacks."""

    NO_OWNER = "NO_OWNER"
    NO_NEXT_STEP = "NO_NEXT_STEP"
    NO_TOUCH = "NO_TOUCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakLimit:
    """What a tenant has set for one stage, in working minutes; None is "never mind"."""

    id: UUID
    stage: Stage
    set_at: datetime
    without_owner_minutes: int | None = None
    without_next_step_minutes: int | None = None
    untouched_minutes: int | None = None
    set_by: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLimits:
    """How long a lead of a stage may lack something, in the accountable team's working time."""

    stage: Stage
    without_owner: timedelta | None = None
    without_next_step: timedelta | None = None
    untouched: timedelta | None = None
    setting: LeakLimit | None = None

    def of(self, kind: LeakKind) -> timedelta | None:
        """Return the limit of a kind; None is "never mind"."""
        return {
            LeakKind.NO_OWNER: self.without_owner,
            LeakKind.NO_NEXT_STEP: self.without_next_step,
            LeakKind.NO_TOUCH: self.untouched,
        }[kind]


def _usual(stage: Stage, *hours: int | None) -> StageLimits:
    owner, step, touch = (None if n is None else timedelta(hours=n) for n in hours)
    return StageLimits(stage=stage, without_owner=owner, without_next_step=step, untouched=touch)


# In working hours: a day has eight.  What is nurtured or bought already is nobody's to hurry.
DEFAULTS: Mapping[Stage, StageLimits] = MappingProxyType(
    {
        limits.stage: limits
        for limits in (
            _usual(Stage.MQL, 8, None, 16),
            _usual(Stage.SAL, 4, 16, 16),
            _usual(Stage.SQL, 4, 16, 24),
            _usual(Stage.OPPORTUNITY, 4, 16, 40),
        )
    }
)


def limits_of(stored: Sequence[LeakLimit]) -> list[StageLimits]:
    """Return the limits of every stage: what was set, or the usual ones."""
    known = {limit.stage: limit for limit in stored}
    return [
        _set(known[stage]) if stage in known else DEFAULTS.get(stage, StageLimits(stage=stage))
        for stage in Stage
    ]


def too_old_from(hours: WorkingHours, since: datetime, limit: timedelta) -> datetime:
    """Return the first instant at which something since an instant is older than its limit.

    Age is counted in open time, so a limit that is reached at closing is passed when the team
    opens again.
    """
    return hours.opens_next(hours.add(since, limit)) + _TICK


def still_in_time_since(hours: WorkingHours, now: datetime, limit: timedelta) -> datetime:
    """Return the earliest instant since which something is not older than its limit.

    Everything before it is too old: so the database compares instants, and knows no calendar.
    """
    early, late = _too_early(hours, now, limit), now
    while late - early > _TICK:
        middle = early + (late - early) // 2
        if hours.between(middle, now) <= limit:
            late = middle
        else:
            early = middle
    return late


def _too_early(hours: WorkingHours, now: datetime, limit: timedelta) -> datetime:
    """Return an instant since which it is too long, not much further back than need be."""
    back = max(limit, _TICK)
    while back < _LONG_AGO and hours.between(now - back, now) <= limit:
        back *= 2
    return now - min(back, _LONG_AGO)


async def read_limits(work: Work, actor: Actor) -> list[StageLimits]:
    """Return the limits of every stage."""
    actor.require(Permission.VIEW)
    return limits_of(await work.find(LeakLimit))


async def set_limits(
    work: Work,
    actor: Actor,
    stage: Stage,
    *,
    without_owner: timedelta | None,
    without_next_step: timedelta | None,
    untouched: timedelta | None,
) -> StageLimits:
    """Set the limits of a stage, all three; None is "never mind"."""
    actor.require(Permission.MANAGE_TENANT)
    known = await first(work, LeakLimit, lock=True, stage=stage)
    limit = replace(
        known or LeakLimit(id=new_id(), stage=stage, set_at=work.now),
        without_owner_minutes=_minutes(without_owner, "withoutOwner"),
        without_next_step_minutes=_minutes(without_next_step, "withoutNextStep"),
        untouched_minutes=_minutes(untouched, "untouched"),
        set_at=work.now,
        set_by=actor.user_id,
    )
    limit = await (work.add(limit) if known is None else work.save(limit))
    work.record(LeakLimitChanged(at=work.now, leak_limit_id=limit.id, stage=stage))
    return _set(limit)


def _minutes(limit: timedelta | None, field: str) -> int | None:
    if limit is None:
        return None
    minutes = int(limit.total_seconds()) // 60
    if not 0 < minutes <= _LONGEST_MINUTES:
        raise Invalid("A limit is above 0 and at most 366 days.", path=(field,))
    return minutes


def _set(limit: LeakLimit) -> StageLimits:
    def length(minutes: int | None) -> timedelta | None:
        return None if minutes is None else timedelta(minutes=minutes)

    return StageLimits(
        stage=limit.stage,
        without_owner=length(limit.without_owner_minutes),
        without_next_step=length(limit.without_next_step_minutes),
        untouched=length(limit.untouched_minutes),
        setting=limit,
    )
