from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.attribution import reattribute
from domain.ids import new_id, public
from domain.opportunities import Opportunity
from domain.touches import Channel
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World

ROW = """key campaign { code } channel originSource persona { name }
  cost { amount currency } touches leads mqls accepted sqls
  pipeline { amount } won { amount currency } wonDeals influenced { amount }
  cac { amount } roiRate sourcedShare influencedShare"""
CAMPAIGNS = f"""query($input: PerformanceInput!) {{ campaignPerformance(input: $input) {{
  model {{ name builtIn }} basis dimension startsOn endsOn currency
  rows {{ totalCount nodes {{ {ROW} }} }} total {{ key won {{ amount }} leads }}
}} }}"""
PAGED = """query($input: PerformanceInput!, $campaigns: CampaignFilter,
    $order: [PerformanceOrder!], $first: Int, $after: String, $last: Int, $before: String) {
  campaignPerformance(input: $input, campaigns: $campaigns) {
    rows(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { campaign { code } roiRate sourcedShare }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
    total {
      won { amount } influenced { amount } cost { amount } sourcedShare influencedShare
    } } }"""
SOURCES = """query($input: PerformanceInput!, $by: SourceDimension!) {
  sourcePerformance(input: $input, by: $by) {
    rows { nodes { key channel originSource leads } } } }"""
OTHERS = """query($input: PerformanceInput!) {
  contentPerformance(input: $input) { rows { nodes { key won { amount } } } }
  personaPerformance(input: $input) { rows { nodes { key won { amount } } } } }"""
EXPLAIN = """query($input: PerformanceInput!, $number: PerformanceExplainInput!, $after: String) {
  performanceExplain(input: $input, number: $number) { measure formula
    rows(first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor }
      nodes { amount { amount currency } creditedShare lead { id } cost { id } } } } }"""
MODELS = "{ attributionModels { id name builtIn anchors { anchor share } restShare spread } }"
CREATE = """mutation($input: AttributionModelCreateInput!) { attributionModelCreate(input: $input) {
  attributionModel { id name anchors { anchor share } restShare spread halfLifeDays skipsDirect
    isComputing computedShare createdBy { name } }
  userErrors { code path }
} }"""
ARCHIVE = """mutation($input: AttributionModelArchiveInput!) {
  attributionModelArchive(input: $input) {
    attributionModel { archivedAt } userErrors { code path } } }"""
COST = """mutation($input: CampaignCostRecordInput!) { campaignCostRecord(input: $input) {
  userErrors { code } } }"""
MARCH = {"model": {"builtIn": "LINEAR"}, "startsOn": "2026-03-01", "endsOn": "2026-04-01"}


@pytest.fixture
async def sold(world: World) -> dict[str, Any]:
    """A deal of 100.01 EUR after a touch of each of two campaigns."""
    at, stage = world.now, a_stage(world.now)
    campaigns = [a_campaign(at, "spring"), a_campaign(at, "autumn")]
    lead = a_lead(at - 5 * DAY, origin_source="organic", campaign_id=campaigns[0].id)
    touches = [
        a_touch(at - days * DAY, lead_id=lead.id, campaign_id=campaign.id, channel=channel)
        for days, campaign, channel in zip(
            (4, 3), campaigns, (Channel.SOCIAL, Channel.EMAIL), strict=True
        )
    ]
    deal = a_deal(at - 2 * DAY, lead=lead, stage=stage, closed_at=at - DAY, amount_minor=10_001)
    async with world.work() as work:
        await work.add_all([stage, *campaigns, lead, *touches, deal])
        await reattribute(work, [lead.id])
    return {"lead": public("Lead", lead.id), "spring": public("Campaign", campaigns[0].id)}


