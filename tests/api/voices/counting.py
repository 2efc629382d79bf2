"""What random working weeks come to, counted by hand, row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from domain.campaigns import Campaign
from domain.handoff import Handoff, HandoffStatus
from domain.identity import User
from domain.leads import Activity, ActivityKind, Agency, Lead
from domain.leaks import LeakKind, LeakLimit, read_limits
from domain.next_steps import NextStep
from domain.opportunities import Opportunity, OpportunityStatus, OpportunityStep
from domain.outcomes import Outcome
from domain.ratings import Rating
from domain.stages import Stage
from tests.api.voices.working_weeks import Story
from tests.world import World


@dataclass(frozen=True)
class Told:
    """What became of one hand-off, told from the rows alone."""

    handoff: Handoff
    lead: Lead
    touches: Sequence[Activity]
    deals: Sequence[Opportunity]
    kind: Outcome


async def told(story: Story) -> list[Told]:
    """Tell what became of every hand-off, each by itself, by loops."""
    async with story.world.work() as work:
        handoffs, activities = await work.find(Handoff), await work.find(Activity)
        deals = await work.find(Opportunity)
        leads = {lead.id: lead for lead in await work.find(Lead)}
    found = []
    for handoff in handoffs:
        touches = [a for a in activities if _is_touch(story, handoff, a, handoffs)]
        mine = [deal for deal in deals if deal.handoff_id == handoff.id]
        kind = _kind(handoff, touches, mine)
        found.append(Told(handoff, leads[handoff.lead_id], touches, mine, kind))
    return found


def _is_touch(
    story: Story, handoff: Handoff, activity: Activity, handoffs: Sequence[Handoff]
) -> bool:
    if activity.lead_id != handoff.lead_id or activity.agency is not Agency.HUMAN:
        return False
    before = [
        each.handed_off_at
        for each in handoffs
        if each.lead_id == handoff.lead_id
        and each.status is not HandoffStatus.MERGED
        and each.handed_off_at <= activity.occurred_at
    ]
    theirs = activity.user_id == handoff.owner_id
    theirs = theirs or handoff.to_team_id in story.teams_of[activity.id]
    is_newest = bool(before) and max(before) == handoff.handed_off_at
    return theirs and is_newest and handoff.status is not HandoffStatus.MERGED


def _kind(handoff: Handoff, touches: Sequence[Activity], deals: Sequence[Opportunity]) -> Outcome:
    statuses = {deal.status for deal in deals}
    answers = (
        (OpportunityStatus.WON in statuses, Outcome.WON),
        (OpportunityStatus.OPEN in statuses, Outcome.OPPORTUNITY),
        (OpportunityStatus.LOST in statuses, Outcome.LOST),
        (handoff.status is HandoffStatus.REJECTED, Outcome.REJECTED),
        (handoff.status is HandoffStatus.MERGED, Outcome.MERGED),
        (handoff.status is HandoffStatus.RECYCLED, Outcome.RECYCLED),
        (handoff.returned_at is not None, Outcome.RECYCLED),
        (any(touch.kind is ActivityKind.MEETING for touch in touches), Outcome.MEETING),
        (bool(touches), Outcome.ATTEMPTED),
        (handoff.status is HandoffStatus.ACCEPTED, Outcome.ACCEPTED),
    )
    return next((kind for holds, kind in answers if holds), Outcome.NONE)


async def heard(story: Story, since: datetime) -> Counter[Outcome]:
    """Count what became of hand-offs about which something was recorded after an instant."""
    async with story.world.work() as work:
        steps = await work.find(OpportunityStep)
    moved = {step.opportunity_id for step in steps if step.recorded_at > since}
    return Counter(
        each.kind
        for each in await told(story)
        if (each.handoff.heard_at is not None and each.handoff.heard_at > since)
        or any(touch.recorded_at > since for touch in each.touches)
        or any(deal.id in moved for deal in each.deals)
    )


async def leaking(story: Story) -> set[tuple[str, UUID, UUID, datetime, timedelta]]:
    """Return what each lead lacks too long: the kind, whose it is, since when and for how long."""
    world, now = story.world, story.world.now
    async with world.work() as work:
        limits = {each.stage: each for each in await read_limits(work, world.actor())}
        assert not await work.find(LeakLimit)
        leads, handoffs = await work.find(Lead), await work.find(Handoff)
        people = {user.id: user for user in await work.find(User)}
        activities, steps = await work.find(Activity), await work.find(NextStep)
    found = set()
    for lead in leads:
        if lead.do_not_contact:
            continue
        team_id = _accountable(world, lead, handoffs)
        lacks = {
            LeakKind.NO_OWNER: _ownerless(lead, people),
            LeakKind.NO_NEXT_STEP: _aimless(lead, steps),
            LeakKind.NO_TOUCH: _untouched(lead, activities),
        }
        for kind, lacking_since in lacks.items():
            limit = limits[lead.stage].of(kind)
            if limit is None or lacking_since is None or lacking_since >= now:
                continue
            since = max(lead.stage_entered_at, lacking_since)
            age = story.hours[team_id].between(since, now)
            if age > limit:
                found.add((kind.value, lead.id, team_id, since, age))
    return found


def _accountable(world: World, lead: Lead, handoffs: Sequence[Handoff]) -> UUID:
    mine = [h for h in handoffs if h.lead_id == lead.id and h.status is not HandoffStatus.MERGED]
    last = max(mine, key=lambda h: (h.handed_off_at, h.id), default=None)
    if lead.stage.rank >= Stage.SAL.rank or (last is not None and last.is_open):
        return last.to_team_id if last else world.sales.id
    return last.from_team_id if last else world.marketing.id


def _ownerless(lead: Lead, people: Mapping[UUID, User]) -> datetime | None:
    owner = None if lead.owner_id is None else people[lead.owner_id]
    if owner is None:
        return lead.stage_entered_at
    return None if owner.active else owner.left_at


def _aimless(lead: Lead, steps: Sequence[NextStep]) -> datetime:
    mine = [s for s in steps if s.lead_id == lead.id and s.replaced_at is None]
    planned = [step.due_at for step in mine if step.done_at is None]
    done = [step.done_at for step in mine if step.done_at is not None]
    return min(planned, default=max(done, default=lead.stage_entered_at))


def _untouched(lead: Lead, activities: Sequence[Activity]) -> datetime:
    return max(
        (
            activity.occurred_at
            for activity in activities
            if activity.lead_id == lead.id and activity.agency is Agency.HUMAN
        ),
        default=lead.stage_entered_at,
    )


async def fruits(story: Story) -> dict[str | None, dict[str, Any]]:
    """Return what came of the leads of each campaign, figure by figure."""
    async with story.world.work() as work:
        given, campaigns = await work.find(Rating), await work.find(Campaign)
    all_leads = [rating.stars for rating in given if rating.handoff_id is not None]
    all_campaigns = [rating.stars for rating in given if rating.campaign_id is not None]
    of_code = {campaign.code: campaign.id for campaign in campaigns}
    groups = defaultdict[str | None, list[Told]](list)
    for each in await told(story):
        if each.handoff.status is not HandoffStatus.MERGED:
            groups[each.lead.origin_campaign].append(each)
    found = {}
    for key, members in groups.items():
        won = [d for t in members for d in t.deals if d.status is OpportunityStatus.WON]
        answered = [t for t in members if not t.handoff.is_open]
        accepted = [t for t in answered if t.handoff.status is HandoffStatus.ACCEPTED]
        ids = {t.handoff.id for t in members}
        stars = [rating.stars for rating in given if rating.handoff_id in ids]
        campaign_id = of_code.get(key or "")
        rated = [rating.stars for rating in given if rating.campaign_id == campaign_id]
        found[key] = {
            "handedOff": len(members),
            "accepted": len(accepted),
            "acceptedShare": _share(len(accepted), len(answered)),
            "feedbackShare": _share(sum(t.kind is not Outcome.NONE for t in members), len(members)),
            "won": len(won),
            "revenue": {"amount": f"{Decimal(sum(d.amount_minor or 0 for d in won)) / 100:.2f}"},
            "leadRating": _stars(stars, all_leads),
            "campaignRating": _stars(rated, all_campaigns) if campaign_id else None,
        }
    return found


def _share(part: int, whole: int) -> str | None:
    return f"{Decimal(part) / whole:.4f}" if whole else None


def _stars(given: Sequence[int], everything: Sequence[int]) -> dict[str, Any]:
    mean = Decimal(sum(everything)) / len(everything) if everything else Decimal(3)
    shrunk = (sum(given) + 5 * mean) / (len(given) + 5)
    average = _two(Decimal(sum(given)) / len(given)) if given else None
    return {"count": len(given), "average": average, "shrunk": _two(shrunk)}


def _two(number: Decimal) -> str:
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))
