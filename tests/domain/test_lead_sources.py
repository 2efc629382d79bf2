"""Leads told by several sources, in the form in which they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Invalid
from domain.identity import Tenant
from domain.ids import new_id
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import UpsertOutcome, create_lead, source_of, update_lead, upsert_leads
from domain.leads import Company, ExternalId, Lead
from domain.normal_forms import BadPhone
from domain.provenance import Fact, FactRecord, LeadProvenance, Observation, Source, SourceKind
from tests.domain.building_leads import MEMBER, NOON, a_lead, a_work, stored

KEY = replace(MEMBER, user_id=None, name="HubSpot", api_key_id=new_id())
EMAIL = "ada@x.example"


def observation(value, source="user", kind=SourceKind.USER, at=NOON):
    return Observation(value=value, source=source, kind=kind, observed_at=at)


@pytest.mark.parametrize(
    ("actor", "told", "source"),
    [
        (MEMBER, None, Source("user", SourceKind.USER)),
        (KEY, None, Source("hubspot", SourceKind.INTEGRATION)),
        (KEY, "CRM", Source("crm", SourceKind.CRM)),
        (KEY, "user", Source("user", SourceKind.INTEGRATION)),  # a key is nobody
        (MEMBER, "User", Source("user", SourceKind.USER)),
        (MEMBER, "clearbit", Source("clearbit", SourceKind.INTEGRATION)),
        (MEMBER, "enrichment", Source("enrichment", SourceKind.ENRICHMENT)),
        (KEY, Source("fair", SourceKind.IMPORT), Source("fair", SourceKind.IMPORT)),
    ],
)
def test_who_says_something_is_whoever_asks_unless_told(actor, told, source):
    assert source_of(actor, told) == source


async def test_what_is_said_of_a_new_lead_is_written_down_with_who_said_it():
    work = await a_work()
    details = LeadDetails(
        email="Ada@x.example", phone="+49 30 901820", country=None, source="form", score=3
    )

    lead = await create_lead(work, MEMBER, details)

    assert stored(work, LeadProvenance) == [
        LeadProvenance(
            id=lead.id,
            facts=(
                FactRecord(fact=Fact.EMAIL, said=observation(EMAIL, "form", SourceKind.FORM)),
                FactRecord(
                    fact=Fact.PHONE, said=observation("+4930901820", "form", SourceKind.FORM)
                ),
            ),
        )
    ]


async def test_a_lead_of_which_nothing_is_said_has_no_provenance():
    work = await a_work()

    await create_lead(work, MEMBER, LeadDetails(external_ids=(ExternalId("crm", "1"),)))

    assert stored(work, LeadProvenance) == []


async def test_who_is_believed_less_changes_nothing_and_is_written_down():
    work = await a_work()
    lead = await create_lead(work, MEMBER, LeadDetails(email=EMAIL, job_title="CTO"))

    [row] = await upsert_leads(
        work, KEY, [LeadDetails(email=EMAIL, job_title="CEO", first_name="Ada")]
    )

    assert (row.outcome, row.lead.job_title, row.lead.first_name) == (
        UpsertOutcome.UPDATED,
        "CTO",
        "Ada",
    )
    [provenance] = stored(work, LeadProvenance)
    assert provenance == LeadProvenance(
        id=lead.id,
        facts=(
            FactRecord(fact=Fact.EMAIL, said=observation(EMAIL)),
            FactRecord(
                fact=Fact.FIRST_NAME, said=observation("Ada", "hubspot", SourceKind.INTEGRATION)
            ),
            FactRecord(
                fact=Fact.JOB_TITLE,
                said=observation("CTO"),
                candidates=(observation("CEO", "hubspot", SourceKind.INTEGRATION),),
            ),
        ),
        version=2,
    )


async def test_a_row_of_which_nothing_is_believed_leaves_the_lead_unchanged():
    work = await a_work()
    lead = await create_lead(work, MEMBER, LeadDetails(email=EMAIL, job_title="CTO"))

    [row] = await upsert_leads(work, KEY, [LeadDetails(email=EMAIL, job_title=None)])

    assert (row.outcome, row.lead) == (UpsertOutcome.UNCHANGED, lead)
    assert stored(work, Lead) == [lead]
    assert [each.version for each in stored(work, LeadProvenance)] == [1]


async def test_what_a_user_says_always_counts():
    work = await a_work()
    first = await create_lead(work, KEY, LeadDetails(email=EMAIL, job_title="CTO", source="crm"))

    lead = await update_lead(work, MEMBER, first.id, LeadDetails(job_title="CEO"))
    again = await update_lead(work, MEMBER, first.id, LeadDetails(job_title=None))
    refilled = await update_lead(work, KEY, first.id, LeadDetails(job_title="CTO"))

    assert [each.job_title for each in (lead, again, refilled)] == ["CEO", None, None]


async def test_a_lead_that_was_there_before_is_anybodys_to_tell():
    lead = a_lead(email=EMAIL, job_title="CTO")
    work = await a_work(lead)

    changed = await update_lead(work, KEY, lead.id, LeadDetails(job_title="CEO"))

    assert changed.job_title == "CEO"


async def test_the_tenant_says_whose_word_counts_and_how_long():
    work = await a_work()
    tenant = await work.get(Tenant, work.tenant_id)
    await work.save(replace(tenant, source_ranks=("fair", "crm"), stale_after=()))
    told = LeadDetails(email=EMAIL, job_title="CTO", source="crm")
    lead = await create_lead(work, KEY, told)

    at_the_fair = LeadDetails(
        job_title="CEO", source=Source("fair", SourceKind.IMPORT), observed_at=NOON - timedelta(9)
    )
    changed = await update_lead(work, KEY, lead.id, at_the_fair)
    elsewhere = LeadDetails(job_title="COO", source=Source("file", SourceKind.IMPORT))
    unchanged = await update_lead(work, KEY, lead.id, elsewhere)

    assert (changed.job_title, unchanged.job_title) == ("CEO", "CEO")


@pytest.mark.parametrize(
    ("details", "phone"),
    [
        (LeadDetails(phone="+353 1 679 3579"), "+35316793579"),
        (LeadDetails(phone="01 679 3579", country="ie"), "+35316793579"),
        (LeadDetails(phone="030 901820"), "+4930901820"),  # as the tenant has chosen
        (LeadDetails(phone=" "), None),
        (LeadDetails(phone=None), None),
    ],
)
async def test_a_number_is_kept_in_one_form(details, phone):
    work = await a_work()
    tenant = await work.get(Tenant, work.tenant_id)
    await work.save(replace(tenant, phone_country="DE"))

    lead = await create_lead(work, MEMBER, details)

    assert lead.phone == phone


async def test_a_number_is_of_the_country_the_lead_is_known_to_be_in():
    lead = a_lead(email=EMAIL, country="IE")
    work = await a_work(lead)

    changed = await update_lead(work, MEMBER, lead.id, LeadDetails(phone="01 679 3579"))
    [row] = await upsert_leads(work, MEMBER, [LeadDetails(email=EMAIL, phone="01 679 3580")])

    assert (changed.phone, row.lead.phone) == ("+35316793579", "+35316793580")


@pytest.mark.parametrize("phone", ["030 901820", "call me"])
async def test_what_is_no_number_is_refused_and_nothing_is_written(phone):
    lead = a_lead(email=EMAIL)
    work = await a_work(lead)

    with pytest.raises(BadPhone) as refusal:
        await update_lead(work, MEMBER, lead.id, LeadDetails(phone=phone, first_name="Ada"))
    rows = [LeadDetails(email="b@x.example"), LeadDetails(email=EMAIL, phone=phone)]
    good, bad = await upsert_leads(work, MEMBER, rows)

    assert (refusal.value.code, refusal.value.path) == ("BAD_PHONE", ("phone",))
    assert good.outcome is UpsertOutcome.CREATED
    assert [(each.code, each.path) for each in bad.refusals] == [
        ("BAD_PHONE", ("rows", 1, "phone"))
    ]
    assert lead in stored(work, Lead)


async def test_companies_are_the_same_however_they_are_written():
    work = await a_work()
    rows = [
        LeadDetails(email="a@x.example", company=NamedCompany("ACME GmbH & Co. KG")),
        LeadDetails(email="b@x.example", company=NamedCompany("Acmé, gmbh")),
        LeadDetails(email="c@x.example", company=NamedCompany("Tools", "https://www.tools.de/a")),
        LeadDetails(email="d@x.example", company=NamedCompany(None, "jo@mail.tools.de")),
        LeadDetails(email="e@x.example", company=NamedCompany("TOOLS AG")),
    ]

    outcomes = await upsert_leads(work, MEMBER, rows)

    companies = {each.id: (each.name, each.domain) for each in stored(work, Company)}
    assert [companies[row.lead.company_id] for row in outcomes] == [
        ("ACME GmbH & Co. KG", None),
        ("ACME GmbH & Co. KG", None),
        ("Tools", "tools.de"),
        ("Tools", "tools.de"),
        ("Tools", "tools.de"),
    ]


async def test_of_companies_of_one_name_the_one_without_a_domain_is_meant():
    named = Company(id=new_id(), name="Acme", domain="acme.de", created_at=NOON)
    bare = Company(id=new_id(), name="ACME Inc.", created_at=NOON)
    work = await a_work(named, bare)

    lead = await create_lead(work, MEMBER, LeadDetails(company=NamedCompany("acme")))

    assert lead.company_id == bare.id


@pytest.mark.parametrize(
    ("details", "employer"),
    [
        (LeadDetails(email="ada@mail.engines.co.uk"), ("engines.co.uk", "engines.co.uk")),
        (LeadDetails(email="ada@gmail.com"), None),
        (LeadDetails(email="ada@engines.example"), None),
        (LeadDetails(email="ada@engines.co.uk", company=None), None),
        (
            LeadDetails(email="ada@engines.co.uk", company=NamedCompany("Tools")),
            ("Tools", None),
        ),
        (
            LeadDetails(email="ada@gmail.com", company=NamedCompany("Tools", "gmail.com")),
            ("Tools", None),
        ),
        (LeadDetails(email="ada@x.example", company=NamedCompany(None, "gmail.com")), None),
    ],
)
async def test_an_address_of_a_company_tells_the_company(details, employer):
    work = await a_work()

    lead = await create_lead(work, MEMBER, details)

    found = {each.id: (each.name, each.domain) for each in stored(work, Company)}
    assert found.get(lead.company_id) == employer
    assert len(found) == (employer is not None)


async def test_an_address_never_takes_the_company_a_lead_has():
    work = await a_work()
    lead = await create_lead(
        work, MEMBER, LeadDetails(email="ada@engines.co.uk", company=NamedCompany("Tools"))
    )

    changed = await update_lead(work, MEMBER, lead.id, LeadDetails(email="ada@other.co.uk"))

    assert changed.company_id == lead.company_id


async def test_two_of_one_company_make_it_once():
    work = await a_work()
    rows = [LeadDetails(email="ada@engines.co.uk"), LeadDetails(email="bob@www.engines.co.uk")]

    ada, bob = await upsert_leads(work, MEMBER, rows)

    [company] = stored(work, Company)
    assert (ada.lead.company_id, bob.lead.company_id) == (company.id, company.id)


@pytest.mark.parametrize("domain", ["no domain", "co.uk", "http://127.0.0.1/", "localhost"])
async def test_what_is_no_domain_is_refused(domain):
    work = await a_work()

    with pytest.raises(Invalid) as refusal:
        await create_lead(work, MEMBER, LeadDetails(company=NamedCompany("A", domain)))

    assert refusal.value.path == ("company", "domain")
    assert (stored(work, Lead), stored(work, Company)) == ([], [])
