"""A lead counts for a stage once: when it first came to it, or past it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.goals.targets import Metric, MetricTally
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import StageEntry, enter_stage, fall_back, reached, undo_stage
from domain.stages import Stage
from tests.domain.building_leads import MANAGER, a_lead, a_work
from tests.fakes import FakeWork

ANN, BOB = UUID(int=1), UUID(int=2)


def on(day: int) -> datetime:
    return datetime(2026, 3, day, 9, tzinfo=UTC)


def steps(lead_id: UUID, *stages: Stage) -> list[StageEntry]:
    """Return the steps of a lead into stages, one on each of the first days of March."""
    return [
        StageEntry(
            id=new_id(), lead_id=lead_id, stage=stage, previous=previous, entered_at=on(day),
            recorded_at=on(day),
        )
        for day, (previous, stage) in enumerate(zip((None, *stages), stages, strict=False), start=1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "counted"),
    [
        ((), {}),
        ((Stage.VISITOR, Stage.LEAD), {}),
        ((Stage.LEAD, Stage.MQL, Stage.SAL), {Metric.MQLS: 2}),
        ((Stage.LEAD, Stage.SQL), {Metric.MQLS: 2, Metric.SQLS: 2}),  # past MQL
        ((Stage.LEAD, Stage.MQL, Stage.LEAD, Stage.MQL), {Metric.MQLS: 2}),  # recycled
        ((Stage.LEAD, Stage.SAL, Stage.LEAD, Stage.MQL), {Metric.MQLS: 2}),  # it had been past it
        (
            (Stage.LEAD, Stage.MQL, Stage.LEAD, Stage.OPPORTUNITY),
            {Metric.MQLS: 2, Metric.SQLS: 4, Metric.OPPORTUNITIES: 4},
        ),
        (
            (Stage.ADVOCATE,),
            dict.fromkeys((Metric.MQLS, Metric.SQLS, Metric.OPPORTUNITIES, Metric.CUSTOMERS), 1),
        ),
    ],
)
def test_a_lead_counts_when_it_first_came_so_far(
    stages: tuple[Stage, ...], counted: dict[Metric, int]
) -> None:
    found = reached(steps(ANN, *stages))

    assert found == {(metric, on(day)): 1 for metric, day in counted.items()}
    assert reached(reversed(steps(ANN, *stages))) == found


def test_leads_count_each_for_itself() -> None:
    both = [*steps(ANN, Stage.LEAD, Stage.MQL), *steps(BOB, Stage.LEAD, Stage.MQL)]

    assert reached(both) == {(Metric.MQLS, on(2)): 2}


def counted(work: FakeWork) -> Counter[str]:
    """Return what goals count by now, of all days."""
    metrics = Counter[str]()
    for (tally, _, key), by in work.counts.items():
        if tally is MetricTally:
            metrics[str(dict(key)["metric"])] += by["amount"]
    return +metrics


async def test_what_a_lead_skips_counts_and_what_it_enters_again_does_not() -> None:
    lead = a_lead()
    work = await a_work(lead)

    async def enters(stage: Stage, day: int) -> None:
        known = await work.get(Lead, lead.id)
        await enter_stage(work, MANAGER, known, stage, at=on(day), judged=False)

    await enters(Stage.SQL, 11)
    assert counted(work) == {"MQLS": 1, "SQLS": 1}
    known = await work.get(Lead, lead.id)
    await fall_back(work, MANAGER, known, Stage.LEAD, at=on(12), reason="later")
    await enters(Stage.MQL, 13)
    assert counted(work) == {"MQLS": 1, "SQLS": 1}
    await enters(Stage.CUSTOMER, 14)
    assert counted(work) == {"MQLS": 1, "SQLS": 1, "OPPORTUNITIES": 1, "CUSTOMERS": 1}

    await undo_stage(work, MANAGER, await work.get(Lead, lead.id), Stage.CUSTOMER)
    assert counted(work) == {"MQLS": 1, "SQLS": 1}
