"""Proposing an agreement, or the next version of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.errors import NotFound
from domain.events import SlaProposed
from domain.handoff import WrongTeam
from domain.identity import Actor, Permission, Team, Tenant
from domain.ids import new_id
from domain.personas import Persona
from domain.ports import Question, Work, first
from domain.sla.agreeing import calendar_version_at
from domain.sla.agreement import Sla, start_of_day
from domain.sla.calendar import UnknownTimeZone, always_open, is_time_zone
from domain.sla.calendars import Calendar
from domain.sla.pacing import learn_weekday_weights
from domain.sla.signing.rules import (
    BadEffectiveDate,
    CalendarNeeded,
    HasJudged,
    NotSupersedable,
    check_bands,
    check_effective,
    check_overlap,
    period_wanted,
    sides_of,
    signed,
    signing_side,
)
from domain.sla.terms import CommitmentTerms, check_terms, commitments_from
from domain.stages import Side
from domain.values import Period, PeriodKind, require_text

_LEARNT_FROM = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A first version as somebody asks for it.

    Left out, the time zone and currency are the tenant's, the calendar is the sales team's, and
    it takes effect when its period begins.  `side` is for whom the proposer signs, if that could
    be either.
    """

    name: str
    period_kind: PeriodKind
    starts_on: date
    ends_on: date | None
    marketing_team_id: UUID
    sales_team_id: UUID
    commitments: tuple[CommitmentTerms, ...]
    time_zone: str | None = None
    calendar_id: UUID | None = None
    currency: str | None = None
    effective_at: datetime | None = None
    ahead_band: Decimal = Decimal("0.05")
    at_risk_band: Decimal = Decimal("0.90")
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOffByDay(Question[Mapping[date, int]]):
    """What was counted as delivered between two teams on each day of a period, under any SLA."""

    marketing_team_id: UUID
    sales_team_id: UUID
    period: Period


async def propose(work: Work, actor: Actor, proposal: Proposal) -> Sla:
    """Propose an agreement, and sign it for the proposer's side.

    A period of the past is accepted: histories are imported.
    """
    actor.require(Permission.SIGN_AGREEMENTS)
    user_id = actor.require_user()
    side = signing_side(await sides_of(work, user_id), proposal.side)
    tenant = await work.get(Tenant, work.tenant_id)
    period = period_wanted(proposal.period_kind, proposal.starts_on, proposal.ends_on)
    time_zone = proposal.time_zone or tenant.time_zone
    if not is_time_zone(time_zone):
        raise UnknownTimeZone(time_zone, path=("timeZone",))
    marketing = await _team(work, proposal.marketing_team_id, Side.MARKETING)
    sales = await _team(work, proposal.sales_team_id, Side.SALES)
    sla_id = new_id()
    sla = Sla(
        id=sla_id,
        series_id=sla_id,
        number=1,
        name=require_text(proposal.name, name="The name", path=("name",)),
        period_kind=proposal.period_kind,
        starts_on=period.first,
        ends_on=period.end,
        time_zone=time_zone,
        calendar_id=await _calendar(work, proposal.calendar_id, sales),
        currency=proposal.currency or tenant.currency,
        marketing_team_id=marketing.id,
        sales_team_id=sales.id,
        effective_at=proposal.effective_at or start_of_day(period.first, time_zone),
        proposed_side=side,
        proposed_by=user_id,
        proposed_at=work.now,
        ahead_band=proposal.ahead_band,
        at_risk_band=proposal.at_risk_band,
    )
    check_bands(sla.ahead_band, sla.at_risk_band)
    check_effective(sla)
    await check_overlap(work, sla, path=("period",))
    return await _store(work, actor, sla, proposal.commitments)