async def test_campaigns_are_told_with_the_model_that_credits_them(
    world: World, sold: dict[str, Any]
) -> None:
    answer = await world.data(CAMPAIGNS, {"input": MARCH}, as_=world.analyst)

    found = answer["campaignPerformance"]
    rows = found.pop("rows")
    first, second = rows["nodes"]
    assert rows["totalCount"] == 2
    assert found == {
        "model": {"name": "Linear", "builtIn": "LINEAR"},
        "basis": "CLOSE",
        "dimension": "CAMPAIGN",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "currency": "EUR",
        "total": {"key": None, "won": {"amount": "100.01"}, "leads": 1},
    }
    assert first == {
        "key": sold["spring"],
        "campaign": {"code": "spring"},
        "channel": None,
        "originSource": None,
        "persona": None,
        "cost": {"amount": "0.00", "currency": "EUR"},
        "touches": 1,
        "leads": 1,
        "mqls": 0,
        "accepted": 0,
        "sqls": 0,
        "pipeline": {"amount": "0.00"},
        "won": {"amount": "50.01", "currency": "EUR"},
        "wonDeals": "0.500000000000",
        "influenced": {"amount": "100.01"},
        "cac": {"amount": "0.00"},
        "roiRate": None,
        "sourcedShare": "0.5000",
        "influencedShare": "1.0000",
    }
    assert second["campaign"] == {"code": "autumn"}


async def costing(world: World, **costs: str) -> None:
    """Give campaigns, made if they are not there, costs in euros."""
    for code, amount in costs.items():
        row = {"campaign": {"code": code}, "on": "2026-03-05", "amount": amount, "currency": "EUR"}
        await world.data(SPENT, {"create": {"code": code, "name": code}, "row": row})


SPENT = """mutation($create: CampaignCreateInput!, $row: CampaignCostRowInput!) {
  campaignCreate(input: $create) { userErrors { code } }
  campaignCostsUpsert(input: {rows: [$row]}) { rows { outcome } } }"""
BY_ROI = [{"field": "ROI_RATE", "direction": "DESC"}]


async def test_rows_are_ordered_and_paged_as_asked(world: World, sold: dict[str, Any]) -> None:
    """Spring and autumn won 50 each and cost 25 and 10; two won nothing, two cost nothing."""
    await costing(world, spring="25", autumn="10", fair="1", cinema="2")
    async with world.work() as work:
        await work.add(a_lead(world.now - DAY))  # of no campaign

    found, pages, after = [], [], None
    while after is not None or not pages:
        asked = {"input": MARCH, "order": BY_ROI, "first": 2, "after": after}
        rows = (await world.data(PAGED, asked))["campaignPerformance"]["rows"]
        found += [(row["campaign"] and row["campaign"]["code"], row["roiRate"])
                  for row in rows["nodes"]]  # fmt: skip
        pages.append((rows["totalCount"], rows["pageInfo"]["hasPreviousPage"]))
        after = rows["pageInfo"]["endCursor"] if rows["pageInfo"]["hasNextPage"] else None
    before = rows["pageInfo"]["startCursor"]
    asked = {"input": MARCH, "order": BY_ROI, "last": 2, "before": before}
    back = (await world.data(PAGED, asked))["campaignPerformance"]["rows"]

    assert found == [
        ("autumn", "4.0000"),
        ("spring", "1.0004"),
        ("fair", "-1.0000"),
        ("cinema", "-1.0000"),
        (None, None),
    ]
    assert pages == [(5, False), (5, True), (5, True)]
    assert [row["campaign"]["code"] for row in back["nodes"]] == ["fair", "cinema"]
    assert (back["pageInfo"]["hasPreviousPage"], back["pageInfo"]["hasNextPage"]) == (True, True)


