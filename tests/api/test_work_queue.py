from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.errors import NotFound, PermissionDenied
from domain.grades import Grade
from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.ids import new_id, public
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from domain.sla import keeping
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.sla.keeping.terms import judged
from domain.stages import Stage
from domain.work_queue import MOST_QUEUED, QueueOfNobody, WorkQueue, work_queue
from domain.work_queue.ranking import USUAL_CHANCES
from tests.agreements import a_sla, an_mql, sign, usual_commitments
from tests.api.test_exchange import set_rate
from tests.following import following
from tests.world import NOON, World

QUEUE = """query($first: Int, $after: String) { workQueue(first: $first, after: $after) {
  asOf total averageDeal { amount currency } missing { currency to on } cursor nextAt
  entries { lead { email } rank chance deal { amount } expectedValue { amount currency } urgency
    dueAt reasons } } }"""
CHANGED = "subscription { workQueue { total entries { lead { email } urgency } } }"


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


async def a_deal(world: World, lead: Lead, amount: int, currency: str = "EUR", **more: Any) -> None:
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
        currency=currency,
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


async def test_deals_in_other_currencies_are_worth_what_they_are_today(world: World) -> None:
    dollars, pounds = await mine(world, Grade.C3, Grade.C3)
    (sold,) = await mine(world, None, email="sold@acme.example")
    won = {"status": OpportunityStatus.WON, "closed_at": world.now}
    await a_deal(world, sold, 300_000, **won)
    await a_deal(world, sold, 200_000, "USD", **won)
    await a_deal(world, sold, 100_000, "GBP", **won)
    await a_deal(world, dollars, 10_000_000, "USD")
    await a_deal(world, dollars, 400_000)
    await a_deal(world, pounds, 10_000_000, "GBP")
    await set_rate(world, "USD", "0.5", "2026-03-01")
    await set_rate(world, "USD", "0.25", "2026-03-10")

    found = await queue(world)

    assert found["averageDeal"] == {"amount": "1750.00", "currency": "EUR"}
    assert found["missing"] == {"currency": "GBP", "to": "EUR", "on": "2026-03-10"}
    worth = {each["lead"]["email"]: each for each in found["entries"]}
    assert worth[dollars.email]["deal"] == {"amount": "25000.00"}
    assert worth[dollars.email]["reasons"][1] == "The open opportunity is 25000.00 EUR."
    assert worth[pounds.email]["deal"] == {"amount": "1750.00"}
    assert worth[pounds.email]["reasons"][1] == (
        "There is no rate for the open opportunity of 100000.00 GBP."
        " A deal is 1750.00 EUR on average."
    )


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
    "page",
    [{"first": 0}, {"first": 101}, {"after": "x"}, {"after": "q1.AAAA"}, {"after": "q1.~AAAAAAA"}],
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
    told = [each["data"]["workQueue"]["entries"] for each in (first, second)]
    assert told == [
        [{"lead": {"email": lead.email}, "urgency": "2"}],
        [{"lead": {"email": lead.email}, "urgency": "3"}],
    ]


async def test_much_that_happens_while_a_queue_rests_is_ranked_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = await mine(world, *[Grade.C3] * 3)
    rested: list[float] = []

    async def news_while_it_rests(seconds: float) -> None:
        rested.append(seconds)
        for lead, grade in zip(leads, (Grade.B2, Grade.A1, Grade.B1), strict=True):
            async with world.work() as work:
                await work.save(replace(await work.get(Lead, lead.id), grade=grade))
            world.services.hub.wake(frozenset({world.tenant.id}))

    monkeypatch.setattr("api.work_queue.sleep", news_while_it_rests)
    async with following(world, CHANGED, {}, as_=world.rep) as stream:
        first = await stream.next()
        second = await stream.next()

    told = [emails(each["data"]["workQueue"]) for each in (first, second)]
    assert told == [
        [each.email for each in leads],
        [leads[1].email, leads[2].email, leads[0].email],
    ]
    assert rested[0] == pytest.approx(3 * 0.0003)


@pytest.mark.parametrize(("total", "rest"), [(0, 0), (25, 7.5), (1_000, 300), (MOST_QUEUED, 3_000)])
def test_a_queue_rests_as_long_as_it_is(total: int, rest: float) -> None:
    nothing = dict.fromkeys(("average_deal", "missing", "cursor", "next_at"))
    queue = WorkQueue(as_of=NOON, owner_id=new_id(), total=total, entries=(), **nothing)
    assert queue.rest == timedelta(milliseconds=rest)


OWNED = """query($owner: UserRef) { workQueue(owner: $owner) {
  owner { name } total entries { lead { email } } } }"""


async def test_who_may_reassign_leads_sees_the_queue_of_anybody(world: World) -> None:
    (lead,) = await mine(world, Grade.A1)
    owner = {"id": public("User", world.rep.id)}
    shown = await world.data(OWNED, {"owner": owner}, as_=world.marketer)
    assert shown["workQueue"] == {
        "owner": {"name": world.rep.name},
        "total": 1,
        "entries": [{"lead": {"email": lead.email}}],
    }
    own = await world.data(OWNED, {"owner": owner}, as_=world.rep)
    assert own == shown
    refused = await world.ask(OWNED, {"owner": owner}, as_=world.other_rep)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    missing = await world.ask(OWNED, {"owner": {"id": public("User", new_id())}})
    assert "errors" in missing


