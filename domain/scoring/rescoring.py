"""Scoring leads: those that something happened to, those whose time has come, and all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.drafts import Draft
from domain.events import LeadGraded
from domain.filters import Filter, parsed
from domain.identity import Actor, Permission, system
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import StageEntry, promote
from domain.ports import Question, Work, first
from domain.scoring.models import (
    LeadGrading,
    ScoringModel,
    ScoringModelStatus,
    engagement_of,
    graded,
    is_due,
)
from domain.scoring.points import Engagement, engagement_at, no_engagement
from domain.scoring.terms import ScoringTerms
from domain.scoring.touched import SCORED_TOUCH_FIELDS
from domain.stages import Stage

# What one transaction scores anew: half a second's work, for which those leads wait.
BATCH = 250
# So few leads that nobody else in the process waits long for their arithmetic.
_LEADS_A_TURN = 25
# By then every lead that came in while a model was being activated can be seen.
_LATECOMERS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchRule:
    """A rule of engagement, ready to be held against touches."""

    filter: Filter
    points: int
    half_life_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementSums(Question[Mapping[UUID, Engagement]]):
    """What the touches of some leads give at an instant by each rule; all of these leads."""

    lead_ids: tuple[UUID, ...]
    rules: tuple[TouchRule, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueGradings(Question[Sequence[UUID]]):
    """The leads that are to be looked at by now, the longest due first; their leads locked."""

    before: datetime
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDue(Question[int]):
    """Have the gradings of some leads looked at again; answers how many there were.

    It changes rows, and locks them in one order with everybody else.
    """

    lead_ids: tuple[UUID, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsAfter(Question[Sequence[UUID]]):
    """The next leads by id."""

    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLeadsAfter(Question[int]):
    """How many leads there are beyond an id."""

    after: UUID


async def active_model(work: Work) -> ScoringModel | None:
    """Return the model that leads are scored by."""
    return await first(work, ScoringModel, status=ScoringModelStatus.ACTIVE)


async def rescore(work: Work, lead_ids: Sequence[UUID], *, promoting: bool = True) -> None:
    """Score some leads by their touches and by who they are; only these.

    To be called in the transaction that has changed leads by other ways than the intake, such as
    by merging them; what a draft keeps must have been flushed.  The leads are locked, in the order
    of their ids, before the model is read: so none is left with the grade of a model that ceased
    meanwhile.  A lead that meets the criterion of the next stage by what it got enters it, unless
    the caller has only told anew what was known: then not `promoting`.
    """
    if not lead_ids:
        return
    leads = await work.find(Lead, lock=True, id=tuple(dict.fromkeys(lead_ids)))
    model = await active_model(work)
    if model is None or not leads:
        return
    await _score(work, model, leads, promoting=promoting)


async def rescore_soon(work: Work, lead_ids: Sequence[UUID]) -> None:
    """Have some leads scored anew by the worker, within seconds; reads do not wait for it.

    For whoever stores touches: it takes no lock on the leads, which must be taken before those on
    visitors, and costs the same however many touches the leads have.
    """
    if lead_ids:
        await work.ask(MarkDue(lead_ids=tuple(dict.fromkeys(lead_ids)), at=work.now))


async def scored_draft(draft: Draft, lead: Lead) -> Lead:
    """Return a lead of the intake with its grade by who it is now, kept with it in the draft.

    What it touched is what it was; no statement is made for a lead that the draft has read ahead.
    """
    model = await active_model(draft)
    if model is None:
        return lead
    known = await first(draft, LeadGrading, lock=True, lead_id=lead.id)
    if known is None or known.model_id != model.id:
        engagement = no_engagement(model.terms, at=draft.now)
    else:
        engagement = engagement_at(model.terms, engagement_of(known), draft.now)
    if known is None:
        grading = await draft.add(graded(model, lead, engagement, id=new_id()))
    else:
        grading = graded(model, lead, engagement, id=known.id, version=known.version)
        if known.model_id != model.id or is_due(known, draft.now):
            # Its touches have not been held against this model yet: the worker does it at once.
            grading = replace(grading, changes_at=draft.now)
        await draft.save(grading)
    return _told(lead, grading)


async def read_gradings_ahead(draft: Draft, lead_ids: Sequence[UUID]) -> None:
    """Read what leads of a draft got so far, if there is a model at all."""
    if lead_ids and await active_model(draft) is not None:
        await draft.read_ahead(LeadGrading, lock=True, lead_id=lead_ids)


async def sweep_gradings(work: Work, actor: Actor, *, limit: int = BATCH) -> int:
    """Score the leads whose engagement has faded so far that it shows; return how many."""
    actor.require(Permission.EDIT_SCORING)
    due = await work.ask(DueGradings(before=work.now, limit=limit))
    await rescore(work, due)
    return len(due)


async def score_next(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Score the next leads that wait for it since a model was activated; say whether to go on.

    Each batch is a transaction of its own, and what is done is kept with the model: whoever comes
    next goes on from there, so that a stopped process loses nothing.
    """
    actor.require(Permission.EDIT_SCORING)
    model = await first(work, ScoringModel, lock=True, status=ScoringModelStatus.ACTIVE)
    if model is None or model.scoring_after is None:
        return False
    lead_ids = await work.ask(LeadsAfter(after=model.scoring_after, limit=limit))
    await rescore(work, lead_ids)
    more = len(lead_ids) == limit
    after: UUID | None = lead_ids[-1] if lead_ids else model.scoring_after
    if not more and model.activated_at is not None:
        after = after if work.now - model.activated_at < _LATECOMERS else None
    if lead_ids or after is None:
        await work.save(replace(model, scoring_after=after, scored=model.scored + len(lead_ids)))
    return more


