"""Scoring models come and go: proposed, tried on leads, and activated by somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.errors import Invalid
from domain.events import ScoringModelActivated
from domain.grades import Grade
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Question, Work
from domain.scoring.models import (
    Grading,
    ScoringModel,
    ScoringModelNotProposed,
    ScoringModelStatus,
    graded,
    grading_at,
)
from domain.scoring.reading import gradings_of
from domain.scoring.rescoring import engagements, score_next
from domain.scoring.terms import ScoringTerms, checked
from domain.values import require_text

# Before the first lead: the leads beyond it are all of them.
FIRST = UUID(int=0)
MOST_SAMPLED = 1000
MOST_SHOWN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestLeads(Question[Sequence[Lead]]):
    """The leads that came in last."""

    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeShare:
    """How many leads of a sample have a grade now, and would have by a model."""

    grade: Grade
    now: int
    then: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedLead:
    """A lead whose grade a model would change."""

    lead: Lead
    now: Grade | None
    then: Grading


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPreview:
    """What a model would make of the leads that came in last."""

    model: ScoringModel
    as_of: datetime
    sampled: int
    changed: int
    grades: tuple[GradeShare, ...]
    leads: tuple[PreviewedLead, ...]


async def propose_model(
    work: Work, actor: Actor, *, name: str, terms: ScoringTerms
) -> ScoringModel:
    """Write the next version of how leads are scored.  Nothing is scored by it yet."""
    actor.require(Permission.EDIT_SCORING)
    name = require_text(name, name="The name", path=("name",), longest=100)
    versions = await work.find(ScoringModel)
    return await work.add(
        ScoringModel(
            id=new_id(),
            number=1 + max((each.number for each in versions), default=0),
            name=name,
            terms=checked(terms),
            proposed_at=work.now,
            proposed_by=actor.user_id,
        )
    )


async def activate_model(work: Work, actor: Actor, model_id: UUID) -> ScoringModel:
    """Score leads by a model from now on; most tenants' are scored at once.

    Raises:
        ScoringModelNotProposed: if it is, or was, in force already.
    """
    actor.require(Permission.EDIT_SCORING)
    models = await work.find(
        ScoringModel,
        lock=True,
        status=(ScoringModelStatus.PROPOSED.value, ScoringModelStatus.ACTIVE.value),
    )
    model = next((each for each in models if each.id == model_id), None)
    if model is None:
        model = await work.get(ScoringModel, model_id)
    if model.status is not ScoringModelStatus.PROPOSED:
        raise ScoringModelNotProposed(model)
    for old in (each for each in models if each.status is ScoringModelStatus.ACTIVE):
        await work.save(ceased(old, at=work.now))
    await work.save(
        replace(
            model,
            status=ScoringModelStatus.ACTIVE,
            activated_at=work.now,
            activated_by=actor.user_id,
            scoring_after=FIRST,
        )
    )
    work.record(ScoringModelActivated(at=work.now, by=actor.user_id, model_id=model.id))
    await score_next(work, actor)
    return await work.get(ScoringModel, model.id)


def ceased(model: ScoringModel, *, at: datetime) -> ScoringModel:
    """Return a model that nothing is scored by any more, however far it had come."""
    return replace(model, status=ScoringModelStatus.CEASED, ceased_at=at, scoring_after=None)


async def preview_model(
    work: Work, actor: Actor, model_id: UUID, *, sample: int = 200
) -> ScoringPreview:
    """Say what a model would make of the leads that came in last, and write nothing."""
    actor.require(Permission.VIEW)
    if not 1 <= sample <= MOST_SAMPLED:
        raise Invalid(f"A sample has 1 to {MOST_SAMPLED} leads.", path=("sample",))
    model = await work.get(ScoringModel, model_id)
    leads = await work.ask(NewestLeads(limit=sample))
    found = await engagements(work, model.terms, [lead.id for lead in leads], at=work.now)
    then = {
        lead.id: grading_at(model, graded(model, lead, found[lead.id], id=lead.id), work.now)
        for lead in leads
    }
    now = await gradings_of(work, [lead.id for lead in leads])
    before = {lead.id: _grade(now[lead.id]) for lead in leads}
    changed = [lead for lead in leads if before[lead.id] is not then[lead.id].grade]
    return ScoringPreview(
        model=model,
        as_of=work.now,
        sampled=len(leads),
        changed=len(changed),
        grades=_shares(before, then),
        leads=tuple(
            PreviewedLead(lead=lead, now=before[lead.id], then=then[lead.id])
            for lead in changed[:MOST_SHOWN]
        ),
    )


def _grade(grading: Grading | None) -> Grade | None:
    return None if grading is None else grading.grade


def _shares(
    before: Mapping[UUID, Grade | None], then: Mapping[UUID, Grading]
) -> tuple[GradeShare, ...]:
    now, later = Counter(before.values()), Counter(each.grade for each in then.values())
    return tuple(
        GradeShare(grade=grade, now=now[grade], then=later[grade]) for grade in reversed(Grade)
    )
