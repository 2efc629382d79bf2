"""The funnel report: how far leads came, how sure that is, and the leads behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import query
from api.filtering import enum, filter_of
from api.leads import LeadFilter, LeadView
from api.types import TimeZone
from api.views import PAGE_ARGUMENTS, PARENT, connection, page_of, shown, view
from domain import ids
from domain.filters import All
from domain.funnel import (
    DEFAULT_STAGES,
    MOST_ROWS,
    CohortSpan,
    Conversion,
    FunnelDimension,
    FunnelGroup,
    FunnelReport,
    FunnelStage,
    FunnelTerms,
    Segment,
    Spread,
    funnel_report,
)
from domain.identity import Permission
from domain.leads import LEAD_FIELDS
from domain.stages import Stage
from domain.values import Period, require_text

enum(
    FunnelDimension,
    "By what leads are told apart.",
    ORIGIN_SOURCE="Where the person came from.",
    ORIGIN_MEDIUM="By what medium the person came.",
    CAMPAIGN="The campaign that the lead came from.",
    PERSONA="The buyer persona the lead belongs to.",
    OWNER="The user who works on the lead.",
    TEAM="The team that the lead was handed off to last.",
)
enum(
    CohortSpan,
    "How long leads are gathered into one cohort, in the tenant's time zone.",
    WEEK="From Monday to Sunday.",
    MONTH="A calendar month.",
    QUARTER="A calendar quarter.",
)
_KINDS = {
    FunnelDimension.CAMPAIGN: "Campaign",
    FunnelDimension.PERSONA: "Persona",
    FunnelDimension.OWNER: "User",
    FunnelDimension.TEAM: "Team",
}


@view(
    Conversion, name="FunnelConversion", description="The share that went on, and how sure it is."
)
class ConversionView:
    of: int = shown("How many could have gone on.")
    rate: Decimal | None = shown("The share that did; null where there was nobody.")
    low: Decimal = shown("The true share is hardly less: the low end of Wilson's interval.")
    high: Decimal = shown("The true share is hardly more: the high end of Wilson's interval.")


@view(Spread, name="FunnelTime", description="How long leads took.")
class SpreadView:
    leads: int = shown("How many leads were timed: those that were in the stage and went on.")
    p50: timedelta = shown("Half of them took at most so long.")
    p90: timedelta = shown("Nine in ten took at most so long.")


@view(FunnelStage, description="One stage of a funnel.")
class FunnelStageView:
    stage: Stage = shown("The stage.")
    reached: int = shown("How many leads ever entered it or a later one.")
    from_previous: ConversionView | None = shown(
        "The share of those in the stage before that reached it; null for the first stage."
    )
    from_first: ConversionView = shown("The share of those in the first stage that reached it.")
    waiting: int | None = shown(
        "How many of them are there still, and got no further: they are in no time, so the more"
        " there are, the longer the true times; null for the last stage."
    )
    time: SpreadView | None = shown(
        "From first being in it to first reaching the next stage of the report, the time after"
        " being sent back included; null for the last stage, and where nobody went on."
    )
    working_time: SpreadView | None = shown(
        "The same in the working time of the calendar asked for, of the last ten years; null"
        " without a calendar."
    )


@view(Period, name="FunnelCohort", description="The days on which the leads of a cohort came.")
class CohortView:
    @strawberry.field(description="The first of the days.")
    def starts_on(period: strawberry.Parent[Period]) -> date:
        return period.first

    @strawberry.field(description="The last of the days.")
    def last_on(period: strawberry.Parent[Period]) -> date:
        return period.last


async def _explain(  # noqa: PLR0917  # Relay's arguments, always given by name
    group: Any,
    info: Any,
    stage: Any = UNSET,
    first: Any = UNSET,
    after: Any = UNSET,
    last: Any = UNSET,
    before: Any = UNSET,
) -> Any:
    behind = replace(group.behind, stage=stage or None)
    page = page_of(first, after, last, before)
    listing = replace(group.listing, only=behind, page=page)
    async with info.context.work() as work:
        return await work.ask(listing)


_explain.__annotations__ = {
    "group": PARENT,
    "info": Info,
    "stage": Annotated[
        Stage | None,
        strawberry.argument(description="Only those that reached this stage; else all."),
    ],
    **PAGE_ARGUMENTS,
    "return": connection(LeadView),
}


@view(FunnelGroup, description="The funnel of leads that have something in common.")
class FunnelGroupView:
    label: str = shown("What people call what they have in common.")
    is_other: bool = shown("Whether these are all those outside the largest groups.")
    cohort: CohortView | None = shown("When they were first seen, if cohorts were asked for.")
    leads: int = shown("How many leads there are in all, however far they came.")
    open: int = shown(
        "How many reached the first stage, not yet the last, and were not sent back since."
    )
    open_share: Decimal | None = shown(
        "The share of those in the first stage that is open: the larger, the more the conversions"
        " of this cohort may still grow; null where there was nobody."
    )
    stages: list[FunnelStageView] = shown(
        "The stages of the report, in order.", metadata={"most": len(Stage)}
    )

    @strawberry.field(
        description="What they have in common: a value, an id, a segment's name; null where they"
        " have none, and for the others."
    )
    def key(group: strawberry.Parent[FunnelGroup]) -> str | None:
        kind = _KINDS.get(group.dimension) if group.dimension else None
        key = group.key
        return ids.public(kind, key) if kind and isinstance(key, UUID) else key  # type: ignore[return-value]  # only ids are UUIDs

    explain = strawberry.field(
        resolver=_explain, description="The leads behind a number, the last seen first."
    )


@view(FunnelReport, description="How far leads came; the figures of a young cohort still grow.")
class FunnelReportView:
    as_of: datetime = shown("The instant it was read at.")
    time_zone: TimeZone = shown("Whose days bound the cohorts.")
    stages: list[Stage] = shown("The stages, in order.")
    confidence: Decimal = shown("How sure the intervals are.")
    groups: list[FunnelGroupView] = shown(
        "One for each group and cohort that has a lead: the largest group first, the others last;"
        " the oldest cohort first.",
        metadata={"most": MOST_ROWS},
    )
    total_groups: int = shown("How many groups there are, whether or not they are told apart.")
    other_groups: int = shown("How many of them are put together as the others.")


@strawberry.input(description="Leads to compare with others.")
class FunnelSegmentInput:
    name: str = shown("What to call them; no two alike.")
    filter: LeadFilter = shown("Which leads; one may be in several segments, or in none.")


@strawberry.input(description="What a funnel report is about.")
class FunnelReportInput:
    stages: list[Stage] = shown(
        "Which stages, at least two; conversions are from each to the next one named.",
        default_factory=lambda: list(DEFAULT_STAGES),
    )
    first_on: date | None = shown(
        "The first day on which leads were first seen, in the tenant's time zone.", default=UNSET
    )
    last_on: date | None = shown("The last such day, itself included.", default=UNSET)
    filter: LeadFilter | None = shown("Only leads that match.", default=UNSET)
    group_by: FunnelDimension | None = shown("What tells groups apart.", default=UNSET)
    segments: list[FunnelSegmentInput] | None = shown(
        "Segments to compare, at most 10, in place of `groupBy`.", default=UNSET
    )
    cohorts: CohortSpan | None = shown(
        "Tell leads apart by when they were first seen too; without `firstOn` the twelve"
        " newest cohorts, or as many as there is room for.",
        default=UNSET,
    )
    most: int = shown(
        "How many groups are told apart, from 1 to 50; all others are put together.", default=10
    )
    confidence: Decimal = shown(
        "How sure the intervals are to be, from 0.5 to 0.999.", default=Decimal("0.95")
    )
    calendar: strawberry.ID | None = shown(
        "By whose hours working time is counted, as they are now.", default=UNSET
    )

    def terms(self) -> FunnelTerms:
        """Return what is meant, in the domain's words."""
        return FunnelTerms(
            stages=tuple(self.stages),
            first_on=self.first_on or None,
            last_on=self.last_on or None,
            filter=filter_of(self.filter, LEAD_FIELDS, path=("filter",)),
            dimension=self.group_by or None,
            segments=tuple(_segments(self.segments or ())),
            cohorts=self.cohorts or None,
            most=self.most,
            confidence=self.confidence,
            calendar_id=ids.expect("Calendar", self.calendar, path=("calendar",))
            if self.calendar
            else None,
        )


def _segments(given: Sequence[FunnelSegmentInput]) -> list[Segment]:
    """Return segments; a filter that says nothing means all leads."""
    found = []
    for place, segment in enumerate(given):
        path = ("segments", place)
        name = require_text(segment.name, name="The name", path=(*path, "name"))
        meant = filter_of(segment.filter, LEAD_FIELDS, path=(*path, "filter"))
        found.append(Segment(name=name, filter=meant or All(())))
    return found


@strawberry.type
class Queries:
    @query(
        "How many leads reached which stage, which share went on and how sure that is, and how"
        " long it took; by origin, campaign, persona, owner, team, segment or cohort.",
        needs=Permission.VIEW,
        shows=FunnelReportView,
    )
    async def funnel_report(
        self,
        info: Info,
        input: Annotated[
            FunnelReportInput | None, strawberry.argument(description="What it is about.")
        ] = None,
    ) -> Any:
        terms = (input or FunnelReportInput()).terms()
        async with info.context.work() as work:
            return await funnel_report(work, info.context.actor, terms)
