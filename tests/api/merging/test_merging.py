"""`leadMerge` and `leadUnmerge`: what becomes of everything, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain import handoff_flow
from domain.consent import Consent, ConsentPurpose, ConsentStatus, LegalBasis, is_withdrawn
from domain.consenting import record_consent, set_do_not_contact
from domain.handoff import Handoff, HandoffStatus
from domain.ids import public
from domain.lead_details import LeadDetails
from domain.lead_intake import log_activity, update_lead
from domain.leads import Activity, ActivityKind, ExternalId, Lead
from domain.lifecycle import advance_lead
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.stages import Stage
from infra.outbox import publish_all
from tests.agreements import sign
from tests.api.merging.leads import (
    MERGE,
    UNMERGE,
    a_lead,
    accepted,
    merged,
    qualified,
    ref,
    unmerged,
)
from tests.api.merging.story import everything, kept_tallies, recounted
from tests.deals import a_pipeline
from tests.following import following
from tests.world import World

UPSERT = """mutation($input: LeadsUpsertInput!) { leadsUpsert(input: $input) {
  rows { outcome lead { id email jobTitle } userErrors { code } } userErrors { code } } }"""


async def test_the_winner_keeps_what_it_says_and_learns_the_rest(world: World) -> None:
    winner = await a_lead(world, "ann", job_title="CTO")
    loser = await a_lead(
        world,
        "a.lee",
        first_name="Ann",
        job_title="Chief",
        created_at=world.now - timedelta(days=9),
    )

    data = await world.data(MERGE, {"input": {"winner": ref(winner), "losers": [ref(loser)]}})

    merge = data["leadMerge"]["leadMerge"]
    id = merge.pop("id")
    assert id.startswith("merge_")
    assert data["leadMerge"]["userErrors"] == []
    assert merge == {
        "automatic": False,
        "winner": {
            **ref(winner),
            "email": "ann@acme.example",
            "firstName": "Ann",
            "stage": "VISITOR",
            "createdAt": "2026-03-01T12:00:00Z",
        },
        "losers": [
            {
                "id": public("Lead", loser.id),
                "email": "a.lee@acme.example",
                "firstName": "Ann",
            }
        ],
        "mergedBy": {"name": "Olive"},
        "undoneAt": None,
    }
    listed = await world.data("{ leadMerges { nodes { id winner { email jobTitle } } } }")
    found = {"id": id, "winner": {"email": "ann@acme.example", "jobTitle": "CTO"}}
    assert listed == {"leadMerges": {"nodes": [found]}}


async def test_the_ids_and_addresses_of_a_loser_lead_to_the_winner(world: World) -> None:
    winner, other = await a_lead(world, "ann"), await a_lead(world, "bob")
    loser = await a_lead(world, "a.lee", external_ids=(ExternalId("crm", "7"),))
    await merged(world, winner, loser)
    await merged(world, other, winner)

    named = {"externalId": {"source": "crm", "value": "7"}}
    document = "query($ref: LeadRef!) { lead(ref: $ref) { email } }"
    for told in (ref(loser), {"email": "A.Lee@acme.example"}, named):
        found = await world.data(document, {"ref": told})
        assert found == {"lead": {"email": "bob@acme.example"}}
    node = await world.data(
        "query($id: ID!) { node(id: $id) { ... on Lead { email } } }", {"id": ref(loser)["id"]}
    )
    assert node == {"node": {"email": "bob@acme.example"}}
    advanced = await world.data(
        "mutation($lead: LeadRef!) { leadAdvance(input: {lead: $lead, to: MQL})"
        " { lead { email stage } userErrors { code } } }",
        {"lead": ref(loser)},
    )
    assert advanced["leadAdvance"]["lead"] == {"email": "bob@acme.example", "stage": "MQL"}


async def test_what_the_log_tells_of_a_loser_it_tells_of_the_winner(world: World) -> None:
    """Whoever follows the log from before a merge finds nobody gone."""
    await sign(world)
    cursor = (await world.data("{ feedCursor }"))["feedCursor"]
    winner, loser = await a_lead(world, "ann"), await qualified(world, "bob")
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), loser.id)
    await merged(world, winner, loser)
    await publish_all(world.database, world.tenant.id)

    document = (
        'subscription { clockTransitions(after: "%s", filter: {states: [RUNNING]})'
        " { state lead { email } } }"
    )
    async with following(world, document % cursor) as feed:
        told = (await feed.next())["data"]

    found = {"state": "RUNNING", "lead": {"email": "ann@acme.example"}}
    assert told == {"clockTransitions": found}


async def test_a_row_with_the_address_of_a_loser_is_of_the_winner_who_keeps_its_own(
    world: World,
) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "a.lee")
    await merged(world, winner, loser)

    rows = [{"email": "a.lee@acme.example", "jobTitle": "CTO"}]
    data = await world.data(UPSERT, {"input": {"rows": rows}})

    lead = {**ref(winner), "email": "ann@acme.example", "jobTitle": "CTO"}
    row = {"outcome": "UPDATED", "lead": lead, "userErrors": []}
    assert data["leadsUpsert"]["rows"] == [row]
    created = await world.data(
        'mutation { leadCreate(input: {email: "a.lee@acme.example"}) { lead { id }'
        " userErrors { code ... on DuplicateLeadError { existing { email } } } } }"
    )
    assert created["leadCreate"] == {
        "lead": None,
        "userErrors": [{"code": "DUPLICATE_LEAD", "existing": {"email": "ann@acme.example"}}],
    }


async def test_touches_told_of_a_loser_are_the_winners(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "a.lee")
    await merged(world, winner, loser)

    for key in (ref(loser), {"email": "a.lee@acme.example"}):
        data = await world.data(
            "mutation($lead: RowLeadRef!) { touchRecord(input: {lead: $lead, kind: CALL})"
            " { touch { lead { email } } userErrors { code } } }",
            {"lead": key},
        )
        assert data["touchRecord"] == {
            "touch": {"lead": {"email": "ann@acme.example"}},
            "userErrors": [],
        }


OPPORTUNITIES = """mutation($input: OpportunitiesUpsertInput!) {
  opportunitiesUpsert(input: $input) {
    rows { outcome opportunity { lead { email } } userErrors { code } } userErrors { code } } }"""


async def test_deals_told_of_a_loser_are_the_winners(world: World) -> None:
    await a_pipeline(world)
    winner, loser = await accepted(world, "ann"), await a_lead(world, "a.lee")
    await merged(world, winner, loser)

    rows = [
        {"externalId": {"source": "crm", "value": str(number)}, "lead": key, "name": "Deal"}
        for number, key in enumerate((ref(loser), {"email": "A.Lee@acme.example"}))
    ]
    data = await world.data(OPPORTUNITIES, {"input": {"rows": rows}})

    row = {
        "outcome": "CREATED",
        "opportunity": {"lead": {"email": "ann@acme.example"}},
        "userErrors": [],
    }
    assert data["opportunitiesUpsert"] == {"rows": [row, row], "userErrors": []}


async def test_of_two_open_hand_offs_the_first_goes_on_with_its_clocks(world: World) -> None:
    await sign(world)
    first, second = await qualified(world, "ann"), await qualified(world, "bob")
    async with world.work() as work:
        early = await handoff_flow.hand_off(work, world.actor(world.marketer), first.id)
    world.wait(minutes=30)
    async with world.work() as work:
        late = await handoff_flow.hand_off(work, world.actor(world.marketer), second.id)
    world.wait(minutes=5)

    await merged(world, second, first)

    async with world.work() as work:
        handoffs = {h.id: h for h in await work.find(Handoff, lead_id=second.id)}
        clocks = await work.find(SlaClock, lead_id=second.id)
        lead = await work.get(Lead, second.id)
    assert handoffs[early.id].status is HandoffStatus.OPEN
    assert handoffs[late.id] == replace(
        late,
        status=HandoffStatus.MERGED,
        decided_at=world.now,
        decided_by=world.owner.id,
        heard_at=world.now,
        decision_reason="This person had been handed off already, as another lead.",
        version=handoffs[late.id].version,
    )
    assert lead.owner_id == early.owner_id
    states = {(c.handoff_id == early.id, c.state, c.reason) for c in clocks}
    assert states == {
        (True, ClockState.RUNNING, None),
        (
            False,
            ClockState.TRANSFERRED,
            "An earlier promise of the same kind to the same person goes on.",
        ),
    }
    assert await kept_tallies(world) == await recounted(world)


async def test_of_a_person_who_is_with_sales_nobody_waits_for_an_answer(world: World) -> None:
    await sign(world)
    accepted, waiting = await qualified(world, "ann"), await qualified(world, "bob")
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), accepted.id)
        await handoff_flow.accept_lead(work, world.actor(world.rep), accepted.id)
        late = await handoff_flow.hand_off(work, world.actor(world.marketer), waiting.id)

    await merged(world, accepted, waiting)

    async with world.work() as work:
        handoff = await work.get(Handoff, late.id)
        open_clocks = await work.find(SlaClock, handoff_id=late.id, ended_at=None)
        lead = await work.get(Lead, accepted.id)
    assert (handoff.status, open_clocks) == (HandoffStatus.MERGED, [])
    assert lead.stage is Stage.SAL
    assert await kept_tallies(world) == await recounted(world)


async def test_to_a_person_who_forbids_contact_nothing_is_owed_any_more(world: World) -> None:
    await sign(world)
    winner, loser = await qualified(world, "ann"), await a_lead(world, "bob")
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), winner.id)
    async with world.work() as work:
        await set_do_not_contact(work, world.actor(), loser.id, reason="Asked us.")
    before = await everything(world)

    merge = await merged(world, winner, loser)

    async with world.work() as work:
        lead = await work.get(Lead, winner.id)
        clocks = await work.find(SlaClock, lead_id=winner.id)
    assert (lead.do_not_contact, lead.do_not_contact_reason) == (True, "Asked us.")
    told = {(clock.state, clock.reason) for clock in clocks}
    assert told == {(ClockState.CANCELLED, "This person must not be contacted.")}
    assert await kept_tallies(world) == await recounted(world)
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def wish(world: World, lead: Lead, status: ConsentStatus) -> None:
    world.wait(minutes=1)
    async with world.work() as work:
        await record_consent(
            work,
            world.actor(),
            lead.id,
            purpose=ConsentPurpose.EMAIL,
            status=status,
            basis=LegalBasis.CONSENT,
            source="letter",
        )


async def withdrawn(world: World, *leads: Lead) -> list[bool]:
    async with world.work() as work:
        said = [await work.find(Consent, lead_id=lead.id) for lead in leads]
    return [is_withdrawn(each, ConsentPurpose.EMAIL) for each in said]


async def test_what_one_has_withdrawn_the_other_has_not_given(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "a.lee")
    await wish(world, loser, ConsentStatus.WITHDRAWN)
    await wish(world, winner, ConsentStatus.GRANTED)
    before = await everything(world)

    merge = await merged(world, winner, loser)

    assert await withdrawn(world, winner) == [True]
    await unmerged(world, merge.id)
    assert await everything(world) == before


async def test_what_was_wished_while_they_were_one_is_the_wish_of_each(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "a.lee")
    await wish(world, loser, ConsentStatus.GRANTED)
    merge = await merged(world, winner, loser)
    await wish(world, winner, ConsentStatus.WITHDRAWN)
    async with world.work() as work:
        await set_do_not_contact(work, world.actor(), winner.id, reason="Asked us.")
    world.wait(minutes=1)

    await unmerged(world, merge.id)

    async with world.work() as work:
        leads = [await work.get(Lead, lead.id) for lead in (winner, loser)]
    assert [lead.do_not_contact_reason for lead in leads] == ["Asked us.", "Asked us."]
    assert await withdrawn(world, winner, loser) == [True, True]


async def test_what_was_added_or_changed_since_stays_with_the_winner(world: World) -> None:
    winner = await a_lead(world, "ann")
    loser = await a_lead(world, "a.lee", first_name="Ann", job_title="CTO")
    merge = await merged(world, winner, loser)
    async with world.work() as work:
        actor = world.actor()
        await update_lead(work, actor, winner.id, LeadDetails(job_title="CEO", country="IE"))
        since = await log_activity(work, actor, winner.id, kind=ActivityKind.CALL)
        await advance_lead(work, actor, winner.id, to=Stage.LEAD)

    await unmerged(world, merge.id)

    async with world.work() as work:
        now, back = await work.get(Lead, winner.id), await work.get(Lead, loser.id)
        activities = await work.find(Activity)
    assert (now.first_name, now.job_title, now.country) == (None, "CEO", "IE")
    assert now.stage is Stage.LEAD
    assert (back.email, back.first_name, back.job_title) == ("a.lee@acme.example", "Ann", "CTO")
    assert [a.lead_id for a in activities if a.id == since.id] == [winner.id]
    assert await kept_tallies(world) == await recounted(world)


async def test_a_merge_is_undone_by_whom_it_is_asked_of(world: World) -> None:
    winner, loser = await a_lead(world, "ann"), await a_lead(world, "bob")
    before = await everything(world)
    merge = await merged(world, winner, loser)

    data = await world.data(UNMERGE, {"merge": public("LeadMerge", merge.id)}, as_=world.rep)

    undone = {"undoneAt": "2026-03-10T12:00:00Z", "undoneBy": {"name": "Sam"}}
    assert data == {"leadUnmerge": {"leadMerge": undone, "userErrors": []}}
    assert await everything(world) == before
