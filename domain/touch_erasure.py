"""What buyers did goes when it was kept long enough.

A touch goes as a whole, unless a figure rests on it: one that has earned a credit of a deal, or
that a lead's campaign follows from, is *reduced* to what these need (in what way it was, when, by
which road, for which campaign and asset).  So money that was shared out stays explainable, and no
figure of deals, leads or credits changes by what goes (ADR "Figures outlive what people did").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.identity import Actor, Permission, Tenant
from domain.ids import new_id
from domain.ports import Question, Work, first
from domain.scoring import rescore_soon
from domain.touch_intake import LockedLeads
from domain.touch_retention import TouchRetentionRun
from domain.touches import Visitor

# Touches, or visitors, that one transaction looks at, and for which their leads wait.
BATCH = 1_000
# How often a tenant is looked through, unless its limits were changed.
EVERY: Final = timedelta(hours=24)

_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTouches:
    """Touches that are to go, whose they are, and the instant that was looked up to."""

    ids: tuple[UUID, ...] = ()
    lead_ids: tuple[UUID, ...] = ()
    visitor_ids: tuple[UUID, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOldTouches(Question[OldTouches]):
    """The next touches that are to go: nobody's first, then those of leads from an instant on."""

    anonymous_before: datetime
    known_before: datetime
    since: datetime | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseTouches(Question[tuple[int, int]]):
    """Erase touches, or reduce those that a figure rests on; answers how many of each.

    Only those that are still to go, of nobody or of the leads that are locked.  It changes rows.
    """

    ids: tuple[UUID, ...]
    lead_ids: tuple[UUID, ...]
    anonymous_before: datetime
    known_before: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOldVisitors(Question[tuple[UUID, ...]]):
    """The next visitors by id who have no touches and gave no sign lately; locked until the end.

    A sign is that one was first seen, that a page said whose it is, or somebody else.
    """

    anonymous_before: datetime
    known_before: datetime
    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseVisitors(Question[int]):
    """Erase visitors that are locked, where they still have no touches; answers how many."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun(Question[TouchRetentionRun | None]):
    """The run that was started last."""


async def erase_old(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Let the next old touches and visitors go, if it is time to; say whether to go on.

    Each batch is a transaction of its own, and how far it came is kept with the run: whoever comes
    next goes on from there.
    """
    actor.require(Permission.MANAGE_TENANT)
    run = await first(work, TouchRetentionRun, lock=True, ended_at=None)
    run = run or await _started(work)
    if run is None:
        return False
    done = await (_erase_touches if run.visitors_after is None else _erase_visitors)(
        work, run, limit
    )
    await work.save(done)
    return done.ended_at is None


async def _started(work: Work) -> TouchRetentionRun | None:
    """Return a new run if there is one to do: a day after the last, or since limits changed."""
    # Of two who look at once the second sees what the first has started.
    tenant = await work.get(Tenant, work.tenant_id, lock=True)
    last = await work.ask(LastRun())
    run = TouchRetentionRun(
        id=new_id(),
        anonymous_days=tenant.anonymous_touch_days,
        known_days=tenant.known_touch_days,
        started_at=work.now,
    )
    if last is not None and (last.ended_at is None or not _is_time(run, last)):
        return None
    return await work.add(run) if await _is_anything_to_do(work, run) else None


def _is_time(run: TouchRetentionRun, last: TouchRetentionRun) -> bool:
    limits = (run.anonymous_days, run.known_days)
    changed = limits != (last.anonymous_days, last.known_days)
    return changed or run.started_at - last.started_at >= EVERY


async def _is_anything_to_do(work: Work, run: TouchRetentionRun) -> bool:
    touches = await _next_touches(work, run, 1)
    return bool(touches.ids or await _next_visitors(work, run, 1))


async def _next_touches(work: Work, run: TouchRetentionRun, limit: int) -> OldTouches:
    return await work.ask(
        NextOldTouches(
            anonymous_before=run.anonymous_before,
            known_before=run.known_before,
            since=run.reached_at,
            limit=limit,
        )
    )


async def _erase_touches(work: Work, run: TouchRetentionRun, limit: int) -> TouchRetentionRun:
    found = await _next_touches(work, run, limit)
    if not found.ids:
        return replace(run, visitors_after=_BEFORE_ALL)
    # Leads, then visitors, as everybody does: nobody credits a touch or finds an owner meanwhile.
    leads = await work.ask(LockedLeads(ids=found.lead_ids)) if found.lead_ids else {}
    if found.visitor_ids:
        await work.find(Visitor, id=found.visitor_ids, lock=True)
    erased, reduced = await work.ask(
        EraseTouches(
            ids=found.ids,
            lead_ids=tuple(leads),
            anonymous_before=run.anonymous_before,
            known_before=run.known_before,
            at=work.now,
        )
    )
    await rescore_soon(work, tuple(leads))
    return replace(
        run,
        erased_touches=run.erased_touches + erased,
        reduced_touches=run.reduced_touches + reduced,
        reached_at=found.until or run.reached_at,
    )


async def _next_visitors(work: Work, run: TouchRetentionRun, limit: int) -> tuple[UUID, ...]:
    return await work.ask(
        NextOldVisitors(
            anonymous_before=run.anonymous_before,
            known_before=run.known_before,
            after=run.visitors_after or _BEFORE_ALL,
            limit=limit,
        )
    )


async def _erase_visitors(work: Work, run: TouchRetentionRun, limit: int) -> TouchRetentionRun:
    found = await _next_visitors(work, run, limit)
    if not found:
        return replace(run, ended_at=work.now)
    erased = await work.ask(EraseVisitors(ids=found))
    return replace(run, erased_visitors=run.erased_visitors + erased, visitors_after=found[-1])
