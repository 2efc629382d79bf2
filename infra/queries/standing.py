"""Reads about how agreements stand: tallies and open clocks, never leads or hand-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.standing import CountsOf, DayCounts, UnsweptHandoffs
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import columns_of, reader_of, table_of

clocks = table_of(SlaClock)
tallies = table_of(SlaTally)

_TICK = timedelta(microseconds=1)


@answers(CountsOf)
async def counts_of(work: PostgresWork, question: CountsOf) -> Sequence[DayCounts]:
    """Return what commitments counted, by day, with their open clocks as they stand now.

    One statement, no limit.  Uses the primary key of sla_tallies and the partial index
    sla_clocks_open.  Every open clock was counted as opened on its day, so the join loses none.
    """
    now = sa.literal(question.at, sa.DateTime(timezone=True))
    wanted = sa.literal(list(question.commitment_ids), sa.ARRAY(sa.Uuid))
    runs = clocks.c.state != ClockState.PAUSED.value
    in_time = sa.and_(clocks.c.state != ClockState.BREACHED.value, clocks.c.due_at >= now)
    unswept = sa.and_(runs, clocks.c.state != ClockState.BREACHED.value, clocks.c.due_at < now)
    late = sa.or_(clocks.c.state == ClockState.BREACHED.value, unswept)
    day = _local_day(clocks.c.started_at, question.time_zone)
    open_clocks = (
        sa.select(
            clocks.c.commitment_id,
            day.label("on"),
            sa.func.count().label("open"),
            sa.func.count().filter(late).label("late"),
            sa.func.count().filter(runs, in_time, clocks.c.warn_at <= now).label("due_soon"),
            sa.func.count().filter(unswept).label("unswept"),
            sa.func.least(
                sa.func.min(clocks.c.warn_at).filter(runs, clocks.c.warn_at > now),
                sa.func.min(clocks.c.due_at).filter(runs, in_time) + sa.literal(_TICK),
            ).label("next_at"),
        )
        .where(
            clocks.c.tenant_id == work.tenant_id,
            clocks.c.commitment_id == sa.any_(wanted),
            clocks.c.ended_at.is_(None),
        )
        .group_by(clocks.c.commitment_id, sa.text("2"))
        .cte("open_clocks")
        # Counted once: a plan that joins by a loop would count anew for every day.
        .prefix_with("MATERIALIZED")
    )
    told = ("open", "late", "due_soon", "unswept")
    statement = (
        sa.select(
            *columns_of(SlaTally),
            *(sa.func.coalesce(open_clocks.c[name], 0) for name in told),
            open_clocks.c.next_at,
        )
        .select_from(
            tallies.outerjoin(
                open_clocks,
                sa.and_(
                    open_clocks.c.commitment_id == tallies.c.commitment_id,
                    open_clocks.c.on == tallies.c.on,
                ),
            )
        )
        .where(tallies.c.commitment_id == sa.any_(wanted))
        .order_by(tallies.c.commitment_id, tallies.c.on)
    )
    read, width = reader_of(SlaTally), len(columns_of(SlaTally))
    return [
        DayCounts(
            tally=read(row),
            **dict(zip(told, row[width : width + len(told)], strict=True)),
            next_at=row[width + len(told)],
        )
        for row in await work.rows(statement)
    ]


@answers(UnsweptHandoffs)
async def unswept_handoffs(work: PostgresWork, question: UnsweptHandoffs) -> Mapping[date, int]:
    """Return hand-offs that became late unnoticed, by day.

    Finds the late clocks by the partial index sla_clocks_open, the others of their hand-offs by
    sla_clocks_by_handoff.  With a worker alive there is at most what came due this second.
    """
    now = sa.literal(question.at, sa.DateTime(timezone=True))
    wanted = sa.literal(list(question.commitment_ids), sa.ARRAY(sa.Uuid))
    other, every = clocks.alias("other"), clocks.alias("every")
    known_late = (
        sa.select(other.c.id)
        .where(
            other.c.tenant_id == work.tenant_id,
            other.c.handoff_id == clocks.c.handoff_id,
            _is_one_of(other.c.state, ClockState.BREACHED, ClockState.MET_LATE),
        )
        .exists()
    )
    late = sa.select(clocks.c.handoff_id).where(
        clocks.c.tenant_id == work.tenant_id,
        clocks.c.commitment_id == sa.any_(wanted),
        clocks.c.ended_at.is_(None),
        ~_is_one_of(clocks.c.state, ClockState.BREACHED, ClockState.PAUSED),
        clocks.c.due_at < now,
        ~known_late,
    )
    # A hand-off counts on the day its first clock started, as keeping has it.
    first = sa.func.min(_local_day(every.c.started_at, question.time_zone))
    first_days = (
        sa.select(every.c.handoff_id, first.label("on"))
        .where(every.c.tenant_id == work.tenant_id, every.c.handoff_id.in_(late))
        .group_by(every.c.handoff_id)
        .subquery()
    )
    statement = sa.select(first_days.c.on, sa.func.count()).group_by(first_days.c.on)
    return {row[0]: row[1] for row in await work.rows(statement)}


def _local_day(instant: sa.ColumnElement[Any], time_zone: str) -> sa.ColumnElement[date]:
    return sa.cast(sa.func.timezone(time_zone, instant), sa.Date)


def _is_one_of(column: sa.Column[Any], *states: ClockState) -> sa.ColumnElement[bool]:
    return sa.or_(*(column == state.value for state in states))
