"""What is to be done about a lead next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from api.context import Info
from api.errors import mutation
from api.leads import LeadRef, lead_id_of
from api.views import related, shown, view
from domain import ids
from domain.identity import Permission, User
from domain.leads import Lead
from domain.next_steps import NextStep, finish_next_step, set_next_step


@view(NextStep, description="What somebody means to do next about a lead.")
class NextStepView:
    text: str = shown("What.")
    due_at: datetime = shown("By when.")
    set_at: datetime = shown("When it was set.")
    done_at: datetime | None = shown("When it was done; null until then.")
    replaced_at: datetime | None = shown("When another took its place; null if none did.")
    version: int = shown("How often it was changed.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    set_by = related("api.identity.UserView", User, by="set_by", description="Who set it.")
    done_by = related("api.identity.UserView", User, by="done_by", description="Who did it.")

    @strawberry.field(name="open", description="Whether it is still to be done.")
    def is_open(step: strawberry.Parent[Any]) -> bool:
        return bool(step.is_open)


@strawberry.input(description="What is to be done about which lead.")
class NextStepSetInput:
    lead: LeadRef = shown("The lead.")
    text: str = shown("What is to be done.")
    due_at: datetime = shown("By when.")


@strawberry.input(description="Which step is done.")
class NextStepDoneInput:
    next_step: strawberry.ID = shown("The step.")


@strawberry.type
class Mutations:
    @mutation(
        NextStepView,
        "Say what is to be done about a lead next, in place of what was to be done so far.",
        needs=Permission.EDIT_LEADS,
    )
    async def next_step_set(self, info: Info, input: NextStepSetInput) -> NextStep:
        async with info.context.writing() as work:
            lead_id = await lead_id_of(work, input.lead, lock=True)
            return await set_next_step(
                work, info.context.actor, lead_id, text=input.text, due_at=input.due_at
            )

    @mutation(NextStepView, "Say that a step is done.", needs=Permission.EDIT_LEADS)
    async def next_step_done(self, info: Info, input: NextStepDoneInput) -> NextStep:
        step_id = ids.expect("NextStep", input.next_step, path=("nextStep",))
        async with info.context.writing() as work:
            return await finish_next_step(work, info.context.actor, step_id)
