"""The predictive score: what became of the tenant's own hand-offs says what will of others."""

from __future__ import annotations

from datetime import date, datetime
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
    Comparison,
    Factor,
    LeadPrediction,
    LiftDecile,
    PredictionField,
    PredictionModel,
    PredictionStatus,
    PredictionVerdict,
    TrainingState,
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
    READY="It was trained; `inUse` says whether it predicts.",
    REFUSED="There was too little to learn from; `reason` says how much.",
    UNCHANGED="Nothing was closed or changed since another version learnt the same.",
)
enum(
    PredictionVerdict,
    "How a trained model did beside the one in use: only a better one takes its place by itself.",
    BETTER="It did better on what neither had known, and was put in use.",
    NO_BETTER="It did no better, and the other stayed in use.",
    TOO_FEW_NEW="Too few outcomes were closed after all that the other had learnt from to compare"
    " them, and it stayed in use.",
    KEPT="Somebody chose the other and had it kept.",
)


@view(LiftDecile, description="A tenth of the leads that judge a model, the most promising first.")
class LiftDecileView:
    decile: int = shown("Which tenth, from 1.")
    leads: int = shown("How many leads.")
    won: Decimal = shown(
        "How many of them were won; each of several with one chance counts as their average."
    )
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
    Comparison,
    name="PredictionComparison",
    description="Two models on outcomes that neither had known; the less its Brier score, the"
    " better.",
)
class PredictionComparisonView:
    judged: int = shown("How many outcomes.")
    brier_score: Decimal | None = shown("Of this model; null where there were none.")
    rival_brier_score: Decimal | None = shown(
        "Of the model that was in use, or of telling the average every time."
    )
    rival_number: int | None = shown("The version that was in use; null if there was none.")


@view(
    PredictionModel,
    description="One version of what outcomes taught, or an attempt to learn; one at most is in"
    " use.",
)
class PredictionModelView:
    number: int = shown("Which version, from 1.")
    fields: list[PredictionField] = shown("What it goes by.")
    status: PredictionStatus = shown("How far it has come.")
    requested_at: datetime = shown("When it was asked for.")
    month_on: date | None = shown(
        "The first day of the month for which it was trained by itself; null if asked for."
    )
    trained_at: datetime | None = shown("When it was trained, or found that it could not be.")
    won: int | None = shown("How many of the outcomes it was to learn from were won.")
    lost: int | None = shown("How many of them were lost.")
    verdict: PredictionVerdict | None = shown("How it did beside the model then in use.")
    comparison: PredictionComparisonView | None = shown("The figures of that.")
    reason: str | None = shown(
        "What came of its training then, in words: why it was put in use, or was not.  `inUse` says"
        " what predicts now."
    )
    in_use: bool = shown("Whether it predicts.")
    used_at: datetime | None = shown("When it last began to predict.")
    kept: bool = shown("Whether it predicts until somebody chooses again.")
    requested_by = related(
        "api.identity.UserView", User, by="requested_by", description="Who asked for it."
    )
    used_by = related(
        "api.identity.UserView",
        User,
        by="used_by",
        description="Who chose it; null if it did best, or was never chosen.",
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


@view(
    TrainingState,
    name="PredictionTraining",
    description="What predicts, when it learns next, and how much there is to learn from.",
)
class PredictionTrainingView:
    in_use: PredictionModelView | None = shown("The model in use; null while nothing predicts.")
    next_at: datetime | None = shown("When a model is trained next by itself.")
    won: int = shown("Hand-offs that were won so far; of the newest 20,000 outcomes.")
    lost: int = shown("Hand-offs that were lost so far; likewise.")
    least_outcomes: int = shown("How many outcomes it takes to learn.")
    least_won: int = shown("How many of them must be won at least.")
    least_lost: int = shown("How many of them must be lost at least.")


@strawberry.type
class Queries:
    prediction_models = collection(
        PredictionModelView,
        PredictionModel,
        description="Versions of what was learnt from outcomes, and attempts, the newest first.",
        default=(Order("number", descending=True),),
    )("prediction_models")

    @query("One model, or null if there is none of that id.", shows=PredictionModelView | None)
    async def prediction_model(self, info: Info, id: strawberry.ID) -> Any:
        key = ids.expect("PredictionModel", id, path=("id",))
        return await info.context.load(PredictionModel, key)

    @query(
        "What predicts, when it learns next, and how much there is to learn from.",
        shows=PredictionTrainingView,
    )
    async def prediction_training(self, info: Info) -> Any:
        async with info.context.work() as work:
            return await prediction.training_state(work, info.context.actor)


@strawberry.input(description="Which model predicts from now on.")
class PredictionModelUseInput:
    model: strawberry.ID = shown("The model; it must be READY.")
    kept: bool = shown(
        "Whether it stays until somebody chooses again, though a better one is trained.",
        default=False,
    )


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

    @mutation(
        PredictionModelView,
        "Predict by a trained model from now on, such as an older one.",
        needs=Permission.EDIT_SCORING,
    )
    async def prediction_model_use(
        self, info: Info, input: PredictionModelUseInput
    ) -> PredictionModel:
        model_id = ids.expect("PredictionModel", input.model, path=("model",))
        async with info.context.writing() as work:
            return await prediction.use_model(work, info.context.actor, model_id, kept=input.kept)
