"""Leads that came, or came so far, and the touches that were made.

A lead came so far as the funnel has it (`infra.queries.funnel`): to a stage or a later one, when
it first did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.attribution.performance import PerformanceDimension, PerformanceMeasure
from domain.stages import Stage
from infra.queries.performance.source import (
    Facts,
    Source,
    entries,
    fact,
    leads,
    touches,
)

_STAGE = {
    PerformanceMeasure.MQLS: Stage.MQL,
    PerformanceMeasure.ACCEPTED: Stage.SAL,
    PerformanceMeasure.SQLS: Stage.SQL,
}
LEAD_MEASURES = (PerformanceMeasure.LEADS, *_STAGE)
_FIRST = min(_STAGE.values(), key=lambda stage: stage.rank)


def touched(source: Source) -> Facts:
    """Human touches; those of visitors nobody knows count where no lead is asked for."""
    found = fact(
        source.touch_key(touches), touches.c.id, touch_id=touches.c.id, lead_id=touches.c.lead_id
    )
    known = source.whose(touches.c.lead_id)
    when = source.dated(touches.c.occurred_at)
    if source.needs_leads:
        return found.select_from(touches.join(leads, known)).where(*source.human(), *when)
    of_leads = source.dimension.is_of_leads
    sources = touches.outerjoin(leads, known) if of_leads else touches
    return found.select_from(sources).where(*source.human(), *when)


def came(source: Source, measure: PerformanceMeasure) -> Facts:
    """Leads that came in the period; or that reached a stage, then or ever."""
    keyed = told_apart(source, [measure]).subquery("keyed")
    return fact(keyed.c.key, keyed.c.lead_id, lead_id=keyed.c.lead_id).select_from(keyed)


def told_apart(source: Source, measures: Sequence[PerformanceMeasure]) -> sa.Select[Any]:
    """Return the leads that each measure counts, one row for each of a lead's keys."""
    counted = [_counted(source, measure) for measure in measures]
    if source.lead_key is not None:
        return _all_of(counted)
    # Told one by one, so that it can be estimated how many there are.
    everybody = sa.union(*(sa.select(each.c.lead_id) for each in counted)).subquery("everybody")
    by_channel = source.dimension is PerformanceDimension.CHANNEL
    keys = (_first_channels if by_channel else _contents)(source, everybody).subquery("keys")
    if len(measures) == 1:
        # All of them count.  Joined to what counts them, each could be tried with each.
        measure = sa.literal(measures[0].value).label("measure")
        return sa.select(measure, keys.c.lead_id, keys.c.key)
    together = _all_of(counted).subquery("together")
    return sa.select(together.c.measure, together.c.lead_id, keys.c.key).select_from(
        together.join(keys, keys.c.lead_id == together.c.lead_id)
    )


def once_each(source: Source, measures: Sequence[PerformanceMeasure]) -> sa.Select[Any]:
    """Return the leads that each measure counts, whatever tells them apart."""
    return _all_of([_counted(source, measure) for measure in measures])


def _all_of(counted: Sequence[sa.CTE]) -> sa.Select[Any]:
    together = sa.union_all(*(sa.select(each) for each in counted)).subquery("counted")
    return sa.select(together.c.measure, together.c.lead_id, together.c.key)


def _counted(source: Source, measure: PerformanceMeasure) -> sa.CTE:
    """Return the leads that a measure counts, read once for all of a statement."""
    if measure not in source.counted:
        source.counted[measure] = _count(source, measure).cte(f"of_{measure.lower()}")
    return source.counted[measure]


def _count(source: Source, measure: PerformanceMeasure) -> sa.Select[Any]:
    name = sa.literal(measure.value).label("measure")
    if measure is PerformanceMeasure.LEADS:
        found = sa.select(name, leads.c.id.label("lead_id"), _key(source))
        return found.where(*source.ours(leads), *source.dated(leads.c.created_at))
    if source.journeys is None:
        source.journeys = _journeys(source).cte("journeys")
    journeys = source.journeys
    at = journeys.c[measure.lower()]
    counts = at.is_not(None) if source.is_cohort else source.during(at)
    return sa.select(name, journeys.c.lead_id, journeys.c.key).where(counts)


def _key(source: Source) -> sa.ColumnElement[Any]:
    return (sa.null().cast(sa.Uuid) if source.lead_key is None else source.lead_key).label("key")


def _journeys(source: Source) -> sa.Select[Any]:
    """Return when each lead first came to each stage or beyond, null where it has not.

    Of the leads of a cohort; else of all that were, in the period, where one of the stages counts.
    Their entries are read once, by stage_entries_by_lead where they are few.
    """
    onward = sa.and_(
        *source.ours(entries), entries.c.lead_id == leads.c.id, _is_from(entries, _FIRST)
    )
    who = source.dated(leads.c.created_at)
    if not source.is_cohort:
        who = [leads.c.id.in_(_moved(source)), *source.narrowed()]
    return (
        sa.select(
            leads.c.id.label("lead_id"),
            _key(source),
            *(_reached_at(stage).label(measure.lower()) for measure, stage in _STAGE.items()),
        )
        .select_from(leads.outerjoin(entries, onward))
        .where(*source.ours(leads), *who)
        .group_by(leads.c.tenant_id, leads.c.id)
    )


def _reached_at(stage: Stage) -> sa.ColumnElement[Any]:
    """Return when a lead first came so far; one without a history, to where it stands."""
    entered = sa.func.min(entries.c.entered_at).filter(_is_from(entries, stage))
    stands = sa.case((_is_from(leads, stage), leads.c.stage_entered_at))
    return sa.func.coalesce(entered, stands)


def _moved(source: Source) -> sa.CompoundSelect[Any]:
    """Return the leads that came so far, or farther, in the period, for the first time or again.

    By the indexes stage_entries_by_stage and leads_by_watch.
    """
    standing = leads.alias("standing")
    # Told one by one, so that it can be estimated how many there are.
    return sa.union(
        sa.select(entries.c.lead_id).where(
            *source.ours(entries), _is_from(entries, _FIRST), source.during(entries.c.entered_at)
        ),
        sa.select(standing.c.id).where(
            *source.ours(standing),
            _is_from(standing, _FIRST),
            source.during(standing.c.stage_entered_at),
        ),
    )


def _is_from(table: Any, stage: Stage) -> sa.ColumnElement[bool]:
    far = sa.literal([each.value for each in stage.onward], postgresql.ARRAY(sa.Text()))
    condition: sa.ColumnElement[bool] = table.c.stage == sa.any_(far)
    return condition


def _first_channels(source: Source, everybody: Any) -> sa.Select[Any]:
    """By the index touches_by_lead, up to the first human touch."""
    first = (
        sa.select(touches.c.channel)
        .where(*source.human(), touches.c.lead_id == everybody.c.lead_id)
        .order_by(touches.c.occurred_at, touches.c.id)
        .limit(1)
        .lateral("first")
    )
    return sa.select(everybody.c.lead_id, first.c.channel.label("key")).select_from(
        everybody.outerjoin(first, sa.true())
    )


def _contents(source: Source, everybody: Any) -> sa.Select[Any]:
    """Each content that each lead met, once; a row without one for those that met none."""
    met = sa.and_(
        *source.human(), touches.c.lead_id == everybody.c.lead_id, touches.c.asset_id.is_not(None)
    )
    return (
        sa.select(everybody.c.lead_id, touches.c.asset_id.label("key"))
        .select_from(everybody.outerjoin(touches, met))
        .distinct()
    )
