"""Tallies are kept with every change; here everything is counted again from the facts."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import handoff_flow, threads
from domain.handoff import Handoff, HandoffStatus
from domain.identity import system
from domain.lead_intake import log_activity
from domain.leads import Activity, ActivityKind, Agency, Lead
from domain.sla import keeping
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.calendar import WorkingHours
from domain.sla.clock import ClockFact, ClockPolicy, ClockState, FactKind, read
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.escalation import sweep_and_escalate
from domain.threads import Thread, ThreadMessage
from tests.agreements import a_commitment, a_sla, add_mql, sign, usual_commitments
from tests.world import OFFICE, World

HOURS = WorkingHours("UTC", OFFICE)
KINDS = (ActivityKind.CALL, ActivityKind.CALL, ActivityKind.EMAIL, ActivityKind.MEETING)
COUNTERS = (
    *("delivered", "clawed_back", "handed_off", "accepted", "rejected"),
    *("opened", "met", "met_late", "breached", "excused"),
)


class Story:
    """Random working days of two teams, by the ordinary use cases."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.leads: list[Lead] = []
        self.waived: dict[UUID, datetime] = {}

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            self.world.wait(minutes=self.chance.choice((3, 20, 45, 90, 240, 900)))
            often = (self.hand_off, self.touch, self.answer)
            seldom = (self.waive, self.sweep, self.tell, self.give_back)
            await self.chance.choice((*often, *often, *seldom))()
        self.world.wait(days=2)
        await self.sweep()

    async def hand_off(self) -> None:
        lead = await add_mql(self.world)
        async with self.world.work() as work:
            await handoff_flow.hand_off(work, self.world.actor(self.world.marketer), lead.id)
        self.leads.append(lead)

    async def touch(self) -> None:
        if not self.leads:
            return
        lead = self.chance.choice(self.leads)
        async with self.world.work() as work:
            await log_activity(
                work,
                self.world.actor(self.chance.choice((self.world.rep, self.world.other_rep))),
                lead.id,
                kind=self.chance.choice(KINDS),
                agency=self.chance.choice((Agency.HUMAN, Agency.HUMAN, Agency.AUTOMATIC)),
                answered=self.chance.random() < 0.3,
                occurred_at=self.world.now - timedelta(minutes=self.chance.choice((0, 0, 50, 400))),
            )

    async def answer(self) -> None:
        open_leads = await self._open()
        if not open_leads:
            return
        lead_id, actor = self.chance.choice(open_leads), self.world.actor(self.world.rep)
        async with self.world.work() as work:
            match self.chance.choice(("accept", "accept", "reject", "recycle")):
                case "accept":
                    await handoff_flow.accept_lead(work, actor, lead_id)
                case "reject":
                    await handoff_flow.reject_lead(work, actor, lead_id, reason="a student")
                case _:
                    await handoff_flow.recycle_lead(work, actor, lead_id, reason="next year")

    async def tell(self) -> None:
        """Have somebody of either side, or an onlooker, say something about a lead."""
        if not self.leads:
            return
        about = threads.Subject(lead_id=self.chance.choice(self.leads).id)
        people = (self.world.rep, self.world.other_rep, self.world.marketer)
        async with self.world.work() as work:
            actor = self.world.actor(self.chance.choice(people))
            await threads.start_thread(work, actor, about, text="Well.")

    async def give_back(self) -> None:
        async with self.world.work() as work:
            accepted = await work.find(Handoff, status=HandoffStatus.ACCEPTED, returned_at=None)
            if accepted:
                lead_id, actor = self.chance.choice(accepted).lead_id, self.world.actor()
                await handoff_flow.recycle_lead(work, actor, lead_id, reason="no budget")

    async def waive(self) -> None:
        async with self.world.work() as work:
            clocks = await work.find(SlaClock, ended_at=None)
            if clocks and self.chance.random() < 0.4:
                clock = self.chance.choice(clocks)
                actor = self.world.actor(self.world.rep)
                await keeping.waive_clock(work, actor, clock.id, reason="trade fair")
                self.waived[clock.id] = self.world.now

    async def sweep(self) -> None:
        async with self.world.work() as work:
            await sweep_and_escalate(work, system(self.world.tenant.id))

    async def _open(self) -> list[UUID]:
        async with self.world.work() as work:
            return [h.lead_id for h in await work.find(Handoff, status=HandoffStatus.OPEN)]


