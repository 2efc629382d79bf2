"""Training a tenant's own model in the background: each month by itself, and when asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from domain.errors import Invalid
from domain.events import PredictionModelTrained, PredictionModelUsed
from domain.identity import Actor, Permission, Tenant
from domain.ids import new_id
from domain.ports import Question, Work, first
from domain.prediction.choosing import compared, in_use, out_of_use, spoken, verdict_on
from domain.prediction.facts import PredictionField
from domain.prediction.learning import (
    LEAST_LOST,
    LEAST_OUTCOMES,
    LEAST_WON,
    ClosedOutcome,
    Lesson,
    NotEnoughOutcomes,
    in_time,
    learnt_from,
    require_enough,
)
from domain.prediction.models import (
    USUAL_FIELDS,
    CurrentModel,
    PredictionModel,
    PredictionSchedule,
    PredictionStatus,
    PredictionVerdict,
)
from domain.sla.agreement import start_of_day
from domain.values import month_of

# Of the newest: enough for any share to be known well, and read in a second.
MOST_OUTCOMES = 20_000


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
class TrainingState:
    """What predicts, when it learns next, and how much there is to learn from."""

    in_use: PredictionModel | None
    next_at: datetime | None
    won: int
    lost: int
    least_outcomes: int = LEAST_OUTCOMES
    least_won: int = LEAST_WON
    least_lost: int = LEAST_LOST


async def training_state(work: Work, actor: Actor) -> TrainingState:
    """Return how the tenant's learning stands."""
    actor.require(Permission.VIEW)
    schedule = await first(work, PredictionSchedule, id=work.tenant_id)
    numbers = await work.ask(CountOutcomes(limit=MOST_OUTCOMES))
    return TrainingState(
        in_use=await work.ask(CurrentModel()),
        next_at=None if schedule is None else schedule.next_at,
        won=numbers.won,
        lost=numbers.lost,
    )


async def request_training(
    work: Work, actor: Actor, *, fields: Sequence[PredictionField] = USUAL_FIELDS
) -> PredictionModel:
    """Have a model trained in the background; one that waits already with these fields is enough.

    Raises:
        NotEnoughOutcomes: if too little has been won and lost; it says how much it takes.
        Invalid: if no field is named, or one twice.
    """
    actor.require(Permission.EDIT_SCORING)
    if not fields or len(set(fields)) < len(fields):
        raise Invalid("Name at least one field, and each once.", path=("fields",))
    numbers = await work.ask(CountOutcomes(limit=MOST_OUTCOMES))
    require_enough(won=numbers.won, lost=numbers.lost)
    for waiting in await work.find(PredictionModel, status=PredictionStatus.QUEUED):
        if set(waiting.fields) == set(fields):
            return waiting
    return await _queue(
        work,
        actor,
        PredictionModel(
            id=new_id(),
            number=0,
            fields=tuple(fields),
            requested_at=work.now,
            requested_by=actor.user_id,
        ),
    )


async def plan_training(work: Work, actor: Actor) -> PredictionModel | None:
    """Queue this month's training if it is due, and say when the next one is.

    That is at the start of a month by the tenant's own clocks, and at once for a tenant that was
    never planned for.  Whoever comes second finds it planned.  A tenant without any outcome has
    nothing to learn from, and nothing is queued.
    """
    actor.require(Permission.EDIT_SCORING)
    tenant = await first(work, Tenant, id=work.tenant_id)
    if tenant is None:
        return None
    schedule = await first(work, PredictionSchedule, lock=True, id=work.tenant_id)
    if schedule is not None and schedule.next_at > work.now:
        return None
    month = month_of(work.now, tenant.time_zone)
    next_at = start_of_day(month.end, tenant.time_zone)
    if schedule is None:
        await work.add(PredictionSchedule(id=work.tenant_id, next_at=next_at))
    else:
        await work.save(replace(schedule, next_at=next_at))
    if await first(work, PredictionModel, month_on=month.first) is not None:
        return None
    numbers = await work.ask(CountOutcomes(limit=MOST_OUTCOMES))
    if not numbers.won and not numbers.lost:
        return None
    current = await work.ask(CurrentModel())
    return await _queue(
        work,
        actor,
        PredictionModel(
            id=new_id(),
            number=0,
            fields=USUAL_FIELDS if current is None else current.fields,
            requested_at=work.now,
            month_on=month.first,
        ),
    )


