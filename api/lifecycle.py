"""The stages, what both teams agreed each of them means, and leads moving along."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, criterion_json, filter_input
from api.leads import LeadFilter, LeadRef, LeadView, lead_id_of
from api.types import Json
from api.views import related, shown, view
from domain import ids, lifecycle
from domain.identity import Permission, User
from domain.leads import Lead
from domain.lifecycle import (
    DEFINITION_FIELDS,
    CriterionReport,
    Language,
    StageDefinition,
    StageEntry,
    StageMeaning,
)
from domain.paging import Order
from domain.stages import Side, Stage


@view(StageDefinition, description="What a stage means: words both teams agree on, and a test.")
class StageDefinitionView:
    stage: Stage = shown("The stage.")
    number: int = shown("Which version of the stage's definition, from 1.")
    words: str = shown("What it means, in words both teams agree on.")
    owner_side: Side = shown("The side that owns the stage.")
    criterion: Json = shown("What a lead must be, in the form of LeadFilter.")
    criterion_text: str = shown("The criterion as a clause of a sentence.")
    effective_at: datetime = shown(
        "From when on leads are judged by it, once both sides have signed."
    )
    proposed_at: datetime = shown("When it was proposed.")
    marketing_signed_at: datetime | None = shown("When marketing signed.")
    sales_signed_at: datetime | None = shown("When sales signed.")
    signed_at: datetime | None = shown("When the second side signed; null until then.")
    withdrawn_at: datetime | None = shown("When it was taken back or turned down, unsigned.")
    is_pending: bool = shown("Whether it waits for a signature.")
    proposed_by = related(
        "api.identity.UserView", User, by="proposed_by", description="Who proposed it."
    )
    marketing_signed_by = related(
        "api.identity.UserView",
        User,
        by="marketing_signed_by",
        description="Who signed for marketing.",
    )
    sales_signed_by = related(
        "api.identity.UserView", User, by="sales_signed_by", description="Who signed for sales."
    )


@view(StageEntry, description="One step of a lead's history.")
class StageEntryView:
    stage: Stage = shown("The stage it entered.")
    previous: Stage | None = shown("The stage it came from; null for the first.")
    entered_at: datetime = shown("When it entered the stage.")
    recorded_at: datetime = shown("When we learnt of it.")
    reason: str | None = shown("Why, where somebody said so; always when it went back.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    definition = related(
        StageDefinitionView,
        StageDefinition,
        by="definition_id",
        description="The definition then in force; null where nobody had defined the stage.",
    )
    entered_by = related(
        "api.identity.UserView",
        User,
        by="by",
        description="Whose doing it was; null if it was an integration's or an import's.",
    )


@view(StageMeaning, description="All there is to say of one stage now.")
class StageMeaningView:
    stage: Stage = shown("The stage.")
    in_force: StageDefinitionView | None = shown("The definition that leads are judged by now.")
    pending: StageDefinitionView | None = shown("A proposal that waits for a signature.")
    upcoming: list[StageDefinitionView] = shown("Signed and not yet in effect, the soonest first.")


@view(
    Language,
    name="SharedLanguage",
    description="What both teams mean by each stage: the page that both of them read.",
)
class LanguageView:
    as_of: datetime = shown("The instant it was read at.")
    stages: list[StageMeaningView] = shown("Every stage, from stranger to fan.")


@view(CriterionReport, description="Whether a lead meets a criterion, and why or why not.")
class CriterionReportView:
    matched: bool = shown("Whether it does.")
    sentences: list[str] = shown("What decided it: all that holds, or all that does not.")
    criterion_text: str = shown("The criterion as a clause of a sentence.")


StageDefinitionFilter = filter_input(DEFINITION_FIELDS)


@strawberry.type
class Queries:
    stage_definitions = collection(
        StageDefinitionView,
        StageDefinition,
        description="All definitions there ever were, signed or not, the latest proposed first.",
        default=(Order("proposed_at", descending=True),),
        fields=DEFINITION_FIELDS,
        filter=StageDefinitionFilter,
    )("stage_definitions")

    @query("One definition, or null if there is none of that id.", shows=StageDefinitionView | None)
    async def stage_definition(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Any:
        return await info.context.load(
            StageDefinition, ids.expect("StageDefinition", id, path=("id",))
        )

    @query("What each stage means to both teams, and what waits for a signature.")
    async def shared_language(self, info: Info) -> LanguageView:
        async with info.context.work() as work:
            return await lifecycle.read_language(work, info.context.actor)  # type: ignore[return-value]  # a Language

    @query(
        "Whether a lead is by now what both teams call by a stage's name, and why or why not;"
        " null if nobody has defined the stage.",
        shows=CriterionReportView | None,
    )
    async def stage_test(
        self,
        info: Info,
        lead: Annotated[LeadRef, strawberry.argument(description="The lead.")],
        stage: Annotated[Stage, strawberry.argument(description="The stage.")],
    ) -> Any:
        async with info.context.work() as work:
            lead_id = await lead_id_of(work, lead)
            return await lifecycle.judge_lead(work, info.context.actor, lead_id, stage)

    @query(
        "Whether a lead would meet a criterion that nobody has signed yet, and why or why not.",
        shows=CriterionReportView,
    )
    async def criterion_test(
        self,
        info: Info,
        lead: Annotated[LeadRef, strawberry.argument(description="The lead.")],
        criterion: Annotated[LeadFilter, strawberry.argument(description="The criterion.")],
    ) -> Any:
        async with info.context.work() as work:
            lead_id = await lead_id_of(work, lead)
            return await lifecycle.try_criterion(
                work, info.context.actor, lead_id, criterion_json(criterion)
            )


@strawberry.input(description="What a stage is to mean.")
class StageDefinitionProposeInput:
    stage: Stage = shown("The stage.")
    words: str = shown("What it means, in words both teams can agree on; at most 2,000 characters.")
    owner_side: Side = shown("The side that owns the stage.")
    criterion: LeadFilter = shown("What a lead must be; it must name at least one field.")
    effective_at: datetime | None = shown(
        "From when on; now, if left out.  In the past only while the stage has no definition.",
        default=UNSET,
    )
    side: Side | None = shown(
        "The side you sign for; only who is in teams of both needs to say.", default=UNSET
    )


@strawberry.input(description="Which proposal you agree to.")
class StageDefinitionSignInput:
    definition: strawberry.ID = shown("The proposal; it must wait for a signature.")


@strawberry.input(description="Which proposal is taken back or turned down.")
class StageDefinitionWithdrawInput:
    definition: strawberry.ID = shown("The proposal; it must wait for a signature.")


@strawberry.input(description="Which lead moves forward, and to where.")
class LeadAdvanceInput:
    lead: LeadRef = shown("The lead.")
    to: Stage = shown("The stage; beyond SAL only once sales has accepted the lead.")
    reason: str | None = shown("Why, in your words.", default=UNSET)
    at: datetime | None = shown("When it entered the stage, if earlier than now.", default=UNSET)


@strawberry.type
class Mutations:
    @mutation(
        StageDefinitionView,
        "Propose what a stage is to mean, signed by your side; it counts once the other signs.",
        needs=Permission.DEFINE_STAGES,
    )
    async def stage_definition_propose(
        self, info: Info, input: StageDefinitionProposeInput
    ) -> StageDefinition:
        async with info.context.writing() as work:
            return await lifecycle.propose_definition(
                work,
                info.context.actor,
                stage=input.stage,
                words=input.words,
                owner_side=input.owner_side,
                criterion=criterion_json(input.criterion),
                effective_at=input.effective_at or None,
                side=input.side or None,
            )

    @mutation(
        StageDefinitionView,
        "Agree to what the other side proposed.",
        needs=Permission.DEFINE_STAGES,
    )
    async def stage_definition_sign(
        self, info: Info, input: StageDefinitionSignInput
    ) -> StageDefinition:
        async with info.context.writing() as work:
            id = ids.expect("StageDefinition", input.definition, path=("definition",))
            return await lifecycle.sign_definition(work, info.context.actor, id)

    @mutation(
        StageDefinitionView,
        "Take back a proposal, or turn down the other side's, so that another can be made.",
        needs=Permission.DEFINE_STAGES,
    )
    async def stage_definition_withdraw(
        self, info: Info, input: StageDefinitionWithdrawInput
    ) -> StageDefinition:
        async with info.context.writing() as work:
            id = ids.expect("StageDefinition", input.definition, path=("definition",))
            return await lifecycle.withdraw_definition(work, info.context.actor, id)

    @mutation(
        LeadView,
        "Move a lead forward by hand; it must meet the criterion of the stage.",
        needs=Permission.EDIT_LEADS,
    )
    async def lead_advance(self, info: Info, input: LeadAdvanceInput) -> Lead:
        async with info.context.writing() as work:
            return await lifecycle.advance_lead(
                work,
                info.context.actor,
                await lead_id_of(work, input.lead, lock=True),
                to=input.to,
                at=input.at or None,
                reason=input.reason or None,
            )
