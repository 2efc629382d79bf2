"""What can be read of agreements, on a real database."""

from __future__ import annotations

import pytest

from tests.api.asking_slas import (
    COVERAGE,
    RESPONSE,
    agree,
    propose,
)
from tests.world import World

READ = """query($id: ID!) { sla(id: $id) {
  name number status periodKind startsOn endsOn startsAt endsAt timeZone currency
  effectiveAt ceasedAt withdrawnAt proposedAt signedAt proposedSide aheadBand atRiskBand
  calendar { name } marketingTeam { name } salesTeam { name } proposedBy { name }
  signatures { side user { name } }
  commitments { kind side name position measure target targetShare qualityFloor segment segmentText
    persona { id } values { criterion criterionText worth } clawBackDays within workingTime attempts
    warnBefore escalation { after action } onReassignment weekdayWeights linkedTo { name } }
} }"""
NOTHING = {
    "measure": None,
    "target": None,
    "targetShare": None,
    "qualityFloor": None,
    "segment": None,
    "segmentText": None,
    "persona": None,
    "values": [],
    "clawBackDays": None,
    "within": None,
    "workingTime": None,
    "attempts": None,
    "warnBefore": [],
    "escalation": [],
    "onReassignment": None,
    "weekdayWeights": None,
    "linkedTo": None,
}


async def test_an_agreement_says_everything_that_was_proposed(world: World) -> None:
    commitments = [
        {
            "delivery": {
                "name": "High scores",
                "target": {"money": {"amount": "1000.50", "currency": "EUR"}},
                "qualityFloor": "0.6",
                "segment": {"score": {"gte": "80"}},
                "clawBackDays": 5,
                "values": [
                    {
                        "criterion": {"originSource": {"eq": "fair"}},
                        "worth": {"money": {"amount": "50", "currency": "EUR"}},
                    }
                ],
                "weekdayWeights": {"given": ["2", "1", "1", "1", "0.5", "0", "0"]},
            }
        },
        {"response": RESPONSE | {"escalation": {"ladder": "STANDARD"}, "targetShare": "0.95"}},
        {
            "attempts": {
                "name": "Five calls",
                "within": "P14D",
                "attempts": 5,
                "workingTime": False,
                "warnBefore": ["PT1H", "P1D"],
                "onReassignment": "RESTART",
            }
        },
        {
            "disposition": {
                "name": "Answer",
                "within": "P1D",
                "escalation": {"steps": [{"after": "PT2H", "action": "NOTIFY_MANAGER"}]},
            }
        },
        {"coverage": COVERAGE | {"linkedTo": "high scores"}},
    ]

    sla = await propose(world, commitments=commitments)

    answer = await world.data(READ, {"id": sla}, as_=world.analyst)
    assert answer == {
        "sla": {
            "name": "March",
            "number": 1,
            "status": "PROPOSED",
            "periodKind": "MONTH",
            "startsOn": "2026-03-01",
            "endsOn": "2026-04-01",
            "startsAt": "2026-03-01T00:00:00Z",
            "endsAt": "2026-04-01T00:00:00Z",
            "timeZone": "UTC",
            "currency": "EUR",
            "effectiveAt": "2026-03-01T00:00:00Z",
            "ceasedAt": None,
            "withdrawnAt": None,
            "proposedAt": "2026-03-10T12:00:00Z",
            "signedAt": None,
            "proposedSide": "MARKETING",
            "aheadBand": "0.05",
            "atRiskBand": "0.90",
            "calendar": {"name": "Office"},
            "marketingTeam": {"name": "Marketing"},
            "salesTeam": {"name": "Sales"},
            "proposedBy": {"name": "Mia"},
            "signatures": [{"side": "MARKETING", "user": {"name": "Mia"}}],
            "commitments": [
                NOTHING
                | {
                    "kind": "DELIVERY",
                    "side": "MARKETING",
                    "name": "High scores",
                    "position": 0,
                    "measure": "MONEY",
                    "target": "1000.50",
                    "qualityFloor": "0.6",
                    "segment": {"score": {"gte": 80}},
                    "segmentText": "score is at least 80",
                    "values": [
                        {
                            "criterion": {"originSource": {"eq": "fair"}},
                            "criterionText": 'origin source is "fair"',
                            "worth": "50.00",
                        }
                    ],
                    "clawBackDays": 5,
                    "weekdayWeights": ["2", "1", "1", "1", "0.5", "0", "0"],
                },
                NOTHING
                | {
                    "kind": "RESPONSE",
                    "side": "SALES",
                    "name": "First call",
                    "position": 1,
                    "targetShare": "0.95",
                    "within": "PT4H",
                    "workingTime": True,
                    "attempts": 1,
                    "warnBefore": ["PT1H"],
                    "escalation": [
                        {"after": "PT15M", "action": "NOTIFY"},
                        {"after": "PT45M", "action": "NOTIFY_MANAGER"},
                        {"after": "PT55M", "action": "SET_STATUS"},
                        {"after": "PT1H", "action": "REASSIGN"},
                    ],
                    "onReassignment": "CONTINUE",
                },
                NOTHING
                | {
                    "kind": "ATTEMPTS",
                    "side": "SALES",
                    "name": "Five calls",
                    "position": 2,
                    "targetShare": "1",
                    "within": "P14D",
                    "workingTime": False,
                    "attempts": 5,
                    "warnBefore": ["P1D", "PT1H"],
                    "onReassignment": "RESTART",
                },
                NOTHING
                | {
                    "kind": "DISPOSITION",
                    "side": "SALES",
                    "name": "Answer",
                    "position": 3,
                    "targetShare": "1",
                    "within": "P1D",
                    "workingTime": True,
                    "attempts": 1,
                    "warnBefore": ["PT6H"],
                    "escalation": [{"after": "PT2H", "action": "NOTIFY_MANAGER"}],
                    "onReassignment": "CONTINUE",
                },
                NOTHING
                | {
                    "kind": "COVERAGE",
                    "side": "SALES",
                    "name": "All worked",
                    "position": 4,
                    "targetShare": "0.9",
                    "linkedTo": {"name": "High scores"},
                },
            ],
        }
    }


