"""Next steps: what is to be done about a lead, and by when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.events import NextStepChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Work
from domain.values import require_text

_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What somebody means to do next about a lead.  It is open until it is done or replaced."""

    id: UUID
    lead_id: UUID
    text: str
    due_at: datetime
    set_at: datetime
    set_by: UUID | None = None
    done_at: datetime | None = None
    done_by: UUID | None = None
    replaced_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.replaced_at is None


class StepIsOver(DomainError):
    """A step that is done, or in whose place another one stands."""

    code = "STEP_IS_OVER"

    def __init__(self) -> None:
        super().__init__("This step is done already, or replaced.", path=("nextStep",))


async def set_next_step(
    work: Work, actor: Actor, lead_id: UUID, *, text: str, due_at: datetime
) -> NextStep:
    """Say what is to be done about a lead next, in place of what was to be done so far."""
    actor.require(Permission.EDIT_LEADS)
    text = require_text(text, name="The step", path=("text",), longest=_LONGEST)
    if due_at < work.now:
        raise Invalid("This lies in the past.", path=("dueAt",))
    await work.get(Lead, lead_id, lock=True)
    steps = await work.find(NextStep, lead_id=lead_id, done_at=None, replaced_at=None)
    await work.save_all([replace(step, replaced_at=work.now) for step in steps])
    step = await work.add(
        NextStep(
            id=new_id(),
            lead_id=lead_id,
            text=text,
            due_at=due_at,
            set_at=work.now,
            set_by=actor.user_id,
        )
    )
    work.record(NextStepChanged(at=work.now, lead_id=lead_id, next_step_id=step.id))
    return step


async def finish_next_step(work: Work, actor: Actor, step_id: UUID) -> NextStep:
    """Say that a step is done."""
    actor.require(Permission.EDIT_LEADS)
    seen = await work.get(NextStep, step_id)
    await work.get(Lead, seen.lead_id, lock=True)
    step = await work.get(NextStep, step_id, lock=True)
    if not step.is_open:
        raise StepIsOver
    step = await work.save(replace(step, done_at=work.now, done_by=actor.user_id))
    work.record(NextStepChanged(at=work.now, lead_id=step.lead_id, next_step_id=step.id))
    return step
