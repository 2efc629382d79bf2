"""Training a tenant's own model in the background, and predicting by the newest one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import Invalid
from domain.events import PredictionModelTrained
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Question, Work
from domain.prediction.facts import PredictionField, facts_of
from domain.prediction.learning import (
    ClosedOutcome,
    NotEnoughOutcomes,
    Prediction,
    TrainedModel,
    learnt_from,
    predict,
    require_enough,
)

# Of the newest: enough for any share to be known well, and read in a second.
MOST_OUTCOMES = 20_000
USUAL_FIELDS = (
    PredictionField.ORIGIN_SOURCE,
    PredictionField.COUNTRY,
    PredictionField.PERSONA,
    PredictionField.JOB_LEVEL,
    PredictionField.COMPANY,
    PredictionField.FIT,
    PredictionField.ENGAGEMENT,
)


class PredictionStatus(StrEnum):
    """How far the training of a model has come."""

    QUEUED = "QUEUED"
    READY = "READY"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionModel:
    """One version of what outcomes taught.  The newest that is READY predicts.

    `reason` says why it could not be trained after all.
    """

    id: UUID
    number: int
    fields: tuple[PredictionField, ...]
    requested_at: datetime
    requested_by: UUID | None = None
    status: PredictionStatus = PredictionStatus.QUEUED
    trained_at: datetime | None = None
    reason: str | None = None
    trained: TrainedModel | None = None
    version: int = 1

    @property
    def won(self) -> int | None:
        """How many of the outcomes it knows were won."""
        return None if self.trained is None else self.trained.counts.won

    @property
    def lost(self) -> int | None:
        return None if self.trained is None else self.trained.counts.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPrediction:
    """The chance of winning a lead by a model, at an instant."""

    model_id: UUID
    as_of: datetime
    prediction: Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeNumbers:
    """How many hand-offs were won and lost so far."""

    won: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedOutcomes(Question[Sequence[ClosedOutcome]]):
    """What became of the hand-offs that were closed last, with the facts kept at each."""

    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOutcomes(Question[OutcomeNumbers]):
    """How many hand-offs were won and lost."""

    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentModel(Question[PredictionModel | None]):
    """The newest model that is ready."""


async def request_training(
    work: Work, actor: Actor, *, fields: Sequence[PredictionField] = USUAL_FIELDS
) -> PredictionModel:
    """Have a model trained in the background.

    Raises:
        NotEnoughOutcomes: if too little has been won and lost; it says how much it takes.
        Invalid: if no field is named, or one twice.
    """
    actor.require(Permission.EDIT_SCORING)
    if not fields or len(set(fields)) < len(fields):
        raise Invalid("Name at least one field, and each once.", path=("fields",))
    numbers = await work.ask(CountOutcomes(limit=MOST_OUTCOMES))
    require_enough(won=numbers.won, lost=numbers.lost)
    versions = await work.find(PredictionModel)
    return await work.add(
        PredictionModel(
            id=new_id(),
            number=1 + max((each.number for each in versions), default=0),
            fields=tuple(fields),
            requested_at=work.now,
            requested_by=actor.user_id,
        )
    )


async def train_next(work: Work, actor: Actor) -> bool:
    """Train the model that waits longest; say whether there was one.

    The arithmetic is done in a thread, so that nobody in the process waits for it.
    """
    actor.require(Permission.EDIT_SCORING)
    waiting = await work.find(PredictionModel, lock=True, status=PredictionStatus.QUEUED)
    if not waiting:
        return False
    model = waiting[0]
    outcomes = await work.ask(ClosedOutcomes(limit=MOST_OUTCOMES))
    try:
        trained = await asyncio.to_thread(learnt_from, outcomes, [*map(str, model.fields)])
    except NotEnoughOutcomes as refusal:
        await work.save(
            replace(
                model,
                status=PredictionStatus.REFUSED,
                trained_at=work.now,
                reason=refusal.message,
            )
        )
        return True
    await work.save(
        replace(model, status=PredictionStatus.READY, trained_at=work.now, trained=trained)
    )
    work.record(PredictionModelTrained(at=work.now, model_id=model.id))
    return True


async def predictions_of(work: Work, leads: Sequence[Lead]) -> Mapping[UUID, LeadPrediction | None]:
    """Return each lead's chance by what is known of it now; None without a model."""
    model = await work.ask(CurrentModel())
    if model is None or model.trained is None:
        return dict.fromkeys((lead.id for lead in leads), None)
    return {
        lead.id: LeadPrediction(
            model_id=model.id,
            as_of=work.now,
            prediction=predict(model.trained, facts_of(lead)),
        )
        for lead in leads
    }
