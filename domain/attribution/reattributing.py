"""Keeping credits right: computed anew for the leads something happened to, and for no others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.attribution.credits import AttributionCredit, Journey, credits_of
from domain.attribution.models import BUILT_IN_MODELS, AttributionModel
from domain.events import AttributionModelChanged
from domain.identity import Actor, Permission
from domain.ports import Question, Work
from domain.sla.keeping import LeadLocks

# What one transaction computes anew, and for which those leads wait.
BATCH = 200
# Opportunities after which everybody else in the process goes on first.
_A_TURN = 10

CreditKey = tuple[UUID, UUID, UUID]
"""The model, the opportunity and the touch of a credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCampaigns(Question[None]):
    """Let leads belong to the campaign they came from, where they do not yet.

    That is the one whose code their origin names, else that of their first human touch which has
    one.  Told as a question because it is one statement over rows that nobody needs to see.
    """

    lead_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsWithDeals(Question[tuple[UUID, ...]]):
    """Which of some leads have opportunities, by id."""

    lead_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityCount(Question[int]):
    """How many opportunities there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journeys(Question[Sequence[Journey]]):
    """The opportunities of some leads, each with the lead's human touches."""

    lead_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCredits(Question[None]):
    """Remove credits by their keys, in one statement."""

    keys: tuple[CreditKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBuiltIns(Question[None]):
    """Store the models that every tenant has, where they are not stored yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOpportunities(Question[Sequence[tuple[UUID, UUID]]]):
    """The next opportunities by id, each with its lead."""

    after: UUID
    limit: int


async def reattribute(work: Work, lead_ids: Iterable[UUID]) -> None:
    """Compute the credits of the opportunities of some leads anew, all of them together.

    To be called in the transaction that changes the touches, opportunities or campaigns of the
    leads, after the change.  Leads with opportunities are locked first, in the order of their ids
    (most callers hold them already): of two who change the same lead the second sees what the
    first did.  A fixed number of statements, and nothing is written that is right already.
    """
    ids = tuple(sorted(set(lead_ids)))
    if not ids:
        return
    await work.ask(SettleCampaigns(lead_ids=ids))
    with_deals = await work.ask(LeadsWithDeals(lead_ids=ids))
    if not with_deals:
        return
    await work.ask(LeadLocks(ids=with_deals))
    journeys = await work.ask(Journeys(lead_ids=with_deals))
    models = await _stored_models(work)
    await _store(work, journeys, await models_in_use(work, models))


async def models_in_use(
    work: Work, stored: Sequence[AttributionModel] | None = None
) -> Sequence[AttributionModel]:
    """Return all models that are not archived: the built-in ones, then the tenant's own by age.

    With a tenant that has no credits yet the built-in ones are not stored.
    """
    if stored is None:
        stored = await work.find(AttributionModel)
    own = [model for model in stored if model.built_in is None and model.archived_at is None]
    return (*BUILT_IN_MODELS, *own)


async def compute_models(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Compute models for the next opportunities that they have not seen; say if more are left.

    Each batch is a transaction of its own, and where it ended is kept with the models: whoever
    comes next goes on from there.  Of an archived model the credits are removed the same way.
    """
    actor.require(Permission.DEFINE_ATTRIBUTION)
    models = [
        model
        for model in await work.find(AttributionModel, lock=True, built_in=None)
        if model.computing_after is not None
    ]
    if not models:
        return False
    after = min(model.computing_after for model in models if model.computing_after is not None)
    found = await work.ask(NextOpportunities(after=after, limit=limit))
    await _compute(work, models, found)
    last = found[-1][0] if len(found) == limit else None
    await work.save_all(
        [
            replace(model, computing_after=last, computed_count=model.computed_count + len(found))
            for model in models
        ]
    )
    if last is None:
        for model in models:
            work.record(AttributionModelChanged(at=work.now, model_id=model.id))
    return last is not None


async def _compute(
    work: Work, models: Sequence[AttributionModel], found: Sequence[tuple[UUID, UUID]]
) -> None:
    lead_ids = tuple(sorted({lead_id for _, lead_id in found}))
    if not lead_ids:
        return
    await work.ask(LeadLocks(ids=lead_ids))
    journeys = await work.ask(Journeys(lead_ids=lead_ids))
    in_use = [model for model in models if model.archived_at is None]
    await _store(work, journeys, in_use, instead_of=models)


async def _stored_models(work: Work) -> Sequence[AttributionModel]:
    stored = await work.find(AttributionModel)
    if {model.id for model in BUILT_IN_MODELS} - {model.id for model in stored}:
        await work.ask(StoreBuiltIns())
    return stored


async def _store(
    work: Work,
    journeys: Sequence[Journey],
    models: Sequence[AttributionModel],
    *,
    instead_of: Sequence[AttributionModel] | None = None,
) -> None:
    """Store the credits that differ from what is stored, and forget those that are no more."""
    wanted: dict[CreditKey, AttributionCredit] = {}
    for place in range(0, len(journeys), _A_TURN):
        await asyncio.sleep(0)
        found = credits_of(journeys[place : place + _A_TURN], models)
        wanted.update((_key(credit), credit) for credit in found)
    kept = await work.find(
        AttributionCredit,
        model_id=sorted(model.id for model in instead_of or models),
        opportunity_id=sorted(journey.opportunity_id for journey in journeys),
    )
    stale = tuple(_key(credit) for credit in kept if wanted.get(_key(credit)) != credit)
    if stale:
        await work.ask(ForgetCredits(keys=stale))
    right = {_key(credit) for credit in kept} - set(stale)
    fresh = [credit for key, credit in wanted.items() if key not in right]
    if fresh:
        await work.add_all(fresh)


def _key(credit: AttributionCredit) -> CreditKey:
    return credit.model_id, credit.opportunity_id, credit.touch_id
