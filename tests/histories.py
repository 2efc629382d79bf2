"""Leads with a history, for tests of whatever adds them up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage

Step = tuple[Stage, float]


def a_journey(
    seen_at: datetime, *steps: Step, number: int = 0, **changes: Any
) -> tuple[Lead, Sequence[StageEntry]]:
    """Return a lead and its steps: stages, each so many hours after it was first seen."""
    id = new_id()
    entries, previous = [], None
    for stage, hours in steps:
        at = seen_at + timedelta(hours=hours)
        entries.append(
            StageEntry(
                id=new_id(),
                lead_id=id,
                stage=stage,
                previous=previous,
                entered_at=at,
                recorded_at=at,
            )
        )
        previous = stage
    last = entries[-1].entered_at if entries else seen_at
    lead = Lead(
        id=id,
        stage_entered_at=last,
        created_at=seen_at,
        updated_at=last,
        **{
            "stage": previous or Stage.VISITOR,
            "email": f"journey{number}.{id.hex[-10:]}@example.com",
            **changes,
        },
    )
    return lead, entries


async def add_journeys(world: Any, *journeys: tuple[Lead, Sequence[StageEntry]]) -> list[Lead]:
    """Store leads with their steps."""
    leads = [lead for lead, _ in journeys]
    async with world.work() as work:
        await work.add_all(leads)
        await work.add_all([entry for _, entries in journeys for entry in entries])
    return leads
