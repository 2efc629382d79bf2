"""Companies: found again however they are written, listed, stored and changed."""

from __future__ import annotations

import asyncio

import pytest

from domain.ids import new_id, public
from domain.leads import Company
from tests.api.asking_leads import CREATE, codes, created, everything

STORE = """mutation($input: CompanyCreateInput!) { companyCreate(input: $input) {
  company { name normalName domain version }
  userErrors { __typename code path ... on DuplicateCompanyError { existing { name } } }
}}"""
CHANGE = """mutation($input: CompanyUpdateInput!) { companyUpdate(input: $input) {
  company { name normalName domain version }
  userErrors { code path ... on DuplicateCompanyError { existing { name } } }
}}"""
LIST = """query($filter: CompanyFilter, $order: [CompanyOrder!], $first: Int) {
  companies(filter: $filter, orderBy: $order, first: $first) { nodes { name } totalCount } }"""


async def stored(world, **said):
    answer = await world.data(STORE, {"input": said}, as_=world.marketer)
    assert answer["companyCreate"]["userErrors"] == []
    return answer["companyCreate"]["company"]


async def id_of(world, name):
    async with world.work() as work:
        [company] = await work.find(Company, name=name)
    return public("Company", company.id)


async def test_a_company_is_kept_by_what_it_registered(world):
    company = await stored(world, name=" Acme GmbH ", domain="https://www.acme.de/about")

    assert company == {
        "name": "Acme GmbH",
        "normalName": "acme",
        "domain": "acme.de",
        "version": 1,
    }


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"name": " "}, "INVALID", ["name"]),
        ({"name": "A", "domain": "no domain"}, "INVALID", ["domain"]),
        ({"name": "A", "domain": "co.uk"}, "INVALID", ["domain"]),
        ({"name": "A", "domain": "ada@gmail.com"}, "FREE_MAIL_DOMAIN", ["domain"]),
        ({"name": "Other", "domain": "shop.acme.de"}, "DUPLICATE_COMPANY", ["domain"]),
        ({"name": "TOOLS & Co. KG"}, "DUPLICATE_COMPANY", ["name"]),
    ],
)
async def test_what_cannot_be_a_new_company_is_refused_and_nothing_is_written(
    world, said, code, path
):
    await stored(world, name="Acme", domain="acme.de")
    await stored(world, name="Tools")
    before = await everything(world)

    answer = await world.ask(STORE, {"input": said}, as_=world.marketer)

    assert codes(answer, "companyCreate") == [(code, path)]
    assert answer["data"]["companyCreate"]["company"] is None
    assert await everything(world) == before


async def test_a_double_is_answered_with_the_company_there_is(world):
    await stored(world, name="Tools Ltd")

    answer = await world.data(STORE, {"input": {"name": "tools"}}, as_=world.marketer)

    assert answer["companyCreate"]["userErrors"] == [
        {
            "__typename": "DuplicateCompanyError",
            "code": "DUPLICATE_COMPANY",
            "path": ["name"],
            "existing": {"name": "Tools Ltd"},
        }
    ]


async def test_a_company_is_changed_by_id_or_by_domain(world):
    await stored(world, name="acme.de", domain="acme.de")

    named = await world.data(
        CHANGE, {"input": {"company": {"domain": "www.acme.de"}, "name": "Acmé AG", "version": 1}}
    )
    moved = await world.data(
        CHANGE, {"input": {"company": {"id": await id_of(world, "Acmé AG")}, "domain": None}}
    )
    same = await world.data(
        CHANGE, {"input": {"company": {"id": await id_of(world, "Acmé AG")}, "name": "Acmé AG"}}
    )

    changed = {"name": "Acmé AG", "normalName": "acme", "domain": None, "version": 3}
    assert [each["companyUpdate"] for each in (named, moved, same)] == [
        {"company": {**changed, "domain": "acme.de", "version": 2}, "userErrors": []},
        {"company": changed, "userErrors": []},
        {"company": changed, "userErrors": []},
    ]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"domain": "tools.de"}, "DUPLICATE_COMPANY", ["domain"]),
        ({"domain": None}, "DUPLICATE_COMPANY", ["name"]),
        ({"domain": "gmx.de"}, "FREE_MAIL_DOMAIN", ["domain"]),
        ({"name": ""}, "INVALID", ["name"]),
        ({"version": 7, "name": "B"}, "STALE", []),
        ({"company": {"domain": "nobody.de"}}, "NOT_FOUND", ["company"]),
        ({"company": {"domain": "?"}}, "NOT_FOUND", ["company"]),
        ({"company": {"id": public("Company", new_id())}}, "NOT_FOUND", ["company"]),
    ],
)
async def test_what_a_company_cannot_become_is_refused_and_nothing_is_written(
    world, change, code, path
):
    await stored(world, name="Acme GmbH", domain="acme.de")
    await stored(world, name="Acme")
    await stored(world, name="Tools", domain="tools.de")
    before = await everything(world)

    answer = await world.ask(CHANGE, {"input": {"company": {"domain": "acme.de"}, **change}})

    assert codes(answer, "companyUpdate") == [(code, path)]
    assert await everything(world) == before


