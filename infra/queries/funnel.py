"""Reads for the funnel: leads beside the stages they entered, never a lead at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.funnel import (
    Clockwork,
    FunnelDimension,
    FunnelLeads,
    Groups,
    JourneyCount,
    JourneyCounts,
    LargestGroups,
    Meant,
    Spread,
)
from domain.handoff import Handoff
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage
from infra.database import PostgresWork
from infra.filters import where
from infra.queries import answers
from infra.queries.listing import narrows
from infra.rows import table_of

leads = table_of(Lead)
entries = table_of(StageEntry)
handoffs = table_of(Handoff)

_COLUMNS: Mapping[FunnelDimension | None, sa.ColumnElement[Any]] = {
    FunnelDimension.ORIGIN_SOURCE: leads.c.origin_source,
    FunnelDimension.ORIGIN_MEDIUM: leads.c.origin_medium,
    FunnelDimension.CAMPAIGN: leads.c.campaign_id,
    FunnelDimension.PERSONA: leads.c.persona_id,
    FunnelDimension.OWNER: leads.c.owner_id,
}
# By what journeys are told apart, where that was asked for.
_TOLD = ("group", "cohort")
_RANKS = {stage.value: stage.rank for stage in Stage}
_HALF_AND_NINE_TENTHS: sa.BindParameter[Any] = sa.literal([0.5, 0.9], postgresql.ARRAY(sa.Double()))


@answers(LargestGroups)
async def largest_groups(work: PostgresWork, question: LargestGroups) -> Groups:
    """Return the values of a dimension with most leads, of equal ones the lesser first.

    Reads the leads meant once; a period is found by the index leads_by_created.
    """
    source, key = _source(question.meant, work)
    number = sa.func.count()
    statement = (
        _restricted(sa.select(key, sa.func.count().over()).select_from(source), question.meant)
        .where(leads.c.tenant_id == work.tenant_id)
        .group_by(key)
        .order_by(number.desc(), key)
        .limit(question.most)
    )
    rows = await work.rows(statement)
    return Groups(keys=tuple(row[0] for row in rows), total=rows[0][1] if rows else 0)


@answers(JourneyCounts)
async def journey_counts(work: PostgresWork, question: JourneyCounts) -> Sequence[JourneyCount]:
    """Return how far leads came, in no order: one row a group and cohort that has any.

    One statement that reads the leads meant and their stage entries once, aggregates them by lead
    and then by group.  A period is found by the index leads_by_created, and few leads' entries by
    stage_entries_by_lead.
    """
    journeys = _journeys(work, question).subquery("journeys")
    hours = None if question.clockwork is None else _hours(question.clockwork)
    ranks = [stage.rank for stage in question.stages]
    came = journeys.c.furthest
    still_there = journeys.c.rank == came
    waiting = [
        sa.func.count().filter(still_there, came >= rank, came < following)
        for rank, following in pairwise(ranks)
    ]
    told = [name for name in _TOLD if name in journeys.c]
    statement = sa.select(
        *(journeys.c.get(name, sa.literal(1, sa.Integer())) for name in _TOLD),
        sa.func.count(),
        *(sa.func.count().filter(came >= rank) for rank in ranks),
        *waiting,
        *_spreads(journeys, len(ranks), hours),
    )
    # Ungrouped, no lead at all would be a row too.
    statement = statement.group_by(*(journeys.c[name] for name in told)).having(sa.func.count() > 0)
    if hours is not None:
        statement = statement.select_from(journeys.join(hours, sa.true()))
    return [_count(row, len(ranks)) for row in await work.rows(statement)]


@narrows(FunnelLeads)
def _behind(work: PostgresWork, only: FunnelLeads) -> sa.ColumnElement[bool]:
    """Return the condition of the leads of a group that reached a stage."""
    meant, tenant_id = only.meant, work.tenant_id
    conditions = list(_within(meant))
    if meant.segments:
        conditions.append(where(meant.segments[only.group - 1].filter, leads.c))
    elif meant.dimension is not None:
        key = _COLUMNS.get(meant.dimension, _team_of_one(tenant_id))
        conditions.append(_place(key, only.keys) == only.group)
    if only.stage is not None:
        far = sa.literal(_from(only.stage), postgresql.ARRAY(sa.Text()))
        entered = (
            sa.select(sa.literal(1))
            .where(
                entries.c.tenant_id == tenant_id,
                entries.c.lead_id == leads.c.id,
                entries.c.stage == sa.any_(far),
            )
            .exists()
        )
        conditions.append(sa.or_(leads.c.stage == sa.any_(far), entered))
    return sa.and_(sa.true(), *conditions)


def _from(stage: Stage) -> list[str]:
    return [each.value for each in stage.onward]


def _journeys(work: PostgresWork, question: JourneyCounts) -> sa.Select[Any]:
    """Return one row a lead: its group and cohort, how far it came, and when.

    `reached_n` is when it first came to the stage or beyond, `entered_n` when it first was between
    that stage and the next one asked for.
    """
    steps = _steps(work, question).subquery("steps")
    ranks = [stage.rank for stage in question.stages]
    at = sa.func.min(steps.c.entered_at)
    # Of a lead in several segments there is one row for each.
    by = [steps.c.id, steps.c.group] if question.meant.segments else [steps.c.id]
    return sa.select(
        *(
            sa.func.min(steps.c[name]).label(name)
            for name in ("group", "cohort")
            if name in steps.c
        ),
        sa.func.min(steps.c.rank).label("rank"),
        sa.func.greatest(sa.func.max(steps.c.entered), sa.func.min(steps.c.rank)).label("furthest"),
        *(
            at.filter(steps.c.entered >= rank).label(f"reached_{place}")
            for place, rank in enumerate(ranks[1:], start=1)
        ),
        *(
            at.filter(steps.c.entered >= rank, steps.c.entered < following).label(
                f"entered_{place}"
            )
            for place, (rank, following) in enumerate(pairwise(ranks))
        ),
    ).group_by(*by)


def _steps(work: PostgresWork, question: JourneyCounts) -> sa.Select[Any]:
    """Return every lead with every stage it entered, stages by their rank."""
    source, key = _source(question.meant, work)
    join = source.outerjoin(
        entries,
        sa.and_(entries.c.tenant_id == work.tenant_id, entries.c.lead_id == leads.c.id),
    )
    statement = sa.select(
        leads.c.id,
        *_places(question, key),
        _rank(leads.c.stage).label("rank"),
        _rank(entries.c.stage).label("entered"),
        entries.c.entered_at,
    ).select_from(join)
    statement = _restricted(statement, question.meant)
    # Were it pulled up into the aggregation, every stage would be ranked once for each figure.
    return statement.where(leads.c.tenant_id == work.tenant_id).offset(0)


def _restricted(statement: sa.Select[Any], meant: Meant) -> sa.Select[Any]:
    statement = statement.where(*_within(meant))
    return statement if meant.filter is None else statement.where(where(meant.filter, leads.c))


def _within(meant: Meant) -> Iterator[sa.ColumnElement[bool]]:
    """Return the conditions of being first seen in the time that is meant."""
    if meant.since is not None:
        yield leads.c.created_at >= meant.since
    if meant.until is not None:
        yield leads.c.created_at < meant.until


def _rank(stage: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.case(_RANKS, value=stage)


def _places(question: JourneyCounts, key: sa.ColumnElement[Any]) -> Iterable[sa.ColumnElement[int]]:
    """Return a lead's group, as its place among the keys, and its cohort, where there are any."""
    if question.meant.segments:
        places = [
            sa.case((where(segment.filter, leads.c), place))
            for place, segment in enumerate(question.meant.segments, start=1)
        ]
        known = sa.func.array_remove(postgresql.array(places), sa.null())
        yield sa.func.unnest(known).label("group")
    elif question.meant.dimension is not None:
        yield _place(key, question.keys).label("group")
    if question.cohorts:
        starts = sa.literal(list(question.cohorts), postgresql.ARRAY(sa.DateTime(timezone=True)))
        place = sa.func.width_bucket(leads.c.created_at, starts, type_=sa.Integer())
        yield place.label("cohort")


