"""What a status reads from the database, against what it means."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.handoff import Handoff, HandoffStatus
from domain.identity import system
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Lead
from domain.sla import keeping
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.sla.pacing import Pace
from domain.sla.standing import (
    CommitmentStanding,
    CountsOf,
    SlaStanding,
    UnsweptHandoffs,
    sla_standing,
)
from tests.agreements import a_commitment, a_sla, add_mql, sign
from tests.world import World

D = Decimal


async def read(world: World, sla: Sla) -> SlaStanding:
    async with world.work() as work:
        return await sla_standing(work, world.actor(world.analyst), sla.id)


def of(standing: SlaStanding, kind: CommitmentKind) -> CommitmentStanding:
    return next(c for c in standing.commitments if c.commitment.kind is kind)


async def hand_off(world: World, **changes: Any) -> Lead:
    lead = await add_mql(world, **changes)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    return lead


async def call(world: World, lead: Lead) -> None:
    async with world.work() as work:
        await log_activity(
            work,
            world.actor(world.rep),
            lead.id,
            kind=ActivityKind.CALL,
            agency=Agency.HUMAN,
            answered=True,
            occurred_at=world.now,
        )


async def sweep(world: World) -> None:
    async with world.work() as work:
        await keeping.sweep(work, system(world.tenant.id))


def figures(standing: CommitmentStanding) -> tuple[int | None, ...]:
    return (
        standing.opened,
        standing.open,
        standing.due_soon,
        standing.breached,
        standing.met,
        standing.excused,
    )


async def test_a_clock_goes_from_open_over_due_soon_to_late_with_no_worker_alive(world: World):
    """Four working hours from noon: warned at 15:00, due at 16:00, which is still in time."""
    sla = await sign(world)
    await hand_off(world)

    told = []
    for hour, minute in ((14, 59), (15, 0), (16, 0), (16, 1)):
        world.at(datetime(2026, 3, 10, hour, minute, tzinfo=UTC))
        told.append(figures(of(await read(world, sla), CommitmentKind.RESPONSE)))

    assert told == [
        (1, 1, 0, 0, 0, 0),
        (1, 1, 1, 0, 0, 0),
        (1, 1, 1, 0, 0, 0),
        (1, 1, 0, 1, 0, 0),
    ]


async def test_the_next_look_is_when_a_clock_comes_to_be_due_soon_or_late(world: World):
    sla = await sign(world)
    await hand_off(world)
    response = CommitmentKind.RESPONSE

    looks = []
    for hour in (12, 15, 17):
        world.at(datetime(2026, 3, 10, hour, tzinfo=UTC))
        looks.append(of(await read(world, sla), response).next_at)

    assert looks == [
        datetime(2026, 3, 10, 15, tzinfo=UTC),
        datetime(2026, 3, 10, 16, 0, 0, 1, tzinfo=UTC),
        None,
    ]


async def test_a_paused_clock_is_neither_due_soon_nor_late(world: World):
    sla = await sign(world)
    await hand_off(world)
    async with world.work() as work:
        (clock,) = [
            c
            for c in await work.find(SlaClock)
            if c.due_at == datetime(2026, 3, 10, 16, tzinfo=UTC)
        ]
        await keeping.pause_clock(work, world.actor(world.rep), clock.id, reason="on holiday")

    world.wait(days=1)
    paused = of(await read(world, sla), CommitmentKind.RESPONSE)

    assert figures(paused) == (1, 1, 0, 0, 0, 0)
    assert paused.next_at is None


async def test_a_clock_that_was_late_when_it_was_paused_stays_late(world: World):
    sla = await sign(world)
    await hand_off(world)
    world.wait(hours=30)
    await sweep(world)
    async with world.work() as work:
        late = [c for c in await work.find(SlaClock) if c.state is ClockState.BREACHED]
        for clock in late:
            await keeping.pause_clock(work, world.actor(world.rep), clock.id, reason="too late")

    assert len(late) == 2
    assert figures(of(await read(world, sla), CommitmentKind.RESPONSE)) == (1, 1, 0, 1, 0, 0)


async def test_coverage_is_lost_at_the_due_instant_once_a_handoff_noticed_or_not(world: World):
    """One hand-off answered in time, one with two promises broken of which one is noticed."""
    sla = await sign(world)
    kept, lost = await hand_off(world), await hand_off(world)
    await call(world, kept)
    async with world.work() as work:
        await handoff_flow.accept_lead(work, world.actor(world.rep), kept.id)

    coverage = CommitmentKind.COVERAGE
    world.at(datetime(2026, 3, 10, 16, 30, tzinfo=UTC))
    unnoticed = of(await read(world, sla), coverage)
    await sweep(world)
    noticed = of(await read(world, sla), coverage)
    world.at(datetime(2026, 3, 11, 12, 30, tzinfo=UTC))
    second_late = of(await read(world, sla), coverage)

    assert figures(unnoticed) == figures(noticed) == figures(second_late)
    assert (unnoticed.opened, unnoticed.met, unnoticed.breached, unnoticed.open) == (2, 1, 1, 0)
    assert (unnoticed.met_share, unnoticed.status) == (D("0.5000"), Pace.BEHIND)
    assert lost.id != kept.id


async def test_each_day_is_the_local_one_of_the_agreement(world: World):
    """11:30 UTC on the 10th is the 11th in Auckland already."""
    sla = a_sla(world, time_zone="Pacific/Auckland")
    touch = a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=60, target_share=D("0.9"))
    await sign(world, touch, sla=sla)
    await hand_off(world)

    async with world.work() as work:
        question = CountsOf(commitment_ids=(touch.id,), time_zone=sla.time_zone, at=world.now)
        (counts,) = await work.ask(question)

    assert (counts.tally.on, counts.tally.opened, counts.open) == (date(2026, 3, 11), 1, 1)


async def test_a_status_takes_three_statements_and_never_reads_leads_or_handoffs(world: World):
    sla = await sign(world)
    await hand_off(world)
    await read(world, sla)  # The commitments and the calendar are kept from now on.

    told: list[str] = []
    async with world.work() as work:
        work.connection.add_query_logger(lambda record: told.append(record.query))
        await sla_standing(work, world.actor(world.analyst), sla.id)

    sources = [text for text in told if text != "COMMIT"]
    assert len(sources) == 3
    assert not [text for text in sources if "leads" in text or "handoffs" in text]


async def test_another_tenants_commitments_count_nothing(world: World, other_world: World):
    sla = await sign(world)
    await hand_off(world)
    async with world.work() as work:
        commitments = tuple(c.id for c in await work.find(Commitment, sla_id=sla.id))
    late = world.now + timedelta(days=30)

    async with other_world.work() as work:
        counts = await work.ask(CountsOf(commitment_ids=commitments, time_zone="UTC", at=late))
        unswept = await work.ask(
            UnsweptHandoffs(commitment_ids=commitments, time_zone="UTC", at=late)
        )

    assert (list(counts), dict(unswept)) == ([], {})


@pytest.mark.parametrize("seed", range(4))
async def test_what_a_status_says_does_not_depend_on_whether_anybody_swept(world: World, seed: int):
    """Random working days; each time the same figures before a sweep and after it."""
    sla, chance = await sign(world), random.Random(seed)
    leads: list[Lead] = []
    for _ in range(25):
        world.wait(minutes=chance.choice((5, 30, 90, 240, 900)))
        await chance.choice((_hand_off, _hand_off, _call, _answer, _waive))(world, leads, chance)
        if chance.random() < 0.3:
            await sweep(world)

    for _ in range(4):
        world.wait(hours=chance.choice((1, 5, 20)))
        before = await read(world, sla)
        await sweep(world)
        assert await read(world, sla) == before


async def _hand_off(world: World, leads: list[Lead], chance: random.Random) -> None:
    leads.append(await hand_off(world))


async def _call(world: World, leads: list[Lead], chance: random.Random) -> None:
    if leads:
        await call(world, chance.choice(leads))


async def _answer(world: World, leads: list[Lead], chance: random.Random) -> None:
    async with world.work() as work:
        waiting = [h.lead_id for h in await work.find(Handoff, status=HandoffStatus.OPEN)]
        if not waiting:
            return
        lead_id, actor = chance.choice(waiting), world.actor(world.rep)
        if chance.random() < 0.5:
            await handoff_flow.accept_lead(work, actor, lead_id)
        else:
            await handoff_flow.reject_lead(work, actor, lead_id, reason="a student")


async def _waive(world: World, leads: list[Lead], chance: random.Random) -> None:
    async with world.work() as work:
        clocks = await work.find(SlaClock, ended_at=None)
        if clocks:
            clock = chance.choice(clocks)
            await keeping.waive_clock(work, world.actor(world.rep), clock.id, reason="trade fair")
