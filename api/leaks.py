"""Leaks: leads that lack an owner, a next step or a touch for longer than their stage allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

import api.stages  # noqa: F401  # declares the enum Stage
from api.context import Info
from api.errors import mutation, query, subscription
from api.filtering import enum
from api.sla_status import until
from api.views import (
    PageAfter,
    PageBefore,
    PageFirst,
    PageLast,
    connection,
    page_of,
    related,
    shown,
    view,
)
from api.writing import written
from domain import ids, leaks
from domain.identity import Permission, Team, User
from domain.leads import Lead
from domain.leaks import Leak, LeakKind, LeakLimit, LeakReport, LeakTotal, LeakWanted, StageLimits
from domain.leaks.finding import MOST_REPORTED
from domain.stages import Stage

enum(
    LeakKind,
    "What a lead lacks.",
    NO_OWNER="Nobody owns it.",
    NO_NEXT_STEP="Nothing is to be done next, or what was to be done is past due.",
    NO_TOUCH="Nobody has called, written to or met the buyer.",
)

# Who follows the report of a large tenant does not keep the database busy with it: reading takes so
# much of the time at most, and nobody waits longer for the next one.
_AT_MOST = 0.1
_LONGEST_PAUSE = 30.0

_TEAM = "Who is accountable: sales once it has the lead, marketing before; null without a team."


@view(Leak, description="A lead that has lacked something for too long.")
class LeakView:
    kind: LeakKind = shown("What it lacks.")
    stage: Stage = shown("Its stage.")
    since: datetime = shown("Since when it lacks it.")
    age: timedelta = shown("For how long, in the accountable team's working time.")
    limit: timedelta = shown("How long is allowed in this stage, in working time.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.", required=True)
    team = related("api.identity.TeamView", Team, by="team_id", description=_TEAM)


@view(LeakTotal, description="How many leads of one team and stage lack the same.")
class LeakTotalView:
    kind: LeakKind = shown("What they lack.")
    stage: Stage = shown("Their stage.")
    count: int = shown("How many.")
    since: datetime = shown("Since when the longest of them lacks it.")
    team = related("api.identity.TeamView", Team, by="team_id", description=_TEAM)


@view(LeakReport, description="All leaks at an instant, in numbers, with the longest of them.")
class LeakReportView:
    as_of: datetime = shown("When it was read.")
    count: int = shown("How many there are; a lead that lacks two things counts twice.")
    totals: list[LeakTotalView] = shown("How many of each kind, stage and team.")
    longest: list[LeakView] = shown("The longest, at most 25.", metadata={"most": MOST_REPORTED})
    next_at: datetime | None = shown(
        "When there will be another one if nobody does anything; null if there will be none."
    )


@view(LeakLimit, description="What somebody has set for a stage.")
class LeakLimitView:
    stage: Stage = shown("The stage.")
    set_at: datetime = shown("When.")
    version: int = shown("How often it was changed.")
    set_by = related("api.identity.UserView", User, by="set_by", description="Who.")


@view(StageLimits, name="LeakLimits", description="What a lead of a stage may lack how long.")
class StageLimitsView:
    stage: Stage = shown("The stage.")
    without_owner: timedelta | None = shown("How long without an owner; null is for ever.")
    without_next_step: timedelta | None = shown("How long without a next step; null is for ever.")
    untouched: timedelta | None = shown("How long without a touch; null is for ever.")
    setting: LeakLimitView | None = shown("Who has set it; null where the usual limits hold.")


def _told(description: str) -> Any:
    return strawberry.argument(description=description)


_Kinds = Annotated[list[LeakKind] | None, _told("Only these; all, if left out.")]
_Teams = Annotated[list[strawberry.ID] | None, _told("Only what these teams are accountable for.")]
_Stages = Annotated[list[Stage] | None, _told("Only leads of these stages.")]


def _wanted(kinds: Any, teams: Any, stages: Any) -> LeakWanted:
    return LeakWanted(
        kinds=tuple(kinds or ()),
        team_ids=tuple(
            ids.expect("Team", id, path=("teams", n)) for n, id in enumerate(teams or ())
        ),
        stages=tuple(stages or ()),
    )


@strawberry.type
class Queries:
    @query(
        "Leads that have lacked something for too long, the longest first.",
        shows=connection(LeakView),
    )
    async def leaks(  # noqa: PLR0917  # GraphQL gives them by name
        self,
        info: Info,
        kinds: _Kinds = UNSET,
        teams: _Teams = UNSET,
        stages: _Stages = UNSET,
        first: PageFirst = UNSET,
        after: PageAfter = UNSET,
        last: PageLast = UNSET,
        before: PageBefore = UNSET,
    ) -> Any:
        wanted = _wanted(kinds, teams, stages)
        page = page_of(first, after, last, before)
        async with info.context.work() as work:
            return await leaks.find_leaks(work, info.context.actor, wanted, page)

    @query("All leaks in numbers, with the longest of them.", shows=LeakReportView)
    async def leak_report(
        self,
        info: Info,
        kinds: _Kinds = UNSET,
        teams: _Teams = UNSET,
        stages: _Stages = UNSET,
    ) -> Any:
        return await _report(info, _wanted(kinds, teams, stages))

    @query("What leads of each stage may lack how long.", shows=list[StageLimitsView])
    async def leak_limits(self, info: Info) -> Any:
        async with info.context.work() as work:
            return await leaks.read_limits(work, info.context.actor)


@strawberry.type
class Subscriptions:
    @subscription(
        "All leaks in numbers, whenever they change: when something happens, and when a lead has"
        " lacked something for too long.",
        needs=Permission.VIEW,
        shows=LeakReportView,
    )
    async def leak_report(
        self,
        info: Info,
        kinds: _Kinds = UNSET,
        teams: _Teams = UNSET,
        stages: _Stages = UNSET,
    ) -> AsyncIterator[Any]:
        wanted = _wanted(kinds, teams, stages)
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                began = monotonic()
                report = await _report(info, wanted)
                took = monotonic() - began
                yield report
                await asyncio.sleep(min(_LONGEST_PAUSE, took * (1 - _AT_MOST) / _AT_MOST))
                await watch.news(within=until(report.as_of, report.next_at))


async def _report(info: Info, wanted: LeakWanted) -> LeakReport:
    async with info.context.work() as work:
        return await leaks.report_leaks(work, info.context.actor, wanted)


@strawberry.input(
    description="What leads of a stage may lack how long, in working time: a usual day has eight"
    " hours.  All three are set; null is for ever."
)
class LeakLimitsSetInput:
    stage: Stage = shown("The stage.")
    without_owner: timedelta | None = shown("How long without an owner.", default=UNSET)
    without_next_step: timedelta | None = shown("How long without a next step.", default=UNSET)
    untouched: timedelta | None = shown("How long without a touch.", default=UNSET)


@strawberry.type
class Mutations:
    @mutation(
        StageLimitsView,
        "Set what leads of a stage may lack how long.",
        needs=Permission.MANAGE_TENANT,
    )
    async def leak_limits_set(self, info: Info, input: LeakLimitsSetInput) -> StageLimits:
        return await written(
            info,
            lambda work: leaks.set_limits(
                work,
                info.context.actor,
                input.stage,
                without_owner=_length(input.without_owner),
                without_next_step=_length(input.without_next_step),
                untouched=_length(input.untouched),
            ),
        )


def _length(given: Any) -> timedelta | None:
    return None if given is UNSET else given