async def test_another_tenants_company_does_not_exist(world, other_world):
    await stored(world, name="Acme", domain="acme.de")
    id = await id_of(world, "Acme")

    for ref in ({"id": id}, {"domain": "acme.de"}):
        answer = await other_world.ask(CHANGE, {"input": {"company": ref, "name": "Mine"}})
        assert codes(answer, "companyUpdate") == [("NOT_FOUND", ["company"])]
    await stored(other_world, name="Acme", domain="acme.de")


async def test_companies_are_filtered_and_ordered(world):
    for name, domain in (("Beta", None), ("Alpha AG", "alpha.de"), ("alpha", None)):
        await stored(world, name=name, domain=domain)
        world.wait(minutes=1)

    async def names(filter=None, order=None):
        data = await world.data(LIST, {"filter": filter, "order": order})
        return [each["name"] for each in data["companies"]["nodes"]]

    assert await names({"normalName": {"eq": "alpha"}}) == ["Alpha AG", "alpha"]
    assert await names({"domain": {"isNull": True}}) == ["Beta", "alpha"]
    assert await names({"name": {"contains": "ALPHA"}, "domain": {"eq": "alpha.de"}}) == [
        "Alpha AG"
    ]
    assert await names(order=[{"field": "CREATED_AT", "direction": "DESC"}]) == [
        "alpha",
        "Alpha AG",
        "Beta",
    ]


async def test_companies_are_listed_by_name_with_their_people(world):
    for name in ("Beta", "Alpha"):
        await created(world, email=f"{name}@x.example", company={"name": name})

    data = await world.data("{ companies { nodes { name domain leads { nodes { email } } } } }")

    assert data["companies"]["nodes"] == [
        {"name": "Alpha", "domain": None, "leads": {"nodes": [{"email": "alpha@x.example"}]}},
        {"name": "Beta", "domain": None, "leads": {"nodes": [{"email": "beta@x.example"}]}},
    ]


async def test_a_company_can_be_asked_for_by_its_id(world, other_world):
    lead = await created(world, email="ada@x.example", company={"name": "Acme"})
    document = "query($id: ID!) { company(id: $id) { name leads { nodes { id } } } }"
    id = {"id": await id_of(world, "Acme")}

    assert await world.data(document, id) == {
        "company": {"name": "Acme", "leads": {"nodes": [{"id": lead["id"]}]}}
    }
    assert await other_world.data(document, id) == {"company": None}


@pytest.mark.parametrize(
    "companies",
    [
        [{"name": "Acme"}, {"name": "ACME GmbH"}, {"name": "acmé"}, {"name": "The Acme Co."}],
        [{"domain": "acme.de"}, {"domain": "www.acme.de"}, {"domain": "http://acme.de"}, None],
    ],
    ids=["by name", "by domain"],
)
async def test_leads_told_at_once_share_the_company_they_make(world, companies):
    said = [
        {"email": f"p{n}@acme.de", **({} if company is None else {"company": company})}
        for n, company in enumerate(companies)
    ]

    answers = await asyncio.gather(
        *(world.data(CREATE, {"input": each}, as_=world.marketer) for each in said)
    )

    assert [answer["leadCreate"]["userErrors"] for answer in answers] == [[]] * len(said)
    leads, stored_companies, *_ = await everything(world)
    [company] = stored_companies
    assert {lead.company_id for lead in leads} == {company.id}


async def test_of_those_who_store_a_company_at_once_one_wins(world):
    answers = await asyncio.gather(
        *(world.data(STORE, {"input": {"name": f"Acme {form}"}}) for form in ("AG", "Inc", "Ltd"))
    )

    refusals = [each["code"] for a in answers for each in a["companyCreate"]["userErrors"]]
    assert refusals == ["DUPLICATE_COMPANY"] * 2
    assert len((await everything(world))[1]) == 1


async def test_who_may_only_look_stores_no_company(world):
    for document, said in ((STORE, {"name": "A"}), (CHANGE, {"company": {"domain": "a.de"}})):
        answer = await world.ask(document, {"input": said}, as_=world.analyst)
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
