"""What is to be done next about people who are one: one thing, and again each their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.events import NextStepChanged
from domain.merging.record import LeadMerge, MergeRecord
from domain.next_steps import NextStep
from domain.ports import Work


async def keep_first_step(work: Work, lead_id: UUID) -> tuple[UUID, ...]:
    """Let the open step that is due first take the place of the others; return those."""
    steps = await work.find(NextStep, lead_id=lead_id, done_at=None, replaced_at=None)
    others = sorted(steps, key=lambda step: (step.due_at, step.set_at, step.id))[1:]
    await _save(work, others, replaced_at=work.now)
    return tuple(step.id for step in others)


async def reopen_steps(work: Work, merge: LeadMerge, record: MergeRecord) -> None:
    """Let steps that the merge alone had replaced be open again, each with its own lead.

    Where somebody has said since what is to be done about the winner, that is in their place still.
    """
    replaced = await work.find(NextStep, id=record.steps) if record.steps else ()
    of_winner = await work.find(NextStep, lead_id=record.winner.id) if replaced else ()
    has_newer = any(step.id > merge.id for step in of_winner)
    again = [step for step in replaced if not has_newer or step.lead_id != record.winner.id]
    await _save(work, again, replaced_at=None)


async def _save(work: Work, steps: Iterable[NextStep], *, replaced_at: datetime | None) -> None:
    for step in steps:
        await work.save(replace(step, replaced_at=replaced_at))
        work.record(NextStepChanged(at=work.now, lead_id=step.lead_id, next_step_id=step.id))
