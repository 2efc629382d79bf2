"""Promises stay kept, and counted once, through everything that happens to a hand-off."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import handoff_flow
from domain.events import TeamChanged
from domain.feed import LoggedEvent
from domain.goals.targets import EVERYBODY, MetricTally
from domain.handoff import Handoff, HandoffCredit, HandoffStatus, WrongTeam
from domain.identity import TeamMember, User, system
from domain.ids import new_id
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Lead
from domain.sla import keeping
from domain.sla.agreement import Commitment, CommitmentKind, LadderStep, Reassignment, Sla
from domain.sla.clock import ClockState, EscalationAction
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.escalation import sweep_and_escalate
from domain.stages import Stage
from infra.outbox import publish_all
from tests.agreements import a_commitment, a_sla, add_mql, sign, usual_commitments
from tests.world import NOON, World


async def hand_off(world: World, lead: Lead | None = None, **more: Any) -> Handoff:
    lead = lead or await add_mql(world)
    async with world.work() as work:
        return await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id, **more)


async def do(
    world: World, use_case: Callable[..., Awaitable[Any]], *given: Any, **more: Any
) -> Any:
    """Let the manager of sales do something."""
    async with world.work() as work:
        return await use_case(work, world.actor(more.pop("as_", world.rep)), *given, **more)


async def clocks_of(world: World, handoff: Handoff) -> list[SlaClock]:
    async with world.work() as work:
        found = await work.find(SlaClock, handoff_id=handoff.id)
    return sorted(found, key=lambda clock: (clock.started_at, clock.id))


async def test_what_is_recycled_after_all_is_owed_nothing_more(world: World) -> None:
    await sign(world)
    handoff = await hand_off(world)
    await do(world, handoff_flow.accept_lead, handoff.lead_id)
    world.wait(minutes=10)

    await do(world, handoff_flow.recycle_lead, handoff.lead_id, reason="next year")

    found = await clocks_of(world, handoff)
    assert sorted((clock.state.value, clock.reason) for clock in found) == [
        ("CANCELLED", "next year"),
        ("CANCELLED", "next year"),
        ("MET", None),
    ]
    assert {clock.ended_at for clock in found} == {NOON, NOON + timedelta(minutes=10)}
    world.wait(days=30)
    async with world.work() as work:
        swept = await sweep_and_escalate(work, system(world.tenant.id))
    assert swept.transitions == 0


async def test_a_stranger_to_the_team_cannot_give_back_what_it_accepted(world: World) -> None:
    handoff = await hand_off(world)
    await do(world, handoff_flow.accept_lead, handoff.lead_id)
    async with world.work() as work:
        await work.delete(TeamMember, user_id=world.other_rep.id)

    with pytest.raises(WrongTeam):
        await do(
            world,
            handoff_flow.recycle_lead,
            handoff.lead_id,
            reason="mine",
            as_=world.other_rep,
        )

    async with world.work() as work:
        assert (await work.get(Lead, handoff.lead_id)).stage is Stage.SAL


async def test_whoever_accepts_takes_over_what_is_still_owed(world: World) -> None:
    await sign(world)
    handoff = await hand_off(world, owner_id=world.rep.id)

    await do(world, handoff_flow.accept_lead, handoff.lead_id, as_=world.other_rep)

    assert {clock.user_id for clock in await clocks_of(world, handoff)} == {world.other_rep.id}


async def test_each_new_owner_gets_one_clock_however_often_a_lead_is_given_on(
    world: World,
) -> None:
    sla = a_sla(world)
    child = Reassignment.CHILD
    promise = a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=240, on_reassignment=child)
    await sign(world, promise, sla=sla)
    handoff = await hand_off(world, owner_id=world.rep.id)
    for owner in (world.other_rep, world.rep, world.other_rep):
        world.wait(minutes=10)
        await do(world, handoff_flow.reassign_lead, handoff.lead_id, owner_id=owner.id)

    found = await clocks_of(world, handoff)

    assert [clock.user_id for clock in found] == [
        *(world.rep.id, world.other_rep.id),
        *(world.rep.id, world.other_rep.id),
    ]
    assert [clock.parent_id for clock in found[1:]] == [clock.id for clock in found[:-1]]


async def test_leads_that_are_given_on_together_go_round(world: World) -> None:
    """Of one sweep, all in one transaction, nobody gets more than his turn."""
    sla = a_sla(world)
    ladder = (LadderStep(after_minutes=60, action=EscalationAction.REASSIGN),)
    terms: dict[str, Any] = {"within_minutes": 240, "escalation": ladder}
    await sign(world, a_commitment(sla, CommitmentKind.RESPONSE, **terms), sla=sla)
    third = User(
        **{
            **{name: getattr(world.other_rep, name) for name in User.__slots__},
            "id": new_id(),
            "account_id": new_id(),
            "email": "tom@example.com",
        }
    )
    member = TeamMember(id=new_id(), team_id=world.sales.id, user_id=third.id, created_at=world.now)
    async with world.work() as work:
        await work.add_all([third, member])
    for _ in range(6):
        await hand_off(world, owner_id=world.rep.id)
    world.wait(minutes=61)

    async with world.work() as work:
        await sweep_and_escalate(work, system(world.tenant.id))

    async with world.work() as work:
        owners = Counter(handoff.owner_id for handoff in await work.find(Handoff))
    assert owners == {world.other_rep.id: 3, third.id: 3}


async def test_who_has_waited_for_another_is_told_after_him_whatever_the_machines_clocks_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second transaction's machine lives two hours in the past."""
    first, second = (TeamChanged(at=world.now, team_id=new_id()) for _ in range(2))
    ids = iter((UUID(int=2 << 64), UUID(int=1 << 64)))
    for event in (first, second):
        async with world.work() as work:
            work.record(event)
            monkeypatch.setattr("infra.work.new_id", _once(next(ids)))
    await publish_all(world.database, world.tenant.id)

    async with world.work() as work:
        log = sorted(await work.find(LoggedEvent), key=lambda event: event.number)
    assert [UUID(event.payload["team_id"]) for event in log] == [first.team_id, second.team_id]


