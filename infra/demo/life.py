"""How the demo's two teams work: what becomes of a lead, by whom, and how fast."""

from __future__ import annotations

import heapq
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from domain.errors import DomainError
from domain.handoff import Handoff, HandoffStatus
from domain.handoff_flow import accept_lead, hand_off, recycle_lead, reject_lead
from domain.identity import Actor
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead, log_activity, update_lead
from domain.leads import ActivityKind, Lead
from domain.lifecycle import advance_lead
from domain.next_steps import NextStep, finish_next_step, set_next_step
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    advance_opportunity,
    in_use,
    lose_opportunity,
    open_opportunity,
    pipeline,
    win_opportunity,
)
from domain.ratings import rate_lead
from domain.scoring import sweep_gradings
from domain.sla.calendar import WorkingHours
from domain.sla.escalation import sweep_and_escalate
from domain.stages import Stage
from domain.touch_intake import record_touches
from infra.database import Database, PostgresWork
from infra.demo.people import Newcomer, newcomers, under_another_address
from infra.demo.reading import first_visits, later_touches, met

_COMES_AGAIN = 0.02
_REASONS = (
    "A student writing a thesis.",
    "No budget before next year.",
    "Wrong country for us.",
    "Looking for a job, not for a product.",
)
_LOST = ("Too dear for them.", "They stay with what they have.", "No decision this year.")
_DEALS = ("Starter licence", "Team licence", "Three warehouses", "A year of deliveries")
_NOTES = ("Reached the mailbox.", "Call back after the fair.", "Talked about delivery times.")


@dataclass(frozen=True, slots=True)
class Crew:
    """Who acts: the marketer who hands over, the reps with their pace, and the system itself.

    A pace is the working time a rep typically takes for a first call.
    """

    marketer: Actor
    reps: dict[UUID, tuple[Actor, timedelta]]
    system: Actor


