"""What is shown of an agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import strawberry
from strawberry import UNSET

import api.sla.enums  # noqa: F401  # declares the enums
from api.context import Info
from api.types import Currency, Json, MoneyView, TimeZone
from api.views import PAGE_ARGUMENTS, connection, page_of, related, shown, view
from domain.filters import describe, parse
from domain.identity import Team, User
from domain.leads import LEAD_FIELDS
from domain.paging import Listing, Order
from domain.personas import Persona
from domain.sla.agreement import (
    Commitment,
    CommitmentKind,
    LadderStep,
    Measure,
    Reassignment,
    Signature,
    Sla,
    SlaStatus,
    minutes,
)
from domain.sla.calendars import Calendar
from domain.sla.clock import EscalationAction
from domain.sla.lead_value import LeadTypeValue
from domain.stages import Side
from domain.values import PeriodKind, minor_digits

_PARENT: Any = strawberry.Parent
_DELIVERY = frozenset({CommitmentKind.DELIVERY})
_TIMED = frozenset(kind for kind in CommitmentKind if kind.is_timed)


@view(Signature, name="SlaSignature", description="A signature for one side.")
class SignatureView:
    side: Side = shown("For which side.")
    signed_at: datetime = shown("When.")
    user = related("api.identity.UserView", User, by="signed_by", description="Who signed.")


@view(LadderStep, name="EscalationStep", description="A step of an escalation ladder.")
class LadderStepView:
    action: EscalationAction = shown("What is done.")

    @strawberry.field(description="After how much time on the clock.")
    def after(step: strawberry.Parent[LadderStep]) -> timedelta:
        return minutes(step.after_minutes)


class ValuedRule(NamedTuple):
    """A rule of value, with its worth in the unit that people use."""

    criterion: Mapping[str, Any]
    worth: Decimal


@strawberry.type(name="LeadValue", description="What a type of lead is worth.")
class LeadValueView:
    criterion: Json = shown("Which leads, in the form of LeadFilter; {} is all others.")
    worth: Decimal = shown("What one is worth: points, or money in the agreement's currency.")

    @strawberry.field(description="Which leads, in words.")
    def criterion_text(rule: strawberry.Parent[ValuedRule]) -> str:
        return _in_words(rule.criterion)


def _term(name: str, hint: Any, kinds: frozenset[CommitmentKind], description: str) -> Any:
    """Declare a field that only some kinds of commitment have; others show null."""

    def resolve(commitment: Any) -> Any:
        return getattr(commitment, name) if commitment.kind in kinds else None

    resolve.__annotations__ = {"commitment": _PARENT[Any], "return": hint | None}
    return strawberry.field(resolver=resolve, description=description)


@view(Commitment, description="One promise of an agreement.  Terms it does not have are null.")
class CommitmentView:
    kind: CommitmentKind = shown("What is promised.")
    side: Side = shown("Who promises it.")
    name: str = shown("What people call it.")
    position: int = shown("Its place in the agreement, from 0.")
    measure = _term("measure", Measure, _DELIVERY, "What a delivery is counted in.")
    target_share: Decimal | None = shown("Which share is to be kept in time, or covered.")
    quality_floor: Decimal | None = shown("The least share of the delivery that sales accepts.")
    segment: Json | None = shown("Which leads count, in the form of LeadFilter; null is all.")
    claw_back_days = _term(
        "claw_back_days",
        int,
        _DELIVERY,
        "Within how many days a rejection takes a lead off the delivery; 0 is never.",
    )
    working_time = _term(
        "working_time", bool, _TIMED, "Whether only the calendar's open time counts."
    )
    attempts = _term("attempts", int, _TIMED, "How many touches are promised.")
    on_reassignment = _term(
        "on_reassignment", Reassignment, _TIMED, "What a new owner means for a running clock."
    )
    escalation: list[LadderStepView] = shown("What is done when nobody keeps it, in order.")
    weekday_weights: list[Decimal] | None = shown(
        "How much is expected from Monday to Sunday, 1 being an average day; null is even."
    )
    persona = related(
        "api.personas.PersonaView",
        Persona,
        by="persona_id",
        description="The persona whose leads count; null is any.",
    )
    linked_to = related(
        "api.sla.CommitmentView",
        Commitment,
        by="linked_to",
        description="The promise of the other side with which the share owed scales.",
    )
    sla = related("api.sla.SlaView", Sla, by="sla_id", description="The agreement it is part of.")

    @strawberry.field(
        description="How much is to be delivered: leads, points, or money in the agreement's"
        " currency."
    )
    async def target(commitment: strawberry.Parent[Commitment], info: Info) -> Decimal | None:
        if commitment.target is None:
            return None
        return await _amount(info, commitment, commitment.target)

    @strawberry.field(
        description="What leads are worth, where points or money count.  The first that matches"
        " counts, and a lead that none matches does not.",
        graphql_type=list[LeadValueView],
    )
    async def values(commitment: strawberry.Parent[Commitment], info: Info) -> list[ValuedRule]:
        return [
            ValuedRule(rule.criterion, await _amount(info, commitment, rule.units))
            for rule in commitment.values
        ]

    @strawberry.field(description="Which leads count, in words; null is all.")
    def segment_text(commitment: strawberry.Parent[Commitment]) -> str | None:
        return None if commitment.segment is None else _in_words(commitment.segment)

    @strawberry.field(description="Within which time.")
    def within(commitment: strawberry.Parent[Commitment]) -> timedelta | None:
        if commitment.within_minutes is None:
            return None
        return minutes(commitment.within_minutes)

    @strawberry.field(description="How long before it is due a warning comes, the earliest first.")
    def warn_before(commitment: strawberry.Parent[Commitment]) -> list[timedelta]:
        return [minutes(before) for before in commitment.warn_minutes]


def _versions() -> Any:
    def resolve(
        sla: Any,
        info: Info,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
    ) -> Any:
        page = page_of(first, after, last, before)
        listing = Listing(kind=Sla, order=(Order("number"),), page=page)
        return info.context.load_listing("series_id", sla.series_id, listing)

    resolve.__annotations__ = {
        "sla": _PARENT[Any],
        "info": Info,
        **PAGE_ARGUMENTS,
        "return": connection("api.sla.SlaView"),
    }
    return strawberry.field(
        resolver=resolve, description="All versions of this agreement, the oldest first."
    )


@view(Sla, description="One version of an agreement between marketing and sales for one period.")
class SlaView:
    name: str = shown("What people call it.")
    number: int = shown("Which version of its series it is, from 1.")
    period_kind: PeriodKind = shown("How long it runs.")
    starts_on: date = shown("The first day of its period.")
    ends_on: date = shown("The day after the last one of its period.")
    starts_at: datetime = shown("When its period begins.")
    ends_at: datetime = shown("When its period is over.")
    time_zone: TimeZone = shown("Whose days are counted.")
    currency: Currency = shown("In which currency money is counted.")
    effective_at: datetime = shown("From when on it counts, once both sides have signed.")
    ceased_at: datetime | None = shown("When the next version took its place.")
    proposed_side: Side = shown("Which side proposed it.")
    proposed_at: datetime = shown("When it was proposed.")
    signed_at: datetime | None = shown("When the second side signed.")
    withdrawn_at: datetime | None = shown("When the proposal was withdrawn.")
    signatures: list[SignatureView] = shown("The signatures so far, the proposer's first.")
    ahead_band: Decimal = shown("How much more than expected is AHEAD, as a share.")
    at_risk_band: Decimal = shown("Below which share of the target a projection is BEHIND.")
    version: int = shown("How often it was changed.")
    calendar = related(
        "api.calendars.CalendarView",
        Calendar,
        by="calendar_id",
        description="The calendar its working time goes by.",
    )
    marketing_team = related(
        "api.identity.TeamView",
        Team,
        by="marketing_team_id",
        description="The team that promises to deliver.",
    )
    sales_team = related(
        "api.identity.TeamView",
        Team,
        by="sales_team_id",
        description="The team that promises to work what is delivered.",
    )
    proposed_by = related(
        "api.identity.UserView", User, by="proposed_by", description="Who proposed it."
    )
    supersedes = related(
        "api.sla.SlaView",
        Sla,
        by="supersedes_id",
        description="The version whose place it takes.",
    )

    @strawberry.field(description="How it stands now.")
    async def status(sla: strawberry.Parent[Sla], info: Info) -> SlaStatus:
        status: SlaStatus = await info.context.load_with("SLA status", _statuses, sla)
        return status

    @strawberry.field(
        description="What both sides promise, in order.", graphql_type=list[CommitmentView]
    )
    async def commitments(sla: strawberry.Parent[Sla], info: Info) -> Sequence[Commitment]:
        found: Sequence[Commitment] = await info.context.load_with(
            "commitments", _commitments, sla.id
        )
        return found

    versions = _versions()


@view(LeadTypeValue, description="What a type of lead is worth.")
class LeadTypeValueView:
    value: MoneyView = shown("What one lead is worth: close rate times average revenue.")
    # No Int, which ends at 2,147,483,647.
    leads_for_quota: Decimal | None = shown("How many of them bring the quota; null without one.")


async def _statuses(work: Any, slas: Sequence[Sla]) -> list[SlaStatus]:
    return [sla.status(work.now) for sla in slas]


async def _commitments(work: Any, sla_ids: Sequence[UUID]) -> list[list[Commitment]]:
    found = await work.find(Commitment, sla_id=tuple(sla_ids))
    ordered = sorted(found, key=lambda commitment: commitment.position)
    return [[each for each in ordered if each.sla_id == sla_id] for sla_id in sla_ids]


async def _amount(info: Info, commitment: Commitment, units: int) -> Decimal:
    """Return an amount as people write it: minor units of money in units of the currency."""
    if commitment.measure is not Measure.MONEY:
        return Decimal(units)
    sla: Sla = await info.context.load(Sla, commitment.sla_id)
    return Decimal(units).scaleb(-minor_digits(sla.currency))


def _in_words(criterion: Mapping[str, Any]) -> str:
    return describe(parse(criterion, LEAD_FIELDS))
