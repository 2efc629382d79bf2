from __future__ import annotations

from typing import Any

import pytest

from domain.attribution import reattribute
from domain.ids import new_id, public
from domain.touches import Channel
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World

ROW = """key campaign { code } channel originSource persona { name }
  cost { amount currency } touches leads mqls accepted sqls
  pipeline { amount } won { amount currency } wonDeals influenced { amount }
  cac { amount } roiRate sourcedShare influencedShare"""
CAMPAIGNS = f"""query($input: PerformanceInput!) {{ campaignPerformance(input: $input) {{
  model {{ name builtIn }} basis dimension startsOn endsOn currency rowCount
  rows {{ {ROW} }} total {{ key won {{ amount }} leads }}
}} }}"""
SOURCES = """query($input: PerformanceInput!, $by: SourceDimension!) {
  sourcePerformance(input: $input, by: $by) { rows { key channel originSource leads } } }"""
OTHERS = """query($input: PerformanceInput!) {
  contentPerformance(input: $input) { rows { key won { amount } } }
  personaPerformance(input: $input) { rows { key won { amount } } } }"""
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
    first, second = found.pop("rows")
    assert found == {
        "model": {"name": "Linear", "builtIn": "LINEAR"},
        "basis": "CLOSE",
        "dimension": "CAMPAIGN",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "currency": "EUR",
        "rowCount": 2,
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


async def test_only_as_many_rows_as_asked_for(world: World, sold: dict[str, Any]) -> None:
    answer = await world.data(CAMPAIGNS, {"input": {**MARCH, "most": 1}})

    found = answer["campaignPerformance"]
    assert (len(found["rows"]), found["rowCount"]) == (1, 2)


async def test_sources_are_channels_or_origins(world: World, sold: dict[str, Any]) -> None:
    channels = await world.data(SOURCES, {"input": MARCH, "by": "CHANNEL"})
    origins = await world.data(SOURCES, {"input": MARCH, "by": "ORIGIN"})

    assert channels["sourcePerformance"]["rows"] == [
        {"key": "SOCIAL", "channel": "SOCIAL", "originSource": None, "leads": 1},
        {"key": "EMAIL", "channel": "EMAIL", "originSource": None, "leads": 0},
    ]
    assert origins["sourcePerformance"]["rows"] == [
        {"key": "organic", "channel": None, "originSource": "organic", "leads": 1}
    ]


async def test_what_has_no_content_or_persona_is_a_row_too(
    world: World, sold: dict[str, Any]
) -> None:
    answer = await world.data(OTHERS, {"input": MARCH})

    row = [{"key": None, "won": {"amount": "100.01"}}]
    assert answer == {
        "contentPerformance": {"rows": row},
        "personaPerformance": {"rows": row},
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
        ({"most": 0}, "`most` is from 1 to 500."),
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
    assert [row["won"]["amount"] for row in found["campaignPerformance"]["rows"]] == [
        "75.01",
        "25.00",
    ]
    away = await world.data(ARCHIVE, {"input": {"model": id}}, as_=world.marketer)
    assert away["attributionModelArchive"]["attributionModel"]["archivedAt"] is not None
    refused = await world.ask(CAMPAIGNS, asked)
    assert refused["errors"][0]["message"] == "The model is archived; its credits are gone."


async def test_weights_that_do_not_sum_to_one_are_refused(world: World) -> None:
    told = {"name": "Ends", "anchors": [{"anchor": "FIRST", "share": "0.75"}]}

    answer = await world.data(CREATE, {"input": told})

    assert answer["attributionModelCreate"] == {
        "attributionModel": None,
        "userErrors": [{"code": "WEIGHTS_NOT_ONE", "path": ["anchors"]}],
    }
    assert len((await world.data(MODELS))["attributionModels"]) == 9
