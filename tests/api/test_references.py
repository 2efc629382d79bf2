"""What a thing is known by is enough to say which one is meant."""

from __future__ import annotations

from typing import Any

from domain.campaigns import Campaign, CampaignKind
from domain.ids import new_id, public
from domain.leads import Company
from domain.opportunities import Opportunity
from tests.api.dealing import accepted_lead, deal
from tests.telling import hand_over
from tests.world import World

RATE = """mutation($of: RatedInput!) { ratingGive(input: {of: $of, stars: 4}) {
  rating { campaign { code } } userErrors { code path } } }"""
SUMMARY = "query($campaign: CampaignRef!) { ratingSummary(campaign: $campaign) { count } }"
TALK = """mutation($about: SubjectInput!) { threadStart(input: {about: $about, text: "Well?"}) {
  thread { about { id } } userErrors { code path } } }"""
CUSTOMER = "query($ref: CustomerRef!) { customer(ref: $ref) { id lead { email } } }"
STANDS = """mutation($customer: CustomerRef!) {
  customerStatusSet(input: {customer: $customer, status: AT_RISK}) {
    customer { status } userErrors { code path } } }"""
OPEN = """mutation($lead: LeadRef!, $company: CompanyRef) {
  opportunityCreate(input: {lead: $lead, name: "Big", company: $company}) {
    opportunity { id company { name } } userErrors { code path } } }"""
CHANGE = """mutation($ref: OpportunityRef!, $company: CompanyRef) {
  opportunityUpdate(input: {opportunity: $ref, company: $company}) {
    opportunity { company { name } } userErrors { code path } } }"""


async def done(world: World, document: str, **variables: Any) -> Any:
    (answer,) = (await world.data(document, variables, as_=world.rep)).values()
    return answer


async def test_a_campaign_is_rated_and_talked_about_by_its_code(world: World) -> None:
    fair = Campaign(
        id=new_id(), name="Fair", kind=CampaignKind.EVENT, code="fair", created_at=world.now
    )
    async with world.work() as work:
        await work.add(fair)
    known, unknown = {"code": "Fair"}, {"code": "flyer"}

    assert await done(world, RATE, of={"campaign": known}) == {
        "rating": {"campaign": {"code": "fair"}},
        "userErrors": [],
    }
    assert await done(world, SUMMARY, campaign=known) == {"count": 1}
    assert await done(world, TALK, about={"campaign": known}) == {
        "thread": {"about": {"id": public("Campaign", fair.id)}},
        "userErrors": [],
    }
    assert await done(world, RATE, of={"campaign": unknown}) == {
        "rating": None,
        "userErrors": [{"code": "NOT_FOUND", "path": ["of", "campaign"]}],
    }
    assert await done(world, SUMMARY, campaign=unknown) is None
    assert await done(world, TALK, about={"campaign": unknown}) == {
        "thread": None,
        "userErrors": [{"code": "NOT_FOUND", "path": ["about", "campaign"]}],
    }


async def test_a_customer_is_told_by_its_lead(world: World) -> None:
    handoff = await hand_over(world)
    lead, stranger = await accepted_lead(world), {"id": public("Lead", handoff.lead_id)}
    await deal(world, lead.id, won=world.now)
    buyer = {"lead": {"email": lead.email}}

    found = await done(world, CUSTOMER, ref=buyer)

    assert found["lead"] == {"email": lead.email}
    assert await done(world, CUSTOMER, ref={"id": found["id"]}) == found
    assert await done(world, STANDS, customer=buyer) == {
        "customer": {"status": "AT_RISK"},
        "userErrors": [],
    }
    assert await done(world, CUSTOMER, ref={"lead": stranger}) is None
    assert await done(world, STANDS, customer={"lead": stranger}) == {
        "customer": None,
        "userErrors": [{"code": "NOT_FOUND", "path": ["customer", "lead"]}],
    }


async def test_the_company_of_a_deal_is_told_by_its_domain(world: World) -> None:
    acme = Company(id=new_id(), name="Acme", domain="acme.example", created_at=world.now)
    async with world.work() as work:
        await work.add(acme)
    lead = {"id": public("Lead", (await accepted_lead(world)).id)}
    unknown = {"code": "NOT_FOUND", "path": ["company"]}

    opened = await done(world, OPEN, lead=lead, company={"domain": "https://www.acme.example/"})
    ref = {"id": opened["opportunity"]["id"]}
    nobody = await done(world, OPEN, lead=lead, company={"domain": "initech.example"})

    assert opened["opportunity"]["company"] == {"name": "Acme"}
    assert nobody == {"opportunity": None, "userErrors": [unknown]}
    assert await done(world, CHANGE, ref=ref, company={"domain": "initech.example"}) == {
        "opportunity": None,
        "userErrors": [unknown],
    }
    assert (await done(world, CHANGE, ref=ref, company=None))["opportunity"] == {"company": None}
    by_id = await done(world, CHANGE, ref=ref, company={"id": public("Company", acme.id)})
    assert by_id["opportunity"] == {"company": {"name": "Acme"}}
    async with world.work() as work:
        assert [each.company_id for each in await work.find(Opportunity)] == [acme.id]