def _once(first: UUID) -> Callable[[], UUID]:
    """Return ids of which the first is given; it names the batch."""
    waiting = [first]
    return lambda: waiting.pop() if waiting else new_id()


class Story:
    """Random days on which leads are given on, given back and handed off again."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)

    async def run(self, steps: int) -> None:
        acts = (
            *(self.hand_off, self.hand_off, self.answer, self.reassign, self.reassign),
            *(self.touch, self.recycle, self.waive, self.sweep),
        )
        for _ in range(steps):
            self.world.wait(minutes=self.chance.choice((3, 20, 45, 90, 240, 900)))
            await self.chance.choice(acts)()
        self.world.wait(days=2)
        await self.sweep()

    async def hand_off(self) -> None:
        """Hand off a new lead, or again one that had come back."""
        again = [lead for lead in await self.leads() if lead.stage is Stage.LEAD]
        if not again or self.chance.random() < 0.5:
            await hand_off(self.world)
            return
        lead = self.chance.choice(again)
        async with self.world.work() as work:
            lead = await work.save(replace(lead, stage=Stage.MQL))
        await hand_off(self.world, lead)

    async def answer(self) -> None:
        handoff = await self.one(status=HandoffStatus.OPEN)
        if handoff is None:
            return
        if self.chance.random() < 0.5:
            await do(self.world, handoff_flow.accept_lead, handoff.lead_id)
        else:
            await do(self.world, handoff_flow.reject_lead, handoff.lead_id, reason="a student")

    async def recycle(self) -> None:
        waiting = [lead for lead in await self.leads() if lead.stage in (Stage.MQL, Stage.SAL)]
        if waiting:
            lead = self.chance.choice(waiting)
            await do(self.world, handoff_flow.recycle_lead, lead.id, reason="next year")

    async def reassign(self) -> None:
        handoff = await self.one(status=HandoffStatus.OPEN)
        if handoff is not None:
            owners = {self.world.rep.id, self.world.other_rep.id} - {handoff.owner_id}
            await do(self.world, handoff_flow.reassign_lead, handoff.lead_id, owner_id=min(owners))

    async def touch(self) -> None:
        handoff = await self.one()
        if handoff is not None:
            at = self.world.now - timedelta(minutes=self.chance.choice((0, 0, 50, 400)))
            given: dict[str, Any] = {"kind": ActivityKind.CALL, "occurred_at": at}
            await do(self.world, log_activity, handoff.lead_id, **given)

    async def waive(self) -> None:
        async with self.world.work() as work:
            clocks = await work.find(SlaClock, ended_at=None)
        if clocks:
            clock = self.chance.choice(clocks)
            await do(self.world, keeping.waive_clock, clock.id, reason="trade fair")

    async def sweep(self) -> None:
        async with self.world.work() as work:
            await sweep_and_escalate(work, system(self.world.tenant.id))

    async def leads(self) -> list[Lead]:
        async with self.world.work() as work:
            return list(await work.find(Lead))

    async def one(self, **equals: Any) -> Handoff | None:
        async with self.world.work() as work:
            found = await work.find(Handoff, **equals)
        return self.chance.choice(found) if found else None


def promises(sla: Sla) -> list[Commitment]:
    """Return the usual promises, each with another rule for a new owner."""
    rules = {
        CommitmentKind.RESPONSE: Reassignment.RESTART,
        CommitmentKind.ATTEMPTS: Reassignment.CHILD,
    }
    return [
        replace(each, on_reassignment=rules.get(each.kind, Reassignment.CONTINUE))
        for each in usual_commitments(sla)
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_tallies_are_the_sum_of_what_is_stored_whatever_happens(
    world: World, seed: int
) -> None:
    world.at(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    sla = a_sla(world)
    await sign(world, *promises(sla), sla=sla)
    await Story(world, seed).run(80)

    async with world.work() as work:
        stored = {(tally.commitment_id, tally.on): tally for tally in await work.find(SlaTally)}
        handoffs = {handoff.id: handoff for handoff in await work.find(Handoff)}
        credits = await work.find(HandoffCredit)
        clocks = await work.find(SlaClock)
        commitments = await work.find(Commitment)
    (coverage,) = [c for c in commitments if c.kind is CommitmentKind.COVERAGE]
    totals: dict[tuple[UUID, date], Counter[str]] = {}
    for credit in credits:
        counted = keeping.counted_credit(handoffs[credit.handoff_id], credit)
        totals.setdefault((credit.commitment_id, credit.on), Counter()).update(counted)
    for clock in clocks:
        place = clock.commitment_id, clock.started_at.date()
        totals.setdefault(place, Counter()).update(keeping.counted(clock))
    for handoff in handoffs.values():
        counted = keeping.counted_coverage(c for c in clocks if c.handoff_id == handoff.id)
        day = handoff.handed_off_at.date()
        totals.setdefault((coverage.id, day), Counter()).update(counted)

    names = (
        *("delivered", "clawed_back", "handed_off", "accepted", "rejected"),
        *("opened", "met", "met_late", "breached", "excused"),
    )
    kept = {
        place: +Counter({name: getattr(tally, name) for name in names})
        for place, tally in stored.items()
    }
    assert {place: found for place, found in kept.items() if found} == {
        place: +total for place, total in totals.items() if +total
    }
    assert await _responses(world) == _settled(clocks, commitments)


async def _responses(world: World) -> Counter[str]:
    async with world.work() as work:
        tallies = await work.find(MetricTally, team_id=EVERYBODY)
    return +Counter(
        {
            name: sum(tally.amount for tally in tallies if tally.metric == name)
            for name in ("RESPONSES_CLOSED", "RESPONSES_MET")
        }
    )


def _settled(clocks: Any, commitments: Any) -> Counter[str]:
    kinds = {commitment.id: commitment.kind for commitment in commitments}
    states = [c.state for c in clocks if kinds[c.commitment_id] is CommitmentKind.RESPONSE]
    met, late = states.count(ClockState.MET), states.count(ClockState.MET_LATE)
    return +Counter({"RESPONSES_CLOSED": met + late, "RESPONSES_MET": met})
