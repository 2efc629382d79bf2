"""Planning campaigns: made, changed, put away, and given their contents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from domain.campaigns.belonging import adopt_strays
from domain.campaigns.campaign import Campaign, CampaignAsset, CampaignKind, campaign_code
from domain.content import ContentAsset
from domain.errors import AlreadyExists, DomainError, Invalid, NotFound
from domain.events import CampaignChanged
from domain.identity import CURRENCIES, Actor, Permission, UnknownCurrency
from domain.ids import new_id
from domain.ports import Work, first
from domain.strays import BEFORE_ALL
from domain.values import Money, limited_text, require_text

T = TypeVar("T")

LONGEST_CODE = 100
MOST_ASSETS = 200
_CODE = re.compile(r"\S+")
_DAYS = (date(1970, 1, 1), date(2150, 1, 1))


class Unsaid(Enum):
    """Stands where nothing was said, so that what is there stays; None takes it away."""

    UNSAID = auto()


UNSAID: Final = Unsaid.UNSAID
Said: TypeAlias = T | Unsaid


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """What somebody says of a campaign."""

    name: Said[str] = UNSAID
    kind: Said[CampaignKind] = UNSAID
    starts_on: Said[date | None] = UNSAID
    ends_on: Said[date | None] = UNSAID
    budget: Said[Money | None] = UNSAID


class CampaignCodeTaken(AlreadyExists):
    """Another campaign is found by this code."""

    code = "CAMPAIGN_CODE_TAKEN"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is already a campaign with the code {code}.", path=("code",))


class BadCampaignCode(Invalid):
    """A code that no `utm_campaign` can be."""

    code = "BAD_CAMPAIGN_CODE"


class CampaignEndsTooEarly(Invalid):
    """A campaign that is over before it starts."""

    code = "CAMPAIGN_ENDS_TOO_EARLY"

    def __init__(self) -> None:
        super().__init__("The day after the last one must come after the first.", path=("endsOn",))


class BudgetNegative(Invalid):
    """Less than nothing to spend."""

    code = "BUDGET_NEGATIVE"

    def __init__(self) -> None:
        super().__init__("A budget is not negative.", path=("budget", "amount"))


class CampaignIsArchived(DomainError):
    """Nothing can be changed about a campaign that was put away."""

    code = "CAMPAIGN_IS_ARCHIVED"

    def __init__(self) -> None:
        super().__init__("The campaign is archived and no longer changes.", path=("campaign",))


async def create_campaign(work: Work, actor: Actor, *, code: str, plan: CampaignPlan) -> Campaign:
    """Make a campaign; touches and leads that named its code before become its own.

    Raises:
        CampaignCodeTaken: if another one has the code, capitals or not, archived or not.
    """
    actor.require(Permission.EDIT_CAMPAIGNS)
    kept = _code(code)
    if await first(work, Campaign, code=kept) is not None:
        raise CampaignCodeTaken(kept)
    blank = Campaign(
        id=new_id(),
        name=kept,
        kind=CampaignKind.OTHER,
        code=kept,
        created_at=work.now,
        created_by=actor.user_id,
        adopting_after=BEFORE_ALL,
    )
    campaign = await work.add(planned(blank, plan))
    work.record(CampaignChanged(at=work.now, campaign_id=campaign.id))
    await adopt_strays(work, actor)
    return await work.get(Campaign, campaign.id)


async def update_campaign(
    work: Work, actor: Actor, campaign_id: UUID, plan: CampaignPlan
) -> Campaign:
    """Change a campaign, all but its code: by that its touches have found it."""
    actor.require(Permission.EDIT_CAMPAIGNS)
    campaign = await _in_use(work, campaign_id)
    changed = planned(campaign, plan)
    if changed == campaign:
        return campaign
    return await _saved(work, changed)


async def archive_campaign(work: Work, actor: Actor, campaign_id: UUID) -> Campaign:
    """Put a campaign away: it keeps what belongs to it.  Once more changes nothing."""
    actor.require(Permission.EDIT_CAMPAIGNS)
    campaign = await campaign_of(work, campaign_id, lock=True)
    if campaign.archived_at is not None:
        return campaign
    return await _saved(work, replace(campaign, archived_at=work.now))


async def set_campaign_assets(
    work: Work, actor: Actor, campaign_id: UUID, asset_ids: Sequence[UUID]
) -> Campaign:
    """Say which contents belong to a campaign: these and no others."""
    actor.require(Permission.EDIT_CAMPAIGNS)
    campaign = await _in_use(work, campaign_id)
    wanted = list(dict.fromkeys(asset_ids))
    if len(wanted) > MOST_ASSETS:
        raise Invalid(f"A campaign has at most {MOST_ASSETS} assets.", path=("assets",))
    known = {asset.id for asset in await work.find(ContentAsset, id=wanted)} if wanted else set()
    for place, asset_id in enumerate(wanted):
        if asset_id not in known:
            raise NotFound("content asset", path=("assets", place))
    kept = await work.find(CampaignAsset, campaign_id=campaign.id)
    for member in kept:
        if member.asset_id not in known:
            await work.delete(CampaignAsset, id=member.id)
    new = [asset_id for asset_id in wanted if asset_id not in {m.asset_id for m in kept}]
    await work.add_all(
        [
            CampaignAsset(
                id=new_id(), campaign_id=campaign.id, asset_id=asset_id, added_at=work.now
            )
            for asset_id in new
        ]
    )
    work.record(CampaignChanged(at=work.now, campaign_id=campaign.id))
    return campaign


async def campaign_of(
    work: Work, key: UUID | str, *, path: Sequence[str | int] = ("campaign",), lock: bool = False
) -> Campaign:
    """Return the campaign that an id or a code tells.

    Raises:
        Invalid: if no campaign can be called so.
        NotFound: if this tenant has none.
    """
    kept = campaign_key(key, path=path)
    told = {"id": kept} if isinstance(kept, UUID) else {"code": kept}
    campaign = await first(work, Campaign, lock=lock, **told)
    if campaign is None:
        raise NotFound("campaign", path=path)
    return campaign


def campaign_key(key: UUID | str, *, path: Sequence[str | int] = ("campaign",)) -> UUID | str:
    """Return what tells a campaign as campaigns have it.

    Raises:
        Invalid: if no campaign can be called so.
    """
    if isinstance(key, UUID):
        return key
    return campaign_code(limited_text(key, name="The campaign's code", path=(*path, "code")))


def planned(campaign: Campaign, plan: CampaignPlan) -> Campaign:
    """Return a campaign as it was told to be.

    Raises:
        CampaignEndsTooEarly, BudgetNegative, UnknownCurrency, Invalid: if it cannot be so.
    """
    if plan.name is not UNSAID:
        name = require_text(plan.name, name="The name", path=("name",))
        campaign = replace(campaign, name=name)
    if plan.kind is not UNSAID:
        campaign = replace(campaign, kind=plan.kind)
    if plan.starts_on is not UNSAID:
        campaign = replace(campaign, starts_on=_day(plan.starts_on, "startsOn"))
    if plan.ends_on is not UNSAID:
        campaign = replace(campaign, ends_on=_day(plan.ends_on, "endsOn"))
    if campaign.starts_on and campaign.ends_on and campaign.ends_on <= campaign.starts_on:
        raise CampaignEndsTooEarly
    return campaign if plan.budget is UNSAID else _with_budget(campaign, plan.budget)


def _with_budget(campaign: Campaign, budget: Money | None) -> Campaign:
    if budget is None:
        return replace(campaign, budget_minor=None, currency=None)
    if budget.currency not in CURRENCIES:
        raise UnknownCurrency(budget.currency, path=("budget", "currency"))
    if budget.minor < 0:
        raise BudgetNegative
    return replace(campaign, budget_minor=budget.minor, currency=budget.currency)


def _code(text: str) -> str:
    kept = campaign_code(require_text(text, name="The code", path=("code",), longest=LONGEST_CODE))
    if not _CODE.fullmatch(kept):
        raise BadCampaignCode("A code has no spaces: spring-2026.", path=("code",))
    return kept


def _day(day: date | None, field: str) -> date | None:
    if day is not None and not _DAYS[0] <= day < _DAYS[1]:
        raise Invalid("Campaigns run from 1970 to 2149.", path=(field,))
    return day


async def _in_use(work: Work, campaign_id: UUID) -> Campaign:
    campaign = await campaign_of(work, campaign_id, lock=True)
    if campaign.archived_at is not None:
        raise CampaignIsArchived
    return campaign


async def _saved(work: Work, campaign: Campaign) -> Campaign:
    campaign = await work.save(campaign)
    work.record(CampaignChanged(at=work.now, campaign_id=campaign.id))
    return campaign
