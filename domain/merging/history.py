"""One history of stages where there were several: how far the person had come at each instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.goals.targets import Metric
from domain.leads import Lead
from domain.lifecycle import StageEntry, count_difference, reached
from domain.ports import Work
from domain.stages import Stage


@dataclass(frozen=True, slots=True)
class History:
    """The steps that a person took, where it led, and since when."""

    entries: tuple[StageEntry, ...]
    stage: Stage
    entered_at: datetime


def one_history(winner_id: UUID, leads: Sequence[Lead], entries: Iterable[StageEntry]) -> History:
    """Return the one history of leads that are one person.

    At each instant the person had come as far as the furthest of the leads.  A step of one lead
    that led no further, or back to where another was already, is no step of the person; one that
    fell back further than to where another was leads there.
    """
    steps = sorted(entries, key=lambda entry: (entry.entered_at, entry.recorded_at, entry.id))
    silent = {lead.id for lead in leads} - {entry.lead_id for entry in steps}
    at_once = [(lead.stage_entered_at, lead) for lead in leads if lead.id in silent]
    stages: dict[UUID, Stage] = {}
    kept: list[StageEntry] = []
    for entry in steps:
        stages |= {lead.id: lead.stage for at, lead in at_once if at <= entry.entered_at}
        before = _furthest(stages.values())
        stages[entry.lead_id] = entry.stage
        after = _furthest(stages.values()) or entry.stage
        if after is not before:
            kept.append(replace(entry, lead_id=winner_id, stage=after, previous=before))
    stage = max((lead.stage for lead in leads), key=lambda each: each.rank)
    if kept and kept[-1].stage is stage and not silent:
        return History(tuple(kept), stage, kept[-1].entered_at)
    entered_at = min(lead.stage_entered_at for lead in leads if lead.stage is stage)
    return History(tuple(kept), stage, entered_at)


async def recount(
    work: Work,
    *,
    was: Sequence[StageEntry],
    now: Sequence[StageEntry],
    seen_was: Sequence[datetime],
    seen_now: Sequence[datetime],
) -> None:
    """Count the difference: what leads reached by their steps, and when they were first seen."""
    before, after = reached(was), reached(now)
    before.update((Metric.LEADS_CREATED, at) for at in seen_was)
    after.update((Metric.LEADS_CREATED, at) for at in seen_now)
    await count_difference(work, was=before, now=after)


def _furthest(stages: Iterable[Stage]) -> Stage | None:
    return max(stages, key=lambda each: each.rank, default=None)
