"""Prediction models as stored: versions of what outcomes taught, and which of them predicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError
from domain.ports import Question
from domain.prediction.facts import PredictionField
from domain.prediction.learning import TrainedModel

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
    """What came of a training."""

    QUEUED = "QUEUED"
    READY = "READY"
    REFUSED = "REFUSED"
    UNCHANGED = "UNCHANGED"


class PredictionVerdict(StrEnum):
    """How a trained model did beside the one in use: only a better one takes its place."""

    BETTER = "BETTER"
    NO_BETTER = "NO_BETTER"
    TOO_FEW_NEW = "TOO_FEW_NEW"
    KEPT = "KEPT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The Brier scores of a model and its rival on outcomes that neither had known.

    The rival is the model in use, or else (`rival_id` is None) telling the average every time.
    """

    rival_id: UUID | None
    rival_number: int | None
    judged: int
    brier_score: Decimal | None
    rival_brier_score: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionModel:
    """One version of what outcomes taught, or one month's attempt to learn.

    `won` and `lost` are the outcomes that were looked at, `known_to` is when the last of them was
    closed, and `digest` tells whether they were the same as before.  One at most is `in_use`; with
    `kept` no training takes its place, only somebody.  `reason` says in words what came of it.
    """

    id: UUID
    number: int
    fields: tuple[PredictionField, ...]
    requested_at: datetime
    requested_by: UUID | None = None
    month_on: date | None = None
    status: PredictionStatus = PredictionStatus.QUEUED
    trained_at: datetime | None = None
    won: int | None = None
    lost: int | None = None
    known_to: datetime | None = None
    digest: str | None = None
    trained: TrainedModel | None = None
    verdict: PredictionVerdict | None = None
    comparison: Comparison | None = None
    reason: str | None = None
    in_use: bool = False
    used_at: datetime | None = None
    used_by: UUID | None = None
    kept: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSchedule:
    """When a tenant's model is trained next by itself.  Its id is the tenant's own."""

    id: UUID
    next_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentModel(Question[PredictionModel | None]):
    """The model in use."""


class ModelNotReady(DomainError):
    """Only a model that was trained can predict."""

    code = "PREDICTION_MODEL_NOT_READY"

    def __init__(self, model: PredictionModel) -> None:
        super().__init__(
            f"Version {model.number} is {model.status}: it has learnt nothing to predict by.",
            path=("model",),
        )
