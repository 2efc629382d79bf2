"""The closed loop at a glance: what became of marketing's leads, in money, without a person's data.

Leads are those first seen in a window of days up to today, and whatever became of them since; so
the funnel and the efforts are about the same leads.  Revenue over time is what came in those days,
whoever it came from.  All days are the tenant's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.attribution.models import BuiltInModel
from domain.board import require_hung
from domain.campaign_table import CampaignTable, read_campaigns
from domain.funnel import DEFAULT_STAGES, FunnelStage, FunnelTerms, conversion, read_funnel
from domain.funnel.terms import CohortSpan, cohorts_of
from domain.identity import Actor, Permission, Tenant
from domain.ports import Question, Work
from domain.public_text import plain_source
from domain.sla.agreement import start_of_day
from domain.sla.calendar import always_open
from domain.values import Money, Period

MOST_EFFORTS, MOST_SPANS = 12, 14
_SURE = FunnelTerms().confidence
_LOOK_AGAIN = timedelta(minutes=5)


class LoopWindow(StrEnum):
    """How far back the picture goes."""

    LAST_30_DAYS = "LAST_30_DAYS"
    LAST_90_DAYS = "LAST_90_DAYS"
    LAST_12_MONTHS = "LAST_12_MONTHS"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortCount:
    """What came of the leads of one source and campaign; of all the others, if `is_other`.

    `revenue_minor` is what came of them in the tenant's currency to date, `foreign` how many
    amounts in other currencies are left out of it, because there is no rate for their day.
    """

    source: str | None
    campaign: str | None
    is_other: bool
    leads: int
    mqls: int
    sqls: int
    opportunities: int
    won: int
    revenue_minor: int
    foreign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortCounts(Question[Sequence[EffortCount]]):
    """What came of the leads seen between two instants, by source and campaign.

    The most fruitful come first, at most so many; the others follow as one.
    """

    since: datetime
    until: datetime
    currency: str
    time_zone: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueCount:
    """The revenue of one span of days: what was new, what came again, and what was lost."""

    span: int
    new_minor: int
    again_minor: int
    lost_minor: int
    foreign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueCounts(Question[Sequence[RevenueCount]]):
    """Revenue by the spans that begin at some instants, up to an instant; empty ones left out."""

    starts: tuple[datetime, ...]
    until: datetime
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What came of the leads of one source and campaign.  Its labels name no person.

    `foreign` amounts are left out of the revenue, because there is no rate for their day.
    """

    source: str
    campaign: str | None
    leads: int
    mqls: int
    sqls: int
    opportunities: int
    won: int
    revenue: Money
    foreign: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueSpan:
    """What came in some days: from new customers, from those there were; and what was lost."""

    starts_on: date
    last_on: date
    new: Money
    again: Money
    lost: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoop:
    """Everything on the page at one instant; `next_at` is when to look again at the latest.

    `foreign` is how many amounts in other currencies are left out of the revenue, because there is
    no rate for their day.
    """

    as_of: datetime
    tenant_name: str
    time_zone: str
    window: LoopWindow
    starts_on: date
    last_on: date
    leads: int
    open: int
    stages: tuple[FunnelStage, ...]
    efforts: tuple[Effort, ...]
    campaigns: CampaignTable
    spans: tuple[RevenueSpan, ...]
    revenue: Money
    won: int
    foreign: int
    next_at: datetime


