"""How leads are graded this instant: no read waits for the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.leads import Lead
from domain.ports import Work
from domain.scoring.models import (
    Grading,
    LeadGrading,
    ScoringModel,
    graded,
    grading_at,
    is_due,
)
from domain.scoring.rescoring import engagements


async def gradings_of(work: Work, lead_ids: Sequence[UUID]) -> Mapping[UUID, Grading | None]:
    """Return how leads are graded now; None for those that no model has graded.

    What is stored fades by rule.  A lead that is to be looked at, because it has touched something
    since, is reckoned from its touches.
    """
    stored = {each.lead_id: each for each in await work.find(LeadGrading, lead_id=tuple(lead_ids))}
    wanted = {each.model_id for each in stored.values()}
    models = {each.id: each for each in await work.find(ScoringModel, id=wanted)} if wanted else {}
    for model in models.values():
        stored |= await _anew(work, model, stored)
    return {
        lead_id: grading_at(models[stored[lead_id].model_id], stored[lead_id], work.now)
        if lead_id in stored
        else None
        for lead_id in lead_ids
    }


async def _anew(
    work: Work, model: ScoringModel, stored: Mapping[UUID, LeadGrading]
) -> dict[UUID, LeadGrading]:
    """Return the gradings by a model that are due as they will be stored."""
    due = [
        each.lead_id
        for each in stored.values()
        if each.model_id == model.id and is_due(each, work.now)
    ]
    if not due:
        return {}
    found = await engagements(work, model.terms, due, at=work.now)
    return {
        lead.id: graded(model, lead, found[lead.id], id=stored[lead.id].id)
        for lead in await work.find(Lead, id=due)
    }
