"""What people wish is respected wherever a lead goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.consent import Consent
from domain.handoff import Handoff
from domain.ids import public
from domain.leads import Activity, Lead
from domain.sla.clocks import SlaClock
from tests.agreements import add_mql, sign
from tests.api.asking_leads import LOG, codes

FORBID = """mutation($input: LeadDoNotContactSetInput!) { leadDoNotContactSet(input: $input) {
  lead { doNotContact doNotContactAt doNotContactReason } userErrors { code path }
}}"""
ALLOW = """mutation($input: LeadDoNotContactLiftInput!) { leadDoNotContactLift(input: $input) {
  lead { doNotContact doNotContactAt doNotContactReason } userErrors { code path }
}}"""
RECORD = """mutation($input: ConsentRecordInput!) { consentRecord(input: $input) {
  consent { purpose status basis source occurredAt recordedAt wording recordedBy { name } }
  userErrors { code path }
}}"""
HISTORY = """query($ref: LeadRef!) { lead(ref: $ref) { consents { nodes { status source } } } }"""
HAND_OFF = """mutation($input: LeadHandOffInput!) { leadHandOff(input: $input) {
  handoff { status } userErrors { code path } }}"""
ACCEPT = """mutation($input: LeadAcceptInput!) { leadAccept(input: $input) {
  handoff { status } userErrors { code path } }}"""
REASSIGN = """mutation($input: LeadReassignInput!) { leadReassign(input: $input) {
  handoff { status } userErrors { code path } }}"""
REJECT = """mutation($input: LeadRejectInput!) { leadReject(input: $input) {
  handoff { status } userErrors { code path } }}"""
INBOX = "{ handoffInbox { lead { id } } }"
FREE = {"doNotContact": False, "doNotContactAt": None, "doNotContactReason": None}


def ref(lead):
    return {"lead": {"id": public("Lead", lead.id)}}


async def handed_off(world):
    lead = await add_mql(world)
    answer = await world.ask(HAND_OFF, {"input": ref(lead)}, as_=world.marketer)
    assert codes(answer, "leadHandOff") == []
    return lead


async def forbidden(world, lead, reason="Asked us to stop.", **more):
    answer = await world.data(FORBID, {"input": {**ref(lead), "reason": reason, **more}})
    assert answer["leadDoNotContactSet"]["userErrors"] == []
    return answer["leadDoNotContactSet"]["lead"]


async def kept(world):
    async with world.work() as work:
        kinds = (Lead, Handoff, SlaClock, Activity, Consent)
        return [await work.find(kind) for kind in kinds]


async def test_a_person_must_not_be_contacted_until_the_wish_is_lifted(world):
    lead = await add_mql(world)

    first = await forbidden(world, lead, occurredAt="2026-03-09T08:00:00Z")
    again = await forbidden(world, lead, reason="Asked again.")
    lifted = await world.data(ALLOW, {"input": ref(lead)})

    told = {
        "doNotContact": True,
        "doNotContactAt": "2026-03-09T08:00:00Z",
        "doNotContactReason": "Asked us to stop.",
    }
    assert (first, again) == (told, {**told, "doNotContactReason": "Asked again."})
    assert lifted["leadDoNotContactLift"] == {"lead": FREE, "userErrors": []}


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"reason": " "}, "INVALID", ["reason"]),
        ({"reason": "x" * 2001}, "INVALID", ["reason"]),
        ({"occurredAt": "2026-03-10T12:06:00Z"}, "INVALID", ["occurredAt"]),
        ({"lead": {"email": "nobody@x.example"}}, "NOT_FOUND", ["lead"]),
    ],
)
async def test_a_wish_that_cannot_be_kept_is_refused(world, said, code, path):
    lead = await add_mql(world)
    before = await kept(world)

    answer = await world.ask(FORBID, {"input": {**ref(lead), "reason": "Asked.", **said}})

    assert codes(answer, "leadDoNotContactSet") == [(code, path)]
    assert await kept(world) == before


async def test_nothing_is_lifted_that_was_never_wished(world):
    answer = await world.ask(ALLOW, {"input": ref(await add_mql(world))})

    assert codes(answer, "leadDoNotContactLift") == [("NOT_DO_NOT_CONTACT", ["lead"])]


async def test_what_sales_owes_ends_with_the_reason_neither_kept_nor_broken(world):
    await sign(world)
    lead = await handed_off(world)
    wished = world.wait(hours=1)
    world.wait(days=1)

    await forbidden(world, lead, occurredAt=wished.isoformat())

    async with world.work() as work:
        clocks = await work.find(SlaClock, lead_id=lead.id)
    assert {(c.state, c.ended_at, c.reason) for c in clocks} == {
        ("CANCELLED", wished, "Asked us to stop.")
    }
    assert len(clocks) > 1


async def test_a_lead_that_must_not_be_contacted_is_not_handed_over(world):
    await sign(world)
    lead = await add_mql(world)
    await forbidden(world, lead)
    before = await kept(world)

    answer = await world.ask(HAND_OFF, {"input": ref(lead)}, as_=world.marketer)

    assert codes(answer, "leadHandOff") == [("DO_NOT_CONTACT", ["lead"])]
    assert await kept(world) == before


async def test_a_hand_off_of_before_is_told_late_and_starts_nothing(world):
    await sign(world)
    lead = await add_mql(world)
    earlier = world.now
    world.wait(hours=2)
    await forbidden(world, lead)
    wished = world.now
    world.wait(hours=1)

    answer = await world.ask(
        HAND_OFF, {"input": {**ref(lead), "at": earlier.isoformat()}}, as_=world.marketer
    )

    assert codes(answer, "leadHandOff") == []
    async with world.work() as work:
        clocks = await work.find(SlaClock, lead_id=lead.id)
    assert {(c.state, c.ended_at) for c in clocks} == {("CANCELLED", wished)}


@pytest.mark.parametrize("document", [ACCEPT, REASSIGN], ids=["accept", "reassign"])
async def test_nobody_takes_a_lead_that_must_not_be_contacted(world, document):
    lead = await handed_off(world)
    await forbidden(world, lead)
    before = await kept(world)
    owner = {"owner": {"id": public("User", world.other_rep.id)}} if document is REASSIGN else {}

    answer = await world.ask(document, {"input": {**ref(lead), **owner}}, as_=world.rep)

    field = "leadAccept" if document is ACCEPT else "leadReassign"
    assert codes(answer, field) == [("DO_NOT_CONTACT", ["lead"])]
    assert await kept(world) == before


async def test_the_inbox_leaves_it_out_and_sales_can_send_it_back(world):
    lead, other = await handed_off(world), await handed_off(world)
    async with world.work() as work:
        owners = {h.lead_id: h.owner_id for h in await work.find(Handoff)}
    owner = world.rep if owners[lead.id] == world.rep.id else world.other_rep

    async def inbox():
        data = await world.data(INBOX, as_=owner)
        return [each["lead"]["id"] for each in data["handoffInbox"]]

    before = await inbox()
    await forbidden(world, lead)
    meanwhile = await inbox()
    answer = await world.ask(REJECT, {"input": {**ref(lead), "reason": "No wish."}}, as_=owner)

    assert public("Lead", lead.id) in before
    assert meanwhile == [each for each in before if each != public("Lead", lead.id)]
    assert codes(answer, "leadReject") == []
    assert other.id != lead.id


@pytest.mark.parametrize("kind", ["CALL", "EMAIL"])
async def test_nobody_reaches_out_to_who_must_not_be_contacted(world, kind):
    lead = await add_mql(world)
    await forbidden(world, lead)
    before = await kept(world)

    answer = await world.ask(LOG, {"input": {**ref(lead), "kind": kind}}, as_=world.rep)

    assert codes(answer, "activityLog") == [("DO_NOT_CONTACT", ["lead"])]
    assert await kept(world) == before


async def test_what_the_person_did_is_not_lost(world):
    lead = await add_mql(world)
    await forbidden(world, lead)
    earlier = (world.now - timedelta(hours=1)).isoformat()

    for said in (
        {"kind": "CALL", "answered": True},
        {"kind": "MEETING"},
        {"kind": "NOTE", "text": "Wrote to us."},
        {"kind": "EMAIL", "occurredAt": earlier},
    ):
        answer = await world.ask(LOG, {"input": {**ref(lead), **said}}, as_=world.rep)
        assert codes(answer, "activityLog") == []


async def test_consents_are_a_history(world):
    lead = await add_mql(world)
    said = {**ref(lead), "purpose": "PHONE", "source": "web form"}

    granted = await world.data(
        RECORD,
        {
            "input": {
                **said,
                "status": "GRANTED",
                "wording": "May we call?",
                "occurredAt": "2026-03-01T09:00:00Z",
            }
        },
    )
    await world.data(RECORD, {"input": {**said, "status": "WITHDRAWN", "source": "call"}})

    assert granted["consentRecord"]["consent"] == {
        "purpose": "PHONE",
        "status": "GRANTED",
        "basis": "CONSENT",
        "source": "web form",
        "occurredAt": "2026-03-01T09:00:00Z",
        "recordedAt": "2026-03-10T12:00:00Z",
        "wording": "May we call?",
        "recordedBy": {"name": "Olive"},
    }
    history = await world.data(HISTORY, {"ref": {"id": public("Lead", lead.id)}})
    assert history["lead"]["consents"]["nodes"] == [
        {"status": "WITHDRAWN", "source": "call"},
        {"status": "GRANTED", "source": "web form"},
    ]


async def test_who_does_not_wish_to_be_called_is_written_to(world):
    lead = await add_mql(world)
    said = {**ref(lead), "purpose": "PHONE", "status": "WITHDRAWN", "source": "call"}
    await world.data(RECORD, {"input": said})

    call = await world.ask(LOG, {"input": {**ref(lead), "kind": "CALL"}}, as_=world.rep)
    email = await world.ask(LOG, {"input": {**ref(lead), "kind": "EMAIL"}}, as_=world.rep)

    assert codes(call, "activityLog") == [("CONSENT_WITHDRAWN", ["kind"])]
    assert codes(email, "activityLog") == []
    async with world.work() as work:
        assert [each.kind for each in await work.find(Activity)] == ["EMAIL"]


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"source": " "}, "INVALID", ["source"]),
        ({"wording": "x" * 10_001}, "INVALID", ["wording"]),
        ({"occurredAt": "2026-03-10T12:06:00Z"}, "INVALID", ["occurredAt"]),
        ({"status": "WITHDRAWN", "basis": "LEGAL_OBLIGATION"}, "INVALID", ["basis"]),
        ({"lead": {"email": "nobody@x.example"}}, "NOT_FOUND", ["lead"]),
    ],
)
async def test_a_consent_that_cannot_be_is_refused_and_nothing_is_written(world, said, code, path):
    lead = await add_mql(world)
    before = await kept(world)
    good = {**ref(lead), "purpose": "EMAIL", "status": "GRANTED", "source": "form"}

    answer = await world.ask(RECORD, {"input": {**good, **said}})

    assert codes(answer, "consentRecord") == [(code, path)]
    assert await kept(world) == before


async def test_leads_are_filtered_by_the_wish(world):
    lead = await add_mql(world)
    await add_mql(world)
    await forbidden(world, lead)
    document = "query($filter: LeadFilter) { leads(filter: $filter) { nodes { id } } }"

    found = await world.data(document, {"filter": {"doNotContact": {"eq": True}}})

    assert found["leads"]["nodes"] == [{"id": public("Lead", lead.id)}]
