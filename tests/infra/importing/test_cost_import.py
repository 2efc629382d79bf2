"""Files of what campaigns cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from domain.campaigns import Campaign, CampaignCost, CampaignKind
from domain.errors import DomainError
from domain.ids import new_id
from domain.uploads import ImportJob, ImportRowError
from infra.importing import load_mapping
from tests.infra.importing.running_imports import all_of, counts, run_all, start, the_job
from tests.world import World

MAPPING = """
[file]
date_formats = ["%d.%m.%Y"]
decimal_mark = ","

[cost]
campaign = "campaign"
on = "day"
amount = "spent"
currency = { column = "money", letters = "upper" }
note = "what for"
external_id = { source = "ads", column = "id" }
"""
HEADER = "id,campaign,day,spent,money,what for\n"
FILE = (
    HEADER
    + """1,Spring,01.03.2026,"1.234,50",eur,Clicks
2,spring,02.03.2026,1200,JPY,
3,winter,01.03.2026,10,EUR,
4,spring,01.03.2026,10,,
5,spring,01.03.2026,10,ABC,
6,spring,01.03.2026,-10,EUR,
7,spring,01.03.2026,"10,005",EUR,
8,spring,,10,EUR,
9,spring,01.03.2026,10.5,EUR,
"""
)


async def prepare(world: World) -> UUID:
    campaign = Campaign(
        id=new_id(),
        name="Spring",
        kind=CampaignKind.SEARCH,
        code="spring",
        created_at=world.now,
    )
    async with world.work() as work:
        await work.add(campaign)
    return campaign.id


async def run(world: World, file: str, *, mapping: str = MAPPING) -> None:
    await start(world, file.encode(), mapping=mapping)
    await run_all(world)


async def test_a_file_of_costs_is_taken_row_by_row(world: World) -> None:
    campaign_id = await prepare(world)

    await run(world, FILE)

    assert counts(await the_job(world)) == (9, 2, 0, 0, 7)
    first, second = await all_of(world, CampaignCost)
    assert (first.campaign_id, first.on, first.amount_minor, first.currency, first.note) == (
        campaign_id,
        date(2026, 3, 1),
        123450,
        "EUR",
        "Clicks",
    )
    assert (first.external_source, first.external_value) == ("ads", "1")
    assert (second.on, second.amount_minor, second.currency) == (date(2026, 3, 2), 1200, "JPY")
    errors = await all_of(world, ImportRowError)
    assert [(error.line, error.column, error.code) for error in errors] == [
        (4, "campaign", "NOT_FOUND"),
        (5, "money", "REQUIRED"),
        (6, "money", "UNKNOWN_CURRENCY"),
        (7, "spent", "COST_NEGATIVE"),
        (8, "spent", "INVALID"),
        (9, "day", "REQUIRED"),
        (10, "spent", "BAD_NUMBER"),
    ]
    assert errors[1].message == "money is blank."


async def test_a_cost_with_a_name_is_never_counted_twice(world: World) -> None:
    await prepare(world)
    for _ in range(2):
        await run(world, FILE)

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (9, 2, 0, 0, 7),
        (9, 0, 0, 2, 7),
    ]
    assert [cost.amount_minor for cost in await all_of(world, CampaignCost)] == [123450, 1200]


async def test_a_later_file_corrects_what_an_earlier_one_said(world: World) -> None:
    await prepare(world)
    await run(world, HEADER + "1,spring,01.03.2026,10,EUR,\n")
    await run(world, HEADER + '1,spring,01.03.2026,"12,30",EUR,Late clicks\n')

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (1, 1, 0, 0, 0),
        (1, 0, 1, 0, 0),
    ]
    (cost,) = await all_of(world, CampaignCost)
    assert (cost.amount_minor, cost.note) == (1230, "Late clicks")


async def test_a_cost_without_a_name_is_known_by_what_it_says(world: World) -> None:
    """Two rows that are alike are two costs, the same file again is none, however it is written."""
    await prepare(world)
    await run(world, HEADER + ",spring,01.03.2026,10,EUR,\n,spring,02.03.2026,10,EUR,\n"
              ",spring,01.03.2026,10,EUR,\n")  # fmt: skip
    await run(world, HEADER + ',Spring ,1.3.2026,"10,00",eur,\n,spring,01.03.2026,10,EUR,\n'
              ",spring,01.03.2026,10,EUR,\n,spring,01.03.2026,10,EUR,Clicks\n"
              ",spring,01.03.2026,1000,EUR,\n")  # fmt: skip

    assert [counts(job) for job in await all_of(world, ImportJob)] == [
        (3, 3, 0, 0, 0),
        (5, 3, 0, 2, 0),  # the third alike, that with a note, and that of a thousand
    ]
    found = await all_of(world, CampaignCost)
    assert sorted(cost.amount_minor for cost in found) == [1000] * 5 + [100_000]
    assert {cost.external_source for cost in found} == {"file"}


async def test_an_interrupted_file_goes_on_with_the_same_names(world: World) -> None:
    await prepare(world)
    rows = ",spring,01.03.2026,10,EUR,\n" * 5
    await start(world, (HEADER + rows).encode(), mapping=MAPPING)
    job = await the_job(world)
    async with world.work() as work:
        await work.save(replace(job, last_line=4))

    await run_all(world)
    await run(world, HEADER + rows)

    names = [cost.external_value for cost in await all_of(world, CampaignCost)]
    assert sorted(str(name)[-2:] for name in names) == ["-0", "-1", "-2", "-3", "-4"]


async def test_a_dry_run_of_costs_keeps_nothing(world: World) -> None:
    await prepare(world)
    await start(world, FILE.encode(), mapping=MAPPING, dry_run=True)

    await run_all(world)

    assert counts(await the_job(world)) == (9, 2, 0, 0, 7)
    assert await all_of(world, CampaignCost) == []


def test_a_mapping_of_costs_must_say_in_which_currency() -> None:
    with pytest.raises(DomainError) as refused:
        load_mapping('[cost]\ncampaign = "campaign"\non = "day"\namount = "spent"')

    error = refused.value
    assert (error.code, error.path) == ("BAD_MAPPING", ("cost", "currency"))
    assert error.message == "Say which column holds the currency."
