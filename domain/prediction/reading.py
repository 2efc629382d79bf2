"""The chances of leads by the model in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.leads import Lead
from domain.ports import Work
from domain.prediction.facts import KnownOfLead, facts_of
from domain.prediction.learning import Prediction, Predictor
from domain.prediction.models import CurrentModel


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPrediction:
    """The chance of winning a lead by a model, at an instant."""

    model_id: UUID
    as_of: datetime
    prediction: Prediction


async def predictions_of(work: Work, leads: Sequence[Lead]) -> Mapping[UUID, LeadPrediction | None]:
    """Return each lead's chance by what is known of it now; None without a model."""
    model = await work.ask(CurrentModel())
    if model is None or model.trained is None:
        return dict.fromkeys((lead.id for lead in leads), None)
    predictor = Predictor(model.trained)
    return {
        lead.id: LeadPrediction(
            model_id=model.id,
            as_of=work.now,
            prediction=predictor.predict(facts_of(lead)),
        )
        for lead in leads
    }


async def chances_of(work: Work, leads: Sequence[KnownOfLead]) -> Mapping[UUID, Decimal] | None:
    """Return each lead's chance and nothing else; None without a model.

    For thousands of leads: those of which the same is known are reckoned once.
    """
    model = await work.ask(CurrentModel())
    if model is None or model.trained is None:
        return None
    predictor, fields = Predictor(model.trained), [str(field) for field in model.fields]
    reckoned: dict[tuple[str | None, ...], Decimal] = {}
    chances: dict[UUID, Decimal] = {}
    for lead in leads:
        facts = facts_of(lead)
        key = tuple(facts.get(field) for field in fields)
        if key not in reckoned:
            reckoned[key] = predictor.probability(facts)
        chances[lead.id] = reckoned[key]
    return chances
