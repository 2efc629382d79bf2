"""Reads about what lead types brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from domain.briefs import HandoffBrief
from domain.handoff import Handoff, HandoffStatus
from domain.leads import Lead
from domain.opportunities import AmountsWon, Opportunity, OpportunityStatus
from domain.sla.agreement import Commitment, CommitmentKind, Measure, Sla
from domain.sla.recalibration import ResultsOfTypes, TypeResult, ValuedDeliveries, WindowResults
from infra.database import PostgresWork, rows_of
from infra.filters import where
from infra.queries import answers
from infra.rows import table_of

handoffs = table_of(Handoff)
briefs = table_of(HandoffBrief)
leads = table_of(Lead)
opportunities = table_of(Opportunity)
commitments = table_of(Commitment)
slas = table_of(Sla)


@answers(ValuedDeliveries)
async def valued_deliveries(work: PostgresWork, question: ValuedDeliveries) -> Sequence[Commitment]:
    """Return deliveries in points or money of agreements that end after a day, in order."""
    statement = (
        rows_of(Commitment)
        .select_from(sa.join(commitments, slas, commitments.c.sla_id == slas.c.id))
        .where(
            commitments.c.kind == CommitmentKind.DELIVERY.value,
            commitments.c.measure != Measure.COUNT.value,
            slas.c.ends_on > question.on,
        )
        .order_by(commitments.c.sla_id, commitments.c.position)
    )
    return await work.fetch(Commitment, statement)


@answers(ResultsOfTypes)
async def results_of_types(work: PostgresWork, question: ResultsOfTypes) -> WindowResults:
    """Return what became of a window's hand-offs by the first type that each was.

    That is by what was known of the lead at the hand-off; where nothing was kept, by what is known
    now.  A hand-off is won if an opportunity of it is, or one of its lead that names no hand-off,
    was opened after it, and after none that was accepted later.
    """
    then = AsKnownThen()
    place = sa.case(*((where(each, then), n) for n, each in enumerate(question.types)), else_=-1)
    deal = (
        sa.select(opportunities.c.id)
        .where(
            opportunities.c.tenant_id == work.tenant_id,
            opportunities.c.lead_id == handoffs.c.lead_id,
            opportunities.c.status == OpportunityStatus.WON.value,
            sa.or_(
                opportunities.c.handoff_id == handoffs.c.id,
                sa.and_(
                    opportunities.c.handoff_id.is_(None),
                    opportunities.c.opened_at >= handoffs.c.handed_off_at,
                    ~_accepted_later(work),
                ),
            ),
        )
        .exists()
    )
    inner = (
        sa.select(place.label("place"), deal.label("won"))
        .select_from(
            sa.join(handoffs, leads, handoffs.c.lead_id == leads.c.id).outerjoin(
                briefs,
                sa.and_(briefs.c.tenant_id == work.tenant_id, briefs.c.handoff_id == handoffs.c.id),
            )
        )
        .where(
            handoffs.c.tenant_id == work.tenant_id,
            leads.c.tenant_id == work.tenant_id,
            handoffs.c.from_team_id == question.marketing_team_id,
            handoffs.c.to_team_id == question.sales_team_id,
            handoffs.c.handed_off_at >= question.starts_at,
            handoffs.c.handed_off_at < question.ends_at,
        )
        .subquery()
    )
    rows = await work.rows(
        sa.select(inner.c.place, sa.func.count(), sa.func.count().filter(inner.c.won)).group_by(
            inner.c.place
        )
    )
    found = {row[0]: TypeResult(handed_off=row[1], won=row[2]) for row in rows}
    nothing = TypeResult(handed_off=0, won=0)
    return WindowResults(
        types=tuple(found.get(n, nothing) for n in range(len(question.types))),
        handed_off=sum(each.handed_off for each in found.values()),
        won=sum(each.won for each in found.values()),
        revenue=await work.ask(
            AmountsWon(
                currency=question.currency,
                own=question.own,
                time_zone=question.time_zone,
                since=question.starts_at,
                until=question.ends_at,
            )
        ),
    )


class AsKnownThen:
    """A lead's columns as they were at the hand-off, or as they are where nothing was kept."""

    def __getitem__(self, attribute: str, /) -> sa.ColumnElement[Any]:
        now = leads.c[attribute]
        then = sa.cast(briefs.c.known.op("->>")(attribute), now.type)
        return sa.case((briefs.c.known.is_(None), now), else_=then)


def _accepted_later(work: PostgresWork) -> sa.ColumnElement[bool]:
    """Return whether the lead was handed off and accepted once more before a deal was opened."""
    later = handoffs.alias("later")
    return (
        sa.select(sa.literal(1))
        .where(
            later.c.tenant_id == work.tenant_id,
            later.c.lead_id == handoffs.c.lead_id,
            later.c.status == HandoffStatus.ACCEPTED.value,
            later.c.handed_off_at <= opportunities.c.opened_at,
            sa.or_(
                later.c.handed_off_at > handoffs.c.handed_off_at,
                sa.and_(
                    later.c.handed_off_at == handoffs.c.handed_off_at, later.c.id > handoffs.c.id
                ),
            ),
        )
        .correlate(handoffs, opportunities)
        .exists()
    )
