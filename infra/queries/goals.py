"""Reads about goals."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.goals.progress import MetricCounts
from domain.goals.targets import MetricTally
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

tallies = table_of(MetricTally)


@answers(MetricCounts)
async def metric_counts(work: PostgresWork, question: MetricCounts) -> Sequence[MetricTally]:
    """Return daily counts, in no order and without limit: one row a metric, team and day.

    Uses the primary key of metric_tallies (metric, team_id, on).
    """
    statement = rows_of(MetricTally).where(
        tallies.c.metric == sa.any_(sa.literal(list(question.metrics), sa.ARRAY(sa.Text))),
        tallies.c.team_id == sa.any_(sa.literal(list(question.team_ids), sa.ARRAY(sa.Uuid))),
        tallies.c.on >= question.first,
        tallies.c.on < question.end,
    )
    return await work.fetch(MetricTally, statement)
