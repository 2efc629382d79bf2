"""How rows become leads with a history."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.handoff import Handoff, HandoffStatus
from domain.identity import Team, system
from domain.imports import ImportedLead, StepKind
from domain.lead_import import import_draft, import_rows
from domain.leads import Lead
from domain.provenance import Fact, LeadProvenance, SourceKind
from domain.stages import Stage
from tests.agreements import sign
from tests.infra.importing.importing_leads import (
    CREATED,
    END,
    UNCHANGED,
    UPDATED,
    a_row,
    at,
    define_mql,
    everything,
    handed_off,
    outcomes,
    refusals,
    stage,
    step,
    take,
)
from tests.world import World


async def test_what_was_never_so_is_not_told(world: World) -> None:
    await sign(world)
    world.at(END)
    await take(world, [handed_off("a", step(StepKind.ACCEPT, at(4, 13)))])

    log = (await everything(world))["events"]

    answers = sorted((when, state) for kind, when, _, state, about in log if about[1:] == (3,))
    assert answers == [(at(4), "RUNNING"), (at(4, 13), "MET")]


async def test_two_rows_about_one_lead_are_taken_in_order(world: World) -> None:
    world.at(END)
    rows = (
        a_row("a", stage(Stage.MQL, at(3)), email="ann@example.com"),
        a_row("b", stage(Stage.MQL, at(3))),
        a_row("A ".lower(), step(StepKind.HAND_OFF, at(4))),
        ImportedLead(line=5, email="Ann@Example.com", steps=(step(StepKind.ACCEPT, at(5)),)),
    )

    assert await outcomes(world, *rows) == [CREATED, CREATED, UPDATED, UPDATED]
    assert await outcomes(world, *rows) == [UNCHANGED] * 4
    async with world.work() as work:
        (handoff,) = await work.find(Handoff)
        leads = await work.find(Lead)
    assert (handoff.status, handoff.decided_at) == (HandoffStatus.ACCEPTED, at(5))
    assert sorted((lead.email, lead.stage) for lead in leads if lead.email) == [
        ("ann@example.com", Stage.SAL)
    ]


async def test_two_names_of_a_known_lead_in_one_batch_are_one_lead(world: World) -> None:
    world.at(END)
    await take(world, [a_row("a", email="ann@example.com")])

    rows = (
        a_row("a", stage(Stage.MQL, at(3))),
        ImportedLead(
            line=3, email="ann@example.com", steps=(step(StepKind.HAND_OFF, at(4)),), score=5
        ),
    )

    assert await outcomes(world, *rows) == [UPDATED, UPDATED]
    assert await outcomes(world, *rows) == [UNCHANGED, UNCHANGED]


async def test_a_refused_row_is_refused_whole_and_spoils_no_other(world: World) -> None:
    world.at(END)
    await take(world, [a_row("known", email="k@example.com", first_name="Kay"), a_row("other")])
    before = await everything(world)

    told = await refusals(
        world,
        a_row("known", step(StepKind.ACCEPT, at(5)), first_name="Jay"),
        a_row("other", email="k@example.com"),
        a_row("x", country="Brasil", score=5000),
        a_row("y", seen_at=END + timedelta(days=1)),
        a_row("z", stage(Stage.MQL, at(3)), step(StepKind.HAND_OFF, at(4), to_team="Sails")),
    )

    assert [code for code, _ in told] == [
        "IMPOSSIBLE_STEP",
        "DUPLICATE_LEAD",
        "INVALID",
        "INVALID",
        "UNKNOWN_TEAM",
    ]
    assert told[4][1] == "There is no sales team 'Sails'; did you mean 'Sales'?"
    assert await everything(world) == before


async def test_a_deal_won_before_first_contact_is_won_at_the_hand_off(world: World) -> None:
    await sign(world)
    world.at(END)
    await take(world, [handed_off("a")])
    won = a_row("a", step(StepKind.ACCEPT, at(2)), stage(Stage.CUSTOMER, at(2)), seen_at=None)

    assert await outcomes(world, won) == [UPDATED]
    assert await outcomes(world, won) == [UNCHANGED]

    story = await everything(world)
    assert [(entered_at, rank) for _, entered_at, rank, *_ in story["entries"]] == [
        (at(2), Stage.VISITOR.rank),
        (at(3), Stage.MQL.rank),
        (at(4), Stage.SAL.rank),
        (at(4), Stage.CUSTOMER.rank),
    ]
    assert story["tallies"][0, at(4).date()].accepted == 1


async def test_imported_stages_are_facts_and_nobody_is_next_in_turn(world: World) -> None:
    await define_mql(world)
    world.at(END)

    assert await outcomes(world, handed_off("a", step(StepKind.ACCEPT, at(5)))) == [CREATED]

    async with world.work() as work:
        (handoff,) = await work.find(Handoff)
        (lead,) = await work.find(Lead)
    assert (handoff.owner_id, handoff.handed_off_by, lead.owner_id) == (None, None, None)
    assert (handoff.recorded_at, handoff.handed_off_at) == (END, at(4))


async def test_a_hundred_rows_take_as_many_statements_as_ten(world: World) -> None:
    await sign(world)
    world.at(END)
    counts = []
    for size in (10, 100):
        rows = [handed_off(f"{size}-{n}", step(StepKind.ACCEPT, at(5))) for n in range(size)]
        rows = [replace(row, company_domain=f"c{n}.example") for n, row in enumerate(rows)]
        async with world.work() as work:
            counting = Counting(work.connection)
            work.connection = counting
            draft = import_draft(work)
            await import_rows(draft, system(world.tenant.id), rows)
            await draft.flush()
            await work.flush()
            counts.append(counting.statements)

    assert counts[1] <= counts[0] < 40


class Counting:
    """A connection that counts its statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("fetch", "execute")):
            self.statements += 1
        return getattr(self._connection, name)


async def test_an_import_locks_in_the_order_of_everybody_who_hands_off(world: World) -> None:
    """The team first, then the leads: two who take them crosswise would wait for each other."""
    world.at(END)
    await take(world, [a_row("a", stage(Stage.MQL, at(3)))])
    async with world.work() as work:
        (lead,) = await work.find(Lead)
    async with world.work() as work:
        await work.get(Team, world.sales.id, lock=True)
        importing = asyncio.create_task(take(world, [handed_off("a")]))
        async with asyncio.timeout(60):
            while not await work.connection.fetchval(_WAITING):  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.01)
        await asyncio.wait_for(work.get(Lead, lead.id, lock=True), 60)

    assert [result.outcome for result in await importing] == [UPDATED]


# Not pg_stat_activity: within a transaction it stays as it was first seen.
_WAITING = """
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted
               AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))
"""


async def test_a_number_is_taken_in_one_form_or_the_row_is_refused_by_its_column(
    world: World,
) -> None:
    world.at(END)
    good = replace(a_row("a"), phone="01 679 3579", country="IE")
    bad = replace(a_row("b"), phone="01 679 3579")

    refused = await refusals(world, good, bad)

    assert [code for code, _ in refused] == ["BAD_PHONE"]
    async with world.work() as work:
        [lead] = await work.find(Lead)
        [provenance] = await work.find(LeadProvenance)
    assert (lead.phone, lead.country) == ("+35316793579", "IE")
    assert {(r.fact, r.said.source, r.said.kind) for r in provenance.facts} == {
        (Fact.PHONE, "crm", SourceKind.IMPORT),
        (Fact.COUNTRY, "crm", SourceKind.IMPORT),
    }