async def train_next(work: Work, actor: Actor) -> bool:
    """Train the model that waits longest; say whether there was one.

    The arithmetic is done in a thread, so that nobody in the process waits for it.
    """
    actor.require(Permission.EDIT_SCORING)
    waiting = await work.find(PredictionModel, lock=True, status=PredictionStatus.QUEUED)
    if not waiting:
        return False
    outcomes = in_time(await work.ask(ClosedOutcomes(limit=MOST_OUTCOMES)))
    model = _looked_at(waiting[0], outcomes, at=work.now)
    if same := await _same_as_before(work, model):
        reason = f"Nothing has been closed or changed since version {same.number} was trained."
        await work.save(replace(model, status=PredictionStatus.UNCHANGED, reason=reason))
        return True
    try:
        lesson = await asyncio.to_thread(learnt_from, outcomes, [*map(str, model.fields)])
    except NotEnoughOutcomes as refusal:
        refused = PredictionStatus.REFUSED
        await work.save(replace(model, status=refused, reason=refusal.message))
        return True
    await _settle(work, model, lesson)
    return True


async def _settle(work: Work, model: PredictionModel, lesson: Lesson) -> None:
    """Keep what was learnt, and use it if it is better than what is in use."""
    rival = await work.ask(CurrentModel())
    comparison = await asyncio.to_thread(compared, lesson, rival)
    verdict = verdict_on(comparison, kept=rival is not None and rival.kept)
    model = replace(
        model,
        status=PredictionStatus.READY,
        trained=lesson.model,
        verdict=verdict,
        comparison=comparison,
        reason=spoken(comparison, verdict),
    )
    work.record(PredictionModelTrained(at=work.now, model_id=model.id))
    if verdict is PredictionVerdict.BETTER:
        if rival is not None:
            await work.save(out_of_use(rival))
        model = in_use(model, at=work.now, by=None, kept=False)
        work.record(PredictionModelUsed(at=work.now, model_id=model.id))
    await work.save(model)


async def _queue(work: Work, actor: Actor, model: PredictionModel) -> PredictionModel:
    versions = await work.find(PredictionModel)
    number = 1 + max((each.number for each in versions), default=0)
    return await work.add(replace(model, number=number))


async def _same_as_before(work: Work, model: PredictionModel) -> PredictionModel | None:
    """Return a version that has learnt the same about the same fields."""
    ready = await work.find(PredictionModel, status=PredictionStatus.READY, digest=model.digest)
    return ready[-1] if ready else None


def _looked_at(
    model: PredictionModel, outcomes: Sequence[ClosedOutcome], *, at: datetime
) -> PredictionModel:
    """Return a model with what it is to learn from."""
    won = sum(each.won for each in outcomes)
    return replace(
        model,
        trained_at=at,
        won=won,
        lost=len(outcomes) - won,
        known_to=outcomes[-1].closed_at if outcomes else None,
        digest=_digest(outcomes, model.fields),
    )


def _digest(outcomes: Sequence[ClosedOutcome], fields: Sequence[PredictionField]) -> str:
    """Return what tells whether outcomes say the same about the same fields."""
    names = sorted(map(str, fields))
    told = sha256(repr(names).encode())
    for each in outcomes:
        said = [each.facts.get(name) for name in names]
        told.update(repr((each.handoff_id.hex, each.won, said)).encode())
    return told.hexdigest()
