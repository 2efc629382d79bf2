"""A history that is imported is the history as it was lived."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.handoff import Handoff
from domain.handoff_flow import accept_lead, hand_off, recycle_lead, reject_lead
from domain.identity import system
from domain.imports import ImportedLead, ImportedStep, StepKind
from domain.lead_details import LeadDetails
from domain.lead_import import NO_REASON
from domain.lead_intake import create_lead
from domain.leads import Lead
from domain.lifecycle import enter_stage
from domain.merging import merge_leads
from domain.sla import keeping
from domain.stages import Stage
from tests.agreements import sign
from tests.infra.importing.importing_leads import (
    CREATED,
    END,
    UNCHANGED,
    UPDATED,
    a_row,
    at,
    define_mql,
    everything,
    outcomes,
    stage,
    step,
    take,
)
from tests.world import World


def stories(chance: random.Random, count: int) -> list[ImportedLead]:
    """Return rows about leads that came through March in all possible ways."""
    rows = []
    for number in range(count):
        when = at(2, 0) + timedelta(minutes=chance.randrange(10 * 1440))
        steps = []
        for planned in chance.choice(_WAYS):
            when += timedelta(minutes=chance.choice((1, 30, 200, 2000, 5000)))
            steps.append(replace(planned, at=when))
        rows.append(
            a_row(f"lead {number}", *steps, line=number + 2, seen_at=at(2, 0), score=number)
        )
    return rows


_MQL, _GIVEN = stage(Stage.MQL, END), step(StepKind.HAND_OFF, END)
_WAYS = (
    (_MQL,),
    (_MQL, _GIVEN),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END)),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END), stage(Stage.CUSTOMER, END)),
    (_MQL, _GIVEN, step(StepKind.REJECT, END, reason="a student")),
    (_MQL, _GIVEN, step(StepKind.RECYCLE, END, reason="next year")),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END), step(StepKind.RECYCLE, END, reason="no money")),
    (stage(Stage.LEAD, END), _MQL, step(StepKind.RECYCLE, END)),
)


async def live_through(world: World, rows: Sequence[ImportedLead]) -> None:
    """Do what the rows tell at the instants at which they say it happened."""
    actor, known = system(world.tenant.id), {}
    for row in rows:
        assert row.external_id is not None
        world.at(at(2, 0))
        async with world.work() as work:
            details = LeadDetails(external_ids=(row.external_id,), score=row.score or 0)
            known[row.line] = (await create_lead(work, actor, details, judge=False)).id
    story = [(each, known[row.line]) for row in rows for each in row.steps]
    for each, lead_id in sorted(story, key=lambda told: told[0].at):
        world.at(each.at)
        async with world.work() as work:
            await keeping.sweep(work, actor)
        async with world.work() as work:
            await do(work, actor, lead_id, each)
    world.at(END)
    async with world.work() as work:
        await keeping.sweep(work, actor)


async def do(work: Any, actor: Any, lead_id: UUID, each: ImportedStep) -> None:
    match each.kind:
        case StepKind.STAGE:
            lead = await work.get(Lead, lead_id)
            assert each.stage is not None
            await enter_stage(work, actor, lead, each.stage, at=each.at, judged=False)
        case StepKind.HAND_OFF:
            await hand_off(work, actor, lead_id, routed=False)
        case StepKind.ACCEPT:
            await accept_lead(work, actor, lead_id)
        case StepKind.REJECT:
            await reject_lead(work, actor, lead_id, reason=each.reason or NO_REASON)
        case StepKind.RECYCLE:
            await recycle_lead(work, actor, lead_id, reason=each.reason or NO_REASON)


@pytest.mark.parametrize("seed", range(3))
async def test_an_imported_history_equals_one_that_was_lived(
    world: World, other_world: World, seed: int
) -> None:
    rows = stories(random.Random(seed), 40)
    for each in (world, other_world):
        await sign(each)
        await define_mql(each)

    await live_through(other_world, rows)
    assert {row.outcome for row in await take(world, rows)} == {CREATED}

    imported, lived = await everything(world), await everything(other_world)
    for part in lived:
        assert imported[part] == lived[part], part


@pytest.mark.parametrize("seed", range(3))
async def test_a_history_told_in_two_files_is_the_same(
    world: World, other_world: World, seed: int
) -> None:
    """What was told of clocks in between stays told, as what was then believed."""
    chance = random.Random(seed)
    rows = stories(chance, 40)
    halves = [replace(row, steps=row.steps[: chance.randrange(5)]) for row in rows]
    world.at(END)
    for each in (world, other_world):
        await sign(each)

    await take(world, rows)
    await take(other_world, halves)
    again = await take(other_world, rows)

    news = [len(half.steps) < len(row.steps) for half, row in zip(halves, rows, strict=True)]
    assert [result.outcome is UPDATED for result in again] == news
    at_once = await everything(world, events=False)
    in_two = await everything(other_world, events=False)
    for part in at_once:
        assert in_two[part] == at_once[part], part


async def test_the_same_rows_again_change_nothing(world: World) -> None:
    rows = stories(random.Random(7), 30)
    world.at(END)
    await sign(world)
    await take(world, rows)
    before = await everything(world)

    world.wait(days=3)
    assert await outcomes(world, *rows) == [UNCHANGED] * 30

    assert await everything(world) == before


async def test_a_file_that_tells_of_a_lead_that_was_merged_tells_nothing_twice(
    world: World,
) -> None:
    await sign(world)
    steps = (stage(Stage.MQL, at(3)), step(StepKind.HAND_OFF, at(4)))
    row = replace(a_row("bob", *steps), external_id=None, email="bob@acme.example")
    assert await outcomes(world, row) == [CREATED]
    async with world.work() as work:
        [loser] = await work.find(Lead)
        winner = await create_lead(work, world.actor(), LeadDetails(email="ann@acme.example"))
        await merge_leads(work, world.actor(), winner.id, [loser.id])
        [handoff] = await work.find(Handoff)

    assert await outcomes(world, row) == [UNCHANGED]

    async with world.work() as work:
        assert [(each.id, each.lead_id) for each in await work.find(Handoff)] == [
            (handoff.id, winner.id)
        ]