async def test_campaigns_may_be_some_alone_and_shares_stay_of_all(
    world: World, sold: dict[str, Any]
) -> None:
    await costing(world, spring="25", autumn="10")

    asked = {"input": MARCH, "campaigns": {"code": {"eq": "autumn"}}}
    found = (await world.data(PAGED, asked))["campaignPerformance"]

    assert [row["campaign"]["code"] for row in found["rows"]["nodes"]] == ["autumn"]
    assert found["total"] == {
        "won": {"amount": "50.00"},
        "influenced": {"amount": "100.01"},
        "cost": {"amount": "10.00"},
        "sourcedShare": "0.5000",
        "influencedShare": "1.0000",
    }
    nobody = {"input": MARCH, "campaigns": {"code": {"eq": "none"}}}
    found = (await world.data(PAGED, nobody))["campaignPerformance"]
    assert (found["rows"]["nodes"], found["total"]["won"]["amount"]) == ([], "0.00")
    assert found["total"]["influenced"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"order": [*BY_ROI, *BY_ROI]}, "`orderBy` names a field more than once."),
        ({"first": 0}, "`first` must be from 1 to 100, not 0."),
        ({"after": "WyJub25zZW5zZSJd"}, "This is not a cursor of this list in this order."),
        ({"order": BY_ROI, "after": "WyJ4IiwibiJd"},
         "This is not a cursor of this list in this order."),
        ({"order": BY_ROI, "after": "WyJOYU4iLCJuIl0"},
         "This is not a cursor of this list in this order."),
    ],
)  # fmt: skip
async def test_pages_that_cannot_be_are_refused(
    world: World, sold: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    answer = await world.ask(PAGED, {"input": MARCH, **changes})

    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", words)


@pytest.mark.parametrize("what", ["figures", "rows behind"])
async def test_money_is_not_added_up_without_a_rate(
    world: World, sold: dict[str, Any], what: str
) -> None:
    async with world.work() as work:
        (deal,) = await work.find(Opportunity)
        await work.save(replace(deal, currency="USD"))
        await reattribute(work, [deal.lead_id])

    number = {"dimension": "CAMPAIGN", "key": sold["spring"], "measure": "WON"}
    asked = {"input": MARCH} if what == "figures" else {"input": MARCH, "number": number}
    answer = await world.ask(CAMPAIGNS if what == "figures" else EXPLAIN, asked)

    assert [error["message"] for error in answer["errors"]] == [
        "There is no rate from USD to EUR on 2026-03-09; set one with exchangeRateSet."
    ]


async def test_sources_are_channels_or_origins(world: World, sold: dict[str, Any]) -> None:
    channels = await world.data(SOURCES, {"input": MARCH, "by": "CHANNEL"})
    origins = await world.data(SOURCES, {"input": MARCH, "by": "ORIGIN"})

    assert channels["sourcePerformance"]["rows"]["nodes"] == [
        {"key": "SOCIAL", "channel": "SOCIAL", "originSource": None, "leads": 1},
        {"key": "EMAIL", "channel": "EMAIL", "originSource": None, "leads": 0},
    ]
    assert origins["sourcePerformance"]["rows"]["nodes"] == [
        {"key": "organic", "channel": None, "originSource": "organic", "leads": 1}
    ]


async def test_what_has_no_content_or_persona_is_a_row_too(
    world: World, sold: dict[str, Any]
) -> None:
    answer = await world.data(OTHERS, {"input": MARCH})

    row = [{"key": None, "won": {"amount": "100.01"}}]
    assert answer == {
        "contentPerformance": {"rows": {"nodes": row}},
        "personaPerformance": {"rows": {"nodes": row}},
    }


async def test_the_rows_behind_a_number_are_paged(world: World, sold: dict[str, Any]) -> None:
    number = {"dimension": "CAMPAIGN", "key": sold["spring"], "measure": "WON"}

    answer = await world.data(EXPLAIN, {"input": MARCH, "number": number})

    explained = answer["performanceExplain"]
    page = explained["rows"].pop("pageInfo")
    assert explained == {
        "measure": "WON",
        "formula": "the sum of what the model credits here of the deals won",
        "rows": {
            "totalCount": 1,
            "nodes": [
                {
                    "amount": {"amount": "50.01", "currency": "EUR"},
                    "creditedShare": "0.500000000000",
                    "lead": {"id": sold["lead"]},
                    "cost": None,
                }
            ],
        },
    }
    assert page["hasNextPage"] is False
    more = await world.data(EXPLAIN, {"input": MARCH, "number": number, "after": page["endCursor"]})
    assert more["performanceExplain"]["rows"]["nodes"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endsOn": "2026-03-01"}, "The period ends on 2026-03-01, before it starts."),
        ({"endsOn": "2037-03-01"}, "A period has at most 3700 days."),
        ({"model": {"id": public("AttributionModel", new_id())}},
         "There is no such attribution model."),
    ],
)  # fmt: skip
async def test_figures_that_cannot_be_read_are_refused(
    world: World, changes: dict[str, Any], words: str
) -> None:
    answer = await world.ask(CAMPAIGNS, {"input": {**MARCH, **changes}})

    assert [error["message"] for error in answer["errors"]] == [words]


