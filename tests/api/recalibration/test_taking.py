from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain import handoff_flow
from domain.handoff import HandoffCredit
from domain.ids import new_id, public
from domain.sla.agreement import Commitment, Sla
from domain.sla.recalibration import ValueRecalibration
from tests.agreements import a_sla, add_mql, sign
from tests.api.asking_slas import countersign
from tests.api.recalibration.revalued import an_agreement, handed_off, reckoned
from tests.world import NOON, World

TAKE = """mutation($sla: ID!, $id: ID!, $at: DateTime) {
  slaTakeValues(input: {sla: $sla, recalibration: $id, effectiveAt: $at}) {
    sla { number status } userErrors { code path }
}}"""


async def a_valued_agreement(world: World) -> tuple[Sla, ValueRecalibration]:
    """Sign an agreement, and reckon what leads from the fair turned out to be worth."""
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    return sla, found


async def hand_off(world: World) -> UUID:
    """Hand one more lead from the fair off, a minute later, and return the hand-off's id."""
    world.at(world.now + timedelta(minutes=1))
    lead = await add_mql(world, origin_source="fair")
    async with world.work() as work:
        return (await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)).id


async def test_the_next_version_of_an_agreement_may_take_the_values(world: World) -> None:
    sla, found = await a_valued_agreement(world)
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", found.id)}

    answer = await world.data(TAKE, variables, as_=world.marketer)

    assert answer["slaTakeValues"]["userErrors"] == []
    assert (answer["slaTakeValues"]["sla"]["number"], answer["slaTakeValues"]["sla"]["status"]) == (
        2,
        "PROPOSED",
    )
    async with world.work() as work:
        [proposed] = [each for each in await work.find(Sla) if each.number == 2]
        made = {each.name: each for each in await work.find(Commitment, sla_id=proposed.id)}
    assert [rule.units for rule in made["Leads"].values] == [
        value.units_proposed for value in found.deliveries[0].values
    ]
    assert (made["Call"].within_minutes, proposed.supersedes_id) == (240, sla.id)


async def test_what_is_handed_off_once_both_have_signed_has_the_new_worth(world: World) -> None:
    sla, found = await a_valued_agreement(world)
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", found.id)}
    before = await hand_off(world)
    await world.data(TAKE, variables, as_=world.marketer)
    proposed = await hand_off(world)
    async with world.work() as work:
        [second] = [each for each in await work.find(Sla) if each.number == 2]
    assert (await countersign(world, public("Sla", second.id)))["userErrors"] == []
    signed = await hand_off(world)

    async with world.work() as work:
        worth = {each.handoff_id: each.units for each in await work.find(HandoffCredit)}
    assert [worth[handoff] for handoff in (before, proposed, signed)] == [
        *(100, 100),
        found.deliveries[0].values[0].units_proposed,
    ]


async def test_values_are_taken_from_an_instant_to_come(world: World) -> None:
    sla, found = await a_valued_agreement(world)
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", found.id)}
    late = await world.data(TAKE, {**variables, "at": "2026-06-01T00:00:01Z"}, as_=world.marketer)
    assert late["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "BAD_EFFECTIVE_DATE", "path": ["effectiveAt"]}],
    }
    await world.data(TAKE, {**variables, "at": "2026-04-01T00:00:00Z"}, as_=world.marketer)
    async with world.work() as work:
        [proposed] = [each for each in await work.find(Sla) if each.number == 2]
    assert proposed.effective_at == datetime(2026, 4, 1, tzinfo=UTC)


async def test_values_of_a_month_are_not_taken_once_there_are_newer_ones(world: World) -> None:
    sla, of_march = await a_valued_agreement(world)
    world.at(datetime(2026, 4, 1, tzinfo=UTC))
    of_april = await reckoned(world)
    assert of_april is not None
    march, april = (public("ValueRecalibration", each.id) for each in (of_march, of_april))
    variables = {"sla": public("Sla", sla.id), "id": march}

    answer = await world.data(TAKE, variables, as_=world.marketer)

    assert answer["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "VALUES_OUTDATED", "path": ["recalibration"]}],
    }
    async with world.work() as work:
        assert [each.number for each in await work.find(Sla)] == [1]
    taken = await world.data(TAKE, {**variables, "id": april}, as_=world.marketer)
    assert taken["slaTakeValues"]["sla"] == {"number": 2, "status": "PROPOSED"}


async def test_the_last_values_of_an_agreement_are_taken_though_a_later_month_says_nothing_of_it(
    world: World,
) -> None:
    sla, march = await a_valued_agreement(world)
    async with world.work() as work:
        await work.add(
            replace(march, id=new_id(), month_on=date(2026, 4, 1), deliveries=(), skipped=())
        )
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", march.id)}
    taken = await world.data(TAKE, variables, as_=world.marketer)
    assert taken["slaTakeValues"]["sla"] == {"number": 2, "status": "PROPOSED"}


async def test_values_of_another_agreement_are_not_taken(world: World) -> None:
    _, found = await a_valued_agreement(world)
    other = a_sla(world, period=(date(2027, 1, 1), date(2027, 2, 1)))
    await sign(world, sla=other)
    variables = {"sla": public("Sla", other.id), "id": public("ValueRecalibration", found.id)}
    answer = await world.data(TAKE, variables, as_=world.marketer)
    assert answer["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "NOTHING_CALIBRATED", "path": ["recalibration"]}],
    }
    async with world.work() as work:
        assert [each for each in await work.find(Sla) if each.number == 2] == []


@pytest.mark.parametrize("kind", ["Sla", "ValueRecalibration"])
async def test_what_is_not_there_is_not_found(world: World, kind: str) -> None:
    sla, found = await a_valued_agreement(world)
    ids = {"Sla": sla.id, "ValueRecalibration": found.id, kind: new_id()}
    variables = {
        "sla": public("Sla", ids["Sla"]),
        "id": public("ValueRecalibration", ids["ValueRecalibration"]),
    }
    answer = await world.data(TAKE, variables, as_=world.marketer)
    assert answer["slaTakeValues"]["userErrors"][0]["code"] == "NOT_FOUND"