async def closed_loop(
    work: Work, actor: Actor, window: LoopWindow, model: BuiltInModel = BuiltInModel.LINEAR
) -> ClosedLoop:
    """Return what became of marketing's leads, for everybody's eyes.

    Campaigns are credited by a model that every tenant has: one of its own may bear a name that
    is not for everybody, and may not be computed yet.
    """
    actor.require(Permission.VIEW_BOARD)
    await require_hung(work, actor)
    tenant = await work.get(Tenant, work.tenant_id)
    hours = always_open(tenant.time_zone)
    today = hours.local_day(work.now)
    spans = spans_of(window, today)
    terms = FunnelTerms(first_on=spans[0].first, last_on=today)
    groups = (await read_funnel(work, terms)).groups
    until = hours.day_starts_at(spans[-1].end)
    starts = tuple(start_of_day(span.first, tenant.time_zone) for span in spans)
    money = {"currency": tenant.currency, "time_zone": tenant.time_zone}
    efforts = await work.ask(EffortCounts(since=starts[0], until=until, most=MOST_EFFORTS, **money))
    came = await work.ask(RevenueCounts(starts=starts, until=until, **money))
    shown = _spans(spans, came, tenant.currency)
    nothing = Money(0, tenant.currency)
    return ClosedLoop(
        as_of=work.now,
        tenant_name=tenant.name,
        time_zone=tenant.time_zone,
        window=window,
        starts_on=spans[0].first,
        last_on=today,
        leads=groups[0].leads if groups else 0,
        open=groups[0].open if groups else 0,
        stages=groups[0].stages if groups else _no_stages(),
        efforts=told_apart(_effort(count, tenant.currency) for count in efforts),
        campaigns=await read_campaigns(work, tenant, model, Period(spans[0].first, spans[-1].end)),
        spans=shown,
        revenue=sum((span.new + span.again for span in shown), nothing),
        won=sum(count.won for count in efforts),
        foreign=sum(count.foreign for count in came),
        next_at=min(until, work.now + _LOOK_AGAIN),
    )


def spans_of(window: LoopWindow, today: date) -> tuple[Period, ...]:
    """Return the spans by which revenue is shown, the first of them cut to the window."""
    match window:
        case LoopWindow.LAST_30_DAYS:
            return _spans_since(CohortSpan.WEEK, today - timedelta(days=29), today)
        case LoopWindow.LAST_90_DAYS:
            return _spans_since(CohortSpan.WEEK, today - timedelta(days=89), today)
        case LoopWindow.LAST_12_MONTHS:
            return cohorts_of(FunnelTerms(cohorts=CohortSpan.MONTH), today=today)


def _spans_since(span: CohortSpan, first: date, today: date) -> tuple[Period, ...]:
    return cohorts_of(FunnelTerms(cohorts=span, first_on=first), today=today)


def _no_stages() -> tuple[FunnelStage, ...]:
    """Return a funnel that nobody is in."""
    nobody = conversion(0, 0, confidence=_SURE)
    return tuple(
        FunnelStage(
            stage=stage,
            reached=0,
            from_previous=nobody if place else None,
            from_first=nobody,
            waiting=0 if stage is not DEFAULT_STAGES[-1] else None,
            time=None,
            working_time=None,
        )
        for place, stage in enumerate(DEFAULT_STAGES)
    )


def told_apart(efforts: Iterable[Effort]) -> tuple[Effort, ...]:
    """Put together efforts that bear the same labels, in the place of the first of them.

    So it is where several labels may tell of a person.
    """
    known: dict[tuple[str, str | None], Effort] = {}
    for effort in efforts:
        same = known.get((effort.source, effort.campaign))
        known[effort.source, effort.campaign] = effort if same is None else _both(same, effort)
    return tuple(known.values())


def _both(one: Effort, other: Effort) -> Effort:
    return replace(
        one,
        leads=one.leads + other.leads,
        mqls=one.mqls + other.mqls,
        sqls=one.sqls + other.sqls,
        opportunities=one.opportunities + other.opportunities,
        won=one.won + other.won,
        revenue=one.revenue + other.revenue,
        foreign=one.foreign + other.foreign,
    )


def _effort(count: EffortCount, currency: str) -> Effort:
    return Effort(
        source="All others" if count.is_other else plain_source(count.source) or "Unknown",
        campaign=plain_source(count.campaign),
        leads=count.leads,
        mqls=count.mqls,
        sqls=count.sqls,
        opportunities=count.opportunities,
        won=count.won,
        revenue=Money(count.revenue_minor, currency),
        foreign=count.foreign,
    )


def _spans(
    spans: Sequence[Period], counts: Sequence[RevenueCount], currency: str
) -> tuple[RevenueSpan, ...]:
    by_span = {count.span: count for count in counts}
    shown = []
    for place, span in enumerate(spans, start=1):
        count = by_span.get(place)
        shown.append(
            RevenueSpan(
                starts_on=span.first,
                last_on=span.last,
                new=Money(count.new_minor if count else 0, currency),
                again=Money(count.again_minor if count else 0, currency),
                lost=Money(count.lost_minor if count else 0, currency),
            )
        )
    return tuple(shown)
