"""The predictive score: what became of the tenant's own hand-offs says what will of others."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, enum
from api.views import related, shown, view
from domain import ids, prediction
from domain.identity import Permission, User
from domain.paging import Order
from domain.prediction import (
    USUAL_FIELDS,
    Factor,
    LeadPrediction,
    LiftDecile,
    PredictionField,
    PredictionModel,
    PredictionStatus,
    Validation,
)
from domain.prediction.learning import DECILES

enum(
    PredictionField,
    "What a prediction may go by: what is known of a lead when it is handed off.",
    ORIGIN_SOURCE="Where the lead came from.",
    ORIGIN_MEDIUM="By what medium it came.",
    ORIGIN_CAMPAIGN="The campaign that brought it.",
    COUNTRY="Where it is.",
    PERSONA="The buyer persona it belongs to.",
    JOB_LEVEL="What its job title says of what it decides.",
    COMPANY="Whether its company is known.",
    FIT="How well it fits, A to C.",
    ENGAGEMENT="How much it does, 1 to 3.",
)
enum(
    PredictionStatus,
    "How far the training of a model has come.",
    QUEUED="It waits for the worker.",
    READY="It predicts, unless a newer one does.",
    REFUSED="It could not be trained after all; `reason` says why.",
)


@view(LiftDecile, description="A tenth of the leads that judge a model, the most promising first.")
class LiftDecileView:
    decile: int = shown("Which tenth, from 1.")
    leads: int = shown("How many leads.")
    won: int = shown("How many of them were won.")
    predicted_share: Decimal = shown("The share that was to be won, as predicted.")
    won_share: Decimal = shown("The share that was won.")
    lift: Decimal = shown("The won ones by those of all; 1 is no better than chance.")


@view(
    Validation,
    name="PredictionValidation",
    description="How well a model foretold the newest fifth of the outcomes, which it did not know."
    "  A Brier score is the mean squared error of the chances: the less, the better.",
)
class PredictionValidationView:
    learnt: int = shown("Outcomes learnt from: the oldest three fifths.")
    calibrated: int = shown("Outcomes that calibrated it: the next fifth.")
    judged: int = shown("Outcomes that judged it: the newest fifth.")
    judged_won: int = shown("How many of these were won.")
    brier_score: Decimal = shown("Of the chances it tells.")
    raw_brier_score: Decimal = shown("Of the chances before they were calibrated.")
    baseline_brier_score: Decimal = shown("Of telling the average every time.")
    deciles: list[LiftDecileView] = shown(
        "How often each tenth was won.", metadata={"most": DECILES}
    )


@view(
    PredictionModel, description="What a tenant's outcomes taught; the newest READY one predicts."
)
class PredictionModelView:
    number: int = shown("Which version, from 1.")
    fields: list[PredictionField] = shown("What it goes by.")
    status: PredictionStatus = shown("How far it has come.")
    requested_at: datetime = shown("When it was asked for.")
    trained_at: datetime | None = shown("When it was trained.")
    reason: str | None = shown("Why it could not be trained.")
    won: int | None = shown("How many of the outcomes it knows were won.")
    lost: int | None = shown("How many of them were lost.")
    requested_by = related(
        "api.identity.UserView", User, by="requested_by", description="Who asked for it."
    )

    @strawberry.field(description="How well it works; null until it is trained.")
    def validation(model: strawberry.Parent[Any]) -> PredictionValidationView | None:
        return None if model.trained is None else model.trained.validation


@view(
    Factor, name="PredictionFactor", description="How much one fact speaks for winning or against."
)
class PredictionFactorView:
    factor: Decimal = shown("Above 1 it speaks for winning, below 1 against it.")

    @strawberry.field(description="What is known: a persona by its id; empty where nothing is.")
    def value(factor: strawberry.Parent[Any]) -> str:
        if factor.value and factor.field == PredictionField.PERSONA:
            return ids.public("Persona", UUID(factor.value))
        return factor.value  # type: ignore[no-any-return]  # text

    @strawberry.field(description="What it is about.")
    def field(factor: strawberry.Parent[Any]) -> PredictionField:
        return PredictionField(factor.field)


@view(LeadPrediction, description="The chance of winning a lead, by what is known of it now.")
class LeadPredictionView:
    as_of: datetime = shown("The instant for which this was reckoned.")
    model = related(
        PredictionModelView,
        PredictionModel,
        by="model_id",
        description="The model that says so.",
        required=True,
    )

    @strawberry.field(description="The chance, 0 to 1, calibrated.")
    def probability(lead: strawberry.Parent[Any]) -> Decimal:
        return lead.prediction.probability  # type: ignore[no-any-return]  # Decimal

    @strawberry.field(description="The chance before it was calibrated.")
    def raw_probability(lead: strawberry.Parent[Any]) -> Decimal:
        return lead.prediction.raw_probability  # type: ignore[no-any-return]  # Decimal

    @strawberry.field(description="The chance of any lead.")
    def average(lead: strawberry.Parent[Any]) -> Decimal:
        return lead.prediction.average  # type: ignore[no-any-return]  # Decimal

    @strawberry.field(
        description="What speaks for and against it.", metadata={"most": len(PredictionField)}
    )
    def factors(lead: strawberry.Parent[Any]) -> list[PredictionFactorView]:
        return list(lead.prediction.factors)


@strawberry.type
class Queries:
    prediction_models = collection(
        PredictionModelView,
        PredictionModel,
        description="What was learnt from outcomes, the newest first.",
        default=(Order("number", descending=True),),
    )("prediction_models")

    @query("One model, or null if there is none of that id.", shows=PredictionModelView | None)
    async def prediction_model(self, info: Info, id: strawberry.ID) -> Any:
        key = ids.expect("PredictionModel", id, path=("id",))
        return await info.context.load(PredictionModel, key)


@strawberry.input(description="What to learn from.")
class PredictionModelTrainInput:
    fields: list[PredictionField] | None = shown(
        "What the model may go by; what is usual, if left out.", default=UNSET
    )


@strawberry.type
class Mutations:
    @mutation(
        PredictionModelView,
        "Learn in the background from what became of hand-offs.  Too few outcomes are refused.",
        needs=Permission.EDIT_SCORING,
    )
    async def prediction_model_train(
        self, info: Info, input: PredictionModelTrainInput
    ) -> PredictionModel:
        given = input.fields
        fields = USUAL_FIELDS if given is UNSET or given is None else tuple(given)
        async with info.context.writing() as work:
            return await prediction.request_training(work, info.context.actor, fields=fields)