def _place(key: sa.ColumnElement[Any], keys: Sequence[object]) -> sa.ColumnElement[int]:
    """Return the place of a key among those known, one beyond them for all others."""
    known = sa.literal(list(keys), postgresql.ARRAY(key.type))
    return sa.func.coalesce(sa.func.array_position(known, key), len(keys) + 1)


def _source(meant: Meant, work: PostgresWork) -> tuple[Any, sa.ColumnElement[Any]]:
    """Return where leads are read from, and what tells them apart there."""
    if meant.dimension is not FunnelDimension.TEAM:
        return leads, _COLUMNS.get(meant.dimension, leads.c.id)
    # Once for all leads, by the index handoffs_by_lead; a look-up for each would take longer.
    last = (
        sa.select(handoffs.c.lead_id, handoffs.c.to_team_id)
        .ext(postgresql.distinct_on(handoffs.c.lead_id))
        .where(handoffs.c.tenant_id == work.tenant_id)
        .order_by(handoffs.c.lead_id, handoffs.c.handed_off_at.desc(), handoffs.c.id.desc())
        .subquery("last_handoffs")
    )
    return leads.outerjoin(last, last.c.lead_id == leads.c.id), last.c.to_team_id


def _team_of_one(tenant_id: Any) -> sa.ColumnElement[Any]:
    return (
        sa.select(handoffs.c.to_team_id)
        .where(handoffs.c.tenant_id == tenant_id, handoffs.c.lead_id == leads.c.id)
        .order_by(handoffs.c.handed_off_at.desc(), handoffs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _spreads(journeys: Any, stages: int, hours: Any) -> Iterable[sa.ColumnElement[Any]]:
    """Return the number and the percentiles of the seconds spent in each stage but the last."""
    for place in range(stages - 1):
        entered, reached = journeys.c[f"entered_{place}"], journeys.c[f"reached_{place + 1}"]
        yield from _spread(_seconds(reached) - _seconds(entered), reached >= entered)
        if hours is not None:
            known = sa.and_(reached >= entered, _seconds(entered) >= hours.c.opens[1])
            yield from _spread(_worked(reached, hours) - _worked(entered, hours), known)


def _spread(
    seconds: sa.ColumnElement[Any], counted: sa.ColumnElement[bool]
) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    percentiles = sa.func.percentile_cont(_HALF_AND_NINE_TENTHS).within_group(seconds)
    return sa.func.count().filter(counted), percentiles.filter(counted)


def _seconds(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
    return sa.func.date_part("epoch", instant, type_=sa.Double())


def _hours(clockwork: Clockwork) -> sa.CTE:
    """Return working time as one row of arrays, in seconds."""

    def seconds(micros: Sequence[int]) -> sa.ColumnElement[Any]:
        return sa.literal([each / 1e6 for each in micros], postgresql.ARRAY(sa.Double()))

    return sa.select(
        seconds(clockwork.opens).label("opens"),
        seconds(clockwork.lengths).label("lengths"),
        seconds(clockwork.worked).label("worked"),
    ).cte("hours")


def _worked(instant: sa.ColumnElement[Any], hours: sa.CTE) -> sa.ColumnElement[float]:
    """Return the open seconds up to an instant: two look-ups, whatever the calendar."""
    at = _seconds(instant)
    place = sa.func.width_bucket(at, hours.c.opens, type_=sa.Integer())
    past: sa.ColumnElement[float] = sa.func.least(
        at - hours.c.opens[place], hours.c.lengths[place], type_=sa.Double()
    )
    return sa.type_coerce(hours.c.worked[place] + past, sa.Double())


def _count(row: Sequence[Any], stages: int) -> JourneyCount:
    group, cohort, number = row[:3]
    reached, waiting = tuple(row[3 : 3 + stages]), tuple(row[3 + stages : 2 + 2 * stages])
    figures = iter(row[2 + 2 * stages :])
    spreads = [_told(*pair) for pair in zip(figures, figures, strict=True)]
    both = len(spreads) > stages - 1
    return JourneyCount(
        group=group,
        cohort=cohort,
        leads=number,
        open=sum(waiting),
        reached=reached,
        waiting=waiting,
        times=tuple(spreads[::2] if both else spreads),
        working_times=tuple(spreads[1::2] if both else [None] * (stages - 1)),
    )


def _told(number: int, percentiles: Sequence[float] | None) -> Spread | None:
    if not number or percentiles is None:
        return None
    half, nine_tenths = (timedelta(seconds=round(seconds)) for seconds in percentiles)
    return Spread(leads=number, p50=half, p90=nine_tenths)
