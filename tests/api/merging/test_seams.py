"""Merging leads of whom much is known: money, owners, wishes; and what came since is not lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from domain import handoff_flow
from domain.consent import Consent, ConsentPurpose, ConsentStatus, LegalBasis, may_track
from domain.consenting import lift_do_not_contact, record_consent, set_do_not_contact
from domain.customers import (
    Customer,
    CustomerStatus,
    RevenueEvent,
    RevenueKind,
    record_revenue,
    set_status,
)
from domain.duplicates import LeadPrint
from domain.ids import public
from domain.lead_details import LeadDetails
from domain.lead_intake import update_lead
from domain.leads import Lead
from domain.lifecycle import StageEntry, advance_lead
from domain.merging import ChangedSince, PutRows, TakeRows, merge_leads, unmerge_leads
from domain.opportunities import (
    OpportunityDetails,
    open_opportunity,
    win_opportunity,
)
from domain.stages import Stage
from domain.touch_intake import TouchDetails, record_touch
from domain.touches import TouchKind, Visitor
from domain.values import Money
from tests.agreements import sign
from tests.api.merging.leads import UNMERGE, a_lead, accepted, merged, qualified, unmerged
from tests.api.merging.loop import LoopStory
from tests.api.merging.story import everything, kept_tallies, recounted
from tests.api.merging.test_loop import a_story
from tests.deals import a_pipeline
from tests.world import World

EUR = Money(5_000, "EUR")


async def lead_of(world: World, lead: Lead) -> Lead:
    async with world.work() as work:
        found: Lead = await work.get(Lead, lead.id)
    return found


async def buys(world: World, lead: Lead, *statuses: CustomerStatus) -> None:
    """Let a lead buy, and things stand otherwise since, an hour after one another."""
    async with world.work() as work:
        actor = world.actor()
        revenue = await record_revenue(
            work, actor, lead=lead.id, kind=RevenueKind.NEW, amount=EUR, at=world.now
        )
    for status in statuses:
        world.wait(hours=1)
        async with world.work() as work:
            await set_status(work, world.actor(), revenue.customer_id, status)


ACTIVE, ADVOCATE = CustomerStatus.ACTIVE, CustomerStatus.ADVOCATE
AT_RISK, CHURNED = CustomerStatus.AT_RISK, CustomerStatus.CHURNED


@pytest.mark.parametrize(
    ("winners", "losers", "stands"),
    [
        ([CHURNED], [], ACTIVE),  # has left as one, and bought as the other
        ([], [CHURNED], ACTIVE),
        ([AT_RISK], [], AT_RISK),  # that something was bought says nothing of it
        ([ADVOCATE], [AT_RISK], AT_RISK),  # the later word
        ([CHURNED], [CHURNED], CHURNED),
    ],
)
async def test_who_stays_as_one_has_not_left(
    world: World,
    winners: list[CustomerStatus],
    losers: list[CustomerStatus],
    stands: CustomerStatus,
) -> None:
    winner, loser = await accepted(world, "ann"), await accepted(world, "bob")
    await buys(world, winner, *winners)
    await buys(world, loser, *losers)
    before = await everything(world)

    merge = await merged(world, winner, loser)

    async with world.work() as work:
        [customer] = await work.find(Customer)
    assert (customer.lead_id, customer.status) == (winner.id, stands)
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def test_whoever_works_the_lead_that_had_come_furthest_owns_what_they_become(
    world: World,
) -> None:
    await sign(world)
    winner, loser = await a_lead(world, "ann"), await accepted(world, "bob")
    async with world.work() as work:
        await update_lead(work, world.actor(), winner.id, LeadDetails(owner_id=world.marketer.id))
    before = await everything(world)

    merge = await merged(world, winner, loser)

    lead = await lead_of(world, winner)
    assert (lead.stage, lead.owner_id) == (Stage.SAL, world.rep.id)
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def test_a_merge_moves_nobody_forward_by_what_they_did_together(world: World) -> None:
    story = LoopStory(world, 0)
    await story.begin()
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    for lead in (winner, loser):
        async with world.work() as work:
            details = TouchDetails(lead=lead.id, kind=TouchKind.DOWNLOAD)
            await record_touch(work, world.actor(), details)
    story.leads = [winner.id, loser.id]
    await story.settle()
    before = await everything(world)

    merge = await merged(world, winner, loser)

    lead = await lead_of(world, winner)
    assert lead.stage is Stage.VISITOR
    assert lead.engagement is not None
    assert lead.engagement >= 20  # as both teams call a LEAD
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def test_what_one_has_withdrawn_stays_so_though_the_other_agreed_later(
    world: World,
) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    for lead, status in ((loser, ConsentStatus.WITHDRAWN), (winner, ConsentStatus.GRANTED)):
        await consents(world, lead, status)
    before = await everything(world)

    merge = await merged(world, winner, loser)

    async with world.work() as work:
        assert not may_track(await work.find(Consent, lead_id=winner.id))
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def consents(world: World, lead: Lead, status: ConsentStatus) -> None:
    world.wait(hours=1)
    async with world.work() as work:
        await record_consent(
            work,
            world.actor(),
            lead.id,
            purpose=ConsentPurpose.TRACKING,
            status=status,
            basis=LegalBasis.CONSENT,
            source="a letter",
        )


async def test_the_first_of_two_wishes_not_to_be_contacted_counts(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    for lead, reason in ((loser, "First."), (winner, "Second.")):
        world.wait(hours=1)
        async with world.work() as work:
            await set_do_not_contact(work, world.actor(), lead.id, reason=reason)

    await merged(world, winner, loser)

    lead = await lead_of(world, winner)
    since = world.now - timedelta(hours=1)
    assert (lead.do_not_contact_at, lead.do_not_contact_reason) == (since, "First.")


async def test_what_is_forbidden_since_holds_for_all_who_are_parted(world: World) -> None:
    """Nobody can say whose wish it was; and to heed one too many harms nobody."""
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    merge = await merged(world, winner, loser)
    await consents(world, winner, ConsentStatus.WITHDRAWN)
    async with world.work() as work:
        await set_do_not_contact(work, world.actor(), winner.id, reason="Asked us.")

    await unmerged(world, merge.id)

    for lead in (winner, loser):
        now = await lead_of(world, lead)
        assert (now.do_not_contact, now.do_not_contact_reason) == (True, "Asked us.")
        async with world.work() as work:
            assert not may_track(await work.find(Consent, lead_id=lead.id))


async def test_a_wish_that_was_lifted_and_said_again_since_is_kept_whole(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    async with world.work() as work:
        await set_do_not_contact(work, world.actor(), loser.id, reason="Once.")
    merge = await merged(world, winner, loser)
    world.wait(hours=1)
    async with world.work() as work:
        await lift_do_not_contact(work, world.actor(), winner.id)
        await set_do_not_contact(work, world.actor(), winner.id, reason="Again.")

    await unmerged(world, merge.id)

    lead = await lead_of(world, winner)
    told = (lead.do_not_contact, lead.do_not_contact_at, lead.do_not_contact_reason)
    assert told == (True, world.now, "Again.")


async def test_a_stage_that_was_left_and_entered_again_since_is_kept(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await qualified(world, "bob")
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), winner.id)
        await handoff_flow.reject_lead(work, world.actor(world.rep), winner.id, reason="No.")
    assert (await lead_of(world, winner)).stage is not Stage.MQL
    world.wait(hours=1)
    async with world.work() as work:
        await advance_lead(work, world.actor(), winner.id, to=Stage.MQL)

    await unmerged(world, merge.id)

    lead = await lead_of(world, winner)
    assert (lead.stage, lead.stage_entered_at) == (Stage.MQL, world.now)
    assert await kept_tallies(world) == await recounted(world)


async def test_half_an_origin_is_not_given_back(world: World) -> None:
    winner = await a_lead(world, "ann")
    loser = await a_lead(world, "bob", origin_source="fair", origin_medium="stand")
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        details = LeadDetails(origin_medium="mail")
        await update_lead(work, world.actor(), winner.id, details)

    await unmerged(world, merge.id)

    lead = await lead_of(world, winner)
    assert (lead.origin_source, lead.origin_medium) == ("fair", "mail")


async def won_since(world: World) -> Any:
    """A loser's deal is won: the customer is the winner, the deal would go back."""
    await a_pipeline(world)
    winner, loser = await a_lead(world, "ann"), await accepted(world, "bob")
    said = OpportunityDetails(name="Deal")
    async with world.work() as work:
        deal = await open_opportunity(work, world.actor(), loser.id, said)
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        await win_opportunity(work, world.actor(), deal.id, amount=EUR)
    return merge


