"""Which efforts are fruitful: what came of the leads each brought, beside what sales says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

from domain.errors import Invalid
from domain.identity import Actor, Permission, Tenant
from domain.ports import Question, Work
from domain.ratings import RatingSummary, StarsGiven, summary
from domain.values import Money

MOST_EFFORTS = 100
_SHARE = Decimal("0.0001")


class EffortKind(StrEnum):
    """What efforts are told apart by."""

    CAMPAIGN = "CAMPAIGN"
    ORIGIN = "ORIGIN"


class EffortFigure(StrEnum):
    """A figure by which efforts are ordered."""

    HANDED_OFF = "HANDED_OFF"
    ACCEPTED_SHARE = "ACCEPTED_SHARE"
    FEEDBACK_SHARE = "FEEDBACK_SHARE"
    WON = "WON"
    REVENUE = "REVENUE"
    CAMPAIGN_RATING = "CAMPAIGN_RATING"
    LEAD_RATING = "LEAD_RATING"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortCounts:
    """What was counted of one effort; `revenue` is in the currency asked for, in minor units."""

    key: str | None
    handed_off: int
    with_feedback: int
    decided: int
    accepted: int
    won: int
    revenue: int
    lead_stars: StarsGiven
    campaign_id: UUID | None
    campaign_stars: StarsGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What came of one campaign, or of what came from one origin.

    `accepted_share` is of the hand-offs that sales has answered, `feedback_share` of all that were
    made: those of which marketing has heard anything.  `revenue` is in the tenant's currency, each
    deal by the rate of the day it was closed on.
    """

    key: str | None
    campaign_id: UUID | None
    handed_off: int
    accepted: int
    accepted_share: Decimal | None
    feedback_share: Decimal | None
    won: int
    revenue: Money
    campaign_rating: RatingSummary | None
    lead_rating: RatingSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class CountEfforts(Question[Sequence[EffortCounts]]):
    """What was counted of efforts, by hand-offs made in a time; at most so many, the best first.

    Raises RateMissing, because without a rate nobody can say which come first.
    """

    by: EffortKind
    currency: str
    time_zone: str
    since: datetime | None
    until: datetime | None
    order: EffortFigure
    descending: bool
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StarsOfAll(Question[tuple[StarsGiven, StarsGiven]]):
    """All stars of the tenant: for campaigns, and for leads."""


async def fruitful_efforts(
    work: Work,
    actor: Actor,
    *,
    by: EffortKind,
    since: datetime | None = None,
    until: datetime | None = None,
    order: EffortFigure = EffortFigure.REVENUE,
    descending: bool = True,
    limit: int = 25,
) -> list[Effort]:
    """Return what came of each effort, ordered by a figure; two statements beside the tenant's.

    Raises:
        RateMissing: if something was won in a currency that has no rate for that day.
    """
    actor.require(Permission.VIEW)
    if not 1 <= limit <= MOST_EFFORTS:
        raise Invalid(f"`first` must be from 1 to {MOST_EFFORTS}.", path=("first",))
    if since is not None and until is not None and until <= since:
        raise Invalid("This ends before it starts.", path=("until",))
    tenant = await work.get(Tenant, work.tenant_id)
    counted = await work.ask(
        CountEfforts(
            by=by,
            currency=tenant.currency,
            time_zone=tenant.time_zone,
            since=since,
            until=until,
            order=order,
            descending=descending,
            limit=limit,
        )
    )
    campaigns, leads = await work.ask(StarsOfAll())
    return [effort_of(c, tenant.currency, campaigns=campaigns, leads=leads) for c in counted]


def effort_of(
    counts: EffortCounts, currency: str, *, campaigns: StarsGiven, leads: StarsGiven
) -> Effort:
    """Return an effort's figures; `campaigns` and `leads` are all ratings of the tenant."""
    rated = None if counts.campaign_id is None else summary(counts.campaign_stars, campaigns)
    return Effort(
        key=counts.key,
        campaign_id=counts.campaign_id,
        handed_off=counts.handed_off,
        accepted=counts.accepted,
        accepted_share=share_of(counts.accepted, counts.decided),
        feedback_share=share_of(counts.with_feedback, counts.handed_off),
        won=counts.won,
        revenue=Money(counts.revenue, currency),
        campaign_rating=rated,
        lead_rating=summary(counts.lead_stars, leads),
    )


def share_of(part: int, whole: int) -> Decimal | None:
    """Return a share to four places; None of nothing."""
    return (Decimal(part) / whole).quantize(_SHARE, ROUND_HALF_UP) if whole else None
