"""Leads that came, or came so far, and the touches that were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

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
    """Leads that came in the period; or that entered a stage, then or ever."""
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
    found = sa.select(
        sa.literal(measure.value).label("measure"),
        leads.c.id.label("lead_id"),
        (sa.null().cast(sa.Uuid) if source.lead_key is None else source.lead_key).label("key"),
    ).where(*source.ours(leads))
    if measure is PerformanceMeasure.LEADS:
        return found.where(*source.dated(leads.c.created_at))
    entered = sa.select(entries.c.lead_id).where(
        *source.ours(entries), entries.c.stage == _STAGE[measure].value
    )
    if source.is_cohort:
        return found.where(*source.dated(leads.c.created_at), leads.c.id.in_(entered))
    entered = entered.where(source.during(entries.c.entered_at))
    return found.where(leads.c.id.in_(entered), *source.narrowed())


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
