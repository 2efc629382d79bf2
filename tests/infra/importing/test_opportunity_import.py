"""Files of opportunities."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.customers import Customer, RevenueEvent
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus, OpportunityStep
from domain.stages import Stage
from domain.uploads import ImportJob, ImportRowError
from tests.agreements import an_mql
from tests.infra.importing.running_imports import all_of, counts, run_all, start, the_job
from tests.world import World

MAPPING = """
[file]
decimal_mark = ","

[opportunity]
external_id = { source = "crm", column = "deal", required = true }
lead_email = "mail"
name = "name"
status = { column = "state", letters = "upper" }
amount = "sum"
currency = { constant = "EUR" }
opened_at = "opened"
closed_at = "closed"
expected_close_on = "expected"
lost_reason = "why"
"""
LEADS_TOLD_TWICE = """
[opportunity]
external_id = { source = "crm", column = "deal", required = true }
lead_external_id = { source = "crm", column = "contact" }
lead_email = "mail"
"""
FILE = """deal,mail,name,state,sum,opened,closed,expected,why
1,ann@example.com,Shop,won,"1.234,50",2026-02-01,2026-02-20,,
2,ann@example.com,Till,lost,99,2026-02-01,2026-02-21,,Too dear
3,ann@example.com,Van,,,2026-02-10,,2026-05-01,
4,ann@example.com,Bad,won,5,2026-02-20,2026-02-01,,
5,ann@example.com,Bad,lost,5,2026-02-01,2026-02-02,,
6,nobody@example.com,Bad,,5,2026-02-01,,,
7,ann@example.com,Bad,,5.5,2026-02-01,,,
"""


CLOSED = ("won", "lost", "open")
WHEN_CLOSED = "Say when it was closed; it is not known yet."


async def prepare(world: World) -> Lead:
    lead = an_mql(datetime(2026, 1, 5, tzinfo=UTC), email="ann@example.com")
    async with world.work() as work:
        return await work.add(lead)


async def test_a_file_of_opportunities_is_taken_row_by_row(world: World) -> None:
    lead = await prepare(world)
    await start(world, FILE.encode(), mapping=MAPPING)

    await run_all(world)

    assert counts(await the_job(world)) == (7, 3, 0, 0, 4)
    assert [
        (each.name, each.status, each.amount_minor, each.closed_at, each.expected_close_on)
        for each in await all_of(world, Opportunity)
    ] == [
        ("Shop", OpportunityStatus.WON, 123450, datetime(2026, 2, 20, tzinfo=UTC), None),
        ("Till", OpportunityStatus.LOST, 9900, datetime(2026, 2, 21, tzinfo=UTC), None),
        ("Van", OpportunityStatus.OPEN, None, None, date(2026, 5, 1)),
    ]
    [customer] = await all_of(world, Customer)
    [revenue] = await all_of(world, RevenueEvent)
    assert (customer.lead_id, customer.bought_at) == (lead.id, datetime(2026, 2, 20, tzinfo=UTC))
    assert (revenue.amount_minor, revenue.currency) == (123450, "EUR")
    [stored] = await all_of(world, Lead)
    assert stored.stage is Stage.CUSTOMER
    errors = await all_of(world, ImportRowError)
    assert [(error.line, error.column, error.code) for error in errors] == [
        (5, "closed", "CLOSES_BEFORE_IT_OPENS"),
        (6, "why", "LOST_REASON_NEEDED"),
        (7, "mail", "NOT_FOUND"),
        (8, "sum", "BAD_NUMBER"),
    ]


async def test_a_lead_that_is_not_there_is_told_by_the_column_that_names_it(world: World) -> None:
    rows = ("deal,contact,mail", "1,C-1,", "2,,bob@example.com", "3,C-2,bob@example.com")
    await start(world, "\n".join(rows).encode(), mapping=LEADS_TOLD_TWICE)

    await run_all(world)

    errors = sorted(await all_of(world, ImportRowError), key=lambda error: error.line)
    assert [(error.line, error.column, error.code, error.message) for error in errors] == [
        (2, "contact", "NOT_FOUND", "There is no such lead: 'C-1'."),
        (3, "mail", "NOT_FOUND", "There is no such lead: 'bob@example.com'."),
        (4, "contact", "NOT_FOUND", "There is no such lead: 'C-2'."),
    ]


async def test_the_same_file_again_changes_nothing_and_a_later_one_closes_what_was_open(
    world: World,
) -> None:
    await prepare(world)
    header, *rows = FILE.splitlines()
    await start(world, "\n".join([header, *rows[:3]]).encode(), mapping=MAPPING)
    await run_all(world)
    won = "3,ann@example.com,Van,won,10,2026-02-10,2026-03-01,2026-05-01,"
    await start(world, "\n".join([header, *rows[:2], won]).encode(), mapping=MAPPING)
    await run_all(world)

    jobs = await all_of(world, ImportJob)
    assert [counts(job) for job in jobs] == [(3, 3, 0, 0, 0), (3, 0, 1, 2, 0)]
    assert sorted(each.amount_minor for each in await all_of(world, RevenueEvent)) == [1000, 123450]


async def test_one_column_may_say_when_a_deal_closed_or_is_expected_to(world: World) -> None:
    await prepare(world)
    rows = ("1,won,2026-02-20", "2,,2026-12-30", "3,open,2026-12-30", "4,won,2026-12-30")
    mapping = MAPPING.replace(' "expected"', ' "closed"')
    header, *_ = FILE.splitlines()
    told = (row.split(",") for row in rows)
    full = [f"{deal},ann@example.com,,{state},,2026-02-01,{on},," for deal, state, on in told]
    await start(world, "\n".join([header, *full]).encode(), mapping=mapping)

    await run_all(world)

    assert [
        (each.external_value, each.status, each.closed_at, each.expected_close_on)
        for each in sorted(await all_of(world, Opportunity), key=lambda each: each.external_value)
    ] == [
        ("1", OpportunityStatus.WON, datetime(2026, 2, 20, tzinfo=UTC), date(2026, 2, 20)),
        ("2", OpportunityStatus.OPEN, None, date(2026, 12, 30)),
        ("3", OpportunityStatus.OPEN, None, date(2026, 12, 30)),
    ]
    [error] = await all_of(world, ImportRowError)
    assert (error.line, error.column, error.message) == (5, "closed", "This lies in the future.")


async def test_a_deal_of_the_past_is_not_won_on_the_day_of_its_import(world: World) -> None:
    await prepare(world)
    header, *_ = FILE.splitlines()
    rows = [f"{deal},ann@example.com,,{state},,2026-02-01,,,x" for deal, state in enumerate(CLOSED)]
    await start(world, "\n".join([header, *rows]).encode(), mapping=MAPPING)

    await run_all(world)

    assert await all_of(world, RevenueEvent) == []
    [opportunity] = await all_of(world, Opportunity)
    assert opportunity.status is OpportunityStatus.OPEN
    assert [
        (error.line, error.column, error.code, error.message)
        for error in sorted(await all_of(world, ImportRowError), key=lambda error: error.line)
    ] == [(line, "closed", "INVALID", WHEN_CLOSED) for line in (2, 3)]


async def test_a_deal_may_have_closed_before_a_file_told_of_its_last_stage(world: World) -> None:
    await prepare(world)
    header, *_ = FILE.splitlines()
    mapping = MAPPING + 'stage = "name"\n'
    for told in (
        "1,ann@example.com,Proposal,,10,2026-02-01,,,",
        "1,ann@example.com,Negotiation,,10,2026-02-01,,,",
        # The day alone, so its beginning: before the files above.
        "1,ann@example.com,Negotiation,won,10,2026-02-01,2026-02-20,,",
        "1,ann@example.com,Negotiation,open,10,2026-02-01,,,",
        "1,ann@example.com,Negotiation,lost,10,2026-02-01,2026-02-18,,Too dear",
        "1,ann@example.com,Negotiation,won,10,2026-02-01,2026-02-16,,",
    ):
        await start(world, f"{header}\n{told}\n".encode(), mapping=mapping)
        await run_all(world)

    assert await all_of(world, ImportRowError) == []
    closed_at = datetime(2026, 2, 16, tzinfo=UTC)
    [opportunity] = await all_of(world, Opportunity)
    assert (opportunity.status, opportunity.closed_at) == (OpportunityStatus.WON, closed_at)
    assert opportunity.stage_entered_at == closed_at
    [revenue] = await all_of(world, RevenueEvent)
    assert (revenue.amount_minor, revenue.at) == (1000, closed_at)
    steps = await all_of(world, OpportunityStep)
    assert sorted((step.at, step.status) for step in steps) == [
        (datetime(2026, 2, 1, tzinfo=UTC), OpportunityStatus.OPEN),
        (closed_at, OpportunityStatus.OPEN),
        (closed_at, OpportunityStatus.OPEN),
        (closed_at, OpportunityStatus.WON),
        (closed_at, OpportunityStatus.WON),
    ]


async def test_a_dry_run_of_opportunities_keeps_nothing(world: World) -> None:
    await prepare(world)
    await start(world, FILE.encode(), mapping=MAPPING, dry_run=True)

    await run_all(world)

    assert counts(await the_job(world)) == (7, 3, 0, 0, 4)
    assert await all_of(world, Opportunity) == []
    [lead] = await all_of(world, Lead)
    assert lead.stage is Stage.MQL
