"""Who may sign what, and when it may take effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.identity import Team, TeamMember
from domain.ports import Question, Work
from domain.sla.agreement import Sla
from domain.sla.terms import OutOfRange
from domain.stages import Side
from domain.values import Period, PeriodKind, requested_period

_LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAgreements(Question[Sequence[Sla]]):
    """Signed agreements between two teams whose periods share a day with a given one."""

    marketing_team_id: UUID
    sales_team_id: UUID
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class HasJudged(Question[bool]):
    """Whether any hand-off has been counted under an agreement."""

    sla_id: UUID


class SlaOverlaps(DomainError):
    """These two teams have signed another agreement for some of these days."""

    code = "SLA_OVERLAPS"

    def __init__(self, other: Sla, *, path: Sequence[str | int]) -> None:
        super().__init__(
            f"These teams have signed {other.name!r} for {other.starts_on} to {other.ends_on}:"
            " supersede it, or choose other days.",
            path=path,
        )


class AlreadySigned(DomainError):
    """Both sides have signed."""

    code = "ALREADY_SIGNED"


class NotAProposal(DomainError):
    """Only a proposal that nobody withdrew can be signed or withdrawn."""

    code = "NOT_A_PROPOSAL"


class WrongSide(DomainError):
    """The person is in no team of the side that should sign."""

    code = "WRONG_SIDE"


class SideNeeded(Invalid):
    """The person belongs to both sides and did not say for which one this is."""

    code = "SIDE_NEEDED"


class SignedByProposer(DomainError):
    """Nobody comes to an agreement with himself or herself."""

    code = "SIGNED_BY_PROPOSER"


class NotSupersedable(DomainError):
    """Only the newest signed version has a next one, and one at a time."""

    code = "NOT_SUPERSEDABLE"


class BadEffectiveDate(Invalid):
    """An agreement takes effect within its period, and its next version not in the past."""

    code = "BAD_EFFECTIVE_DATE"


class CalendarNeeded(Invalid):
    """The sales team has no calendar and none is named."""

    code = "CALENDAR_NEEDED"


def signing_side(sides: frozenset[Side], wanted: Side | None) -> Side:
    """Return the side that a member of `sides` signs for.

    Raises:
        WrongSide: if that is none of theirs, or there is none.
        SideNeeded: if it could be either.
    """
    if wanted is not None and wanted not in sides:
        raise WrongSide(f"You are in no {wanted.lower()} team.", path=("side",))
    if not sides:
        raise WrongSide("Only members of a marketing or sales team sign agreements.")
    if wanted is None and len(sides) > 1:
        raise SideNeeded("You are in teams of both sides: name one.", path=("side",))
    return wanted or next(iter(sides))


def signed(sla: Sla, side: Side, *, by: UUID, at: datetime) -> Sla:
    """Return an agreement with one more signature."""
    if side is Side.MARKETING:
        return replace(sla, marketing_signed_by=by, marketing_signed_at=at)
    return replace(sla, sales_signed_by=by, sales_signed_at=at)


def check_countersigner(sla: Sla, *, user_id: UUID, sides: frozenset[Side]) -> Side:
    """Return the side that still has to sign, which the user may sign for."""
    if sla.withdrawn_at is not None:
        raise NotAProposal("The proposal was withdrawn.", path=("sla",))
    if sla.signed_at is not None:
        raise AlreadySigned("Both sides have signed this already.", path=("sla",))
    side = sla.proposed_side.other
    if side not in sides:
        raise WrongSide(
            f"It waits for the signature of {side.lower()}, of which you are no member.",
            path=("sla",),
        )
    if user_id == sla.proposed_by:
        raise SignedByProposer(
            "You proposed this: somebody else must sign for the other side.", path=("sla",)
        )
    return side


def period_wanted(kind: PeriodKind, starts_on: date, ends_on: date | None) -> Period:
    """Return the period that a proposal names.

    Raises:
        Invalid: as `period_of`, with the path below `period`; OutOfRange for one that is longer
            than a year, or centuries away.
    """
    return requested_period(
        kind,
        starts_on,
        ends_on,
        longest=_LONGEST_DAYS,
        too_long=f"A period has at most {_LONGEST_DAYS} days.",
        refusal=OutOfRange,
    )


def check_effective(sla: Sla) -> None:
    """Refuse an agreement that takes effect outside its own period."""
    if not sla.starts_at <= sla.effective_at < sla.ends_at:
        raise BadEffectiveDate(
            f"It must take effect within its period, from {sla.starts_on} to before {sla.ends_on}.",
            path=("effectiveAt",),
        )


def check_bands(ahead: Decimal, at_risk: Decimal) -> None:
    """Refuse bands that overlap or say nothing."""
    if not 0 <= ahead <= 1:
        raise OutOfRange("The band runs from 0 to 1.", path=("aheadBand",))
    if not 0 < at_risk <= 1:
        raise OutOfRange("The band lies above 0 and is at most 1.", path=("atRiskBand",))


async def sides_of(work: Work, user_id: UUID) -> frozenset[Side]:
    """Return the sides a user may sign for: those of his or her teams."""
    teams = tuple(member.team_id for member in await work.find(TeamMember, user_id=user_id))
    return frozenset(team.side for team in await work.find(Team, id=teams))


async def check_overlap(work: Work, sla: Sla, *, path: Sequence[str | int]) -> None:
    """Refuse an agreement for days on which these teams have signed another one."""
    others = await work.ask(
        SignedAgreements(
            marketing_team_id=sla.marketing_team_id,
            sales_team_id=sla.sales_team_id,
            period=sla.period,
        )
    )
    for other in others:
        if other.series_id != sla.series_id:
            raise SlaOverlaps(other, path=path)
