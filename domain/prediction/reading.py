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
    predictor = Predictor(model.trained)
    reckoned: dict[tuple[object, ...], Decimal] = {}
    chances: dict[UUID, Decimal] = {}
    for lead in leads:
        known = _known_of(lead)
        if known not in reckoned:
            reckoned[known] = predictor.probability(facts_of(lead))
        chances[lead.id] = reckoned[known]
    return chances


def _known_of(lead: KnownOfLead) -> tuple[object, ...]:
    """Return all that the facts about a lead follow from."""
    return (
        *(lead.origin_source, lead.origin_medium, lead.origin_campaign, lead.country),
        *(lead.persona_id, lead.job_title, lead.company_id is None, lead.grade),
    )
