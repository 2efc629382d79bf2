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
)
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

models = table_of(PredictionModel)

# Hand-offs with the facts kept at each, and how they ended: an opportunity that names the hand-off
# decides; one that names none belongs to the lead's last accepted hand-off before it.  Without any,
# a rejection or recycling is a loss.  What is still open is not there.  The newest first.
#
# Each LATERAL is asked once for each hand-off, by an index: an import has learnt from a year's
# outcomes before PostgreSQL has counted anything, and as a plain join this took the cube of them.
_CLOSED = """
WITH closed AS (
  SELECT b.handoff_id, b.facts, coalesce(d.won, false) AS won,
         CASE WHEN d.number > 0 THEN d.closed_at
              ELSE coalesce(h.returned_at, h.decided_at) END AS closed_at
  FROM handoff_briefs b
  CROSS JOIN LATERAL (
    SELECT * FROM handoffs h WHERE h.tenant_id = $1 AND h.id = b.handoff_id OFFSET 0
  ) h
  CROSS JOIN LATERAL (
    SELECT count(*) AS number, bool_or(o.status = 'WON') AS won,
           bool_and(o.status = 'LOST') AS lost, max(o.closed_at) AS closed_at
    FROM opportunities o
    WHERE o.tenant_id = $1 AND o.lead_id = h.lead_id
      AND (o.handoff_id = h.id
           OR (o.handoff_id IS NULL AND h.status = 'ACCEPTED' AND o.opened_at >= h.handed_off_at
               AND NOT EXISTS (
                 SELECT 1 FROM handoffs later
                 WHERE later.tenant_id = $1 AND later.lead_id = h.lead_id
                   AND later.status = 'ACCEPTED' AND later.handed_off_at <= o.opened_at
                   AND (later.handed_off_at > h.handed_off_at
                        OR later.handed_off_at = h.handed_off_at AND later.id > h.id))))
  ) d
  WHERE b.tenant_id = $1
    AND (d.won OR d.lost OR (d.number = 0
      AND (h.status IN ('REJECTED', 'RECYCLED') OR h.returned_at IS NOT NULL)))
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
    """Return the model in use, by the index prediction_models_in_use."""
    found = await work.fetch(PredictionModel, rows_of(PredictionModel).where(models.c.in_use))
    return found[0] if found else None
