"""Reads about what became of hand-offs, for those who learn from it."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from domain.prediction import (
    ClosedOutcome,
    ClosedOutcomes,
    CountOutcomes,
    CurrentModel,
    OutcomeNumbers,
    PredictionModel,
    PredictionStatus,
)
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

models = table_of(PredictionModel)

# Hand-offs with the facts kept at each, and how they ended: an opportunity that names the hand-off
# decides; one that names none belongs to the lead's accepted hand-off before it.  Without any, a
# rejection or recycling is a loss.  What is still open is not there.  The newest first.
_CLOSED = """
WITH deals AS (
  SELECT h.id AS handoff_id,
         bool_or(o.status = 'WON') AS won,
         bool_and(o.status = 'LOST') AS lost,
         max(o.closed_at) AS closed_at
  FROM handoffs h
  JOIN opportunities o ON o.tenant_id = h.tenant_id AND o.lead_id = h.lead_id
    AND (o.handoff_id = h.id
         OR (o.handoff_id IS NULL AND h.status = 'ACCEPTED' AND o.opened_at >= h.handed_off_at))
  WHERE h.tenant_id = $1 AND o.tenant_id = $1
  GROUP BY h.id
), closed AS (
  SELECT b.handoff_id, b.facts, coalesce(d.won, false) AS won,
         CASE WHEN d.won OR d.lost THEN d.closed_at ELSE h.decided_at END AS closed_at
  FROM handoff_briefs b
  JOIN handoffs h ON h.tenant_id = b.tenant_id AND h.id = b.handoff_id
  LEFT JOIN deals d ON d.handoff_id = h.id
  WHERE b.tenant_id = $1 AND h.tenant_id = $1
    AND (d.won OR d.lost OR (d.handoff_id IS NULL AND h.status IN ('REJECTED', 'RECYCLED')))
  ORDER BY closed_at DESC, b.handoff_id DESC
  LIMIT $2
)
"""
_OUTCOMES = f"{_CLOSED} SELECT handoff_id, facts::text, won, closed_at FROM closed"  # noqa: S608  # our own text
_NUMBERS = f"{_CLOSED} SELECT count(*) FILTER (WHERE won), count(*) FROM closed"  # noqa: S608  # our own text


@answers(ClosedOutcomes)
async def closed_outcomes(work: PostgresWork, question: ClosedOutcomes) -> Sequence[ClosedOutcome]:
    """Return the hand-offs closed last, the newest first."""
    rows = await work.connection.fetch(_OUTCOMES, work.tenant_id, question.limit)
    return [
        ClosedOutcome(handoff_id=row[0], facts=orjson.loads(row[1]), won=row[2], closed_at=row[3])
        for row in rows
    ]


@answers(CountOutcomes)
async def count_outcomes(work: PostgresWork, question: CountOutcomes) -> OutcomeNumbers:
    """Return how many of them were won and lost."""
    row = await work.connection.fetchrow(_NUMBERS, work.tenant_id, question.limit)
    return OutcomeNumbers(won=row[0], lost=row[1] - row[0])


@answers(CurrentModel)
async def current_model(work: PostgresWork, question: CurrentModel) -> PredictionModel | None:
    """Return the newest model that is ready, by the index prediction_models_number."""
    statement = (
        rows_of(PredictionModel)
        .where(models.c.status == PredictionStatus.READY.value)
        .order_by(models.c.number.desc())
        .limit(1)
    )
    found = await work.fetch(PredictionModel, statement)
    return found[0] if found else None
