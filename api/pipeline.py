"""The pipeline: the stages that opportunities go through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation
from api.filtering import collection
from api.views import shown, view
from domain import ids, opportunities
from domain.identity import Permission
from domain.opportunities import PipelineStage
from domain.paging import Order


@view(PipelineStage, description="A stage that opportunities go through.")
class PipelineStageView:
    name: str = shown("What people call it.")
    position: int = shown("Its place in the pipeline, from 1; it says nothing once archived.")
    win_rate: Decimal = shown("The agreed share of opportunities in it that are won in the end.")
    created_at: datetime = shown("When it was made.")
    archived_at: datetime | None = shown("When it was put away; null while it is in use.")
    version: int = shown("How often it was changed.")


@strawberry.input(
    one_of=True, description="Which stage is meant: exactly one of its id and its name."
)
class PipelineStageRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    name: strawberry.Maybe[str] = shown(
        "Its name, of those in use; capitals do not matter.", default=None
    )

    def key(self, path: Sequence[str | int] = ("stage",)) -> UUID | str:
        """Return what tells the stage to the domain."""
        if self.id is not None:
            return ids.expect("PipelineStage", self.id.value, path=(*path, "id"))
        return "" if self.name is None else self.name.value


@strawberry.input(description="A new stage.")
class PipelineStageCreateInput:
    name: str = shown("What to call it; no two in use alike.")
    win_rate: Decimal = shown("The agreed share of opportunities in it that are won: 0 to 1.")
    position: int | None = shown("Its place from 1; at the end, if left out.", default=UNSET)


@strawberry.input(description="What to change about a stage.  What is left out stays as it is.")
class PipelineStageUpdateInput:
    stage: strawberry.ID = shown("Which one.")
    name: strawberry.Maybe[str] = shown("What to call it.", default=None)
    win_rate: strawberry.Maybe[Decimal] = shown("The agreed share that is won.", default=None)


@strawberry.input(description="The order that the stages are to have.")
class PipelineReorderInput:
    stages: list[strawberry.ID] = shown("Every stage in use exactly once, the first one first.")


@strawberry.input(description="Which stage is put away.")
class PipelineStageArchiveInput:
    stage: strawberry.ID = shown("Which one; not the last.")


@strawberry.type
class Queries:
    pipeline_stages = collection(
        PipelineStageView,
        PipelineStage,
        description="The stages of the pipeline in their order, those put away too.  A tenant that"
        " has none yet gets the usual four with its first opportunity or its first stage.",
        default=(Order("position"),),
    )("pipeline_stages")


def _stage_id(stage: strawberry.ID) -> UUID:
    return ids.expect("PipelineStage", stage, path=("stage",))


@strawberry.type
class Mutations:
    @mutation(PipelineStageView, "Add a stage.", needs=Permission.MANAGE_PIPELINE)
    async def pipeline_stage_create(
        self, info: Info, input: PipelineStageCreateInput
    ) -> PipelineStage:
        async with info.context.writing() as work:
            return await opportunities.create_stage(
                work,
                info.context.actor,
                name=input.name,
                win_rate=input.win_rate,
                position=None if input.position is UNSET else input.position,
            )

    @mutation(
        PipelineStageView,
        "Change a stage; forecasts follow at once.",
        needs=Permission.MANAGE_PIPELINE,
    )
    async def pipeline_stage_update(
        self, info: Info, input: PipelineStageUpdateInput
    ) -> PipelineStage:
        async with info.context.writing() as work:
            return await opportunities.update_stage(
                work,
                info.context.actor,
                _stage_id(input.stage),
                name=input.name.value if input.name else None,
                win_rate=input.win_rate.value if input.win_rate else None,
            )

    @mutation(
        PipelineStageView,
        "Put the stages in another order.",
        needs=Permission.MANAGE_PIPELINE,
        shows="stages",
        many=True,
    )
    async def pipeline_reorder(
        self, info: Info, input: PipelineReorderInput
    ) -> Sequence[PipelineStage]:
        wanted = [
            ids.expect("PipelineStage", stage, path=("stages", place))
            for place, stage in enumerate(input.stages)
        ]
        async with info.context.writing() as work:
            return await opportunities.reorder_stages(work, info.context.actor, wanted)

    @mutation(
        PipelineStageView,
        "Put a stage away: what is in it stays until it moves on, and nothing new enters.",
        needs=Permission.MANAGE_PIPELINE,
    )
    async def pipeline_stage_archive(
        self, info: Info, input: PipelineStageArchiveInput
    ) -> PipelineStage:
        async with info.context.writing() as work:
            return await opportunities.archive_stage(
                work, info.context.actor, _stage_id(input.stage)
            )
