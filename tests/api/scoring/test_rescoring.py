"""Grades are kept right beside whatever else happens."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from domain.errors import DomainError
from domain.events import LeadGraded
from domain.grades import Grade
from domain.identity import system
from domain.ids import public
from domain.leads import Lead
from domain.scoring import (
    EngagementSums,
    LeadGrading,
    TouchRule,
    active_model,
    rescore,
    rescore_soon,
    sweep_gradings,
)
from domain.scoring.points import engagement_from
from domain.scoring.rescoring import engagements
from domain.touches import TouchKind
from infra.database import Database
from infra.scoring import ScoreKeeper
from tests.api.scoring.scored import a_touch, add_leads, grading, of, scored_by, stored, touch
from tests.world import World


async def test_the_worker_keeps_the_lists_true(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    keeper = ScoreKeeper(world.database)
    at = datetime.fromisoformat((await grading(world, lead))["nextChangeAt"])

    world.at(at - timedelta(seconds=1))
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)

    world.at(at)
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 7, Grade.A2)

    world.wait(days=90)
    await keeper.score_all()
    assert of(await stored(world, lead)) == (30, 0, Grade.A3)
    async with world.work() as work:
        [kept] = await work.find(LeadGrading, lead_id=lead.id)
    assert kept.changes_at is None


async def test_what_was_touched_counts_at_once_and_in_lists_when_the_worker_has_been(
    world: World,
) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    async with world.work() as work:
        await work.add(a_touch(lead, world.now))
        await rescore_soon(work, [lead.id])

    found = await grading(world, lead)
    assert (found["engagement"], found["grade"]) == (8, "A2")
    assert (await stored(world, lead)).grade is Grade.A3
    await world.data(
        """mutation($id: ID!) { leadUpdate(input: {lead: {id: $id}, country: "IE"}) {
          userErrors { code } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert (await grading(world, lead))["grade"] == "A2"  # the change has not hidden the touch

    await ScoreKeeper(world.database).score_all()
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)


async def test_a_touch_that_is_stored_while_the_worker_scores_is_not_lost(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)

    async def score() -> None:
        async with world.work() as work:
            await rescore(work, [lead.id])

    async with world.work() as storing:
        await storing.add(a_touch(lead, world.now))
        await rescore_soon(storing, [lead.id])
        scoring = asyncio.create_task(score())
        done, _ = await asyncio.wait([scoring], timeout=0.3)
        assert not done  # it waits until the touch can be seen
    await scoring
    assert of(await stored(world, lead)) == (30, 8, Grade.A2)


async def test_a_grade_that_changes_is_told_and_no_personal_data_with_it(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    await scored_by(world)
    async with world.work() as work:
        await work.add(a_touch(lead, world.now))
        await rescore(work, [lead.id])
        told = [each for each in work._events if isinstance(each, LeadGraded)]
        await rescore(work, [lead.id])
        assert [each for each in work._events if isinstance(each, LeadGraded)] == told
    assert told == [LeadGraded(at=world.now, lead_id=lead.id, grade=Grade.A2)]


async def test_the_database_adds_up_what_the_rules_say(world: World) -> None:
    """The statement and the rules in plain Python agree on the touches of two hundred days."""
    leads = await add_leads(world, "Head", None)
    await scored_by(world)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        kinds = list(TouchKind)
        touches = [
            a_touch(leads[n % 2], world.now - timedelta(hours=7 * n), kinds[n % len(kinds)])
            for n in range(700)
        ]
        await work.add_all(touches)
        found = await engagements(work, model.terms, [lead.id for lead in leads], at=world.now)
    for lead in leads:
        mine = [(each, each.occurred_at) for each in touches if each.lead_id == lead.id]
        anew = engagement_from(model.terms, mine, at=world.now)
        assert found[lead.id].touches == anew.touches
        for summed, reckoned in zip(found[lead.id].sums, anew.sums, strict=True):
            assert abs(summed - reckoned) < Decimal("0.0005")


async def test_touches_of_another_tenant_count_for_nobody_here(
    world: World, other_world: World
) -> None:
    (lead,), (theirs,) = await add_leads(world, "Head"), await add_leads(other_world, "Head")
    await scored_by(world)
    await scored_by(other_world)
    await touch(other_world, theirs, TouchKind.PAGE_VIEW)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        found = await engagements(work, model.terms, [lead.id, theirs.id], at=world.now)
    assert [each.touches for each in found.values()] == [(0,), (0,)]


async def test_a_lead_that_somebody_holds_is_swept_later(world: World, database: Database) -> None:
    (lead,) = await add_leads(world, "Head")
    await scored_by(world)
    await touch(world, lead, TouchKind.PAGE_VIEW)
    world.wait(days=30)
    async with world.work() as holding:
        await holding.get(Lead, lead.id, lock=True)
        async with world.work() as work:
            assert await sweep_gradings(work, system(world.tenant.id)) == 0
    async with world.work() as work:
        assert await sweep_gradings(work, system(world.tenant.id)) == 1


async def test_only_who_may_sweeps(world: World) -> None:
    async with world.work() as work:
        with pytest.raises(DomainError, match="EDIT_SCORING"):
            await sweep_gradings(work, world.actor(world.analyst))


async def test_no_rules_ask_nothing(world: World) -> None:
    (lead,) = await add_leads(world, "Head")
    async with world.work() as work:
        question = EngagementSums(lead_ids=(lead.id,), rules=tuple[TouchRule, ...](), at=world.now)
        assert (await work.ask(question))[lead.id].sums == ()
