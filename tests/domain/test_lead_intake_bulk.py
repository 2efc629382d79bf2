"""How leads come in, many at a time."""

from __future__ import annotations

import pytest

from domain.errors import Invalid
from domain.ids import new_id
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import (
    MOST_ROWS,
    TooManyRows,
    UpsertOutcome,
    upsert_leads,
)
from domain.leads import (
    Company,
    ExternalId,
    Lead,
)
from tests.domain.building_leads import MEMBER, NOON, a_lead, a_user, a_work, named, stored


async def test_companies_are_found_by_domain_or_by_name_and_made_once():
    acme = Company(id=new_id(), name="Acme", domain="acme.example", created_at=NOON)
    work = await a_work(acme)
    rows = [
        LeadDetails(email="a@x.example", company=NamedCompany("Other", "ACME.example")),
        LeadDetails(email="b@x.example", company=NamedCompany("Acme")),
        LeadDetails(email="c@x.example", company=NamedCompany("New")),
        LeadDetails(email="d@x.example", company=NamedCompany("New")),
        LeadDetails(email="e@x.example", company=NamedCompany(None, "bare.example")),
    ]

    outcomes = await upsert_leads(work, MEMBER, rows)

    companies = {c.id: (c.name, c.domain) for c in stored(work, Company)}
    assert [companies[row.lead.company_id] for row in outcomes] == [
        ("Acme", "acme.example"),
        ("Acme", "acme.example"),
        ("New", None),
        ("New", None),
        ("bare.example", "bare.example"),
    ]
    assert len(companies) == 3


async def test_owners_told_by_e_mail_address_are_found_row_by_row():
    rita = a_user(email="rita@x.example")
    work = await a_work(rita)
    rows = [
        LeadDetails(email="a@x.example", owner_email="RITA@x.example"),
        LeadDetails(email="b@x.example", owner_email="nobody@x.example"),
        LeadDetails(email="c@x.example", owner_email=""),
        LeadDetails(email="d@x.example", owner_email="x" * 255),
    ]

    outcomes = await upsert_leads(work, MEMBER, rows)

    assert [row.lead and row.lead.owner_id for row in outcomes] == [rita.id, None, None, None]
    assert [[(each.code, each.path) for each in row.refusals] for row in outcomes] == [
        [],
        [("NOT_FOUND", ("rows", 1, "owner"))],
        [("NOT_FOUND", ("rows", 2, "owner"))],
        [("INVALID", ("rows", 3, "owner", "email"))],
    ]


async def test_every_row_gets_its_outcome_and_a_bad_one_spoils_no_other():
    ada = a_lead(email="ada@x.example", score=5)
    bob = a_lead(email="bob@x.example")
    work = await a_work(ada, bob, named(ada, "crm", "1"))
    rows = [
        LeadDetails(email="new@x.example", score=1),
        LeadDetails(external_ids=(ExternalId("crm", "1"),), score=6),
        LeadDetails(email="bob@x.example"),
        LeadDetails(email="nobody", score=2000),
        LeadDetails(first_name="Nameless"),
        LeadDetails(email="bob@x.example", external_ids=(ExternalId("crm", "1"),)),
        LeadDetails(email="cy@x.example", owner_id=new_id()),
        Invalid("Not even a row.", path=("email",)),
    ]

    outcomes = await upsert_leads(work, MEMBER, rows)

    assert [(row.index, row.outcome) for row in outcomes] == [
        (0, UpsertOutcome.CREATED),
        (1, UpsertOutcome.UPDATED),
        (2, UpsertOutcome.UNCHANGED),
        *((index, UpsertOutcome.REFUSED) for index in range(3, 8)),
    ]
    assert [row.lead and row.lead.score for row in outcomes] == [1, 6, 0, *[None] * 5]
    assert [
        [(each.code, each.index, each.path) for each in row.refusals] for row in outcomes[3:]
    ] == [
        [
            ("INVALID", 3, ("rows", 3, "email")),
            ("INVALID", 3, ("rows", 3, "score")),
        ],
        [("NO_IDENTITY", 4, ("rows", 4))],
        [("DUPLICATE_LEAD", 5, ("rows", 5, "email"))],
        [("NOT_FOUND", 6, ("rows", 6, "owner"))],
        [("INVALID", 7, ("rows", 7, "email"))],
    ]
    assert {lead.email for lead in stored(work, Lead)} == {
        "ada@x.example",
        "bob@x.example",
        "new@x.example",
    }


async def test_rows_of_the_same_lead_apply_in_their_order():
    work = await a_work()
    rows = [
        LeadDetails(email="a@x.example", score=1, external_ids=(ExternalId("crm", "1"),)),
        LeadDetails(external_ids=(ExternalId("crm", "1"),), score=2),
        LeadDetails(external_ids=(ExternalId("crm", "1"),), email="b@x.example"),
        LeadDetails(email="a@x.example", score=9),
        LeadDetails(email="b@x.example", score=3),
    ]

    outcomes = await upsert_leads(work, MEMBER, rows)

    first, *_, other, last = outcomes
    assert [row.outcome for row in outcomes] == [
        UpsertOutcome.CREATED,
        UpsertOutcome.UPDATED,
        UpsertOutcome.UPDATED,
        UpsertOutcome.CREATED,
        UpsertOutcome.UPDATED,
    ]
    assert first.lead == last.lead
    assert (first.lead.email, first.lead.score) == ("b@x.example", 3)
    assert (other.lead.email, other.lead.score) == ("a@x.example", 9)
    assert len(stored(work, Lead)) == 2


async def test_too_many_rows_are_refused_as_a_whole():
    work = await a_work()
    rows = [LeadDetails(email=f"{n}@x.example") for n in range(MOST_ROWS + 1)]

    with pytest.raises(TooManyRows) as refusal:
        await upsert_leads(work, MEMBER, rows)

    assert (refusal.value.code, refusal.value.path) == ("ROWS_TOO_MANY", ("rows",))
    assert (stored(work, Lead), work.events) == ([], [])
