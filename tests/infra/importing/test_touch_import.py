"""Files of touches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from domain.campaigns import Campaign, CampaignKind
from domain.ids import new_id
from domain.leads import Agency
from domain.touches import Channel, Touch, TouchKind
from domain.uploads import ImportJob, ImportRowError
from tests.agreements import an_mql
from tests.infra.importing.running_imports import all_of, counts, run_all, start, the_job
from tests.world import World

MAPPING = """
[file]
time_zone = "Europe/Berlin"
date_formats = ["%d.%m.%Y %H:%M"]

[touch]
lead_email = { column = "mail", letters = "lower" }
visitor = "cookie"
kind = { column = "what", values = { visit = "PAGE_VIEW", form = "FORM", open = "EMAIL_OPEN" } }
agency = { column = "by", values = { bot = "AUTOMATIC" } }
occurred_at = "when"
campaign = "campaign"
utm_medium = "medium"
url = "page"
external_id = { source = "log", column = "id", required = true }
"""
HEADER = "id,mail,cookie,what,by,when,campaign,medium,page\n"
FILE = (
    HEADER
    + """1,ANN@example.com,,visit,,01.03.2026 10:00,spring,,https://a.example/x?b=1#c
2,ann@example.com,,open,bot,01.03.2026 11:00,,,
3,,visitor-0123456789,visit,,01.03.2026 12:00,,cpc,
4,nobody@example.com,,visit,,01.03.2026 10:00,,,
5,ann@example.com,,visit,,01.03.2027 10:00,,,
6,ann@example.com,,visit,,01.03.2026 10:00,winter,,
7,ann@example.com,,hug,,01.03.2026 10:00,,,
"""
)


async def prepare(world: World) -> tuple[object, object]:
    lead = an_mql(world.now, email="ann@example.com")
    campaign = Campaign(
        id=new_id(),
        name="Spring",
        kind=CampaignKind.SEARCH,
        code="spring",
        created_at=world.now,
    )
    async with world.work() as work:
        await work.add(lead)
        await work.add(campaign)
    return lead.id, campaign.id


async def test_a_file_of_touches_is_taken_row_by_row(world: World) -> None:
    lead_id, campaign_id = await prepare(world)
    await start(world, FILE.encode(), mapping=MAPPING)

    await run_all(world)

    assert counts(await the_job(world)) == (7, 3, 0, 0, 4)
    first, second, third = await all_of(world, Touch)
    assert (first.kind, first.lead_id, first.campaign_id) == (
        TouchKind.PAGE_VIEW,
        lead_id,
        campaign_id,
    )
    assert first.occurred_at == datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    assert (first.external_source, first.external_value) == ("log", "1")
    assert (second.channel, second.agency) == (Channel.EMAIL, Agency.AUTOMATIC)
    assert (third.lead_id, third.utm_medium) == (None, "cpc")
    errors = await all_of(world, ImportRowError)
    assert [(error.line, error.column, error.code) for error in errors] == [
        (5, "mail", "NOT_FOUND"),
        (6, "when", "TOUCH_IN_FUTURE"),
        (7, "campaign", "NOT_FOUND"),
        (8, "what", "UNKNOWN_VALUE"),
    ]


async def test_a_touch_with_a_name_is_never_taken_twice(world: World) -> None:
    await prepare(world)
    for _ in range(2):
        await start(world, FILE.encode(), mapping=MAPPING)
        await run_all(world)

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (7, 3, 0, 0, 4),
        (7, 0, 0, 3, 4),
    ]
    assert len(await all_of(world, Touch)) == 3


NAMELESS = MAPPING.replace(", required = true", "")


async def take(world: World, *rows: str) -> None:
    await start(world, (HEADER + "".join(f"{row}\n" for row in rows)).encode(), mapping=NAMELESS)
    await run_all(world)


async def test_a_touch_without_a_name_is_known_by_what_it_says(world: World) -> None:
    """Two rows that are alike are two touches, the same file again is none, however written."""
    await prepare(world)
    day = ",ann@example.com,,visit,,01.03.2026 00:00,spring,,https://a.example/x"
    hour = ",ann@example.com,,visit,,01.03.2026 10:00,,,"
    await take(world, day, hour, day)
    await take(
        world,
        hour.replace("ann", "Ann").replace("visit,,", "visit,HUMAN,"),
        day.replace("spring", " Spring "),
        day,
        day,  # the third alike
        hour.replace("visit", "form"),
        hour.replace("10:00", "10:01"),
        hour.replace("ann@example.com,", ",visitor-0123456789"),
        hour.replace(",,,", ",,cpc,"),
    )

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (3, 3, 0, 0, 0),
        (8, 5, 0, 3, 0),
    ]
    found = await all_of(world, Touch)
    assert (len(found), {touch.external_source for touch in found}) == (8, {"file"})


async def test_rows_that_are_left_out_are_no_twins(world: World) -> None:
    await prepare(world)
    row = ",ann@example.com,,visit,,01.03.2026 10:00,,,"
    await take(world, row + "x" * 2001, row)
    await take(world, row + "https://a.example/y", row)

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (2, 1, 0, 0, 1),
        (2, 1, 0, 1, 0),
    ]


async def test_an_interrupted_file_of_touches_goes_on_with_the_same_names(world: World) -> None:
    await prepare(world)
    row = ",ann@example.com,,visit,,01.03.2026 10:00,,,"
    await start(world, (HEADER + f"{row}\n" * 5).encode(), mapping=NAMELESS)
    job = await the_job(world)
    async with world.work() as work:
        await work.save(replace(job, last_line=4))

    await run_all(world)
    await take(world, *[row] * 5)

    names = [touch.external_value for touch in await all_of(world, Touch)]
    assert sorted(str(name)[-2:] for name in names) == ["-0", "-1", "-2", "-3", "-4"]


async def test_a_dry_run_of_touches_keeps_nothing(world: World) -> None:
    await prepare(world)
    await start(world, FILE.encode(), mapping=MAPPING, dry_run=True)

    await run_all(world)

    assert counts(await the_job(world)) == (7, 3, 0, 0, 4)
    assert await all_of(world, Touch) == []