async def test_a_deal_of_each_of_two_is_new_and_of_one_the_later_is_more(world: World) -> None:
    """Each made a customer while they were two; of the one, only the first did."""
    await a_pipeline(world)
    winner, loser = await accepted(world, "ann"), await accepted(world, "bob")
    deals = []
    for lead in (loser, winner):
        said = OpportunityDetails(name="Deal")
        async with world.work() as work:
            deal = await open_opportunity(work, world.actor(), lead.id, said)
        world.wait(hours=1)
        async with world.work() as work:
            await win_opportunity(work, world.actor(), deal.id, amount=EUR)
        deals.append(deal.id)
    before, each_new = await everything(world), dict.fromkeys(deals, RevenueKind.NEW)
    assert await kinds_of(world) == each_new

    merge = await merged(world, winner, loser)
    assert await kinds_of(world) == {**each_new, deals[1]: RevenueKind.EXPANSION}
    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge.id)
    assert await everything(world) == before


async def kinds_of(world: World) -> dict[Any, RevenueKind]:
    async with world.work() as work:
        return {each.opportunity_id: each.kind for each in await work.find(RevenueEvent)}


async def bought_more_since(world: World) -> Any:
    """A loser's customer buys more, as the winner."""
    winner, loser = await a_lead(world, "ann"), await accepted(world, "bob")
    await buys(world, loser)
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        kind = RevenueKind.EXPANSION
        await record_revenue(work, world.actor(), lead=winner.id, kind=kind, amount=EUR)
    return merge


