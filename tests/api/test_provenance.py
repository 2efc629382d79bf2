"""Where the facts about a lead come from, and whose word counts."""

from __future__ import annotations

import pytest

from domain.identity import Tenant
from tests.api.asking_leads import UPSERT, codes, created

FACTS = """query($ref: LeadRef!) { lead(ref: $ref) { jobTitle phone provenance {
  fact value source kind observedAt stale
  candidates { value source kind observedAt } } } }"""
MANY = "{ leads { nodes { email provenance { fact value } } } }"
SETTINGS = """mutation($input: LeadSettingsUpdateInput!) { leadSettingsUpdate(input: $input) {
  tenant { phoneCountry sourceRanks staleAfter { fact days } version }
  userErrors { code path }
}}"""
EMAIL = "ada@x.example"


async def facts(world):
    lead = (await world.data(FACTS, {"ref": {"email": EMAIL}}))["lead"]
    return {each.pop("fact"): each for each in lead["provenance"]}


async def upserted(world, **said):
    data = await world.data(UPSERT, {"rows": [{"email": EMAIL, **said}]})
    [row] = data["leadsUpsert"]["rows"]
    assert row["userErrors"] == []
    return row["outcome"]


async def test_each_fact_says_who_said_it_and_what_others_say(world):
    await created(world, email=EMAIL, jobTitle="CTO", phone="+49 30 901820")
    world.wait(hours=1)

    outcome = await upserted(
        world, jobTitle="CEO", source="Enrichment", observedAt="2026-03-09T12:00:00Z"
    )

    told = {
        "source": "user",
        "kind": "USER",
        "observedAt": "2026-03-10T12:00:00Z",
        "stale": False,
        "candidates": [],
    }
    candidate = {
        "value": "CEO",
        "source": "enrichment",
        "kind": "ENRICHMENT",
        "observedAt": "2026-03-09T12:00:00Z",
    }
    assert outcome == "UNCHANGED"
    assert await facts(world) == {
        "EMAIL": {**told, "value": EMAIL},
        "PHONE": {**told, "value": "+4930901820"},
        "JOB_TITLE": {**told, "value": "CTO", "candidates": [candidate]},
    }


async def test_a_stale_fact_is_flagged_and_then_anybodys_to_tell(world):
    await created(world, email=EMAIL, jobTitle="CTO", firstName="Ada")
    world.wait(days=366)

    stale = {fact: each["stale"] for fact, each in (await facts(world)).items()}
    outcome = await upserted(world, jobTitle="CEO", source="enrichment")

    assert stale == {"EMAIL": True, "JOB_TITLE": True, "FIRST_NAME": False}
    assert outcome == "UPDATED"
    title = (await facts(world))["JOB_TITLE"]
    assert (title["value"], title["source"], title["stale"]) == ("CEO", "enrichment", False)
    assert [each["value"] for each in title["candidates"]] == ["CTO"]


async def test_a_list_of_leads_shows_the_facts_of_each(world):
    await created(world, email="a@x.example")
    await created(world, externalIds=[{"source": "crm", "value": "1"}])

    nodes = (await world.data(MANY))["leads"]["nodes"]

    assert sorted(nodes, key=str) == [
        {"email": "a@x.example", "provenance": [{"fact": "EMAIL", "value": "a@x.example"}]},
        {"email": None, "provenance": []},
    ]


async def test_a_tenant_says_whose_word_counts(world):
    limits = [{"fact": "PHONE", "days": 30}]
    said = {"phoneCountry": "DE", "sourceRanks": ["HubSpot", "form"], "staleAfter": limits}

    changed = await world.data(SETTINGS, {"input": said})
    same = await world.data(SETTINGS, {"input": {}})
    nowhere = await world.data(SETTINGS, {"input": {"phoneCountry": None}})

    tenant = {
        "phoneCountry": "DE",
        "sourceRanks": ["hubspot", "form"],
        "staleAfter": limits,
        "version": 2,
    }
    assert [each["leadSettingsUpdate"]["tenant"] for each in (changed, same, nowhere)] == [
        tenant,
        tenant,
        {**tenant, "phoneCountry": None, "version": 3},
    ]


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"sourceRanks": ["form", "user"]}, "BAD_SOURCE_RANKS", ["sourceRanks", "1"]),
        ({"sourceRanks": ["a", "A"]}, "BAD_SOURCE_RANKS", ["sourceRanks", "1"]),
        ({"sourceRanks": [" "]}, "INVALID", ["sourceRanks", "0"]),
        ({"staleAfter": [{"fact": "EMAIL", "days": 0}]}, "INVALID", ["staleAfter", "0", "days"]),
    ],
)
async def test_settings_that_cannot_be_are_refused_and_nothing_is_written(world, said, code, path):
    answer = await world.ask(SETTINGS, {"input": {"phoneCountry": "DE", **said}})

    assert codes(answer, "leadSettingsUpdate") == [(code, path)]
    async with world.work() as work:
        assert await work.get(Tenant, world.tenant.id) == world.tenant


async def test_only_who_manages_the_tenant_says_whose_word_counts(world):
    answer = await world.ask(SETTINGS, {"input": {"phoneCountry": "DE"}}, as_=world.rep)

    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]


async def test_leads_are_found_by_their_number(world):
    await created(world, email=EMAIL, phone="01 679 3579", country="IE")
    await created(world, email="b@x.example")
    document = "query($filter: LeadFilter) { leads(filter: $filter) { nodes { email phone } } }"

    found = await world.data(document, {"filter": {"phone": {"eq": "+35316793579"}}})

    assert found["leads"]["nodes"] == [{"email": EMAIL, "phone": "+35316793579"}]
