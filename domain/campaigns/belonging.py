"""What belongs to a campaign: the touches and leads that name its code, whenever they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from domain.campaigns.campaign import Campaign, campaign_code
from domain.identity import Actor, Permission
from domain.ports import Question, Work
from domain.strays import Strays, Whose, once_more, take_in

# Touches, and leads, that one transaction looks at.
BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStrays(Question[Strays]):
    """What names one of some campaigns, among the next touches and leads by id."""

    campaigns: Mapping[str, UUID]
    after: UUID
    limit: int


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
    question = NextStrays(campaigns=codes, after=after, limit=limit)
    strays = await take_in(work, question, whose=Whose.CAMPAIGN)
    await work.save_all(
        [
            replace(each, adopting_after=strays.last or once_more(each.created_at, work.now))
            for each in campaigns
        ]
    )
    return strays.last is not None