@pytest.mark.parametrize(
    "number",
    [
        {"dimension": "CAMPAIGN", "key": "nonsense", "measure": "WON"},
        {"dimension": "CAMPAIGN", "key": public("Lead", new_id()), "measure": "WON"},
    ],
)
async def test_a_key_of_something_else_is_refused(world: World, number: dict[str, Any]) -> None:
    answer = await world.ask(EXPLAIN, {"input": MARCH, "number": number})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_foreign_cursor_is_refused(world: World, sold: dict[str, Any]) -> None:
    number = {"dimension": "CAMPAIGN", "key": sold["spring"], "measure": "WON"}
    answer = await world.ask(
        EXPLAIN, {"input": MARCH, "number": number, "after": "WyJub25zZW5zZSJd"}
    )

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_everybody_has_nine_models(world: World) -> None:
    models = (await world.data(MODELS, as_=world.analyst))["attributionModels"]

    assert len(models) == 9
    assert models[6] == {
        "id": models[6]["id"],
        "name": "W-shaped",
        "builtIn": "W_SHAPED",
        "anchors": [
            {"anchor": "FIRST", "share": "0.3"},
            {"anchor": "LEAD_CREATION", "share": "0.3"},
            {"anchor": "DEAL_CREATION", "share": "0.3"},
        ],
        "restShare": "0.1",
        "spread": "EVEN",
    }


async def test_a_model_of_ones_own_is_made_used_and_put_away(
    world: World, sold: dict[str, Any]
) -> None:
    told = {
        "name": "Ends",
        "anchors": [{"anchor": "FIRST", "share": "0.75"}],
        "restShare": "0.25",
        "spread": "DECAY",
        "halfLifeDays": 3,
    }

    made = await world.data(CREATE, {"input": told}, as_=world.marketer)

    model = made["attributionModelCreate"]["attributionModel"]
    id = model.pop("id")
    assert model == {
        **told,
        "skipsDirect": False,
        "isComputing": False,
        "computedShare": "1",
        "createdBy": {"name": "Mia"},
    }
    asked = {"input": {**MARCH, "model": {"id": id}}}
    found = await world.data(CAMPAIGNS, asked)
    assert [row["won"]["amount"] for row in found["campaignPerformance"]["rows"]["nodes"]] == [
        "75.01",
        "25.00",
    ]
    away = await world.data(ARCHIVE, {"input": {"model": id}}, as_=world.marketer)
    assert away["attributionModelArchive"]["attributionModel"]["archivedAt"] is not None
    refused = await world.ask(CAMPAIGNS, asked)
    assert refused["errors"][0]["message"] == "The model is archived; its credits are gone."


@pytest.mark.parametrize(
    ("document", "by"),
    [(CAMPAIGNS, {}), (SOURCES, {"by": "CHANNEL"}), (OTHERS, {})],
    ids=["campaigns", "sources", "others"],
)
async def test_currencies_are_not_mixed_without_a_rate(
    document: str, by: dict[str, Any], world: World, sold: dict[str, Any]
) -> None:
    cost = {"campaign": {"code": "spring"}, "on": "2026-03-02", "amount": "9", "currency": "USD"}
    told = await world.data(COST, {"input": cost})
    assert told["campaignCostRecord"]["userErrors"] == []

    answer = await world.ask(document, {"input": MARCH, **by})

    assert {error["extensions"]["reason"] for error in answer["errors"]} == {"RATE_MISSING"}
    assert {error["message"] for error in answer["errors"]} == {
        "There is no rate from USD to EUR on 2026-03-02; set one with exchangeRateSet."
    }


async def test_weights_that_do_not_sum_to_one_are_refused(world: World) -> None:
    told = {"name": "Ends", "anchors": [{"anchor": "FIRST", "share": "0.75"}]}

    answer = await world.data(CREATE, {"input": told})

    assert answer["attributionModelCreate"] == {
        "attributionModel": None,
        "userErrors": [{"code": "WEIGHTS_NOT_ONE", "path": ["anchors"]}],
    }
    assert len((await world.data(MODELS))["attributionModels"]) == 9
