"""Random working weeks of two teams, and what they come to counted by hand, row by row."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from domain import handoff_flow, ratings, threads
from domain.campaigns import Campaign, CampaignKind
from domain.consenting import lift_do_not_contact, set_do_not_contact
from domain.errors import DomainError
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Team, TeamMember, User, remove_team_member, system, update_user
from domain.ids import new_id
from domain.lead_intake import log_activity
from domain.leads import Activity, ActivityKind, Agency, Lead
from domain.leaks import LeakKind, LeakLimit, read_limits
from domain.lifecycle import advance_lead
from domain.merging import LeadMerge, merge_leads, unmerge_leads
from domain.next_steps import NextStep, finish_next_step, set_next_step
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    OpportunityStatus,
    OpportunityStep,
    lose_opportunity,
    open_opportunity,
    reopen_opportunity,
    win_opportunity,
)
from domain.outcomes import Outcome
from domain.ratings import Rating
from domain.sla.calendar import DayOverride, Window, WorkingHours
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.escalation import sweep_and_escalate
from domain.stages import Stage
from tests.agreements import add_mql
from tests.world import World

_KINDS = (ActivityKind.CALL, ActivityKind.CALL, ActivityKind.EMAIL, ActivityKind.MEETING)
_CLOSED = DayOverride(on=date(2026, 3, 12), name="Company outing")


@dataclass
class Story:
    """What happens by the ordinary use cases, and what was seen when it did."""

    world: World
    chance: random.Random
    keys: Team
    """A second team of sales, with hours and a holiday of its own."""
    hours: Mapping[UUID, WorkingHours]
    teams_of: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    """The teams that whoever did something was in then, by activity."""

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            self.world.wait(minutes=self.chance.choice((0, 3, 20, 45, 90, 240, 900)))
            often = (self.hand_off, self.hand_off, self.touch, self.touch, self.answer, self.deal)
            seldom = (
                *(self.recycle, self.merge, self.part, self.reassign, self.wish, self.plan),
                *(self.rate, self.say, self.move, self.leave, self.advance, self.sweep),
            )
            try:
                await self.chance.choice(often * 3 + seldom)()
            except DomainError:
                continue  # it cannot be done just now

    async def hand_off(self) -> None:
        again = await self._leads(stage=Stage.MQL)
        lead = self.chance.choice([*again, None, None])
        if lead is None:
            code = self.chance.choice(("fair", "flyer", None))
            lead = await add_mql(self.world, origin_campaign=code, origin_source="web")
        async with self.world.work() as work:
            team = self.chance.choice((self.world.sales, self.keys))
            await handoff_flow.hand_off(
                work, self.world.actor(self.world.marketer), lead.id, to_team_id=team.id
            )

    async def touch(self) -> None:
        person = self.chance.choice((self.world.rep, self.world.other_rep, self.world.marketer))
        async with self.world.work() as work:
            teams = frozenset(m.team_id for m in await work.find(TeamMember, user_id=person.id))
            activity = await log_activity(
                work,
                self.world.actor(person),
                (await self._anybody()).id,
                kind=self.chance.choice(_KINDS),
                agency=self.chance.choice((*[Agency.HUMAN] * 3, Agency.AUTOMATIC)),
                occurred_at=self.world.now - timedelta(minutes=self.chance.choice((0, 0, 50, 400))),
            )
        self.teams_of[activity.id] = teams

    async def answer(self) -> None:
        async with self.world.work() as work:
            waiting = await work.find(Handoff, status=HandoffStatus.OPEN)
            if not waiting:
                return
            lead_id, actor = self.chance.choice(waiting).lead_id, self.world.actor()
            match self.chance.choice(("accept", "accept", "accept", "reject", "recycle")):
                case "accept":
                    await handoff_flow.accept_lead(work, actor, lead_id)
                case "reject":
                    await handoff_flow.reject_lead(work, actor, lead_id, reason="a student")
                case _:
                    await handoff_flow.recycle_lead(work, actor, lead_id, reason="next year")

    async def recycle(self) -> None:
        async with self.world.work() as work:
            lead = await self._anybody()
            await handoff_flow.recycle_lead(work, self.world.actor(), lead.id, reason="no budget")

    async def deal(self) -> None:
        async with self.world.work() as work:
            actor, deals = self.world.actor(), await work.find(Opportunity)
            known = self.chance.choice([None, *deals])
            if known is None:
                details = OpportunityDetails(
                    name="Plant", amount=Decimal(self.chance.randrange(1, 90)), currency="EUR"
                )
                await open_opportunity(work, actor, (await self._anybody()).id, details)
            elif known.status is OpportunityStatus.LOST:
                await reopen_opportunity(work, actor, known.id)
            elif self.chance.random() < 0.5:
                await win_opportunity(work, actor, known.id)
            else:
                await lose_opportunity(work, actor, known.id, reason="too dear")

    async def merge(self) -> None:
        leads = await self._leads()
        if len(leads) < 2:
            return
        winner, loser = self.chance.sample(leads, 2)
        async with self.world.work() as work:
            await merge_leads(work, self.world.actor(), winner.id, [loser.id])

    async def part(self) -> None:
        async with self.world.work() as work:
            merges = await work.find(LeadMerge, undone_at=None)
            if merges:
                await unmerge_leads(work, self.world.actor(), self.chance.choice(merges).id)

    async def reassign(self) -> None:
        async with self.world.work() as work:
            waiting = await work.find(Handoff, status=HandoffStatus.OPEN)
            person = self.chance.choice((self.world.rep, self.world.other_rep))
            if waiting:
                lead_id = self.chance.choice(waiting).lead_id
                await handoff_flow.reassign_lead(
                    work, self.world.actor(), lead_id, owner_id=person.id
                )

    async def wish(self) -> None:
        wished = await self._leads(do_not_contact=True)
        async with self.world.work() as work:
            if wished:
                await lift_do_not_contact(work, self.world.actor(), wished[0].id)
            else:
                lead = await self._anybody()
                await set_do_not_contact(work, self.world.actor(), lead.id, reason="so wished")

    async def plan(self) -> None:
        async with self.world.work() as work:
            steps = await work.find(NextStep, done_at=None, replaced_at=None)
            if steps and self.chance.random() < 0.5:
                step = self.chance.choice(steps)
                await finish_next_step(work, self.world.actor(), step.id)
                return
            due_at = self.world.now + timedelta(hours=self.chance.choice((1, 30)))
            lead = await self._anybody()
            await set_next_step(work, self.world.actor(), lead.id, text="Call.", due_at=due_at)

    async def rate(self) -> None:
        async with self.world.work() as work:
            actor, stars = self.world.actor(self.world.rep), self.chance.randrange(1, 6)
            (fair,) = await work.find(Campaign)
            if self.chance.random() < 0.3:
                await ratings.rate_campaign(work, actor, fair.id, stars=stars)
            else:
                lead = await self._anybody()
                await ratings.rate_lead(work, actor, lead.id, stars=stars)

    async def say(self) -> None:
        about = threads.Subject(lead_id=(await self._anybody()).id)
        async with self.world.work() as work:
            await threads.start_thread(
                work, self.world.actor(self.world.rep), about, text="They build a new plant."
            )

    async def move(self) -> None:
        """Let somebody leave a team, or come (back) to one."""
        person = self.chance.choice((self.world.rep, self.world.other_rep))
        team = self.chance.choice((self.world.sales, self.keys))
        async with self.world.work() as work:
            members = await work.find(TeamMember, user_id=person.id, team_id=team.id)
            if members:
                await remove_team_member(work, self.world.actor(), members[0].id)
            else:
                await work.add(a_member(self.world, person, team))

    async def leave(self) -> None:
        """Let somebody leave the company, or come back."""
        async with self.world.work() as work:
            person = await work.get(User, self.world.other_rep.id)
            await update_user(work, self.world.actor(), person.id, active=not person.active)

    async def advance(self) -> None:
        to = self.chance.choice((Stage.MQL, Stage.MQL, Stage.SQL))
        async with self.world.work() as work:
            await advance_lead(work, self.world.actor(), (await self._anybody()).id, to=to)

    async def sweep(self) -> None:
        async with self.world.work() as work:
            await sweep_and_escalate(work, system(self.world.tenant.id))

    async def _leads(self, **equals: Any) -> Sequence[Lead]:
        async with self.world.work() as work:
            found: Sequence[Lead] = await work.find(Lead, **equals)
            return found

    async def _anybody(self) -> Lead:
        return self.chance.choice(await self._leads() or [await add_mql(self.world)])


def a_member(world: World, person: User, team: Team) -> TeamMember:
    return TeamMember(id=new_id(), team_id=team.id, user_id=person.id, created_at=world.now)


async def a_story(world: World, seed: int) -> Story:
    """Begin a story with a campaign, and a second sales team that closes at noon."""
    calendar_id, early = new_id(), tuple(Window(day, 7 * 60, 12 * 60) for day in range(5))
    hours = CalendarVersion(
        id=new_id(),
        calendar_id=calendar_id,
        number=1,
        time_zone="Europe/Berlin",
        windows=early,
        overrides=(_CLOSED,),
        created_at=world.now,
    )
    calendar = Calendar(id=calendar_id, name="Early", current_id=hours.id, created_at=world.now)
    keys = replace(world.sales, id=new_id(), name="Key accounts", calendar_id=calendar_id)
    fair = Campaign(
        id=new_id(), name="Fair", kind=CampaignKind.EVENT, code="fair", created_at=world.now
    )
    async with world.work() as work:
        await work.add_all([calendar, hours, keys, fair])
        await work.add(a_member(world, world.other_rep, keys))
    office = WorkingHours("UTC", world.hours.windows)
    return Story(
        world,
        random.Random(seed),
        keys,
        {
            world.sales.id: office,
            world.marketing.id: office,
            keys.id: WorkingHours("Europe/Berlin", early, (_CLOSED,)),
        },
    )


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