async def supersede(
    work: Work,
    actor: Actor,
    sla_id: UUID,
    *,
    commitments: tuple[CommitmentTerms, ...],
    effective_at: datetime | None = None,
    name: str | None = None,
    ahead_band: Decimal | None = None,
    at_risk_band: Decimal | None = None,
    side: Side | None = None,
) -> Sla:
    """Propose the next version of a signed agreement; without an instant, for when it is signed."""
    actor.require(Permission.SIGN_AGREEMENTS)
    user_id = actor.require_user()
    side = signing_side(await sides_of(work, user_id), side)
    old = await work.get(Sla, sla_id, lock=True)
    versions = await work.find(Sla, series_id=old.series_id)
    _check_supersedable(old, versions)
    if effective_at is None:
        effective_at = max(work.now, old.effective_at)
    elif effective_at < work.now and await work.ask(HasJudged(sla_id=old.id)):
        raise BadEffectiveDate(
            "The past has been judged by the version in force: name an instant to come.",
            path=("effectiveAt",),
        )
    sla = replace(
        old,
        id=new_id(),
        number=1 + max(version.number for version in versions),
        name=old.name if name is None else require_text(name, name="The name", path=("name",)),
        effective_at=effective_at,
        proposed_side=side,
        proposed_by=user_id,
        proposed_at=work.now,
        ahead_band=old.ahead_band if ahead_band is None else ahead_band,
        at_risk_band=old.at_risk_band if at_risk_band is None else at_risk_band,
        marketing_signed_by=None,
        marketing_signed_at=None,
        sales_signed_by=None,
        sales_signed_at=None,
        supersedes_id=old.id,
        version=1,
    )
    check_bands(sla.ahead_band, sla.at_risk_band)
    check_effective(sla)
    return await _store(work, actor, sla, commitments)


def _check_supersedable(old: Sla, versions: Sequence[Sla]) -> None:
    if old.signed_at is None:
        raise NotSupersedable("Only a signed agreement has a next version.", path=("sla",))
    if old.ceased_at is not None:
        raise NotSupersedable("A newer version is signed already: supersede that.", path=("sla",))
    if any(each.signed_at is None and each.withdrawn_at is None for each in versions):
        raise NotSupersedable(
            "The next version is proposed already: withdraw it first.", path=("sla",)
        )


async def _store(work: Work, actor: Actor, sla: Sla, terms: tuple[CommitmentTerms, ...]) -> Sla:
    check_terms(terms, currency=sla.currency)
    await _check_personas(work, terms)
    learned = None
    if any(each.learn_weekdays for each in terms):
        learned = await _learned_weights(work, sla)
    sla = signed(sla, sla.proposed_side, by=sla.proposed_by, at=work.now)
    await work.add(sla)
    await work.add_all(
        commitments_from(terms, sla_id=sla.id, ids=[new_id() for _ in terms], learned=learned)
    )
    work.record(SlaProposed(at=work.now, by=actor.user_id, sla_id=sla.id))
    return sla


async def _team(work: Work, team_id: UUID, side: Side) -> Team:
    path = (f"{side.lower()}Team",)
    team = await first(work, Team, id=team_id)
    if team is None:
        raise NotFound("team", path=path)
    if team.side is not side:
        raise WrongTeam(f"{team.name} is no {side.lower()} team.", path=path)
    return team


async def _calendar(work: Work, calendar_id: UUID | None, sales: Team) -> UUID:
    if calendar_id is None:
        if sales.calendar_id is None:
            raise CalendarNeeded(f"{sales.name} has no calendar: name one.", path=("calendar",))
        return sales.calendar_id
    if await first(work, Calendar, id=calendar_id) is None:
        raise NotFound("calendar", path=("calendar",))
    return calendar_id


async def _check_personas(work: Work, terms: Sequence[CommitmentTerms]) -> None:
    wanted = {each.persona_id for each in terms if each.persona_id is not None}
    known = {persona.id for persona in await work.find(Persona, id=wanted)} if wanted else set()
    for n, each in enumerate(terms):
        if each.persona_id is not None and each.persona_id not in known:
            raise NotFound("persona", path=("commitments", n, each.kind.lower(), "persona"))


async def _learned_weights(work: Work, sla: Sla) -> tuple[Decimal, ...]:
    """Return how the weekdays of the 90 days before the period, or before today, differ."""
    hours = (await calendar_version_at(work, sla.calendar_id, work.now)).hours
    until = min(sla.starts_on, always_open(sla.time_zone).local_day(work.now))
    counts = await work.ask(
        HandedOffByDay(
            marketing_team_id=sla.marketing_team_id,
            sales_team_id=sla.sales_team_id,
            period=Period(until - _LEARNT_FROM, until),
        )
    )
    return learn_weekday_weights(counts, hours)
