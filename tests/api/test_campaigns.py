from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.campaigns import Campaign, CampaignAsset, CampaignCost
from domain.content import AssetKind, ContentAsset
from domain.ids import new_id, public
from domain.ratings import Rating
from domain.threads import Thread
from tests.api.asking_leads import StatementCount
from tests.journeys import a_campaign, a_lead, a_touch
from tests.world import World

CREATE = """mutation($input: CampaignCreateInput!) { campaignCreate(input: $input) {
  campaign { id name kind code startsOn endsOn budget { amount currency } archivedAt version
    createdBy { name } }
  userErrors { code path }
} }"""
UPDATE = """mutation($input: CampaignUpdateInput!) { campaignUpdate(input: $input) {
  campaign { name kind code startsOn endsOn budget { amount currency } version }
  userErrors { code path }
} }"""
ARCHIVE = """mutation($input: CampaignArchiveInput!) { campaignArchive(input: $input) {
  campaign { archivedAt } userErrors { code path }
} }"""
ASSETS = """mutation($input: CampaignAssetsSetInput!) { campaignAssetsSet(input: $input) {
  campaign { assets { nodes { addedAt } } } userErrors { code path }
} }"""
RECORD = """mutation($input: CampaignCostRecordInput!) { campaignCostRecord(input: $input) {
  campaignCost { id on amount { amount currency } note version campaign { code }
    recordedBy { name } externalSource externalValue }
  userErrors { code path }
} }"""
UPSERT = """mutation($input: CampaignCostsUpsertInput!) { campaignCostsUpsert(input: $input) {
  rows { index outcome cost { id amount { amount } version } userErrors { code path elementIndex } }
  userErrors { code path }
} }"""
CORRECT = """mutation($input: CampaignCostCorrectInput!) { campaignCostCorrect(input: $input) {
  campaignCost { on amount { amount currency } note version campaign { code } }
  userErrors { code path }
} }"""
DELETE = """mutation($input: CampaignCostDeleteInput!) { campaignCostDelete(input: $input) {
  campaignCost { id } userErrors { code path }
} }"""
COSTS = """query($code: String!) { campaign(ref: {code: $code}) {
  name costs { totalCount nodes { on amount { amount currency } } } } }"""
SPRING = {
    "name": "Spring fair",
    "code": "Spring-2026",
    "kind": "EVENT",
    "startsOn": "2026-03-01",
    "endsOn": "2026-04-01",
    "budget": {"amount": "5000", "currency": "EUR"},
}
SPENT = {
    "campaign": {"code": "spring"},
    "on": "2026-03-02",
    "amount": "12.50",
    "currency": "EUR",
    "externalId": {"source": "Ads", "value": "1"},
}

STORY = """{ campaign(ref: {code: "spring"}) {
  threads(first: 5) { nodes { id } }
  ratings(first: 5) { nodes { stars campaign { name } } }
  touches(first: 5) { nodes { campaign { code } asset { threads(first: 5) { nodes { id } } } } }
} }"""


@pytest.fixture
async def spring(world: World) -> Campaign:
    async with world.work() as work:
        return await work.add(a_campaign(world.now, "spring"))


async def stored(world: World, kind: type) -> list[Any]:
    async with world.work() as work:
        return list(await work.find(kind))


async def refused(world: World, document: str, input: dict[str, Any], **who: Any) -> Any:
    """Return why a mutation is refused, having made sure that it changed nothing."""
    kinds = (Campaign, CampaignCost, CampaignAsset)
    before = [await stored(world, kind) for kind in kinds]
    (payload,) = (await world.data(document, {"input": input}, **who)).values()
    errors = payload.pop("userErrors")
    assert list(payload.values()) == [None]
    assert [await stored(world, kind) for kind in kinds] == before
    return [(error["code"], error["path"]) for error in errors]


async def test_a_member_plans_a_campaign(world: World) -> None:
    answer = await world.data(CREATE, {"input": SPRING}, as_=world.other_rep)

    campaign = answer["campaignCreate"]["campaign"]
    assert campaign.pop("id").startswith("campaign_")
    assert campaign == {
        "name": "Spring fair",
        "kind": "EVENT",
        "code": "spring-2026",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "budget": {"amount": "5000.00", "currency": "EUR"},
        "archivedAt": None,
        "version": campaign["version"],
        "createdBy": {"name": "Rita"},
    }