@pytest.mark.parametrize("scene", [won_since, bought_more_since])
async def test_revenue_that_came_since_is_not_torn_from_who_brought_it(
    world: World, scene: Any
) -> None:
    merge = await scene(world)
    before = await everything(world)

    data = await world.data(UNMERGE, {"merge": public("LeadMerge", merge.id)})

    refusal = {"code": "CHANGED_SINCE", "path": ["merge"]}
    assert data == {"leadUnmerge": {"leadMerge": None, "userErrors": [refusal]}}
    assert await everything(world) == before


async def test_rows_are_put_back_into_a_table_that_has_grown_since(world: World) -> None:
    """What was taken before a column was added gets what is usual for it."""
    lead = await a_lead(world, "ann")
    async with world.work() as work:
        visitor = Visitor(id=lead.id, token="x" * 16, first_seen_at=world.now, lead_id=lead.id)
        await work.add(visitor)
    async with world.work() as work:
        await work.connection.execute(
            "INSERT INTO lead_prints (tenant_id, lead_id, person) VALUES ($1, $2, 'ann')",
            world.tenant.id,
            lead.id,
        )
    async with world.work() as work:
        taken = await work.ask(TakeRows(kind=LeadPrint, column="lead_id", values=(lead.id,)))
        older = {name: v for name, v in orjson.loads(taken[0]).items() if name != "by_name"}
        await work.ask(PutRows(kind=LeadPrint, rows=(orjson.dumps(older).decode(),)))
        [print] = await work.find(LeadPrint)
    assert (print.person, print.by_name) == ("ann", "")


@pytest.mark.parametrize("seed", range(2))
async def test_what_happens_between_is_kept_or_the_parting_is_refused(
    world: World, seed: int
) -> None:
    story = await a_story(world, 1000 + seed, 40)
    everybody = list(story.leads)
    winner, *losers = story.chance.sample(everybody, 3)
    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), winner, losers)
    story.leads = [lead_id for lead_id in everybody if lead_id not in losers]
    await story.go_on(20)
    await story.settle()
    before = await everything(world)

    try:
        async with world.work() as work:
            await unmerge_leads(work, world.actor(), merge.id)
    except ChangedSince:
        assert await everything(world) == before
        return
    after = await everything(world)
    for name in _KEPT:
        assert ids_of(before[name]) <= ids_of(after[name]), name
    assert len(after["leads"]) == len(before["leads"]) + len(losers)
    assert await kept_tallies(world) == await recounted(world)
    assert await stages_by_the_history(world) == await stages(world)


_KEPT = (
    *("activities", "touches", "visitors", "opportunities", "opportunity_steps", "consents"),
    *("customers", "customer_steps", "revenue_events", "handoffs", "sla_clocks", "threads"),
    *("thread_messages", "ratings", "next_steps", "lead_external_ids", "handoff_briefs"),
)


def ids_of(rows: list[str]) -> set[str]:
    return {orjson.loads(row)["id"] for row in rows}


async def stages(world: World) -> dict[Any, Stage]:
    async with world.work() as work:
        return {lead.id: lead.stage for lead in await work.find(Lead)}


async def stages_by_the_history(world: World) -> dict[Any, Stage]:
    """Return where each lead is by the last of its steps."""

    def when(entry: StageEntry) -> tuple[datetime, datetime, Any]:
        return entry.entered_at, entry.recorded_at, entry.id

    async with world.work() as work:
        entries = sorted(await work.find(StageEntry), key=when)
    return {entry.lead_id: entry.stage for entry in entries}
