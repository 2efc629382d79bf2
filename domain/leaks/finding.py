"""Finding leaks, and when there will be another one if nobody does anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import NotFound
from domain.identity import Actor, Permission, Team
from domain.leaks.limits import (
    LeakKind,
    LeakLimit,
    limits_of,
    still_in_time_since,
    too_old_from,
)
from domain.paging import PageRequest
from domain.ports import Question, Work
from domain.sla.calendar import WorkingHours
from domain.stages import Side, Stage
from domain.team_hours import hours_of_team

# Stands for "no team" where a team's id is compared.
NOBODY = UUID(int=0)
MOST_REPORTED = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakWanted:
    """Which leaks are asked for; what is empty is all."""

    kinds: tuple[LeakKind, ...] = ()
    team_ids: tuple[UUID, ...] = ()
    stages: tuple[Stage, ...] = ()

    def covers(self, kind: LeakKind, team_id: UUID, stage: Stage) -> bool:
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.team_ids or team_id in self.team_ids)
            and (not self.stages or stage in self.stages)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Leads of a stage and a team lack something too long if they have since before an instant."""

    kind: LeakKind
    stage: Stage
    team_id: UUID
    before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLeak:
    """A lead that lacks something, and since when."""

    kind: LeakKind
    lead_id: UUID
    stage: Stage
    team_id: UUID
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A leak as it is shown; `age` is in the accountable team's working time, so is `limit`."""

    kind: LeakKind
    lead_id: UUID
    stage: Stage
    since: datetime
    age: timedelta
    limit: timedelta
    team_id: UUID | None = None

    @property
    def id(self) -> UUID:
        """What tells it from all others: whose leak it is, and of which kind."""
        return UUID(int=self.lead_id.int ^ tuple(LeakKind).index(self.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakTotal:
    """How many leads of a team and a stage lack the same, and the longest of them since when."""

    kind: LeakKind
    stage: Stage
    count: int
    since: datetime
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFigure:
    """What is known of all leads of a kind, stage and team that lack something.

    `count` of them have for too long, one since `since`; of those still in time the longest has
    since `coming`.
    """

    kind: LeakKind
    stage: Stage
    team_id: UUID
    count: int
    since: datetime | None
    coming: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaksAmong:
    """What leaks are told by: thresholds, and whose the leads are that were never handed off."""

    thresholds: tuple[Threshold, ...]
    marketing_team_id: UUID
    sales_team_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakPages(Question["FoundPage"]):
    """A page of leaks, the longest first."""

    among: LeaksAmong
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLeaks(Question[int]):
    """How many leaks there are."""

    among: LeaksAmong


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFigures:
    """Leaks in numbers, and the longest of them."""

    figures: Sequence[LeakFigure]
    longest: Sequence[FoundLeak]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFigures(Question[FoundFigures]):
    """All leaks in numbers by kind, stage and team, and so many of the longest."""

    among: LeaksAmong
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """A page as it was found."""

    nodes: Sequence[FoundLeak]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakPage:
    """A page of leaks, the longest first; `counting` asks how many there are on all pages."""

    nodes: Sequence[Leak]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    counting: Question[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakReport:
    """All leaks at an instant, in numbers, with the longest of them.

    `next_at` is when there will be another one if nobody does anything.
    """

    as_of: datetime
    count: int
    totals: Sequence[LeakTotal]
    longest: Sequence[Leak]
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Watch:
    """What leaks are judged by at an instant."""

    hours: Mapping[UUID, WorkingHours]
    limits: Mapping[tuple[LeakKind, Stage], timedelta]
    among: LeaksAmong

    def shown(self, found: FoundLeak, now: datetime) -> Leak:
        return Leak(
            kind=found.kind,
            lead_id=found.lead_id,
            stage=found.stage,
            since=found.since,
            age=self.hours[found.team_id].between(found.since, now),
            limit=self.limits[found.kind, found.stage],
            team_id=_known(found.team_id),
        )

    def leaks_at(self, figure: LeakFigure, since: datetime) -> datetime:
        limit = self.limits[figure.kind, figure.stage]
        return too_old_from(self.hours[figure.team_id], since, limit)


async def find_leaks(work: Work, actor: Actor, wanted: LeakWanted, page: PageRequest) -> LeakPage:
    """Return a page of leaks, the longest first."""
    actor.require(Permission.VIEW)
    watch = await _watch(work, wanted)
    found = await work.ask(LeakPages(page=page, among=watch.among))
    return LeakPage(
        nodes=[watch.shown(each, work.now) for each in found.nodes],
        cursors=found.cursors,
        has_next_page=found.has_next_page,
        has_previous_page=found.has_previous_page,
        counting=CountLeaks(among=watch.among),
    )


async def report_leaks(work: Work, actor: Actor, wanted: LeakWanted) -> LeakReport:
    """Return all leaks in numbers, with the longest of them."""
    actor.require(Permission.VIEW)
    watch = await _watch(work, wanted)
    found = await work.ask(LeakFigures(among=watch.among, longest=MOST_REPORTED))
    coming = [
        watch.leaks_at(figure, figure.coming)
        for figure in found.figures
        if figure.coming is not None
    ]
    return LeakReport(
        as_of=work.now,
        count=sum(figure.count for figure in found.figures),
        totals=totals_of(found.figures),
        longest=[watch.shown(each, work.now) for each in found.longest],
        next_at=min(coming, default=None),
    )


def totals_of(figures: Sequence[LeakFigure]) -> list[LeakTotal]:
    """Return the numbers of what has leaked."""
    return [
        LeakTotal(
            kind=figure.kind,
            stage=figure.stage,
            count=figure.count,
            since=figure.since,
            team_id=_known(figure.team_id),
        )
        for figure in figures
        if figure.since is not None
    ]


async def _watch(work: Work, wanted: LeakWanted) -> _Watch:
    """Return what leaks are judged by now: limits as instants, one for each team's calendar."""
    teams = await work.find(Team)
    missing = set(wanted.team_ids) - {team.id for team in teams}
    if missing:
        place = next(n for n, id in enumerate(wanted.team_ids) if id in missing)
        raise NotFound("team", path=("teams", place))
    usual = {side: next((t.id for t in teams if t.side is side), NOBODY) for side in Side}
    hours = {team.id: await hours_of_team(work, team) for team in teams}
    if NOBODY in usual.values():
        hours[NOBODY] = await hours_of_team(work, None)
    limits = {
        (kind, each.stage): limit
        for each in limits_of(await work.find(LeakLimit))
        for kind in LeakKind
        if (limit := each.of(kind)) is not None
    }
    among = LeaksAmong(
        thresholds=thresholds(limits, hours, wanted, work.now),
        marketing_team_id=usual[Side.MARKETING],
        sales_team_id=usual[Side.SALES],
    )
    return _Watch(hours, limits, among)


def thresholds(
    limits: Mapping[tuple[LeakKind, Stage], timedelta],
    hours: Mapping[UUID, WorkingHours],
    wanted: LeakWanted,
    now: datetime,
) -> tuple[Threshold, ...]:
    """Return since when leads of each stage and team may lack each thing."""
    known: dict[tuple[WorkingHours, timedelta], datetime] = {}
    found = []
    for (kind, stage), limit in limits.items():
        for team_id, of_team in hours.items():
            if not wanted.covers(kind, team_id, stage):
                continue
            if (of_team, limit) not in known:
                known[of_team, limit] = still_in_time_since(of_team, now, limit)
            before = known[of_team, limit]
            found.append(Threshold(kind=kind, stage=stage, team_id=team_id, before=before))
    return tuple(found)


def _known(team_id: UUID | None) -> UUID | None:
    return None if team_id == NOBODY else team_id