async def test_agreements_are_listed_the_latest_period_first(world: World) -> None:
    march = await agree(world)
    april = await propose(world, period={"kind": "MONTH", "startsOn": "2026-04-01"})
    document = """query($filter: SlaFilter) { slas(filter: $filter) {
      totalCount nodes { id status } } }"""

    everything = await world.data(document)
    signed = await world.data(document, {"filter": {"salesSignedAt": {"isNull": False}}})

    assert everything["slas"] == {
        "totalCount": 2,
        "nodes": [{"id": april, "status": "PROPOSED"}, {"id": march, "status": "ACTIVE"}],
    }
    assert signed["slas"] == {"totalCount": 1, "nodes": [{"id": march, "status": "ACTIVE"}]}


async def test_a_lead_types_value_can_be_worked_out(world: World) -> None:
    document = """{ leadTypeValue(
      closeRate: "0.01",
      averageRevenue: {amount: "160000", currency: "USD"},
      quota: {amount: "200000", currency: "USD"}
    ) { value { amount currency } leadsForQuota } }"""

    assert await world.data(document) == {
        "leadTypeValue": {
            "value": {"amount": "1600.00", "currency": "USD"},
            "leadsForQuota": "125",
        }
    }


async def test_a_quota_may_take_more_leads_than_an_int_can_count(world: World) -> None:
    document = """{ leadTypeValue(
      closeRate: "1",
      averageRevenue: {amount: "0.01", currency: "EUR"},
      quota: {amount: "50000000", currency: "EUR"}
    ) { leadsForQuota } }"""

    assert await world.data(document) == {"leadTypeValue": {"leadsForQuota": "5000000000"}}


async def test_a_list_of_agreements_is_read_level_by_level_not_row_by_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(1, 5):
        await propose(world, period={"kind": "MONTH", "startsOn": f"2025-{month:02}-01"})
    document = """{ slas { nodes { status commitments { name target } salesTeam { name }
      versions { nodes { number } } } } }"""
    begin, begun = world.database.work, []
    monkeypatch.setattr(
        world.database, "work", lambda *args, **more: begun.append(args) or begin(*args, **more)
    )

    answer = await world.data(document)

    assert [node["status"] for node in answer["slas"]["nodes"]] == ["PROPOSED"] * 4
    # The list, then for all rows together: statuses, commitments, teams and versions.
    assert len(begun) <= 5