async def waiting_for(work: Work, scoring_after: Sequence[UUID | None]) -> Sequence[int]:
    """Return how many leads still wait to be scored anew, by how far some models have come."""
    return [
        0 if after is None else await work.ask(CountLeadsAfter(after=after))
        for after in scoring_after
    ]


async def engagements(
    work: Work, terms: ScoringTerms, lead_ids: Sequence[UUID], *, at: datetime
) -> Mapping[UUID, Engagement]:
    """Return what the touches of leads give at an instant."""
    rules = tuple(
        TouchRule(
            filter=parsed(rule.criterion, SCORED_TOUCH_FIELDS),
            points=rule.points,
            half_life_days=half_life,
        )
        for rule, half_life in zip(terms.engagement_rules, terms.half_lives, strict=True)
    )
    return await work.ask(EngagementSums(lead_ids=tuple(lead_ids), rules=rules, at=at))


async def _score(
    work: Work, model: ScoringModel, leads: Sequence[Lead], *, promoting: bool
) -> None:
    ids = [lead.id for lead in leads]
    # Locked before the touches are read: whoever has just stored some is waited for.
    stored = await work.find(LeadGrading, lock=True, lead_id=ids)
    known = {each.lead_id: each for each in stored}
    found = await engagements(work, model.terms, ids, at=work.now)
    new, changed, told = [], [], []
    for n, lead in enumerate(leads):
        if n % _LEADS_A_TURN == 0:
            await asyncio.sleep(0)
        old = known.get(lead.id)
        if old is None:
            grading = graded(model, lead, found[lead.id], id=new_id())
            new.append(grading)
        else:
            grading = graded(model, lead, found[lead.id], id=old.id, version=old.version)
            changed.append(grading)
        if (graded_anew := _told(lead, grading)) != lead:
            told.append((lead, replace(graded_anew, derived=lead.derived + 1)))
    await work.add_all(new)
    if changed:
        await work.save_all(changed)
    await _tell(work, told, promoting=promoting)


async def _tell(work: Work, told: Sequence[tuple[Lead, Lead]], *, promoting: bool) -> None:
    """Write the leads whose figures are others now, say which were graded, and move them on."""
    draft = Draft(work)
    rising = [lead.id for lead, _ in told if promoting and lead.stage.rank < Stage.MQL.rank]
    await draft.read_ahead(StageEntry, lead_id=rising)
    for before, after in told:
        lead = await draft.save(after)
        if before.grade is not after.grade and after.grade is not None:
            draft.record(LeadGraded(at=draft.now, lead_id=lead.id, grade=after.grade))
        if promoting and lead.stage.rank < Stage.MQL.rank:
            await promote(draft, system(draft.tenant_id), lead, at=draft.now, was=before)
    await draft.flush()


def _told(lead: Lead, grading: LeadGrading) -> Lead:
    return replace(lead, fit=grading.fit, engagement=grading.engagement, grade=grading.grade)
