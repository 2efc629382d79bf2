"""Files of companies."""

from __future__ import annotations

from domain.company_rows import CompanyRow, upsert_companies
from domain.identity import system
from domain.lead_intake import UpsertOutcome
from domain.leads import Company
from domain.uploads import ImportRowError
from tests.infra.importing.running_imports import all_of, counts, run_all, start, the_job
from tests.world import World

MAPPING = '[company]\nname = "Company"\ndomain = { column = "Site", letters = "lower" }'
FILE = """Company,Site
Acme GmbH,https://www.acme.example.de/shop
Berg & Söhne,
,widgets.co.uk
Freelancer,gmail.com
Nonsense,localhost
,
"""


async def companies(world: World) -> list[tuple[str, str | None]]:
    return [(company.name, company.domain) for company in await all_of(world, Company)]


async def test_a_file_of_companies_is_taken_row_by_row(world: World) -> None:
    await start(world, FILE.encode(), mapping=MAPPING)

    await run_all(world)

    assert counts(await the_job(world)) == (5, 3, 0, 0, 2)
    assert await companies(world) == [
        ("Acme GmbH", "example.de"),
        ("Berg & Söhne", None),
        ("widgets.co.uk", "widgets.co.uk"),
    ]
    errors = await all_of(world, ImportRowError)
    assert [(error.line, error.column, error.code, error.message) for error in errors] == [
        (
            5,
            "Site",
            "FREE_MAIL_DOMAIN",
            "Everybody can have an e-mail address there, so it tells no company.",
        ),
        (6, "Site", "INVALID", "A domain looks like example.com."),
    ]


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    async with world.work() as work:
        rows = [CompanyRow("Acme GmbH", "acme.de"), CompanyRow("Berg & Söhne")]
        first = await upsert_companies(work, system(world.tenant.id), rows)
        again = await upsert_companies(work, system(world.tenant.id), rows)
    assert [row.outcome for row in first] == [UpsertOutcome.CREATED] * 2
    assert [row.outcome for row in again] == [UpsertOutcome.UNCHANGED] * 2
    assert [row.company for row in again] == [row.company for row in first]


async def test_later_rows_see_what_earlier_ones_did(world: World) -> None:
    async with world.work() as work:
        rows = await upsert_companies(
            work,
            system(world.tenant.id),
            [
                CompanyRow("Acme"),
                CompanyRow("ACME, Inc.", "acme.com"),
                CompanyRow(None, "https://acme.com/"),
                CompanyRow("Acme", "acme.fr"),
            ],
        )
    assert [row.outcome for row in rows] == [
        UpsertOutcome.CREATED,
        UpsertOutcome.UPDATED,
        UpsertOutcome.UNCHANGED,
        UpsertOutcome.CREATED,
    ]
    assert await companies(world) == [("ACME, Inc.", "acme.com"), ("Acme", "acme.fr")]


async def test_a_dry_run_of_companies_counts_and_keeps_nothing(world: World) -> None:
    await start(world, FILE.encode(), mapping=MAPPING, dry_run=True)

    await run_all(world)

    assert counts(await the_job(world)) == (5, 3, 0, 0, 2)
    assert len(await all_of(world, ImportRowError)) == 2
    assert await companies(world) == []
