"""Reads for the work queue."""

from __future__ import annotations

from collections.abc import Sequence

from domain.grades import Grade
from domain.opportunities import OpportunityStatus
from domain.sla.clock import ClockState
from domain.stages import Stage
from domain.values import Money
from domain.work_queue import WaitingClock, WaitingLead, WaitingLeads
from infra.database import PostgresWork
from infra.queries import answers

_GRADES = {grade.value: grade for grade in Grade}

# What a representative works: handed over, and neither given back nor bought yet.
_WORKED = [Stage.MQL.value, Stage.SAL.value, Stage.SQL.value, Stage.OPPORTUNITY.value]

# Not looked for, or without statistics one would as soon read all open deals for each lead.
_PRICED = f"WHERE status = '{OpportunityStatus.OPEN.value}' AND amount_minor IS NOT NULL"

# The leads by leads_by_owner, for each its first running clock by sla_clocks_by_lead and its open
# deals by opportunities_by_lead: three indexes whatever PostgreSQL believes of them.
_WAITING = f"""
SELECT l.id, l.grade, l.origin_source, l.origin_medium, l.origin_campaign, l.country, l.persona_id,
       l.job_title, l.company_id, d.amounts, d.currencies,
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
  SELECT array_agg(amount_minor ORDER BY id) FILTER ({_PRICED}) AS amounts,
         array_agg(currency ORDER BY id) FILTER ({_PRICED}) AS currencies
  FROM opportunities
  WHERE tenant_id = $1 AND lead_id = l.id
) d ON true
WHERE l.tenant_id = $1 AND l.owner_id = $2 AND l.stage = ANY ($3) AND NOT l.do_not_contact
ORDER BY c.due_at NULLS LAST, l.grade NULLS LAST, l.id DESC
LIMIT $4
"""  # noqa: S608  # our own words


@answers(WaitingLeads)
async def waiting_leads(work: PostgresWork, question: WaitingLeads) -> Sequence[WaitingLead]:
    """Return the leads a user works and may contact.

    In front what is due first by a running clock, then the best graded, then the newest.
    """
    rows = await work.connection.fetch(
        _WAITING, work.tenant_id, question.owner_id, _WORKED, question.limit
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
            deals=tuple(map(Money, row[9] or (), row[10] or ())),
            clock=None
            if row[11] is None
            else WaitingClock(
                sla_id=row[11],
                commitment_id=row[12],
                calendar_version_id=row[13],
                started_at=row[14],
                due_at=row[15],
            ),
        )
        for row in rows
    ]
