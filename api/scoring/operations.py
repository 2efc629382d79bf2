"""Scoring models are read, proposed, tried and activated."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection
from api.scoring.inputs import ScoringModelActivateInput, ScoringModelProposeInput
from api.scoring.views import ScoringModelView, ScoringPreviewView, ScoringTermsView
from api.writing import written
from domain import ids, scoring
from domain.identity import Permission
from domain.paging import Order
from domain.scoring import PRESET, ScoringModel, ScoringPreview, ScoringTerms


@strawberry.type
class Queries:
    scoring_models = collection(
        ScoringModelView,
        ScoringModel,
        description="Versions of how leads are scored, the newest first.",
        default=(Order("number", descending=True),),
    )("scoring_models")

    @query("One scoring model, or null if there is none of that id.", shows=ScoringModelView | None)
    async def scoring_model(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(ScoringModel, ids.expect("ScoringModel", id, path=("id",)))

    @query("The terms we offer to begin with.", shows=ScoringTermsView)
    async def scoring_preset(self, info: Info) -> ScoringTerms:
        return PRESET

    @query(
        "What a scoring model would make of the leads that came in last; nothing is changed.",
        shows=ScoringPreviewView,
    )
    async def scoring_preview(
        self,
        info: Info,
        model: Annotated[strawberry.ID, strawberry.argument(description="Which model.")],
        sample: Annotated[
            int, strawberry.argument(description="How many leads to look at; at most 1000.")
        ] = 200,
    ) -> ScoringPreview:
        model_id = ids.expect("ScoringModel", model, path=("model",))
        async with info.context.work() as work:
            return await scoring.preview_model(work, info.context.actor, model_id, sample=sample)


@strawberry.type
class Mutations:
    @mutation(
        ScoringModelView,
        "Write the next version of how leads are scored.  Nothing is scored by it yet.",
        needs=Permission.EDIT_SCORING,
    )
    async def scoring_model_propose(
        self, info: Info, input: ScoringModelProposeInput
    ) -> ScoringModel:
        given = input.terms
        terms = PRESET if given is UNSET or given is None else given.terms()
        return await written(
            info,
            lambda work: scoring.propose_model(
                work, info.context.actor, name=input.name, terms=terms
            ),
        )

    @mutation(
        ScoringModelView,
        "Score leads by a model from now on; many leads are scored in the background.",
        needs=Permission.EDIT_SCORING,
    )
    async def scoring_model_activate(
        self, info: Info, input: ScoringModelActivateInput
    ) -> ScoringModel:
        model_id = ids.expect("ScoringModel", input.model, path=("model",))
        async with info.context.writing() as work:
            return await scoring.activate_model(work, info.context.actor, model_id)
