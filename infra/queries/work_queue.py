"""Reads for the work queue."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.sla.clocks import SlaClock
from domain.stages import Stage
from domain.work_queue import AverageDeal, QueueLeads
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

leads = table_of(Lead)
clocks = table_of(SlaClock)
opportunities = table_of(Opportunity)

# What a representative works: handed over, and neither given back nor bought yet.
_WORKED = sa.literal(
    [Stage.MQL.value, Stage.SAL.value, Stage.SQL.value, Stage.OPPORTUNITY.value],
    sa.ARRAY(sa.Text),
)


@answers(QueueLeads)
async def queue_leads(work: PostgresWork, question: QueueLeads) -> Sequence[Lead]:
    """Return the leads a user owns, works and may contact, by the index leads_by_owner.

    In front what is due first by an open clock, then the best graded, then the newest.
    """
    due = (
        sa.select(sa.func.min(clocks.c.due_at))
        .where(
            clocks.c.tenant_id == work.tenant_id,
            clocks.c.lead_id == leads.c.id,
            clocks.c.ended_at.is_(None),
        )
        .scalar_subquery()
    )
    statement = (
        rows_of(Lead)
        .where(
            leads.c.owner_id == question.user_id,
            leads.c.stage == sa.any_(_WORKED),
            leads.c.do_not_contact.is_(False),
        )
        .order_by(due.asc().nulls_last(), leads.c.grade.asc().nulls_last(), leads.c.id.desc())
        .limit(question.limit)
    )
    return await work.fetch(Lead, statement)


@answers(AverageDeal)
async def average_deal(work: PostgresWork, question: AverageDeal) -> int | None:
    """Return the mean of the amounts won, rounded down, by the index opportunities_by_status."""
    statement = sa.select(
        sa.cast(sa.func.floor(sa.func.avg(opportunities.c.amount_minor)), sa.BigInteger)
    ).where(
        opportunities.c.status == OpportunityStatus.WON.value,
        opportunities.c.closed_at >= question.since,
        opportunities.c.currency == question.currency,
    )
    rows = await work.rows(statement)
    found: int | None = rows[0][0]
    return found
