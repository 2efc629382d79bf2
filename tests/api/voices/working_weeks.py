"""Random working weeks of two teams, by the ordinary use cases."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
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
from domain.leads import ActivityKind, Agency, Lead
from domain.lifecycle import advance_lead
from domain.merging import LeadMerge, merge_leads, unmerge_leads
from domain.next_steps import NextStep, finish_next_step, set_next_step
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    OpportunityStatus,
    lose_opportunity,
    open_opportunity,
    reopen_opportunity,
    win_opportunity,
)
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