async def test_a_key_names_whose_queue_it_asks_for(world: World) -> None:
    (lead,) = await mine(world, Grade.A1)
    key = Actor(tenant_id=world.tenant.id, user_id=None, permissions=ROLE_PERMISSIONS[Role.MANAGER])
    member = replace(key, permissions=ROLE_PERMISSIONS[Role.MEMBER])
    async with world.work() as work:
        with pytest.raises(QueueOfNobody):
            await work_queue(work, key)
        with pytest.raises(PermissionDenied):
            await work_queue(work, member, owner_id=world.rep.id)
        with pytest.raises(NotFound):
            await work_queue(work, key, owner_id=new_id())
        found = await work_queue(work, key, owner_id=world.rep.id)
    assert [each.lead.id for each in found.entries] == [lead.id]


async def test_a_promise_that_stands_still_hurries_nobody(world: World) -> None:
    await sign(world, *usual_commitments(sla := a_sla(world)), sla=sla)
    lead = an_mql(world.now, grade=Grade.B1)
    async with world.work() as work:
        await work.add(lead)
        await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
        clocks = await work.find(SlaClock, lead_id=lead.id, ended_at=None)
        for clock in clocks:
            await keeping.pause_clock(work, world.actor(), clock.id, reason="On holiday.")
    world.wait(days=10)
    [entry] = (await queue(world))["entries"]
    assert (entry["urgency"], entry["dueAt"]) == ("1", None)
    async with world.work() as work:
        for clock in clocks:
            await keeping.resume_clock(work, world.actor(), clock.id)
    [entry] = (await queue(world))["entries"]
    assert (entry["urgency"], entry["dueAt"]) == ("2", "2026-03-20T16:00:00Z")


async def test_hundreds_of_leads_are_paged_through_in_the_order_of_a_plain_recount(
    world: World,
) -> None:
    """The oracle reads every clock anew and asks the model about every lead by itself."""
    await sign(world, *usual_commitments(sla := a_sla(world)), sla=sla)
    chances = random.Random(7)
    grades: list[Grade | None] = [*Grade, None]
    leads = await mine(world, *(chances.choice(grades) for _ in range(400)))
    handed = [an_mql(world.now, 2000 + n, grade=chances.choice(grades)) for n in range(12)]
    async with world.work() as work:
        await work.add_all(handed)
    for lead in handed:
        world.wait(minutes=chances.randrange(1, 90))
        async with world.work() as work:
            await handoff_flow.hand_off(
                work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
            )
    for lead in chances.sample(leads, 5):
        await a_deal(world, lead, chances.randrange(1_000, 9_000_000))

    shown: list[str] = []
    after = None
    while True:
        page = await queue(world, first=100, after=after)
        shown += emails(page)
        after = page["cursor"]
        if after is None:
            break
    assert page["total"] == 412
    assert shown == await recounted(world)


async def recounted(world: World) -> list[str]:
    ranks: list[tuple[Any, ...]] = []
    async with world.work() as work:
        clocks = await work.find(SlaClock, ended_at=None)
        terms = await keeping.terms_of(work, clocks)
        readings = [(each, judged(each, terms[each.judged_by], work.now)[1]) for each in clocks]
        for lead in await work.find(Lead, owner_id=world.rep.id):
            mine_ = [reading for clock, reading in readings if clock.lead_id == lead.id]
            first = min(mine_, key=lambda each: each.due_at, default=None)
            hours = 99.0 if first is None else first.remaining / timedelta(hours=1)
            factor = next((f for h, f in ((1, "3"), (4, "2"), (8, "1.5")) if hours <= h), "1")
            if first is not None and first.state is ClockState.BREACHED:
                factor = "4"
            deals = [each.amount_minor for each in await work.find(Opportunity, lead_id=lead.id)]
            rank = Decimal(deals[0] or 0 if deals else 1) * USUAL_CHANCES[lead.grade]
            due_at = datetime.max.replace(tzinfo=UTC) if first is None else first.due_at
            ranks.append(((-(rank * Decimal(factor)).quantize(Decimal("0.01"))), due_at, lead))
    ranks.sort(key=lambda each: (each[0], each[1], each[2].id))
    return [each[2].email for each in ranks]


async def test_who_wants_to_be_left_alone_is_left_out(world: World) -> None:
    (alone, lead) = await mine(world, Grade.A1, Grade.C3)
    async with world.work() as work:
        now = await work.get(Lead, alone.id)
        told = {"do_not_contact_at": world.now, "do_not_contact_reason": "Asked to."}
        await work.save(replace(now, do_not_contact=True, **told))
    found = await queue(world)
    assert (found["total"], emails(found)) == (1, [lead.email])
