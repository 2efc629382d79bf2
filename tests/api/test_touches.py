"""Touches over the API: told, brought along, and read as a person's story."""

from __future__ import annotations

from typing import Any

import pytest

from domain.campaigns import Campaign, CampaignKind
from domain.ids import new_id, public
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Lead
from domain.touches import Touch, Visitor
from tests.agreements import an_mql
from tests.api.asking_leads import StatementCount
from tests.world import World

TOKEN = "visitor-0123456789"
RECORD = """mutation($input: TouchRecordInput!) { touchRecord(input: $input) {
  touch { kind channel agency occurredAt url referrer externalSource externalValue
    utm { source medium campaign content term }
    lead { email } visitor { token } asset { title } }
  userErrors { code path elementIndex }
}}"""
MANY = """mutation($rows: [TouchRowInput!]!) { touchesRecord(input: {rows: $rows}) {
  rows { index outcome touch { id lead { email } } userErrors { code path elementIndex } }
  userErrors { code path }
}}"""
IDENTIFY = """mutation($input: VisitorIdentifyInput!) { visitorIdentify(input: $input) {
  visitor { token identifiedAt claimedEmail lead { email }
    touches { nodes { url lead { email } } } }
  userErrors { code path }
}}"""
STORY = """query($ref: LeadRef!, $first: Int, $after: String, $last: Int, $before: String) {
  lead(ref: $ref) {
    touches { totalCount nodes { url } }
    contentConsumed { times firstAt lastAt asset { title topic journeyStage persona { name } } }
    timeline(first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
      nodes { __typename ... on Touch { occurredAt } ... on Activity { text }
        ... on StageEntry { stage } }
    } } }"""


async def add_lead(world: World, email: str) -> Lead:
    async with world.work() as work:
        lead: Lead = await work.add(an_mql(world.now, email=email))
    return lead


async def everything(world: World) -> list[Any]:
    async with world.work() as work:
        return [*await work.find(Touch), *await work.find(Visitor)]