async def test_what_is_left_out_stays_and_null_takes_away(world: World, spring: Campaign) -> None:
    ref = {"campaign": {"code": "SPRING"}}
    await world.data(UPDATE, {"input": {**ref, "startsOn": "2026-03-01", "endsOn": "2026-03-02",
                                        "budget": {"amount": "1", "currency": "JPY"}}})  # fmt: skip

    one = await world.data(UPDATE, {"input": {**ref, "name": "Fair", "kind": "SOCIAL"}})
    other = await world.data(UPDATE, {"input": {**ref, "endsOn": None, "budget": None}})
    same = await world.data(UPDATE, {"input": {**ref, "name": "Fair"}})

    assert one["campaignUpdate"]["campaign"] == {
        "name": "Fair",
        "kind": "SOCIAL",
        "code": "spring",
        "startsOn": "2026-03-01",
        "endsOn": "2026-03-02",
        "budget": {"amount": "1", "currency": "JPY"},
        "version": 3,
    }
    changed = other["campaignUpdate"]["campaign"]
    assert (changed["endsOn"], changed["budget"], changed["version"]) == (None, None, 4)
    assert same["campaignUpdate"]["campaign"] == changed


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"code": "sprinG"}, "CAMPAIGN_CODE_TAKEN", ["code"]),
        ({"code": "two words"}, "BAD_CAMPAIGN_CODE", ["code"]),
        ({"code": " "}, "INVALID", ["code"]),
        ({"name": ""}, "INVALID", ["name"]),
        ({"endsOn": "2026-03-01"}, "CAMPAIGN_ENDS_TOO_EARLY", ["endsOn"]),
        ({"startsOn": "2026-05-01"}, "CAMPAIGN_ENDS_TOO_EARLY", ["endsOn"]),
        ({"startsOn": "1969-12-31"}, "INVALID", ["startsOn"]),
        ({"budget": {"amount": "-1", "currency": "EUR"}}, "BUDGET_NEGATIVE", ["budget", "amount"]),
        ({"budget": {"amount": "1.001", "currency": "EUR"}}, "INVALID", ["budget"]),
        (
            {"budget": {"amount": "1", "currency": "XXX"}},
            "UNKNOWN_CURRENCY",
            ["budget", "currency"],
        ),
    ],
)
async def test_a_campaign_that_cannot_be_is_refused(
    world: World, spring: Campaign, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    assert await refused(world, CREATE, {**SPRING, **changes}) == [(code, path)]


async def test_an_archived_campaign_keeps_its_code_and_no_longer_changes(
    world: World, spring: Campaign
) -> None:
    ref = {"campaign": {"id": public("Campaign", spring.id)}}

    first = await world.data(ARCHIVE, {"input": ref})
    again = await world.data(ARCHIVE, {"input": ref})

    assert first == again
    assert first["campaignArchive"]["campaign"]["archivedAt"] == "2026-03-10T12:00:00Z"
    assert await refused(world, UPDATE, {**ref, "name": "N"}) == [
        ("CAMPAIGN_IS_ARCHIVED", ["campaign"])
    ]
    taken = await refused(world, CREATE, {**SPRING, "code": "spring"})
    assert taken == [("CAMPAIGN_CODE_TAKEN", ["code"])]


async def test_contents_are_said_all_at_once(world: World, spring: Campaign) -> None:
    assets = [
        ContentAsset(id=new_id(), title=f"A{n}", kind=AssetKind.VIDEO, created_at=world.now)
        for n in range(3)
    ]
    async with world.work() as work:
        await work.add_all(assets)
    names = [public("ContentAsset", asset.id) for asset in assets]
    ref = {"campaign": {"code": "spring"}}

    await world.data(ASSETS, {"input": {**ref, "assets": names[:2]}})
    answer = await world.data(ASSETS, {"input": {**ref, "assets": [names[1], names[2], names[1]]}})

    assert len(answer["campaignAssetsSet"]["campaign"]["assets"]["nodes"]) == 2
    assert [m.asset_id for m in await stored(world, CampaignAsset)] == [a.id for a in assets[1:]]
    unknown = public("ContentAsset", new_id())
    assert await refused(world, ASSETS, {**ref, "assets": [names[0], unknown]}) == [
        ("NOT_FOUND", ["assets", "1"])
    ]


async def test_a_cost_is_recorded_once_however_often_it_is_told(
    world: World, spring: Campaign
) -> None:
    first = await world.data(RECORD, {"input": {**SPENT, "note": " Stand "}})
    again = await world.data(RECORD, {"input": {**SPENT, "note": "Stand"}})
    dearer = await world.data(RECORD, {"input": {**SPENT, "amount": "13"}})

    cost = first["campaignCostRecord"]["campaignCost"]
    id = cost.pop("id")
    assert cost == {
        "on": "2026-03-02",
        "amount": {"amount": "12.50", "currency": "EUR"},
        "note": "Stand",
        "version": 1,
        "campaign": {"code": "spring"},
        "recordedBy": {"name": "Olive"},
        "externalSource": "ads",
        "externalValue": "1",
    }
    assert again["campaignCostRecord"]["campaignCost"] == {"id": id, **cost}
    changed = dearer["campaignCostRecord"]["campaignCost"]
    assert (changed["id"], changed["amount"]["amount"], changed["version"]) == (id, "13.00", 2)
    seen = await world.data(COSTS, {"code": "spring"}, as_=world.analyst)
    assert seen["campaign"]["costs"] == {
        "totalCount": 1,
        "nodes": [{"on": "2026-03-02", "amount": {"amount": "13.00", "currency": "EUR"}}],
    }


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"currency": None}, "COST_WITHOUT_CURRENCY", ["currency"]),
        ({"currency": "XXX"}, "UNKNOWN_CURRENCY", ["currency"]),
        ({"currency": "euros"}, "UNKNOWN_CURRENCY", ["currency"]),
        ({"amount": "-0.01"}, "COST_NEGATIVE", ["amount"]),
        ({"amount": "0.001"}, "INVALID", ["amount"]),
        ({"amount": "99999999999999999"}, "INVALID", ["amount"]),
        ({"on": "1969-12-31"}, "INVALID", ["on"]),
        ({"campaign": {"code": "unknown"}}, "NOT_FOUND", ["campaign"]),
        ({"externalId": {"source": "", "value": "1"}}, "INVALID", ["externalId", "source"]),
        ({"note": "n" * 1001}, "INVALID", ["note"]),
    ],
)
async def test_a_cost_that_cannot_be_is_refused(
    world: World, spring: Campaign, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    assert await refused(world, RECORD, {**SPENT, **changes}) == [(code, path)]


async def test_bad_rows_spoil_no_others_and_later_rows_see_earlier_ones(
    world: World, spring: Campaign
) -> None:
    rows = [
        SPENT,
        {**SPENT, "currency": None},
        {**SPENT, "amount": "20"},
        {**SPENT, "externalId": {"source": "ads", "value": "2"}},
        {key: value for key, value in SPENT.items() if key != "externalId"},
        {**SPENT, "campaign": {"id": public("Lead", new_id())}},
    ]

    answer = await world.data(UPSERT, {"input": {"rows": rows}})
    again = await world.data(UPSERT, {"input": {"rows": rows[2:4]}})

    found = answer["campaignCostsUpsert"]["rows"]
    assert [row["outcome"] for row in found] == [
        "CREATED",
        "REFUSED",
        "UPDATED",
        "CREATED",
        "CREATED",
        "REFUSED",
    ]
    assert found[0]["cost"] == found[2]["cost"]
    assert found[2]["cost"]["amount"] == {"amount": "20.00"}
    assert found[1]["userErrors"] == [
        {"code": "COST_WITHOUT_CURRENCY", "path": ["rows", "1", "currency"], "elementIndex": 1}
    ]
    assert found[5]["userErrors"][0]["path"] == ["rows", "5", "campaign", "id"]
    assert [row["outcome"] for row in again["campaignCostsUpsert"]["rows"]] == ["UNCHANGED"] * 2
    assert len(await stored(world, CampaignCost)) == 3


async def test_five_hundred_costs_take_a_fixed_number_of_statements(
    world: World, spring: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(number: int, amount: str) -> list[dict[str, Any]]:
        return [
            {**SPENT, "amount": amount, "externalId": {"source": "ads", "value": str(n)}}
            for n in range(number)
        ]

    counts = []
    for number, amount in ((3, "1"), (500, "1"), (3, "2"), (500, "3")):
        statements = StatementCount()
        with statements.of(monkeypatch):
            answer = await world.data(UPSERT, {"input": {"rows": rows(number, amount)}})
        counts.append(statements.count)
        assert len(answer["campaignCostsUpsert"]["rows"]) == number

    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    assert {cost.amount_minor for cost in await stored(world, CampaignCost)} == {300}
    assert await refused(world, UPSERT, {"rows": rows(501, "1")}) == [("ROWS_TOO_MANY", ["rows"])]


async def test_a_cost_is_corrected_and_taken_back(world: World, spring: Campaign) -> None:
    async with world.work() as work:
        await work.add(a_campaign(world.now, "summer"))
    made = (await world.data(RECORD, {"input": SPENT}))["campaignCostRecord"]["campaignCost"]
    input = {
        "cost": made["id"],
        "campaign": {"code": "summer"},
        "on": "2026-03-09",
        "amount": "700",
        "currency": "JPY",
    }

    corrected = await world.data(CORRECT, {"input": input})
    negative = await refused(world, CORRECT, {**input, "amount": "-1"})
    deleted = await world.data(DELETE, {"input": {"cost": made["id"]}})

    assert corrected["campaignCostCorrect"]["campaignCost"] == {
        "on": "2026-03-09",
        "amount": {"amount": "700", "currency": "JPY"},
        "note": None,
        "version": 2,
        "campaign": {"code": "summer"},
    }
    assert negative == [("COST_NEGATIVE", ["amount"])]
    assert deleted["campaignCostDelete"]["campaignCost"] == {"id": made["id"]}
    assert await stored(world, CampaignCost) == []
    assert await refused(world, DELETE, {"cost": made["id"]}) == [("NOT_FOUND", ["cost"])]
    assert await refused(world, CORRECT, input) == [("NOT_FOUND", ["cost"])]


async def test_another_tenants_campaign_does_not_exist(
    world: World, other_world: World, spring: Campaign
) -> None:
    ref = {"campaign": {"id": public("Campaign", spring.id)}}

    assert await refused(other_world, ARCHIVE, ref) == [("NOT_FOUND", ["campaign"])]
    assert await refused(other_world, RECORD, {**SPENT, **ref}) == [("NOT_FOUND", ["campaign"])]
    assert (await other_world.data(COSTS, {"code": "spring"})) == {"campaign": None}


async def test_two_who_record_the_same_cost_at_once_record_it_once(
    world: World, spring: Campaign
) -> None:
    import asyncio

    answers = await asyncio.gather(*(world.data(RECORD, {"input": SPENT}) for _ in range(4)))

    ids = {answer["campaignCostRecord"]["campaignCost"]["id"] for answer in answers}
    assert len(ids) == 1
    assert [cost.on for cost in await stored(world, CampaignCost)] == [date(2026, 3, 2)]


async def test_a_campaign_and_a_content_lead_to_what_is_said_of_them(
    world: World, spring: Campaign
) -> None:
    at = world.now
    asset = ContentAsset(id=new_id(), title="Guide", kind=AssetKind.ARTICLE, created_at=at)
    lead = a_lead(at)
    touch = a_touch(at, lead_id=lead.id, campaign_id=spring.id, asset_id=asset.id)
    talks = [
        Thread(id=new_id(), started_by=world.rep.id, started_at=at, last_message_at=at, **about)
        for about in ({"campaign_id": spring.id}, {"asset_id": asset.id})
    ]
    rating = Rating(
        id=new_id(), user_id=world.rep.id, stars=4, given_at=at, updated_at=at,
        campaign_id=spring.id,
    )  # fmt: skip
    async with world.work() as work:
        await work.add_all([asset, lead, touch, *talks, rating])

    found = await world.data(STORY)

    first, second = (public("Thread", thread.id) for thread in talks)
    assert found["campaign"] == {
        "threads": {"nodes": [{"id": first}]},
        "ratings": {"nodes": [{"stars": 4, "campaign": {"name": "Spring"}}]},
        "touches": {
            "nodes": [
                {"campaign": {"code": "spring"}, "asset": {"threads": {"nodes": [{"id": second}]}}}
            ]
        },
    }
