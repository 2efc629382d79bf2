"""One next step where there were several."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.events import NextStepChanged
from domain.ids import new_id
from domain.merging.steps import keep_first_step
from domain.next_steps import NextStep
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANN = UUID(int=1)


def a_step(*, hours: int, set_hours_ago: int = 1) -> NextStep:
    return NextStep(
        id=new_id(),
        lead_id=ANN,
        text="Call.",
        due_at=NOON + timedelta(hours=hours),
        set_at=NOON - timedelta(hours=set_hours_ago),
    )


async def test_of_those_due_at_once_the_one_set_first_goes_on_and_the_others_are_told_of() -> None:
    later, first, late = a_step(hours=5), a_step(hours=2, set_hours_ago=3), a_step(hours=2)
    done = replace(a_step(hours=1), done_at=NOON)
    work = FakeWork(NOON, later, first, late, done)

    gave_way = await keep_first_step(work, ANN)

    assert gave_way == (late.id, later.id)
    assert await work.get(NextStep, late.id) == replace(late, replaced_at=NOON, version=2)
    assert (await work.get(NextStep, first.id), await work.get(NextStep, done.id)) == (first, done)
    assert work.events == [
        NextStepChanged(at=NOON, lead_id=ANN, next_step_id=id) for id in gave_way
    ]


async def test_one_step_alone_stays_as_it_is() -> None:
    step = a_step(hours=1)
    work = FakeWork(NOON, step)

    assert await keep_first_step(work, ANN) == ()
    assert (await work.find(NextStep), work.events) == ([step], [])
