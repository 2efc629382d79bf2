"""Reads for the work queue."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.grades import Grade
from domain.opportunities import Opportunity, OpportunityStatus
from domain.sla.clock import ClockState
from domain.stages import Stage
from domain.work_queue import AverageDeal, WaitingClock, WaitingLead, WaitingLeads
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of

opportunities = table_of(Opportunity)
_GRADES = {grade.value: grade for grade in Grade}

# What a representative works: handed over, and neither given back nor bought yet.
_WORKED = [Stage.MQL.value, Stage.SAL.value, Stage.SQL.value, Stage.OPPORTUNITY.value]

# The leads by leads_by_owner, for each its first running clock by sla_clocks_by_lead and its
# largest open deal by opportunities_by_lead: three indexes whatever PostgreSQL believes of them.
_WAITING = f"""
SELECT l.id, l.grade, l.origin_source, l.origin_medium, l.origin_campaign, l.country, l.persona_id,
       l.job_title, l.company_id, d.amount,
       c.sla_id, c.commitment_id, c.calendar_version_id, c.started_at, c.due_at
FROM leads l
LEFT JOIN LATERAL (
  SELECT sla_id, commitment_id, calendar_version_id, started_at, due_at
  FROM sla_clocks
  WHERE tenant_id = $1 AND lead_id = l.id AND ended_at IS NULL
    AND state <> '{ClockState.PAUSED.value}'
  ORDER BY due_at, id
  LIMIT 1
) c ON true
LEFT JOIN LATERAL (
  SELECT max(amount_minor) AS amount FROM opportunities
  WHERE tenant_id = $1 AND lead_id = l.id AND status = '{OpportunityStatus.OPEN.value}'
    AND currency = $3
) d ON true
WHERE l.tenant_id = $1 AND l.owner_id = $2 AND l.stage = ANY ($4) AND NOT l.do_not_contact
ORDER BY c.due_at NULLS LAST, l.grade NULLS LAST, l.id DESC
LIMIT $5
"""  # noqa: S608  # our own words


@answers(WaitingLeads)
async def waiting_leads(work: PostgresWork, question: WaitingLeads) -> Sequence[WaitingLead]:
    """Return the leads a user works and may contact.

    In front what is due first by a running clock, then the best graded, then the newest.
    """
    rows = await work.connection.fetch(
        _WAITING, work.tenant_id, question.owner_id, question.currency, _WORKED, question.limit
    )
    return [
        WaitingLead(
            id=row[0],
            grade=None if row[1] is None else _GRADES[row[1]],
            origin_source=row[2],
            origin_medium=row[3],
            origin_campaign=row[4],
            country=row[5],
            persona_id=row[6],
            job_title=row[7],
            company_id=row[8],
            deal_minor=row[9],
            clock=None
            if row[10] is None
            else WaitingClock(
                sla_id=row[10],
                commitment_id=row[11],
                calendar_version_id=row[12],
                started_at=row[13],
                due_at=row[14],
            ),
        )
        for row in rows
    ]


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