@dataclass(slots=True)
class Clock:
    """What time it is in the story."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Life:
    """A story that unfolds: what is planned, in order, and the hands that do it."""

    database: Database
    crew: Crew
    hours: WorkingHours
    chance: random.Random
    came: list[Newcomer] = field(default_factory=list)
    planned: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def plan(self, at: datetime, what: Callable[[], Awaitable[None]]) -> None:
        """Have something done at an instant of the story."""
        heapq.heappush(self.planned, (at, next(self._order), what))

    async def live_until(self, end: datetime, clock: Clock) -> None:
        """Do what is planned up to an instant; the clock jumps from one thing to the next."""
        while self.planned and self.planned[0][0] <= end:
            at, _, what = heapq.heappop(self.planned)
            clock.now = max(clock.now, at)
            await what()
        clock.now = max(clock.now, end)

    async def have(self, done: Callable[[PostgresWork], Awaitable[None]]) -> None:
        """Have something done that is no part of a lead's way."""
        async with self._if_still_so(), self._work() as work:
            await done(work)

    async def arrive(self) -> None:
        """Somebody fills in a form, and may turn out to be worth a call, or to have come before."""
        person = newcomers(self.chance)
        if self.came and self.chance.random() < _COMES_AGAIN:
            person = under_another_address(self.came.pop(self.chance.randrange(len(self.came))))
        else:
            self.came.append(person)
        async with self._work() as work:
            lead = await create_lead(work, self.crew.marketer, person.details)
            now, token = work.now, f"demo-{lead.id.hex}"
            visits = first_visits(self.chance, person.details, token=token, now=now)
            await record_touches(work, self.crew.marketer, visits)
        delay = timedelta(minutes=self.chance.randint(3, 300))
        self.plan(now + delay, lambda: self._nurture(lead.id, person.promise))

    def take_up(self, lead_id: UUID, now: datetime) -> None:
        """Go on with a lead that was handed off already."""
        soon = self._working(now, timedelta(minutes=self.chance.randint(5, 300)))
        self.plan(soon, lambda: self._call(lead_id, 1))

    def take_up_deal(self, deal: Opportunity, place: int, now: datetime) -> None:
        """Go on with a deal that is open already, whose next stage is at `place`."""
        rep = self.crew.reps.get(deal.owner_id) if deal.owner_id else None
        actor, _ = rep or next(iter(self.crew.reps.values()))
        soon = self._working(now, timedelta(minutes=self.chance.randint(5, 300)))
        self.plan(soon, lambda: self._move_deal(deal.id, actor, place))

    async def sweep(self) -> None:
        """Tell what has come due, as the worker does every second."""
        async with self._work() as work:
            await sweep_and_escalate(work, self.crew.system)

    async def grade(self) -> None:
        """Score anew whoever is due for it, as the worker does every second."""
        left = True
        while left:
            async with self._work() as work:
                left = await sweep_gradings(work, self.crew.system) > 0

    async def _nurture(self, lead_id: UUID, promise: int) -> None:
        async with self._work() as work:
            lead = await update_lead(work, self.crew.marketer, lead_id, LeadDetails(score=promise))
            now = work.now
            touches = later_touches(self.chance, str(lead.email), now)
            await record_touches(work, self.crew.marketer, touches)
        if lead.stage is Stage.MQL:
            soon = self._working(now, timedelta(minutes=self.chance.randint(2, 60)))
            self.plan(soon, lambda: self._give(lead_id))

    async def _give(self, lead_id: UUID) -> None:
        async with self._work() as work:
            if (await work.get(Lead, lead_id)).stage is not Stage.MQL:
                return
            handoff = await hand_off(
                work, self.crew.marketer, lead_id, reason="Qualified by our shared definition."
            )
            now = work.now
        _, pace = self._rep(handoff)
        wait = pace * self.chance.lognormvariate(0, 0.8)
        self.plan(self._working(now, wait), lambda: self._call(lead_id, 1))

    async def _call(self, lead_id: UUID, attempt: int) -> None:
        answered = self.chance.random() < 0.45
        async with self._work() as work:
            handoff = await self._open_handoff(work, lead_id)
            if handoff is None:
                return
            actor, _ = self._rep(handoff)
            await log_activity(
                work,
                actor,
                lead_id,
                kind=self.chance.choice((ActivityKind.CALL, ActivityKind.CALL, ActivityKind.EMAIL)),
                answered=answered,
                text=self.chance.choice(_NOTES),
            )
            now = work.now
        again = self._working(now, timedelta(minutes=self.chance.randint(30, 400)))
        if answered or attempt >= 4:
            self.plan(again, lambda: self._decide(lead_id))
        else:
            self.plan(again, lambda: self._call(lead_id, attempt + 1))

    async def _decide(self, lead_id: UUID) -> None:
        async with self._work() as work:
            handoff = await self._open_handoff(work, lead_id)
            if handoff is None:
                return
            actor, _ = self._rep(handoff)
            luck = self.chance.random() + (handoff.score - 60) / 150
            if luck < 0.12:
                await reject_lead(work, actor, lead_id, reason=self.chance.choice(_REASONS))
                return
            if luck < 0.2:
                await recycle_lead(work, actor, lead_id, reason="Interested, but not before May.")
                return
            await accept_lead(work, actor, lead_id)
            now = work.now
        later = self._working(now, timedelta(hours=self.chance.randint(2, 30)))
        self.plan(later, lambda: self._qualify(lead_id, actor))

    async def _qualify(self, lead_id: UUID, actor: Actor) -> None:
        """Find out whether there is a need, a date and somebody who can sign."""
        luck = self.chance.random()
        if luck > 0.6:
            await self._say_why_not(lead_id, actor, luck)
            return
        async with self._if_still_so(), self._work() as work:
            await advance_lead(work, actor, lead_id, to=Stage.SQL)
            later = self._working(work.now, timedelta(hours=self.chance.randint(4, 30)))
            self.plan(later, lambda: self._open_deal(lead_id, actor))

    async def _say_why_not(self, lead_id: UUID, actor: Actor, luck: float) -> None:
        """Tell marketing what a lead lacked; some are never spoken of again."""
        async with self._if_still_so(), self._work() as work:
            if luck > 0.92:
                await rate_lead(work, actor, lead_id, stars=2, comment="Nice, but nothing to do.")
            elif luck > 0.72:
                await recycle_lead(work, actor, lead_id, reason="No need that we could find yet.")

    async def _open_deal(self, lead_id: UUID, actor: Actor) -> None:
        async with self._if_still_so(), self._work() as work:
            if self.chance.random() > 0.8:
                await recycle_lead(work, actor, lead_id, reason="Whoever signs has changed.")
                return
            lead = await work.get(Lead, lead_id)
            deal = await open_opportunity(
                work,
                actor,
                lead_id,
                OpportunityDetails(
                    name=f"{self.chance.choice(_DEALS)} for {lead.last_name}",
                    amount=Decimal(round(self.chance.lognormvariate(9.2, 0.6), -2)),
                    currency="EUR",
                    expected_close_on=work.now.date() + timedelta(self.chance.randint(7, 60)),
                ),
            )
            await record_touches(work, actor, [met(lead, work.now)])
            await set_next_step(
                work,
                actor,
                lead_id,
                text="Send the offer, and call about it.",
                due_at=self._working(work.now, timedelta(hours=20)),
            )
            if self.chance.random() < 0.3:
                await rate_lead(work, actor, lead_id, stars=self.chance.choice((4, 5, 5)))
            self.plan(self._later(work.now), lambda: self._move_deal(deal.id, actor, 1))

    async def _move_deal(self, deal_id: UUID, actor: Actor, place: int) -> None:
        async with self._if_still_so(), self._work() as work:
            stages = in_use(await pipeline(work))
            if place < len(stages) and self.chance.random() < 0.7:
                await advance_opportunity(work, actor, deal_id, stage=stages[place].id)
                self.plan(self._later(work.now), lambda: self._move_deal(deal_id, actor, place + 1))
            elif self.chance.random() < 0.1 + 0.12 * place:
                deal = await win_opportunity(work, actor, deal_id)
                await self._nothing_left_to_do(work, actor, deal.lead_id)
            else:
                reason = self.chance.choice(_LOST)
                deal = await lose_opportunity(work, actor, deal_id, reason=reason)
                await self._nothing_left_to_do(work, actor, deal.lead_id)
                if self.chance.random() < 0.8:
                    await recycle_lead(work, actor, deal.lead_id, reason=reason)

    def _later(self, at: datetime) -> datetime:
        """Return when a deal moves next: in two to eleven working days."""
        return self._working(at, timedelta(hours=self.chance.randint(16, 90)))

    async def _nothing_left_to_do(self, work: PostgresWork, actor: Actor, lead_id: UUID) -> None:
        for step in await work.find(NextStep, lead_id=lead_id, done_at=None, replaced_at=None):
            await finish_next_step(work, actor, step.id)

    @asynccontextmanager
    async def _if_still_so(self) -> AsyncIterator[None]:
        """Give up what a visitor of the demo has made impossible in the meantime."""
        with suppress(DomainError):
            yield

    def _work(self) -> AbstractAsyncContextManager[PostgresWork]:
        return self.database.work(self.crew.system.tenant_id)

    async def _open_handoff(self, work: PostgresWork, lead_id: UUID) -> Handoff | None:
        found = await work.find(Handoff, lead_id=lead_id, status=HandoffStatus.OPEN)
        return found[0] if found else None

    def _rep(self, handoff: Handoff) -> tuple[Actor, timedelta]:
        """Return who works a hand-off; of the unassigned, whoever comes first."""
        if handoff.owner_id in self.crew.reps:
            return self.crew.reps[handoff.owner_id]
        return next(iter(self.crew.reps.values()))

    def _working(self, at: datetime, work: timedelta) -> datetime:
        return self.hours.add(at, work)


def arrivals(
    hours: WorkingHours, *, since: datetime, until: datetime, a_day: float, chance: random.Random
) -> list[datetime]:
    """Return when people fill in forms: some in the evening, most while the office is open."""
    found = []
    day = since
    while day < until:
        open_today = hours.is_working_day(hours.local_day(day))
        for _ in range(round(chance.gauss(a_day, a_day / 5) * (1 if open_today else 0.3))):
            hour = chance.choice((8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 17, 20))
            found.append(day + timedelta(hours=hour, minutes=chance.randrange(60)))
        day += timedelta(days=1)
    return [at for at in found if since <= at < until]