async def recounted(story: Story, sla: Sla) -> dict[tuple[UUID, date], Counter[str]]:
    """Count every commitment's days from hand-offs and activities alone."""
    world, totals = story.world, defaultdict[tuple[UUID, date], Counter[str]](Counter)
    async with world.work() as work:
        commitments = await work.find(Commitment, sla_id=sla.id)
        handoffs = await work.find(Handoff, sla_id=sla.id)
        activities = await work.find(Activity)
        told = await _told(work, world)
        clocks = await work.find(SlaClock)
    for handoff in handoffs:
        day = handoff.handed_off_at.date()
        states = {}
        for commitment in commitments:
            total = totals[commitment.id, day]
            if commitment.kind is CommitmentKind.DELIVERY:
                total.update(_delivery(handoff, commitment))
            elif commitment.kind.is_timed:
                (clock,) = [
                    c
                    for c in clocks
                    if c.handoff_id == handoff.id and c.commitment_id == commitment.id
                ]
                waived_at = story.waived.get(clock.id)
                waived = [(waived_at, ClockFact(FactKind.WAIVED, waived_at))] if waived_at else []
                if commitment.kind is CommitmentKind.FEEDBACK:
                    facts = waived + _feedback(handoff, activities, told)
                else:
                    facts = waived + _facts(handoff, commitment, activities)
                ordered = [fact for _, fact in sorted(facts, key=lambda entry: entry[0])]
                states[commitment.id] = _state(handoff, commitment, ordered, world.now)
                total.update(_clock(*states[commitment.id]))
        (coverage,) = [c for c in commitments if c.kind is CommitmentKind.COVERAGE]
        totals[coverage.id, day].update(_coverage(list(states.values())))
    return {key: +total for key, total in totals.items() if +total}


def _delivery(handoff: Handoff, commitment: Commitment) -> dict[str, int]:
    rejected = handoff.status is HandoffStatus.REJECTED
    soon = (
        rejected
        and handoff.decided_at is not None
        and (
            handoff.decided_at - handoff.handed_off_at <= timedelta(days=commitment.claw_back_days)
        )
    )
    return {
        "delivered": 1,
        "clawed_back": int(soon),
        "handed_off": 1,
        "accepted": int(handoff.status is HandoffStatus.ACCEPTED),
        "rejected": int(rejected),
    }


async def _told(work: Any, world: World) -> dict[UUID, list[datetime]]:
    """Return when sales said something about each lead."""
    about = {thread.id: thread.lead_id for thread in await work.find(Thread)}
    sales = (world.rep.id, world.other_rep.id)
    told = defaultdict[UUID, list[datetime]](list)
    for message in await work.find(ThreadMessage, author_id=sales):
        told[about[message.thread_id]].append(message.sent_at)
    return told


def _feedback(
    handoff: Handoff, activities: Any, told: dict[UUID, list[datetime]]
) -> list[tuple[datetime, ClockFact]]:
    """Return what marketing heard, by when it did: met, told in a thread, sent back and why."""
    heard = [(at, at) for at in told[handoff.lead_id] if at >= handoff.recorded_at]
    heard += [
        (activity.recorded_at, activity.occurred_at)
        for activity in activities
        if activity.lead_id == handoff.lead_id
        and activity.agency is Agency.HUMAN
        and activity.kind is ActivityKind.MEETING
        and activity.recorded_at >= handoff.recorded_at
    ]
    if handoff.decided_at is not None and handoff.status is not HandoffStatus.ACCEPTED:
        heard.append((handoff.decided_at, handoff.decided_at))
    if handoff.returned_at is not None:
        heard.append((handoff.returned_at, handoff.returned_at))
    return [(known, ClockFact(FactKind.SATISFIED, at)) for known, at in heard]


