"""Eight thousand real leads and what became of them, against a plain count of the files."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.goals.targets import EVERYBODY, Metric, MetricTally
from domain.handoff import Handoff, HandoffStatus
from domain.identity import system
from domain.import_jobs import open_import
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.sla.agreement import CommitmentKind, Sla, start_of_day
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.sla.pacing import Pace
from domain.sla.standing import sla_standing
from domain.stages import Stage
from domain.uploads import ImportJob, JobStatus
from domain.values import Period
from infra.importing import chunks_of
from infra.importing.jobs import Importer
from tests.agreements import a_commitment, a_sla, sign
from tests.world import World

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("SMARKETING_DATA") or ROOT.parent / "shared" / "data")
MAPPINGS = ROOT / "docs" / "mappings"
ZONE = ZoneInfo("America/Sao_Paulo")
MONTHS = [(2017, month) for month in range(7, 13)] + [(2018, month) for month in range(1, 6)]
TARGET = 400

pytestmark = [
    pytest.mark.sample_data,
    pytest.mark.skipif(
        not (DATA / "olist_mqls.csv").exists() or not (DATA / "olist_closed_deals.csv").exists(),
        reason="the sample files are not here; set SMARKETING_DATA to the folder that holds them",
    ),
]


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / f"olist_{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def first_contacts() -> dict[str, datetime]:
    rows = rows_of("mqls")
    return {row["mql_id"]: _local(row["first_contact_date"], "%m/%d/%Y") for row in rows}


def wins() -> dict[str, datetime]:
    rows = rows_of("closed_deals")
    return {row["mql_id"]: _local(row["won_date"], "%m/%d/%Y %H:%M") for row in rows}


def _local(text: str, style: str) -> datetime:
    return datetime.strptime(text, style).replace(tzinfo=ZONE)


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


async def imported(world: World, name: str) -> ImportJob:
    path = DATA / f"olist_{name}.csv"
    content = path.read_bytes()
    async with world.work() as work:
        job = await open_import(
            work,
            system(world.tenant.id),
            file_name=path.name,
            fingerprint=hashlib.sha256(content).hexdigest(),
            mapping=(MAPPINGS / f"olist_{name}.toml").read_text(),
            dry_run=False,
            total_bytes=len(content),
        )

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in chunks_of(path):
            yield chunk

    return await Importer(world.database, world.tenant.id, job).run(chunks())


def counts(job: ImportJob) -> tuple[JobStatus, int, int, int, int, int]:
    return job.status, job.rows, job.created, job.updated, job.unchanged, job.failed


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
