"""Eight thousand real leads and what became of them, against a plain count of the files."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

from domain.goals.targets import EVERYBODY, Metric, MetricTally
from domain.handoff import Handoff, HandoffStatus
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.sla.agreement import CommitmentKind, Sla, start_of_day
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.sla.pacing import Pace
from domain.sla.standing import sla_standing
from domain.stages import Stage
from domain.uploads import JobStatus
from domain.values import Period
from tests.agreements import a_commitment, a_sla, sign
from tests.infra.importing.sample_files import (
    NEEDS_SAMPLE_DATA,
    ZONE,
    counts,
    first_contacts,
    imported,
    wins,
)
from tests.world import World

MONTHS = [(2017, month) for month in range(7, 13)] + [(2018, month) for month in range(1, 6)]
TARGET = 400

pytestmark = NEEDS_SAMPLE_DATA


async def a_month(world: World, year: int, month: int) -> Sla:
    """Sign an agreement for a month of the past."""
    period, zone = Period.month(year, month), "America/Sao_Paulo"
    effective_at = start_of_day(period.first, zone)
    sla = a_sla(world, period=(period.first, period.end), time_zone=zone, effective_at=effective_at)
    delivery = a_commitment(sla, CommitmentKind.DELIVERY, 0, target=TARGET, claw_back_days=5)
    share = Decimal("0.9")
    response, answer = (
        a_commitment(sla, kind, place, within_minutes=8 * 60, target_share=share)
        for place, kind in ((1, CommitmentKind.RESPONSE), (2, CommitmentKind.DISPOSITION))
    )
    attempts = a_commitment(
        sla, CommitmentKind.ATTEMPTS, 3, within_minutes=80 * 60, attempts=5, target_share=share
    )
    coverage = a_commitment(sla, CommitmentKind.COVERAGE, 4, target_share=share)
    return await sign(world, delivery, response, answer, attempts, coverage, sla=sla)


async def test_each_month_of_the_past_is_told_as_the_files_count_it(world: World) -> None:
    slas = {month: await a_month(world, *month) for month in MONTHS}
    done = JobStatus.DONE

    assert counts(await imported(world, "mqls")) == (done, 8000, 8000, 0, 0, 0)
    assert counts(await imported(world, "closed_deals")) == (done, 380, 0, 380, 0, 0)
    for name in ("mqls", "closed_deals"):
        again = await imported(world, name)
        assert (again.created, again.updated, again.failed) == (0, 0, 0)

    await check_leads(world)
    await check_months(world, slas)
    await check_clocks(world)


async def check_leads(world: World) -> None:
    contacts, won = first_contacts(), wins()
    async with world.work() as work:
        leads, handoffs = await work.find(Lead), await work.find(Handoff)
        metrics = await work.find(MetricTally, team_id=EVERYBODY)
        entries = await work.find(StageEntry, stage=Stage.CUSTOMER)
    assert Counter(lead.stage for lead in leads) == {Stage.MQL: 7620, Stage.CUSTOMER: 380}
    assert sum(lead.origin_source is None for lead in leads) == 60
    assert Counter(lead.created_at for lead in leads) == Counter(
        at.astimezone(UTC) for at in contacts.values()
    )
    # One deal was won before its first contact: it counts from the hand-off on.
    instants = [max(at, contacts[name]).astimezone(UTC) for name, at in won.items()]
    assert sorted(entry.entered_at for entry in entries) == sorted(instants)
    assert Counter(handoff.status for handoff in handoffs) == {
        HandoffStatus.OPEN: 7620,
        HandoffStatus.ACCEPTED: 380,
    }
    days = {
        Metric.MQLS: Counter(at.astimezone(UTC).date() for at in contacts.values()),
        Metric.CUSTOMERS: Counter(at.date() for at in instants),
        Metric.HANDOFFS_ACCEPTED: Counter(at.date() for at in instants),
    }
    for metric, expected in days.items():
        assert {m.on: m.amount for m in metrics if m.metric == metric} == expected


async def check_months(world: World, slas: dict[tuple[int, int], Sla]) -> None:
    contacts, won = first_contacts(), wins()
    delivered = Counter((at.year, at.month) for at in contacts.values())
    accepted = Counter((contacts[name].year, contacts[name].month) for name in won)
    told = {}
    for month, sla in slas.items():
        async with world.work() as work:
            standing = await sla_standing(work, world.actor(), sla.id)
        (promise,) = [
            each for each in standing.commitments if each.commitment.kind is CommitmentKind.DELIVERY
        ]
        told[month] = (promise.attained, promise.accepted, promise.status)

    assert told == {
        month: (
            Decimal(delivered[month]),
            accepted[month],
            Pace.MET if delivered[month] >= TARGET else Pace.MISSED,
        )
        for month in MONTHS
    }


async def check_clocks(world: World) -> None:
    async with world.work() as work:
        clocks = await work.find(SlaClock)
    # Four leads came in June 2017, which no agreement covers; the other 7,996 have three clocks.
    assert len(clocks) == 3 * 7996
    assert all(clock.started_at >= datetime(2017, 7, 1, tzinfo=ZONE) for clock in clocks)
    answered = [clock for clock in clocks if clock.ended_at is not None]
    assert len(answered) == 380
    assert {clock.state for clock in answered} == {ClockState.MET, ClockState.MET_LATE}
    assert {clock.state for clock in clocks if clock.ended_at is None} == {ClockState.BREACHED}
    assert date(2017, 7, 3) <= min(clock.due_at for clock in clocks).date()
