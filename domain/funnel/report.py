"""The funnel report: counts, conversions with their uncertainty, and time in stage.

A lead *reached* a stage if it ever entered that stage or a later one, so a stage that was skipped
counts as passed, and a lead that was sent back has still reached what it had reached.  A cohort
are the leads that were first seen on some days, in the tenant's time zone; what became of them
since is counted whenever it happened.  So the figures of a young cohort still grow: `open` says
how many of its leads may go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from domain.campaigns import Campaign
from domain.funnel.questions import (
    Clockwork,
    FunnelDimension,
    FunnelLeads,
    GroupKey,
    Groups,
    JourneyCount,
    JourneyCounts,
    LargestGroups,
    Meant,
    Spread,
)
from domain.funnel.terms import FunnelTerms, check, cohorts_of
from domain.identity import Actor, Permission, Team, Tenant, User
from domain.leads import Lead
from domain.paging import Listing, Order
from domain.personas import Persona
from domain.ports import Work
from domain.sla.agreeing import calendar_version_at, hours_of
from domain.sla.agreement import start_of_day
from domain.sla.calendar import WorkingHours, always_open
from domain.stages import Stage
from domain.statistics import Interval, wilson_interval
from domain.values import Period

_PLACES = 6
_ONE_DAY = timedelta(days=1)
# Working time is laid out for so many years back; what began earlier has none.
_YEARS_OF_WORK = 10
_KINDS = {
    FunnelDimension.CAMPAIGN: Campaign,
    FunnelDimension.PERSONA: Persona,
    FunnelDimension.OWNER: User,
    FunnelDimension.TEAM: Team,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The share of those in one stage who reached another, and where the true one may lie.

    Nothing is known of the share while `of` is 0: the interval is then all of 0 to 1.
    """

    of: int
    rate: Decimal | None
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStage:
    """One stage of the funnel of one group: how many reached it, and how long they stayed.

    `time` is from first being in the stage (or between it and the next one reported) to first
    reaching the next one reported, times of being sent back included.  `waiting` are those who are
    there still, and how long they will stay nobody knows: the more, the longer the true times are.
    """

    stage: Stage
    reached: int
    from_previous: Conversion | None
    from_first: Conversion
    waiting: int | None
    time: Spread | None
    working_time: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelGroup:
    """The funnel of the leads that have something in common and were first seen in a period.

    `open` leads reached the first stage, not yet the last, and were not sent back since.
    `listing` are all of them, as a list.
    """

    dimension: FunnelDimension | None
    key: GroupKey
    label: str
    is_other: bool
    cohort: Period | None
    leads: int
    open: int
    stages: tuple[FunnelStage, ...]
    listing: Listing[Lead]
    behind: FunnelLeads

    @property
    def open_share(self) -> Decimal | None:
        """The share of those who reached the first stage that may still go on."""
        return _share(self.open, self.stages[0].reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelReport:
    """A funnel for each group and cohort that has a lead.  `other_groups` are put together."""

    as_of: datetime
    time_zone: str
    stages: tuple[Stage, ...]
    confidence: Decimal
    groups: tuple[FunnelGroup, ...]
    total_groups: int
    other_groups: int


async def funnel_report(work: Work, actor: Actor, terms: FunnelTerms) -> FunnelReport:
    """Return how far leads came, how sure that is, and how long it took.

    Raises:
        Invalid: if no report can be made of the terms.
        NotFound: if there is no such calendar.
    """
    actor.require(Permission.VIEW)
    return await read_funnel(work, terms)


async def read_funnel(work: Work, terms: FunnelTerms) -> FunnelReport:
    """Return the report to somebody who was found to be allowed to read it."""
    check(terms)
    terms = replace(terms, stages=tuple(sorted(terms.stages, key=lambda stage: stage.rank)))
    zone = (await work.get(Tenant, work.tenant_id)).time_zone
    today = always_open(zone).local_day(work.now)
    cohorts = cohorts_of(terms, today=today)
    meant = _meant(terms, cohorts, zone)
    found = await _groups(work, terms, meant)
    sheet = _Sheet(
        terms=terms,
        meant=meant,
        keys=found.keys,
        labels=await _labels(work, terms, found.keys),
        cohorts=cohorts,
        zone=zone,
    )
    counts = await work.ask(
        JourneyCounts(
            meant=meant,
            stages=terms.stages,
            keys=found.keys,
            cohorts=tuple(start_of_day(cohort.first, zone) for cohort in cohorts),
            clockwork=await _clockwork(work, terms),
        )
    )
    return FunnelReport(
        as_of=work.now,
        time_zone=zone,
        stages=terms.stages,
        confidence=terms.confidence,
        groups=tuple(_group(count, sheet) for count in sorted(counts, key=_place)),
        total_groups=found.total,
        other_groups=found.total - len(found.keys),
    )


def conversion(reached: int, of: int, *, confidence: Decimal) -> Conversion:
    """Return the share that went on, with Wilson's interval for the true one."""
    interval: Interval = wilson_interval(reached, of, confidence=confidence)
    return Conversion(of=of, rate=_share(reached, of), low=interval.low, high=interval.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """What all rows of a report have in common."""

    terms: FunnelTerms
    meant: Meant
    keys: tuple[GroupKey, ...]
    labels: Mapping[GroupKey, str]
    cohorts: tuple[Period, ...]
    zone: str


def _place(count: JourneyCount) -> tuple[int, int]:
    return (count.group, count.cohort)


def _group(count: JourneyCount, sheet: _Sheet) -> FunnelGroup:
    is_other = count.group > len(sheet.keys)
    key = None if is_other else sheet.keys[count.group - 1]
    cohort = sheet.cohorts[count.cohort - 1] if sheet.cohorts else None
    return FunnelGroup(
        dimension=sheet.terms.dimension,
        key=key,
        label="Other" if is_other else sheet.labels[key],
        is_other=is_other,
        cohort=cohort,
        leads=count.leads,
        open=count.open,
        stages=_stages(count, sheet.terms),
        listing=Listing(
            kind=Lead,
            filter=sheet.meant.filter,
            order=(Order("created_at", descending=True),),
        ),
        behind=FunnelLeads(
            meant=sheet.meant if cohort is None else _cut(sheet.meant, cohort, sheet.zone),
            keys=sheet.keys,
            group=count.group,
        ),
    )


def _stages(count: JourneyCount, terms: FunnelTerms) -> tuple[FunnelStage, ...]:
    first, reached = count.reached[0], count.reached
    times, working = (*count.times, None), (*count.working_times, None)
    waiting = (*count.waiting, None)
    return tuple(
        FunnelStage(
            stage=stage,
            reached=reached[n],
            from_previous=conversion(reached[n], reached[n - 1], confidence=terms.confidence)
            if n
            else None,
            from_first=conversion(reached[n], first, confidence=terms.confidence),
            waiting=waiting[n],
            time=times[n],
            working_time=working[n],
        )
        for n, stage in enumerate(terms.stages)
    )


def _share(part: int, whole: int) -> Decimal | None:
    return round(Decimal(part) / whole, _PLACES) if whole else None


def _meant(terms: FunnelTerms, cohorts: Sequence[Period], zone: str) -> Meant:
    first = cohorts[0].first if cohorts else terms.first_on
    end = cohorts[-1].end if cohorts else terms.last_on and terms.last_on + _ONE_DAY
    return Meant(
        since=start_of_day(first, zone) if first else None,
        until=start_of_day(end, zone) if end else None,
        filter=terms.filter,
        dimension=terms.dimension,
        segments=terms.segments,
    )


def _cut(meant: Meant, cohort: Period, zone: str) -> Meant:
    since, until = start_of_day(cohort.first, zone), start_of_day(cohort.end, zone)
    return replace(meant, since=since, until=until)


async def _groups(work: Work, terms: FunnelTerms, meant: Meant) -> Groups:
    if terms.segments:
        names = tuple(segment.name for segment in terms.segments)
        return Groups(keys=names, total=len(names))
    if terms.dimension is None:
        return Groups(keys=(None,), total=1)
    return await work.ask(LargestGroups(meant=meant, most=terms.most))


async def _labels(
    work: Work, terms: FunnelTerms, keys: Sequence[GroupKey]
) -> Mapping[GroupKey, str]:
    """Return what people call each group."""
    kind: Any = _KINDS.get(terms.dimension) if terms.dimension else None
    nobody = "All leads" if terms.dimension is None else "None"
    if kind is None:
        return {key: nobody if key is None else str(key) for key in keys}
    found = await work.find(kind, id=tuple(key for key in keys if key))
    return {None: nobody, **{each.id: each.name for each in found}}


async def _clockwork(work: Work, terms: FunnelTerms) -> Clockwork | None:
    """Lay out the working time of a calendar, as it is now, for as long as leads may go back."""
    if terms.calendar_id is None:
        return None
    version = await calendar_version_at(work, terms.calendar_id, work.now)
    hours, year = await hours_of(work, version.id), work.now.year
    return clockwork(hours, year - _YEARS_OF_WORK, year + 1)


def clockwork(hours: WorkingHours, first_year: int, last_year: int) -> Clockwork:
    """Return the working time of some years, for look-up."""
    spans = tuple(hours.openings(first_year, last_year))
    lengths = tuple(closes - opens for opens, closes in spans)
    return Clockwork(
        opens=tuple(opens for opens, _ in spans),
        lengths=lengths,
        worked=tuple(accumulate(lengths, initial=0))[:-1],
    )