async def test_a_touch_is_told_in_full(world):
    await add_lead(world, "ann@x.example")
    told = {
        "kind": "PAGE_VIEW",
        "lead": {"email": "Ann@x.example"},
        "occurredAt": "2026-03-10T11:00:00Z",
        "url": "https://acme.example/guide?utm_source=google&utm_medium=cpc",
        "referrer": "https://www.google.com/search?q=x",
        "utm": {"term": "crm"},
        "externalId": {"source": "Mailer", "value": "m1"},
    }
    expected = {
        "kind": "PAGE_VIEW",
        "channel": "PAID_SEARCH",
        "agency": "HUMAN",
        "occurredAt": "2026-03-10T11:00:00Z",
        "url": "https://acme.example/guide",
        "referrer": "https://www.google.com/search",
        "externalSource": "mailer",
        "externalValue": "m1",
        "utm": {
            "source": "google",
            "medium": "cpc",
            "campaign": None,
            "content": None,
            "term": "crm",
        },
        "lead": {"email": "ann@x.example"},
        "visitor": None,
        "asset": None,
    }

    answers = [await world.data(RECORD, {"input": told}, as_=world.other_rep) for _ in range(2)]

    assert answers == [{"touchRecord": {"touch": expected, "userErrors": []}}] * 2
    assert len(await everything(world)) == 1


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({}, "TOUCH_SUBJECT", ["lead"]),
        (
            {"lead": {"email": "ann@x.example"}, "visitor": TOKEN},
            "TOUCH_SUBJECT",
            ["visitor"],
        ),
        ({"lead": {"id": public("Lead", new_id())}}, "NOT_FOUND", ["lead"]),
        ({"lead": {"id": public("User", new_id())}}, "BAD_USER_INPUT", ["lead", "id"]),
        ({"visitor": "short"}, "BAD_VISITOR", ["visitor"]),
        ({"visitor": TOKEN, "campaign": {"code": "no"}}, "NOT_FOUND", ["campaign"]),
        (
            {"visitor": TOKEN, "campaign": {"id": public("Campaign", new_id())}},
            "NOT_FOUND",
            ["campaign"],
        ),
        (
            {"visitor": TOKEN, "asset": {"url": "https://x.example/no"}},
            "NOT_FOUND",
            ["asset"],
        ),
        (
            {"visitor": TOKEN, "occurredAt": "2026-03-10T12:05:01Z"},
            "TOUCH_IN_FUTURE",
            ["occurredAt"],
        ),
        ({"visitor": TOKEN, "url": "nowhere"}, "INVALID", ["url"]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(world, said, code, path):
    await add_lead(world, "ann@x.example")
    one = await world.data(RECORD, {"input": {"kind": "PAGE_VIEW", **said}})
    many = await world.data(MANY, {"rows": [{"kind": "PAGE_VIEW", **said}]})

    assert one["touchRecord"] == {
        "touch": None,
        "userErrors": [{"code": code, "path": path, "elementIndex": None}],
    }
    assert many["touchesRecord"]["rows"] == [
        {
            "index": 0,
            "outcome": "REFUSED",
            "touch": None,
            "userErrors": [{"code": code, "path": ["rows", "0", *path], "elementIndex": 0}],
        }
    ]
    assert await everything(world) == []


async def test_too_many_rows_are_refused_whole(world):
    rows = [{"kind": "CHAT", "visitor": TOKEN}] * 501
    answer = await world.data(MANY, {"rows": rows})
    assert answer["touchesRecord"] == {
        "rows": None,
        "userErrors": [{"code": "ROWS_TOO_MANY", "path": ["rows"]}],
    }
    assert await everything(world) == []


async def test_a_bad_row_spoils_no_other(world):
    await add_lead(world, "ann@x.example")
    name = {"externalId": {"source": "s", "value": "1"}}
    rows = [
        {"kind": "CHAT", "lead": {"email": "no address at all"}},
        {"kind": "CHAT", "lead": {"email": "ann@x.example"}, **name},
        {"kind": "CHAT", "visitor": TOKEN, **name},
    ]
    answer = await world.data(MANY, {"rows": rows})
    assert [row["outcome"] for row in answer["touchesRecord"]["rows"]] == [
        "REFUSED",
        "CREATED",
        "DUPLICATE",
    ]
    assert len(await everything(world)) == 1


async def test_a_touch_finds_its_campaign_by_the_code_of_its_link(world):
    campaign = Campaign(
        id=new_id(), name="Spring", kind=CampaignKind.EMAIL, code="spring", created_at=world.now
    )
    async with world.work() as work:
        await work.add(campaign)
    links = ["https://acme.example/?utm_campaign=spring", "https://acme.example/?utm_campaign=no"]
    rows = [{"kind": "PAGE_VIEW", "visitor": TOKEN, "url": link} for link in links]
    rows.append({"kind": "CHAT", "visitor": TOKEN, "campaign": {"code": "spring"}})
    await world.data(MANY, {"rows": rows})
    async with world.work() as work:
        found = [touch.campaign_id for touch in await work.find(Touch)]
    assert found == [campaign.id, None, campaign.id]


async def test_a_visitor_becomes_a_person_and_brings_what_it_did(world):
    await add_lead(world, "ann@x.example")
    rows = [{"kind": "PAGE_VIEW", "visitor": TOKEN, "url": "https://acme.example/a"}]
    await world.data(MANY, {"rows": rows})

    given = {"input": {"visitor": TOKEN, "lead": {"email": "ann@x.example"}}}
    answer = await world.data(IDENTIFY, given)

    ann = {"email": "ann@x.example"}
    assert answer["visitorIdentify"] == {
        "visitor": {
            "token": TOKEN,
            "identifiedAt": "2026-03-10T12:00:00Z",
            "claimedEmail": None,
            "lead": ann,
            "touches": {"nodes": [{"url": "https://acme.example/a", "lead": ann}]},
        },
        "userErrors": [],
    }
    listed = await world.data(
        "query($id: ID!) { visitors(filter: {leadId: {eq: $id}}) { nodes { token } } }",
        {"id": (await world.data('{ lead(ref: {email: "ann@x.example"}) { id } }'))["lead"]["id"]},
    )
    assert listed == {"visitors": {"nodes": [{"token": TOKEN}]}}


async def test_an_unknown_person_or_token_is_refused(world):
    for given, code, path in (
        ({"visitor": TOKEN, "lead": {"email": "no@x.example"}}, "NOT_FOUND", ["lead"]),
        ({"visitor": "no token", "lead": {"email": "no@x.example"}}, "BAD_VISITOR", ["visitor"]),
    ):
        answer = await world.data(IDENTIFY, {"input": given})
        assert answer["visitorIdentify"] == {
            "visitor": None,
            "userErrors": [{"code": code, "path": path}],
        }
    assert await everything(world) == []


async def test_a_person_has_one_story_read_in_pages_both_ways(world):
    lead = await add_lead(world, "ann@x.example")
    for n in range(3):
        world.wait(minutes=1)
        touch = {
            "kind": "CHAT",
            "lead": {"email": "ann@x.example"},
            "url": f"https://a.example/{n}",
        }
        await world.data(RECORD, {"input": touch})
        world.wait(minutes=1)
        async with world.work() as work:
            await log_activity(
                work, world.actor(), lead.id, kind=ActivityKind.NOTE, text=f"note {n}"
            )

    whole = await _story(world)
    names = ["note 2", "12:05", "note 1", "12:03", "note 0", "12:01"]
    assert [_said(node) for node in whole["timeline"]["nodes"]] == names
    assert whole["timeline"]["totalCount"] == 6
    assert whole["touches"]["totalCount"] == 3

    forward, cursor = list[str](), None
    while True:
        page = (await _story(world, first=4, after=cursor))["timeline"]
        forward += [_said(node) for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    back = (await _story(world, last=2, before=cursor))["timeline"]
    assert forward == names
    assert [_said(node) for node in back["nodes"]] == ["12:03", "note 0"]
    assert back["pageInfo"]["hasPreviousPage"] is True


async def test_a_story_takes_as_many_statements_for_ten_people_as_for_one(world, monkeypatch):
    document = """query($first: Int!) { leads(first: $first) { nodes {
      contentConsumed { times }
      timeline(first: 3) { nodes { id } } touches { nodes { id } } } } }"""
    for n in range(10):
        await add_lead(world, f"p{n}@x.example")
        touch = {"kind": "CHAT", "lead": {"email": f"p{n}@x.example"}}
        await world.data(RECORD, {"input": touch})
    counts = []
    for first in (1, 10):
        sent = StatementCount()
        with sent.of(monkeypatch):
            await world.data(document, {"first": first})
        counts.append(sent.count)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("cursor", ["nonsense", "WyJ4IiwieSJd", "WzFd"])
async def test_a_foreign_cursor_is_refused(world, cursor):
    await add_lead(world, "ann@x.example")
    answer = await world.ask(STORY, {"ref": {"email": "ann@x.example"}, "after": cursor})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_what_a_person_consumed_leaves_out_what_software_opened(world):
    await add_lead(world, "ann@x.example")
    made = """mutation { contentAssetCreate(input: {title: "Guide", kind: ARTICLE, topic: "CRM",
      journeyStage: AWARENESS, url: "http://ACME.example/guide/"}) { contentAsset { url } } }"""
    created = await world.data(made)
    assert created["contentAssetCreate"]["contentAsset"]["url"] == "https://acme.example/guide"
    seen = {"kind": "PAGE_VIEW", "lead": {"email": "ann@x.example"}}
    rows = [
        {**seen, "url": "https://acme.example/guide?gclid=1", "occurredAt": "2026-03-10T10:00:00Z"},
        {**seen, "url": "https://acme.example/guide#top", "occurredAt": "2026-03-10T11:00:00Z"},
        {**seen, "url": "https://acme.example/other"},
        {**seen, "url": "https://acme.example/guide", "agency": "AUTOMATIC"},
    ]
    await world.data(MANY, {"rows": rows})

    assert (await _story(world))["contentConsumed"] == [
        {
            "times": 2,
            "firstAt": "2026-03-10T10:00:00Z",
            "lastAt": "2026-03-10T11:00:00Z",
            "asset": {
                "title": "Guide",
                "topic": "CRM",
                "journeyStage": "AWARENESS",
                "persona": None,
            },
        }
    ]


async def test_another_tenants_visitors_and_touches_are_not_there(world, other_world):
    await world.data(RECORD, {"input": {"kind": "CHAT", "visitor": TOKEN}})
    listed = "{ visitors { totalCount nodes { token } } }"
    assert await other_world.data(listed) == {"visitors": {"totalCount": 0, "nodes": []}}


async def test_an_analyst_tells_of_nothing(world):
    for document, given in (
        (RECORD, {"input": {"kind": "CHAT", "visitor": TOKEN}}),
        (MANY, {"rows": []}),
        (IDENTIFY, {"input": {"visitor": TOKEN, "lead": {"email": "a@x.example"}}}),
    ):
        answer = await world.ask(document, given, as_=world.analyst)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await everything(world) == []


async def _story(world: World, **page: Any) -> Any:
    data = await world.data(STORY, {"ref": {"email": "ann@x.example"}, **page})
    return data["lead"]


def _said(node: dict[str, Any]) -> str:
    return str(node.get("text") or node["occurredAt"][11:16])
