from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.ids import new_id, public
from domain.stages import Stage
from tests.histories import a_journey, add_journeys
from tests.journeys import a_campaign
from tests.world import World

L, M, S = Stage.LEAD, Stage.MQL, Stage.SAL
REPORT = """query($input: FunnelReportInput) { funnelReport(input: $input) {
  asOf timeZone stages confidence totalGroups otherGroups
  groups { key label isOther cohort { startsOn lastOn } leads open openShare
    stages { stage reached fromPrevious { of rate low high } fromFirst { rate } waiting
      time { leads p50 p90 } workingTime { leads p50 } } }
} }"""
EXPLAIN = """query($input: FunnelReportInput, $stage: Stage, $first: Int, $after: String) {
  funnelReport(input: $input) { groups { explain(stage: $stage, first: $first, after: $after) {
    totalCount nodes { createdAt } pageInfo { hasNextPage endCursor } } } }
}"""


def on(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


async def report(world: World, document: str = REPORT, **input: Any) -> dict[str, Any]:
    answer = await world.data(document, {"input": input}, as_=world.analyst)
    found: dict[str, Any] = answer["funnelReport"]
    return found


async def test_a_report_says_how_far_leads_came(world: World) -> None:
    await add_journeys(
        world,
        a_journey(on(3), (L, 0), (M, 6.5), (S, 30), origin_source="fair"),
        a_journey(on(4), (L, 0), origin_source="fair"),
        a_journey(on(4), (L, 0), origin_source="organic"),
    )

    found = await report(
        world,
        stages=["MQL", "LEAD"],
        groupBy="ORIGIN_SOURCE",
        cohorts="MONTH",
        firstOn="2026-03-01",
        lastOn="2026-03-31",
        most=1,
        calendar=public("Calendar", world.calendar.id),
    )

    first = {
        "stage": "LEAD",
        "reached": 2,
        "fromPrevious": None,
        "fromFirst": {"rate": "1.000000"},
        "waiting": 1,
        "time": {"leads": 1, "p50": "PT6H30M", "p90": "PT6H30M"},
        "workingTime": {"leads": 1, "p50": "PT6H30M"},
    }
    second = {
        "stage": "MQL",
        "reached": 1,
        "fromPrevious": {
            "of": 2,
            "rate": "0.500000",
            "low": "0.0945312057342",
            "high": "0.905468794266",
        },
        "fromFirst": {"rate": "0.500000"},
        "waiting": None,
        "time": None,
        "workingTime": None,
    }
    march = {"startsOn": "2026-03-01", "lastOn": "2026-03-31"}
    fairs, others = found.pop("groups")
    assert found == {
        "asOf": "2026-03-10T12:00:00Z",
        "timeZone": "UTC",
        "stages": ["LEAD", "MQL"],
        "confidence": "0.95",
        "totalGroups": 2,
        "otherGroups": 1,
    }
    assert fairs == {
        "key": "fair",
        "label": "fair",
        "isOther": False,
        "cohort": march,
        "leads": 2,
        "open": 1,
        "openShare": "0.500000",
        "stages": [first, second],
    }
    assert (others["key"], others["label"], others["isOther"], others["leads"]) == (
        *(None, "Other", True),
        1,
    )


async def test_without_an_input_all_leads_are_taken_from_lead_to_customer(world: World) -> None:
    await add_journeys(world, a_journey(on(3), (L, 0), (M, 1)))

    answer = await world.data("{ funnelReport { stages groups { label stages { reached } } } }")

    assert answer["funnelReport"] == {
        "stages": ["LEAD", "MQL", "SAL", "SQL", "OPPORTUNITY", "CUSTOMER"],
        "groups": [{"label": "All leads", "stages": [{"reached": n} for n in (1, 1, 0, 0, 0, 0)]}],
    }


async def test_without_leads_there_are_no_groups(world: World) -> None:
    found = await report(world, groupBy="PERSONA")

    assert (found["groups"], found["totalGroups"], found["otherGroups"]) == ([], 0, 0)


async def test_people_are_told_apart_by_their_public_ids(world: World) -> None:
    await add_journeys(world, a_journey(on(3), (L, 0), owner_id=world.rep.id))

    (group,) = (await report(world, groupBy="OWNER"))["groups"]

    assert (group["key"], group["label"]) == (public("User", world.rep.id), "Sam")


async def test_campaigns_are_told_apart_by_their_public_ids(world: World) -> None:
    spring = a_campaign(on(1), "spring")
    async with world.work() as work:
        await work.add(spring)
    await add_journeys(world, a_journey(on(3), (L, 0), campaign_id=spring.id))

    (group,) = (await report(world, groupBy="CAMPAIGN"))["groups"]

    assert (group["key"], group["label"]) == (public("Campaign", spring.id), "Spring")


async def test_segments_are_filters_under_a_name(world: World) -> None:
    await add_journeys(
        world,
        a_journey(on(3), (L, 0), score=70),
        a_journey(on(3), (L, 0), score=10),
        a_journey(on(3), (L, 0), score=10, country="IE"),
    )

    segments = [
        {"name": "Promising", "filter": {"score": {"gte": 50}}},
        {"name": "Everybody", "filter": {}},
    ]
    found = await report(world, segments=segments, filter={"country": {"isNull": True}})

    assert {g["label"]: g["leads"] for g in found["groups"]} == {"Promising": 1, "Everybody": 2}


async def test_the_leads_behind_a_number_are_a_list_in_pages(world: World) -> None:
    await add_journeys(world, *(a_journey(on(3, n), (L, 0), (M, 1)) for n in range(3)))
    await add_journeys(world, a_journey(on(3, 9), (L, 0)))

    variables: dict[str, Any] = {"stage": "MQL", "first": 2}
    first = (await world.data(EXPLAIN, variables))["funnelReport"]["groups"][0]["explain"]
    variables["after"] = first["pageInfo"]["endCursor"]
    second = (await world.data(EXPLAIN, variables))["funnelReport"]["groups"][0]["explain"]
    everybody = (await world.data(EXPLAIN))["funnelReport"]["groups"][0]["explain"]

    assert first["totalCount"] == second["totalCount"] == 3
    assert [n["createdAt"] for n in first["nodes"] + second["nodes"]] == [
        f"2026-03-03T0{n}:00:00Z" for n in (2, 1, 0)
    ]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert everybody["totalCount"] == 4


@pytest.mark.parametrize(
    ("input", "said"),
    [
        ({"stages": ["MQL"]}, "Name at least two stages, each once."),
        ({"stages": ["MQL", "MQL"]}, "Name at least two stages, each once."),
        (
            {"firstOn": "2026-03-02", "lastOn": "2026-03-01"},
            "The last day lies before the first.",
        ),
        ({"firstOn": "0001-01-01"}, "A day lies from 1970 to 2099."),
        ({"most": 51}, "This must be from 1 to 50."),
        ({"confidence": "1"}, "A confidence lies between 0.5 and 0.999."),
        (
            {"cohorts": "WEEK", "firstOn": "2020-01-01"},
            "These are more than 100 cohorts of this many groups: name fewer days or groups.",
        ),
        ({"segments": [{"name": " ", "filter": {}}]}, "The name must not be empty."),
        ({"segments": [{"name": "a", "filter": {}}] * 2}, "Two segments have the same name."),
        (
            {"segments": [{"name": "a", "filter": {}}], "groupBy": "OWNER"},
            "Group by a dimension or by segments, not by both.",
        ),
        ({"calendar": "lead_1"}, "'lead_1' is not an id."),
    ],
)
async def test_what_no_report_can_be_made_of_is_refused(
    world: World, input: dict[str, Any], said: str
) -> None:
    answer = await world.ask(REPORT, {"input": input})

    (error,) = answer["errors"]
    assert answer["data"] is None
    assert (error["message"], error["extensions"]["code"]) == (said, "BAD_USER_INPUT")


async def test_another_tenants_calendar_does_not_exist(world: World, other_world: World) -> None:
    for calendar in (other_world.calendar.id, new_id()):
        answer = await world.ask(REPORT, {"input": {"calendar": public("Calendar", calendar)}})
        assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