def _facts(
    handoff: Handoff, commitment: Commitment, activities: Any
) -> list[tuple[datetime, ClockFact]]:
    facts: list[tuple[datetime, ClockFact]] = []
    for activity in activities:
        # What was recorded before the hand-off, or after sales had answered and so ended the
        # promise, was no touch of this hand-off.
        if activity.lead_id != handoff.lead_id or activity.agency is Agency.AUTOMATIC:
            continue
        if activity.recorded_at < handoff.recorded_at:
            continue
        answered = activity.answered or commitment.kind is CommitmentKind.RESPONSE
        if commitment.kind is not CommitmentKind.DISPOSITION:
            kind = FactKind.SATISFIED if answered else FactKind.ATTEMPTED
            facts.append((activity.recorded_at, ClockFact(kind, activity.occurred_at)))
    if handoff.decided_at is not None:
        if commitment.kind is CommitmentKind.DISPOSITION:
            facts.append((handoff.decided_at, ClockFact(FactKind.SATISFIED, handoff.decided_at)))
        elif handoff.status is not HandoffStatus.ACCEPTED:
            facts.append((handoff.decided_at, ClockFact(FactKind.CANCELLED, handoff.decided_at)))
    if handoff.returned_at is not None:
        facts.append((handoff.returned_at, ClockFact(FactKind.CANCELLED, handoff.returned_at)))
    return facts


def _state(
    handoff: Handoff, commitment: Commitment, facts: list[ClockFact], now: datetime
) -> tuple[ClockState, bool]:
    policy = ClockPolicy(
        target=timedelta(minutes=commitment.within_minutes or 0), attempts=commitment.attempts
    )
    # A clock that has ended takes no more facts, so they are let in one by one.
    known: list[ClockFact] = []
    for fact in facts:
        reading = read(
            started_at=handoff.handed_off_at, policy=policy, facts=known, hours=HOURS, now=now
        )
        if reading.ended_at is None:
            known.append(fact)
    reading = read(
        started_at=handoff.handed_off_at, policy=policy, facts=known, hours=HOURS, now=now
    )
    return reading.state, reading.breached_at is not None


def _clock(state: ClockState, late: bool) -> dict[str, int]:
    excused = state in (ClockState.WAIVED, ClockState.CANCELLED, ClockState.TRANSFERRED)
    return {
        "opened": 1,
        "met": int(state is ClockState.MET),
        "met_late": int(state is ClockState.MET_LATE),
        "breached": int(late),
        "excused": int(excused),
    }


def _coverage(states: list[tuple[ClockState, bool]]) -> dict[str, int]:
    counting = [s for s in states if not _clock(*s)["excused"]]
    return {
        "opened": int(bool(counting)),
        "met": int(bool(counting) and all(state is ClockState.MET for state, _ in counting)),
        "breached": int(any(late for _, late in counting)),
    }


@pytest.mark.parametrize("seed", range(6))
async def test_tallies_equal_a_recount_from_the_facts(world: World, seed: int) -> None:
    world.at(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    sla = a_sla(world)
    feedback = a_commitment(sla, CommitmentKind.FEEDBACK, 5, within_minutes=1200)
    await sign(world, *usual_commitments(sla), feedback, sla=sla)
    story = Story(world, seed)
    await story.run(60)

    async with world.work() as work:
        kept = {
            (t.commitment_id, t.on): +Counter({name: getattr(t, name) for name in COUNTERS})
            for t in await work.find(SlaTally)
        }
    assert {key: total for key, total in kept.items() if total} == await recounted(story, sla)
