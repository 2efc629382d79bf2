"""What belongs to a campaign: the touches and leads that name its code, whenever they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.attribution import reattribute
from domain.campaigns.campaign import Campaign, campaign_code
from domain.identity import Actor, Permission
from domain.locking import find_and_lock
from domain.ports import Question, Work
from domain.scoring import rescore_soon
from domain.sla.keeping import LeadLocks

# Touches, and leads, that one transaction looks at.
BATCH = 2_000
# Where a campaign begins to look.
BEFORE_ALL = UUID(int=0)
# No transaction that did not see the campaign yet is under way for longer than this.
_STILL_UNDER_WAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Touches without a campaign that name one, by campaign, and the leads they are of or that do.

    `last` is the last id that was looked at, None at the end.
    """

    touches: Mapping[UUID, tuple[UUID, ...]]
    lead_ids: tuple[UUID, ...]
    last: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStrays(Question[Strays]):
    """What names one of some campaigns, among the next touches and leads by id."""

    campaigns: Mapping[str, UUID]
    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptTouches(Question[frozenset[UUID]]):
    """Give touches their campaign where they have none; answers whose they are.

    It changes rows, and locks them in the order of their ids.
    """

    touches: Mapping[UUID, tuple[UUID, ...]]


async def campaigns_by_code(work: Work, texts: Iterable[str | None]) -> Mapping[str, UUID]:
    """Return the campaigns that some texts name, by code, in one statement."""
    codes = sorted({campaign_code(text) for text in texts if text} - {""})
    found = await work.find(Campaign, code=codes) if codes else ()
    return {campaign.code: campaign.id for campaign in found}


async def adopt_strays(work: Work, actor: Actor, *, limit: int = BATCH) -> bool:
    """Let the next touches and leads that named a new campaign belong to it; say if more are left.

    Each batch is a transaction of its own, and where it ended is kept with the campaigns.  At the
    end a new campaign looks once more, later, at what others stored while it was being made.
    """
    actor.require(Permission.EDIT_CAMPAIGNS)
    waiting = [each for each in await work.find(Campaign) if each.adopting_after is not None]
    if not waiting:
        return False
    found = await work.find(Campaign, id=[each.id for each in waiting], lock=True)
    campaigns = [each for each in found if each.adopting_after is not None]
    after = min((each.adopting_after for each in campaigns if each.adopting_after), default=None)
    if after is None:
        return False
    codes = {each.code: each.id for each in campaigns}
    strays = await _adopted(work, NextStrays(campaigns=codes, after=after, limit=limit))
    await reattribute(work, strays.lead_ids)
    await rescore_soon(work, strays.lead_ids)
    await work.save_all(
        [replace(each, adopting_after=strays.last or _again(each, work.now)) for each in campaigns]
    )
    return strays.last is not None


async def _adopted(work: Work, question: NextStrays) -> Strays:
    """Adopt the next strays, with the leads that they are of, or that are some, locked before.

    What was nobody's may have become somebody's between being found and being locked.
    """

    async def attempt(work: Work) -> Strays | None:
        strays = await work.ask(question)
        if strays.lead_ids:
            await work.ask(LeadLocks(ids=strays.lead_ids))
        if not strays.touches:
            return strays
        whose = await work.ask(AdoptTouches(touches=strays.touches))
        return strays if whose <= set(strays.lead_ids) else None

    return await find_and_lock(work, attempt, kind="touch")


def _again(campaign: Campaign, now: datetime) -> UUID | None:
    """Return from where on a campaign looks once more, None if it need not."""
    if now - campaign.created_at >= _STILL_UNDER_WAY:
        return None
    since = campaign.created_at - _STILL_UNDER_WAY
    return UUID(int=max(int(since.timestamp() * 1000), 0) << 80)
