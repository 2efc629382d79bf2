"""What leads reached, and when they first did: the one count that goals and funnels share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.goals.counting import METRIC_OF_STAGE, count_metric
from domain.goals.targets import Metric
from domain.ports import Work
from domain.stages import Stage

Reached = Counter[tuple[Metric, datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """One step of a lead's history: the stage it entered, and the definition then in force."""

    id: UUID
    lead_id: UUID
    stage: Stage
    previous: Stage | None
    entered_at: datetime
    recorded_at: datetime
    definition_id: UUID | None = None
    by: UUID | None = None
    reason: str | None = None


def reached(entries: Iterable[StageEntry]) -> Reached:
    """Return what the steps of leads count as, and at which instant.

    A lead counts once for a stage: when it first entered that one or a later one.  What it skipped
    counts as passed then, and what it enters again, having been sent back, is not news.
    """
    first: dict[tuple[UUID, Metric], datetime] = {}
    for entry in entries:
        for stage, metric in METRIC_OF_STAGE.items():
            if stage.rank <= entry.stage.rank:
                known = first.setdefault((entry.lead_id, metric), entry.entered_at)
                first[entry.lead_id, metric] = min(known, entry.entered_at)
    return Counter((metric, at) for (_, metric), at in first.items())


def may_be_news(entry: StageEntry) -> bool:
    """Say whether a step led to or past a stage that goals are set for."""
    since = -1 if entry.previous is None else entry.previous.rank
    return any(since < stage.rank <= entry.stage.rank for stage in METRIC_OF_STAGE)


async def count_difference(work: Work, *, was: Reached, now: Reached) -> None:
    """Let tallies that count what was so far count what is so now."""
    for place in sorted(was.keys() | now.keys()):
        if amount := now[place] - was[place]:
            metric, at = place
            await count_metric(work, metric, at=at, amount=amount)
