"""Reckoning the values once a month, and taking them into the next version of an agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from domain.events import ValuesRecalibrated
from domain.filters import Filter, parsed
from domain.identity import Actor, Permission, Tenant
from domain.ids import new_id
from domain.leads import LEAD_FIELDS
from domain.ports import Question, Work, first
from domain.sla.agreeing import commitments_of
from domain.sla.agreement import Commitment, Measure, Sla, SlaStatus, ValueRule, start_of_day
from domain.sla.recalibration.values import (
    PRIOR_WEIGHT,
    CalibratedDelivery,
    NothingCalibrated,
    ValueRecalibration,
    ValuesOutdated,
    WindowResults,
    calibrated,
    window_before,
)
from domain.sla.signing import supersede
from domain.sla.terms import CommitmentTerms, LeadValue
from domain.stages import Side
from domain.values import Money, month_of

_IN_USE = (SlaStatus.ACTIVE, SlaStatus.SIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsOfTypes(Question[WindowResults]):
    """What became of the hand-offs between two teams in a window; a lead's first type counts.

    Revenue is in `currency`, which the agreement counts in, by rates to the tenant's `own`.
    """

    marketing_team_id: UUID
    sales_team_id: UUID
    starts_at: datetime
    ends_at: datetime
    currency: str
    own: str
    time_zone: str
    types: tuple[Filter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuedDeliveries(Question[Sequence[Commitment]]):
    """The deliveries, in agreements that end after a day, that say what lead types are worth."""

    on: date


async def recalibrate(work: Work, actor: Actor) -> ValueRecalibration | None:
    """Reckon what lead types were worth, once for each month of the tenant's own calendar.

    Whoever comes second in a month, at the same instant or later, finds it done.  A month that says
    nothing of any delivery is not: a history may be imported, or a rate set, after an agreement was
    signed.  None where nothing new was found, and where no agreement in force says what lead types
    are worth.
    """
    actor.require(Permission.EDIT_SCORING)
    tenant = await work.get(Tenant, work.tenant_id)
    month_on = month_of(work.now, tenant.time_zone).first
    before = await first(work, ValueRecalibration, lock=True, month_on=month_on)
    if before is not None and before.deliveries:
        return None
    results = [
        (commitment, sla, await _results(work, sla, commitment, month_on))
        for commitment, sla in await _deliveries(work, month_on)
    ]
    if not results:
        return None
    found = [(each, calibrated(each, sla, result)) for each, sla, result in results]
    missing = [each.revenue.missing for _, _, each in results if each.revenue.missing is not None]
    starts_on, ends_on = window_before(month_on)
    return await _keep(
        work,
        before,
        ValueRecalibration(
            id=new_id(),
            month_on=month_on,
            window_starts_on=starts_on,
            window_ends_on=ends_on,
            made_at=work.now,
            prior_weight=PRIOR_WEIGHT,
            deliveries=tuple(delivery for _, delivery in found if delivery is not None),
            skipped=tuple(commitment.id for commitment, delivery in found if delivery is None),
            missing=min(missing, key=lambda each: (each.on, each.currency), default=None),
        ),
    )


async def _keep(
    work: Work, before: ValueRecalibration | None, found: ValueRecalibration
) -> ValueRecalibration | None:
    """Store a month that says something new, under the id it had; None if it does not."""
    if before is None:
        kept = await work.add(found)
    else:
        again = replace(found, id=before.id, version=before.version)
        if replace(again, made_at=before.made_at) == before:
            return None
        kept = await work.save(again)
    work.record(ValuesRecalibrated(at=work.now, recalibration_id=kept.id))
    return kept


async def take_values(
    work: Work,
    actor: Actor,
    sla_id: UUID,
    recalibration_id: UUID,
    *,
    effective_at: datetime | None = None,
    side: Side | None = None,
) -> Sla:
    """Propose the next version of an agreement with the values that were reckoned.

    Nothing else of it changes, and the other side has to sign it as any other version.  Without an
    instant it counts as soon as that is done.

    Raises:
        NothingCalibrated: if the recalibration says nothing about this agreement.
        ValuesOutdated: if a later one does.
    """
    actor.require(Permission.SIGN_AGREEMENTS)
    recalibration = await work.get(ValueRecalibration, recalibration_id)
    commitments = await commitments_of(work, sla_id)
    sla = await work.get(Sla, sla_id)
    if not recalibration.says_something_of(commitments):
        raise NothingCalibrated
    await _check_newest(work, recalibration, commitments)
    found = {each.commitment_id: each for each in recalibration.deliveries}
    changed = [_revalued(each, found.get(each.id)) for each in commitments]
    return await supersede(
        work,
        actor,
        sla_id,
        commitments=terms_from(changed, currency=sla.currency),
        effective_at=effective_at,
        side=side,
    )


async def _check_newest(
    work: Work, recalibration: ValueRecalibration, commitments: Sequence[Commitment]
) -> None:
    # One a month is kept, so all of them are few.
    months = [
        each.month_on
        for each in await work.find(ValueRecalibration)
        if each.says_something_of(commitments)
    ]
    if (newest := max(months)) > recalibration.month_on:
        raise ValuesOutdated(month_on=recalibration.month_on, newest_on=newest)


def terms_from(commitments: Sequence[Commitment], *, currency: str) -> tuple[CommitmentTerms, ...]:
    """Return the terms that would make these commitments again."""
    names = {each.id: each.name for each in commitments}
    return tuple(
        CommitmentTerms(
            kind=each.kind,
            name=each.name,
            measure=each.measure,
            target=None if each.target is None else _amount(each, each.target, currency),
            target_share=each.target_share,
            quality_floor=each.quality_floor,
            segment=each.segment,
            persona_id=each.persona_id,
            values=tuple(
                LeadValue(criterion=rule.criterion, worth=_amount(each, rule.units, currency))
                for rule in each.values
            ),
            claw_back_days=each.claw_back_days,
            within_minutes=each.within_minutes,
            working_time=each.working_time,
            attempts=each.attempts,
            warn_minutes=each.warn_minutes if each.kind.is_timed else None,
            escalation=each.escalation,
            on_reassignment=each.on_reassignment,
            weekday_weights=each.weekday_weights,
            linked_to=None if each.linked_to is None else names[each.linked_to],
        )
        for each in commitments
    )


def _amount(commitment: Commitment, units: int, currency: str) -> int | Money:
    return Money(units, currency) if commitment.measure is Measure.MONEY else units


def _revalued(commitment: Commitment, delivery: CalibratedDelivery | None) -> Commitment:
    if delivery is None:
        return commitment
    values = tuple(
        ValueRule(criterion=each.criterion, units=each.units_proposed) for each in delivery.values
    )
    return replace(commitment, values=values)


async def _deliveries(work: Work, month_on: date) -> list[tuple[Commitment, Sla]]:
    commitments = await work.ask(ValuedDeliveries(on=month_on))
    if not commitments:
        return []
    found = await work.find(Sla, id=tuple({each.sla_id for each in commitments}))
    slas = {sla.id: sla for sla in found if sla.status(work.now) in _IN_USE}
    return [(each, slas[each.sla_id]) for each in commitments if each.sla_id in slas]


async def _results(work: Work, sla: Sla, commitment: Commitment, month_on: date) -> WindowResults:
    tenant = await work.get(Tenant, work.tenant_id)
    starts_on, ends_on = window_before(month_on)
    return await work.ask(
        ResultsOfTypes(
            marketing_team_id=sla.marketing_team_id,
            sales_team_id=sla.sales_team_id,
            starts_at=start_of_day(starts_on, tenant.time_zone),
            ends_at=start_of_day(ends_on, tenant.time_zone),
            currency=sla.currency,
            own=tenant.currency,
            time_zone=tenant.time_zone,
            types=tuple(parsed(rule.criterion, LEAD_FIELDS) for rule in commitment.values),
        )
    )
