"""Calendars through the API, on a real database."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import public
from domain.sla.calendars import Calendar, CalendarVersion
from tests.world import World

CREATE = """mutation($input: CalendarCreateInput!) { calendarCreate(input: $input) {
  calendar { id name current { number timeZone country subdivision
    windows { weekday opens closes }
    overrides { on name windows { opens closes } }
    holidays(year: 2026) { on name }
  } }
  userErrors { code message path }
}}"""
UPDATE = """mutation($input: CalendarUpdateInput!) { calendarUpdate(input: $input) {
  calendar { id name version
    current { number timeZone country windows { weekday opens closes } overrides { on } }
    versions { totalCount nodes { number } } }
  userErrors { code path }
}}"""
DUBLIN: dict[str, Any] = {
    "name": "Dublin",
    "timeZone": "Europe/Dublin",
    "windows": [
        {"weekday": "MONDAY", "opens": "09:00", "closes": "12:30"},
        {"weekday": "MONDAY", "opens": "13:30", "closes": "17:00"},
        {"weekday": "FRIDAY", "opens": "22:00", "closes": "06:00"},
    ],
    "country": "IE",
    "overrides": [
        {"on": "2026-03-17", "name": "Parade", "windows": [{"opens": "14:00", "closes": "24:00"}]},
        {"on": "2026-12-24", "name": "Christmas Eve"},
    ],
}


async def create(world: World, **more: Any) -> dict[str, Any]:
    answer = await world.data(CREATE, {"input": DUBLIN | more})
    payload: dict[str, Any] = answer["calendarCreate"]
    return payload


async def calendars(world: World) -> int:
    async with world.work() as work:
        return len(await work.find(Calendar)) + len(await work.find(CalendarVersion))


async def test_a_calendar_knows_windows_holidays_and_days_of_its_own(world: World) -> None:
    payload = await create(world)

    assert payload == {
        "calendar": {
            "id": payload["calendar"]["id"],
            "name": "Dublin",
            "current": {
                "number": 1,
                "timeZone": "Europe/Dublin",
                "country": "IE",
                "subdivision": None,
                "windows": DUBLIN["windows"],
                "overrides": [
                    DUBLIN["overrides"][0],
                    {"on": "2026-12-24", "name": "Christmas Eve", "windows": []},
                ],
                "holidays": [
                    {"on": "2026-01-01", "name": "New Year's Day"},
                    {"on": "2026-02-02", "name": "Saint Brigid's Day"},
                    {"on": "2026-04-06", "name": "Easter Monday"},
                    {"on": "2026-05-04", "name": "May Bank Holiday"},
                    {"on": "2026-06-01", "name": "June Bank Holiday"},
                    {"on": "2026-08-03", "name": "August Bank Holiday"},
                    {"on": "2026-10-26", "name": "October Bank Holiday"},
                    {"on": "2026-12-25", "name": "Christmas Day"},
                    {"on": "2026-12-26", "name": "Saint Stephen's Day"},
                ],
            },
        },
        "userErrors": [],
    }


async def test_changing_hours_makes_a_version_and_keeps_the_rest(world: World) -> None:
    made = (await create(world))["calendar"]
    windows = [{"weekday": "TUESDAY", "opens": "08:00", "closes": "16:00"}]

    answer = await world.data(UPDATE, {"input": {"calendar": made["id"], "windows": windows}})

    assert answer == {
        "calendarUpdate": {
            "calendar": {
                "id": made["id"],
                "name": "Dublin",
                "version": 2,
                "current": {
                    "number": 2,
                    "timeZone": "Europe/Dublin",
                    "country": "IE",
                    "windows": windows,
                    "overrides": [{"on": "2026-03-17"}, {"on": "2026-12-24"}],
                },
                "versions": {"totalCount": 2, "nodes": [{"number": 2}, {"number": 1}]},
            },
            "userErrors": [],
        }
    }


async def test_null_takes_the_country_away_and_a_name_makes_no_version(world: World) -> None:
    made = (await create(world))["calendar"]

    renamed = await world.data(UPDATE, {"input": {"calendar": made["id"], "name": "Cork"}})
    assert renamed["calendarUpdate"]["calendar"]["current"]["number"] == 1
    changed = await world.data(UPDATE, {"input": {"calendar": made["id"], "country": None}})
    current = changed["calendarUpdate"]["calendar"]["current"]
    assert (current["number"], current["country"]) == (2, None)


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"windows": []}, "CALENDAR_NEVER_OPENS", ["windows"]),
        ({"name": "  "}, "INVALID", ["name"]),
        ({"name": "x" * 201}, "INVALID", ["name"]),
        ({"name": "a\0b"}, "INVALID", ["name"]),
        ({"name": "Office"}, "ALREADY_EXISTS", ["name"]),
        (
            {"windows": [{"weekday": "MONDAY", "opens": "9", "closes": "17:00"}]},
            "INVALID",
            ["windows", "0", "opens"],
        ),
        (
            {"windows": [{"weekday": "MONDAY", "opens": "24:00", "closes": "17:00"}]},
            "INVALID",
            ["windows", "0", "opens"],
        ),
        (
            {"overrides": [{"on": "2026-03-17", "windows": [{"opens": "10:00", "closes": "\0"}]}]},
            "INVALID",
            ["overrides", "0", "windows", "0", "closes"],
        ),
        ({"overrides": [{"on": "0001-01-01"}]}, "INVALID", ["overrides", "0", "on"]),
        ({"overrides": [{"on": "2026-01-02"}] * 2}, "DAY_TWICE", ["overrides", "1", "on"]),
        ({"overrides": [{"on": "2026-01-02"}] * 201}, "INVALID", ["overrides"]),
        ({"country": "XX"}, "UNKNOWN_PLACE", ["country"]),
        ({"subdivision": "Munster"}, "UNKNOWN_PLACE", ["subdivision"]),
        ({"subdivision": "\0"}, "INVALID", ["subdivision"]),
        ({"country": None, "subdivision": "BY"}, "INVALID", ["country"]),
    ],
)
async def test_a_bad_calendar_is_refused_and_nothing_is_stored(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await calendars(world)

    payload = await create(world, **change)

    assert payload["calendar"] is None
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [(code, path)]
    assert await calendars(world) == before


async def test_a_misspelt_part_of_a_country_gets_suggestions(world: World) -> None:
    payload = await create(world, country="DE", subdivision="BV")

    assert payload["userErrors"][0]["message"] == (
        "No holidays are known for the subdivision 'BV'.  Did you mean MV, HB, BY, BW, BE?"
    )


async def test_time_zones_that_do_not_exist_are_no_time_zones(world: World) -> None:
    answer = await world.ask(CREATE, {"input": DUBLIN | {"timeZone": "Mars/Olympus"}})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_manager_may_not_edit_calendars(world: World) -> None:
    before = await calendars(world)

    answer = await world.ask(CREATE, {"input": DUBLIN}, as_=world.rep)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await calendars(world) == before


@pytest.mark.parametrize("kind", ["Calendar", "Team"])
async def test_another_tenants_calendar_does_not_exist(
    world: World, other_world: World, kind: str
) -> None:
    entity = other_world.calendar if kind == "Calendar" else other_world.sales
    variables = {"input": {"calendar": public(kind, entity.id), "name": "Mine"}}

    answer = await world.data(UPDATE, variables)

    code = "NOT_FOUND" if kind == "Calendar" else "BAD_USER_INPUT"
    assert [error["code"] for error in answer["calendarUpdate"]["userErrors"]] == [code]
    async with other_world.work() as work:
        assert (await work.get(Calendar, other_world.calendar.id)).name == "Office"


async def test_calendars_are_listed_by_name(world: World) -> None:
    await create(world)

    answer = await world.data("{ calendars { nodes { name } } }", as_=world.analyst)

    assert answer == {"calendars": {"nodes": [{"name": "Dublin"}, {"name": "Office"}]}}


async def test_one_calendar_can_be_read_and_another_tenants_cannot(
    world: World, other_world: World
) -> None:
    document = "query($id: ID!) { calendar(id: $id) { name } }"
    mine, theirs = (public("Calendar", w.calendar.id) for w in (world, other_world))

    assert await world.data(document, {"id": mine}) == {"calendar": {"name": "Office"}}
    assert await world.data(document, {"id": theirs}) == {"calendar": None}


async def test_front_ends_can_count_working_time(world: World) -> None:
    document = """query($id: ID!) {
      due: workingTimeAdd(calendar: $id, from: "2026-03-07T16:30:00Z", duration: "PT2H")
      worked: workingTimeBetween(
        calendar: $id, from: "2026-03-06T16:00:00Z", to: "2026-03-09T10:30:00Z")
    }"""

    answer = await world.data(document, {"id": public("Calendar", world.calendar.id)})

    assert answer == {"due": "2026-03-09T11:00:00Z", "worked": "PT2H30M"}


@pytest.mark.parametrize(
    ("start", "duration", "code"),
    [
        ("2026-03-07T16:30:00Z", "P99999D", "BAD_USER_INPUT"),
        ("9999-12-31T23:59:59Z", "PT2H", "BAD_USER_INPUT"),
        ("0001-01-01T00:00:00Z", "PT2H", "BAD_USER_INPUT"),
    ],
)
async def test_deadlines_beyond_reason_are_refused(
    world: World, start: str, duration: str, code: str
) -> None:
    document = """query($id: ID!, $start: DateTime!, $duration: Duration!) {
      workingTimeAdd(calendar: $id, from: $start, duration: $duration) }"""
    variables = {
        "id": public("Calendar", world.calendar.id),
        "start": start,
        "duration": duration,
    }

    answer = await world.ask(document, variables)

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]


async def test_working_time_of_another_tenants_calendar_is_not_told(
    world: World, other_world: World
) -> None:
    document = """query($id: ID!) {
      workingTimeAdd(calendar: $id, from: "2026-03-07T16:30:00Z", duration: "PT2H") }"""

    answer = await world.ask(document, {"id": public("Calendar", other_world.calendar.id)})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["NOT_FOUND"]
