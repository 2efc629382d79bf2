from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.errors import PermissionDenied
from domain.grades import Grade
from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.ids import new_id
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from domain.stages import Stage
from domain.work_queue import work_queue
from tests.agreements import a_sla, an_mql, sign, usual_commitments
from tests.following import following
from tests.world import World

QUEUE = """query($first: Int, $after: String) { workQueue(first: $first, after: $after) {
  asOf total averageDeal { amount currency } cursor nextAt
  entries { lead { email } rank chance deal { amount } expectedValue { amount currency } urgency
    dueAt reasons } } }"""
CHANGED = "subscription { workQueueChanged { total entries { lead { email } urgency } } }"


async def mine(world: World, *grades: Grade | None, **more: Any) -> list[Lead]:
    leads = [
        an_mql(world.now, n, grade=grade, owner_id=world.rep.id, stage=Stage.SAL, **more)
        for n, grade in enumerate(grades)
    ]
    async with world.work() as work:
        await work.add_all(leads)
    return leads


async def queue(world: World, **page: Any) -> dict[str, Any]:
    data = await world.data(QUEUE, page, as_=world.rep)
    found: dict[str, Any] = data["workQueue"]
    return found


def emails(page: dict[str, Any]) -> list[str]:
    return [entry["lead"]["email"] for entry in page["entries"]]


async def a_deal(world: World, lead: Lead, amount: int, **more: Any) -> None:
    stage = PipelineStage(
        id=new_id(), name="Talks", position=1, win_rate=Decimal("0.5"), created_at=world.now
    )
    deal = Opportunity(
        id=new_id(),
        name="Deal",
        lead_id=lead.id,
        stage_id=stage.id,
        opened_at=world.now,
        stage_entered_at=world.now,
        recorded_at=world.now,
        updated_at=world.now,
        amount_minor=amount,
        currency="EUR",
        **more,
    )
    async with world.work() as work:
        await work.add_all([stage, deal])


async def test_leads_are_ranked_by_what_they_are_worth(world: World) -> None:
    low, high = await mine(world, Grade.C3, Grade.A1)
    (sold,) = await mine(world, None, email="sold@acme.example")
    won = {"status": OpportunityStatus.WON, "closed_at": world.now}
    await a_deal(world, sold, 300_000, **won)
    await a_deal(world, low, 10_000_000)

    found = await queue(world)

    assert (found["total"], found["averageDeal"]) == (3, {"amount": "3000.00", "currency": "EUR"})
    assert found["entries"][0] == {
        "lead": {"email": low.email},
        "rank": "100000.00",
        "chance": "0.01",
        "deal": {"amount": "100000.00"},
        "expectedValue": {"amount": "1000.00", "currency": "EUR"},
        "urgency": "1",
        "dueAt": None,
        "reasons": [
            "1 % is usual for the grade C3.",
            "The open opportunity is 100000.00 EUR.",
        ],
    }
    assert emails(found)[1:] == [high.email, sold.email]
    assert found["entries"][1]["reasons"][1] == "A deal is 3000.00 EUR on average."


async def test_a_promise_that_comes_due_moves_its_lead_up(world: World) -> None:
    await sign(world, *usual_commitments(sla := a_sla(world)), sla=sla)
    (good,) = await mine(world, Grade.A1)
    lead = an_mql(world.now, 9, grade=Grade.B2)
    async with world.work() as work:
        await work.add(lead)
        await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )

    found = await queue(world)
    assert emails(found) == [good.email, lead.email]  # 0.30 × 1 against 0.10 × 2
    assert found["entries"][1]["urgency"] == "2"
    assert found["entries"][1]["dueAt"] == "2026-03-10T16:00:00Z"
    assert found["nextAt"] == "2026-03-10T15:00:00Z"

    world.wait(hours=3)
    found = await queue(world)
    assert emails(found) == [lead.email, good.email]
    assert found["entries"][0]["reasons"] == [
        "10 % is usual for the grade B2.",
        "Response: 1 h 0 min of working time left.",
    ]


async def test_nobody_elses_leads_and_none_that_is_over_are_in_it(world: World) -> None:
    (lead,) = await mine(world, Grade.A1)
    others = [
        an_mql(world.now, 5, owner_id=world.other_rep.id),
        an_mql(world.now, 6, owner_id=world.rep.id, stage=Stage.CUSTOMER),
        an_mql(world.now, 7, owner_id=world.rep.id, stage=Stage.LEAD),
    ]
    async with world.work() as work:
        await work.add_all(others)
    assert emails(await queue(world)) == [lead.email]


async def test_pages_repeat_nothing_and_pass_nothing_over_while_the_order_changes(
    world: World,
) -> None:
    leads = await mine(world, *[Grade.B2] * 6)
    first = await queue(world, first=2)
    assert emails(first) == [leads[0].email, leads[1].email]
    # One that was shown falls to the end, and the last one rises to the top.
    async with world.work() as work:
        await work.save(replace(await work.get(Lead, leads[0].id), grade=Grade.C3))
        await work.save(replace(await work.get(Lead, leads[5].id), grade=Grade.A1))

    second = await queue(world, first=2, after=first["cursor"])
    third = await queue(world, first=2, after=second["cursor"])

    assert emails(second) == [leads[5].email, leads[2].email]
    assert emails(third) == [leads[3].email, leads[4].email]
    assert third["cursor"] is None
    assert {each["total"] for each in (first, second, third)} == {6}


@pytest.mark.parametrize(
    "page", [{"first": 0}, {"first": 101}, {"after": "x"}, {"after": "WyJhIl0"}]
)
async def test_a_page_that_cannot_be_is_refused(world: World, page: dict[str, Any]) -> None:
    answer = await world.ask(QUEUE, page, as_=world.rep)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_it_is_told_anew_when_a_promise_comes_due_with_no_event_at_all(
    world: World,
) -> None:
    await sign(world, *usual_commitments(sla := a_sla(world)), sla=sla)
    lead = an_mql(world.now, grade=Grade.B1)
    async with world.work() as work:
        await work.add(lead)
        await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
    world.at(world.now + timedelta(hours=3) - timedelta(milliseconds=50))
    async with following(world, CHANGED, {}, as_=world.rep) as stream:
        first = await stream.next()
        world.at(world.now + timedelta(milliseconds=50))
        second = await stream.next()
    told = [each["data"]["workQueueChanged"]["entries"] for each in (first, second)]
    assert told == [
        [{"lead": {"email": lead.email}, "urgency": "2"}],
        [{"lead": {"email": lead.email}, "urgency": "3"}],
    ]


async def test_a_key_has_no_queue(world: World) -> None:
    key = Actor(tenant_id=world.tenant.id, user_id=None, permissions=ROLE_PERMISSIONS[Role.MEMBER])
    async with world.work() as work:
        with pytest.raises(PermissionDenied):
            await work_queue(work, key)


async def test_who_wants_to_be_left_alone_is_left_out(world: World) -> None:
    (alone, lead) = await mine(world, Grade.A1, Grade.C3)
    async with world.work() as work:
        now = await work.get(Lead, alone.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, **told))
    found = await queue(world)
    assert (found["total"], emails(found)) == (1, [lead.email])
