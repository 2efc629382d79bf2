"""Reads about scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.leads import Agency, Lead
from domain.scoring import (
    CountLeadsAfter,
    DueGradings,
    EngagementSums,
    LeadGrading,
    LeadsAfter,
    MarkDue,
    NewestLeads,
)
from domain.scoring.points import MOST_HALF_LIVES, NOTHING, PLACES, Engagement
from domain.touches import Touch
from infra.database import PostgresWork, rows_of
from infra.filters import where
from infra.queries import answers
from infra.rows import table_of

leads = table_of(Lead)
touches = table_of(Touch)
gradings = table_of(LeadGrading)

_DAY_SECONDS = 86_400


@answers(EngagementSums)
async def engagement_sums(
    work: PostgresWork, question: EngagementSums
) -> Mapping[UUID, Engagement]:
    """Return what leads did themselves is worth, by the first rule each touch matches.

    One statement over the index touches_by_lead, which gives one row for each lead and rule, so
    that a lead with a hundred thousand touches costs no memory.  PostgreSQL refuses a power that
    is too small for its type, so what has been halved too often is taken for nothing first.
    """
    counts = {lead_id: [0] * len(question.rules) for lead_id in question.lead_ids}
    sums = {lead_id: [NOTHING] * len(question.rules) for lead_id in question.lead_ids}
    for lead_id, place, number, share in await _shares(work, question):
        counts[lead_id][place] = number
        points = Decimal(share * question.rules[place].points)
        sums[lead_id][place] = points.quantize(PLACES)
    return {
        lead_id: Engagement(
            sums=tuple(sums[lead_id]), touches=tuple(counts[lead_id]), as_of=question.at
        )
        for lead_id in question.lead_ids
    }


async def _shares(work: PostgresWork, question: EngagementSums) -> Sequence[Sequence[Any]]:
    """Return lead, place of the rule, how many touches, and what is left of them after halving."""
    if not question.rules or not question.lead_ids:
        return []
    matched = sa.case(
        *((where(rule.filter, touches.c), n) for n, rule in enumerate(question.rules)),
        else_=sa.null(),
    )
    inner = (
        sa.select(
            touches.c.lead_id,
            sa.cast(matched, sa.Integer).label("place"),
            sa.cast(sa.extract("epoch", _at(question) - touches.c.occurred_at), sa.Double).label(
                "age"
            ),
        )
        .where(
            touches.c.tenant_id == work.tenant_id,
            touches.c.lead_id == sa.any_(_ids(question.lead_ids)),
            touches.c.agency == Agency.HUMAN.value,
        )
        .subquery()
    )
    half_life = sa.case(
        *(
            (inner.c.place == n, float(rule.half_life_days * _DAY_SECONDS))
            for n, rule in enumerate(question.rules)
        ),
        else_=1.0,
    )
    halved = sa.func.greatest(inner.c.age, 0.0) / sa.cast(half_life, sa.Double)
    left = sa.case(
        (halved > float(MOST_HALF_LIVES), 0.0),
        else_=sa.func.power(sa.cast(2.0, sa.Double), -halved),
    )
    return await work.rows(
        sa.select(
            inner.c.lead_id, inner.c.place, sa.func.count(), sa.cast(sa.func.sum(left), sa.Double)
        )
        .where(inner.c.place.is_not(None))
        .group_by(inner.c.lead_id, inner.c.place)
    )


@answers(DueGradings)
async def due_gradings(work: PostgresWork, question: DueGradings) -> Sequence[UUID]:
    """Return the leads due longest by the index lead_gradings_due, leaving out what others hold."""
    due = (
        sa.select(gradings.c.lead_id)
        .where(gradings.c.changes_at <= question.before)
        .order_by(gradings.c.changes_at)
        .limit(question.limit)
    )
    found = [row[0] for row in await work.rows(due)]
    if not found:
        return []
    locked = (
        sa.select(leads.c.id)
        .where(leads.c.id == sa.any_(_ids(found)))
        .order_by(leads.c.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [row[0] for row in await work.rows(locked)]


@answers(MarkDue)
async def mark_due(work: PostgresWork, question: MarkDue) -> int:
    """Mark gradings, locked in the order of their ids as whoever scores them does."""
    locked = (
        sa.select(gradings.c.id)
        .where(gradings.c.lead_id == sa.any_(_ids(question.lead_ids)))
        .order_by(gradings.c.id)
        .with_for_update(key_share=True)
    )
    found = [row[0] for row in await work.rows(locked)]
    if not found:
        return 0
    return await work.execute(
        sa.update(gradings)
        .where(gradings.c.id == sa.any_(_ids(found)))
        .values(changes_at=question.at, version=gradings.c.version + 1)
    )


@answers(LeadsAfter)
async def leads_after(work: PostgresWork, question: LeadsAfter) -> Sequence[UUID]:
    """Return the next leads by the primary key."""
    statement = (
        sa.select(leads.c.id)
        .where(leads.c.id > question.after)
        .order_by(leads.c.id)
        .limit(question.limit)
    )
    return [row[0] for row in await work.rows(statement)]


@answers(CountLeadsAfter)
async def count_leads_after(work: PostgresWork, question: CountLeadsAfter) -> int:
    """Return how many leads lie beyond an id in the primary key."""
    statement = sa.select(sa.func.count()).select_from(leads).where(leads.c.id > question.after)
    found: int = (await work.rows(statement))[0][0]
    return found


@answers(NewestLeads)
async def newest_leads(work: PostgresWork, question: NewestLeads) -> Sequence[Lead]:
    """Return the leads that came in last, by the index leads_by_created."""
    statement = rows_of(Lead).order_by(leads.c.created_at.desc(), leads.c.id.desc())
    return await work.fetch(Lead, statement.limit(question.limit))


def _at(question: EngagementSums) -> sa.BindParameter[Any]:
    return sa.literal(question.at, sa.DateTime(timezone=True))


def _ids(ids: Sequence[UUID]) -> sa.BindParameter[Any]:
    return sa.literal(list(ids), sa.ARRAY(sa.Uuid))
