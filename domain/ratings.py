"""Ratings: how good sales found a campaign, or the leads it got from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from domain.campaigns import Campaign
from domain.errors import DomainError, Invalid, NotFound
from domain.events import RatingGiven
from domain.filters import FieldType, FilterField, FilterFields
from domain.handoff import Handoff, newest
from domain.identity import Actor, Permission, Team, TeamMember
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Question, Work, first
from domain.sla import keeping
from domain.stages import Side
from domain.values import limited_text

STARS = range(1, 6)
_LONGEST_COMMENT = 2000
# So many ratings at the tenant's mean are added to those there are: a single one moves little.
PRIOR_WEIGHT = 5
# What is believed where nobody in the tenant has rated anything.
_MIDDLE = Decimal(3)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One to five stars of one user, for a campaign or for the lead of a hand-off."""

    id: UUID
    user_id: UUID
    stars: int
    given_at: datetime
    updated_at: datetime
    campaign_id: UUID | None = None
    handoff_id: UUID | None = None
    comment: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSummary:
    """What several ratings come to.  `shrunk` leans towards the mean of all where there are few."""

    count: int
    average: Decimal | None
    shrunk: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StarsGiven:
    """How many ratings there are, and the sum of their stars."""

    count: int = 0
    stars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StarsOf(Question[Mapping[UUID | None, StarsGiven]]):
    """The stars of some campaigns; under None those of all campaigns."""

    campaign_ids: tuple[UUID, ...]


class OnlySalesRates(DomainError):
    """Campaigns are rated by those who work with what comes of them."""

    code = "ONLY_SALES_RATES"

    def __init__(self) -> None:
        super().__init__("Only members of a sales team rate campaigns.", path=("of", "campaign"))


class NotYoursToRate(DomainError):
    """A lead is rated by the team it was handed to."""

    code = "NOT_YOURS_TO_RATE"

    def __init__(self) -> None:
        super().__init__("This lead was never handed to a team of yours.", path=("of", "lead"))


async def rate_campaign(
    work: Work, actor: Actor, campaign_id: UUID, *, stars: int, comment: str | None = None
) -> Rating:
    """Say how good a campaign is, as one of sales; a second time replaces the first."""
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    await _locked(work, Campaign, campaign_id, "campaign")
    teams = tuple(member.team_id for member in await work.find(TeamMember, user_id=by))
    if not any(team.side is Side.SALES for team in await work.find(Team, id=teams)):
        raise OnlySalesRates
    known = await first(work, Rating, user_id=by, campaign_id=campaign_id)
    return await _give(work, known, by=by, stars=stars, comment=comment, campaign_id=campaign_id)


async def rate_lead(
    work: Work, actor: Actor, lead_id: UUID, *, stars: int, comment: str | None = None
) -> Rating:
    """Say how good a lead was, as one who got it: its last hand-off to a team of one's own.

    That is feedback, and keeps the promise of it.
    """
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    await _locked(work, Lead, lead_id, "lead")
    teams = {member.team_id for member in await work.find(TeamMember, user_id=by)}
    handoffs = await work.find(Handoff, lead_id=lead_id)
    mine = [each for each in handoffs if each.to_team_id in teams or each.owner_id == by]
    handoff = newest(mine)
    if handoff is None:
        raise NotYoursToRate
    known = await first(work, Rating, user_id=by, handoff_id=handoff.id)
    rating = await _give(work, known, by=by, stars=stars, comment=comment, handoff_id=handoff.id)
    await keeping.fed_back(work, handoff.id, at=work.now)
    return rating


async def summaries_of(work: Work, campaign_ids: tuple[UUID, ...]) -> list[RatingSummary | None]:
    """Return what the ratings of each campaign come to, None where there is no such campaign."""
    known = {campaign.id for campaign in await work.find(Campaign, id=campaign_ids)}
    found = await work.ask(StarsOf(campaign_ids=campaign_ids))
    everything = found.get(None, StarsGiven())
    return [
        summary(found.get(id, StarsGiven()), everything) if id in known else None
        for id in campaign_ids
    ]


def summary(given: StarsGiven, everything: StarsGiven) -> RatingSummary:
    """Return what ratings come to, among all ratings of their kind."""
    average = None if not given.count else _rounded(Decimal(given.stars) / given.count)
    return RatingSummary(count=given.count, average=average, shrunk=shrunk(given, everything))


def shrunk(given: StarsGiven, everything: StarsGiven) -> Decimal:
    """Return the Bayesian average of ratings, to two places.

    (stars + k * m) / (count + k), where m is the mean of all ratings of the kind in the tenant, 3
    where there are none, and k = 5.
    """
    mean = Decimal(everything.stars) / everything.count if everything.count else _MIDDLE
    return _rounded((given.stars + PRIOR_WEIGHT * mean) / (given.count + PRIOR_WEIGHT))


def _rounded(stars: Decimal) -> Decimal:
    return stars.quantize(_CENT, ROUND_HALF_UP)


async def _give(
    work: Work,
    known: Rating | None,
    *,
    by: UUID,
    stars: int,
    comment: str | None,
    campaign_id: UUID | None = None,
    handoff_id: UUID | None = None,
) -> Rating:
    if stars not in STARS:
        raise Invalid("Give one to five stars.", path=("stars",))
    kept = limited_text(
        (comment or "").strip(), name="The comment", path=("comment",), longest=_LONGEST_COMMENT
    )
    if known is None:
        rating = await work.add(
            Rating(
                id=new_id(),
                user_id=by,
                stars=stars,
                comment=kept or None,
                given_at=work.now,
                updated_at=work.now,
                campaign_id=campaign_id,
                handoff_id=handoff_id,
            )
        )
    else:
        anew = replace(known, stars=stars, comment=kept or None, updated_at=work.now)
        rating = await work.save(anew)
    work.record(
        RatingGiven(
            at=work.now, rating_id=rating.id, campaign_id=campaign_id, handoff_id=handoff_id
        )
    )
    return rating


async def _locked(work: Work, kind: type, id: UUID, name: str) -> None:
    """Lock what is rated, so that nobody's two ratings of it meet."""
    try:
        await work.get(kind, id, lock=True)
    except NotFound as error:
        raise NotFound(name, path=("of", name)) from error


RATING_FIELDS = FilterFields(
    "rating",
    (
        FilterField(
            name="campaignId",
            attribute="campaign_id",
            type=FieldType.ID,
            kind="Campaign",
            description="The campaign that is rated; missing where a lead is.",
        ),
        FilterField(
            name="handoffId",
            attribute="handoff_id",
            type=FieldType.ID,
            kind="Handoff",
            description="The hand-off whose lead is rated; missing where a campaign is.",
        ),
        FilterField(
            name="userId",
            attribute="user_id",
            type=FieldType.ID,
            kind="User",
            description="Who rates.",
        ),
        FilterField(
            name="stars",
            attribute="stars",
            type=FieldType.NUMBER,
            description="One to five.",
        ),
        FilterField(
            name="givenAt",
            attribute="given_at",
            type=FieldType.INSTANT,
            description="When it was given first.",
        ),
    ),
)
