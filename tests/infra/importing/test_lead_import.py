from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.feed import LoggedEvent
from domain.goals.targets import EVERYBODY, MetricTally
from domain.handoff import Handoff, HandoffStatus
from domain.handoff_flow import accept_lead, hand_off, recycle_lead, reject_lead
from domain.identity import system
from domain.ids import new_id
from domain.imports import ExternalId, ImportedLead, ImportedStep, StepKind, in_order
from domain.lead_details import LeadDetails
from domain.lead_import import NO_REASON, ImportedRow, import_draft, import_rows
from domain.lead_intake import UpsertOutcome, create_lead
from domain.leads import ExternalId as LeadName
from domain.leads import Lead, LeadExternalId
from domain.lifecycle import StageDefinition, StageEntry, enter_stage
from domain.sla import keeping
from domain.sla.agreement import Commitment
from domain.sla.clocks import SlaClock, SlaTally
from domain.stages import Side, Stage
from infra.outbox import publish_all
from tests.agreements import sign
from tests.world import World

END = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
CREATED, UPDATED = UpsertOutcome.CREATED, UpsertOutcome.UPDATED
UNCHANGED, REFUSED = UpsertOutcome.UNCHANGED, UpsertOutcome.REFUSED


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def step(kind: StepKind, when: datetime, **more: Any) -> ImportedStep:
    return ImportedStep(kind=kind, at=when, **more)


def stage(name: Stage, when: datetime) -> ImportedStep:
    return step(StepKind.STAGE, when, stage=name)


def a_row(name: str, *steps: ImportedStep, line: int = 2, **more: Any) -> ImportedLead:
    more.setdefault("seen_at", at(2))
    return ImportedLead(
        line=line, external_id=ExternalId("crm", name), steps=in_order(steps), **more
    )


def handed_off(name: str, *more: ImportedStep) -> ImportedLead:
    return a_row(name, stage(Stage.MQL, at(3)), step(StepKind.HAND_OFF, at(4)), *more)


async def take(world: World, rows: Sequence[ImportedLead]) -> list[ImportedRow]:
    """Import rows as one batch."""
    async with world.work() as work:
        draft = import_draft(work)
        results = await import_rows(draft, system(world.tenant.id), rows)
        await draft.flush()
    return list(results)


async def outcomes(world: World, *rows: ImportedLead) -> list[UpsertOutcome]:
    return [result.outcome for result in await take(world, rows)]


async def refusals(world: World, *rows: ImportedLead) -> list[tuple[str, str]]:
    results = await take(world, rows)
    return [(r.refusals[0].code, r.refusals[0].message) for r in results if r.refusals]


async def everything(world: World, *, events: bool = True) -> dict[str, Any]:
    """Return all that a tenant's history consists of, without ids and without when it was told."""
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        leads = {lead.id: lead for lead in await work.find(Lead)}
        names = {name.lead_id: name.value for name in await work.find(LeadExternalId)}
        entries = await work.find(StageEntry)
        handoffs = {handoff.id: handoff for handoff in await work.find(Handoff)}
        clocks = {clock.id: clock for clock in await work.find(SlaClock)}
        promises = {promise.id: promise.position for promise in await work.find(Commitment)}
        meanings = {d.id: (d.stage, d.number) for d in await work.find(StageDefinition)}
        tallies, metrics = await work.find(SlaTally), await work.find(MetricTally)
        log = await work.find(LoggedEvent)
    sides = {world.marketing.id: "marketing", world.sales.id: "sales", EVERYBODY: "all"}
    nobody, never = UUID(int=0), END
    blank = {"id": nobody, "version": 0, "lead_id": nobody, "definition_id": None}
    plain_handoff = {**blank, "recorded_at": never, "sla_id": None}
    plain_handoff |= {"from_team_id": nobody, "to_team_id": nobody}
    plain_clock = {"id": nobody, "version": 0, "lead_id": nobody, "handoff_id": nobody}
    plain_clock |= {"sla_id": nobody, "commitment_id": nobody, "calendar_version_id": nobody}
    told = {id: names[id] for id in leads}
    told |= {id: (names[h.lead_id], h.handed_off_at) for id, h in handoffs.items()}
    told |= {id: (told[c.handoff_id], promises[c.commitment_id]) for id, c in clocks.items()}
    return {
        "leads": {
            names[lead.id]: replace(lead, id=nobody, version=0, updated_at=never)
            for lead in leads.values()
        },
        "entries": sorted(
            (
                names[e.lead_id],
                e.entered_at,
                e.stage.rank,
                e.previous,
                e.reason,
                meanings.get(e.definition_id),
            )
            for e in entries
        ),
        "handoffs": {
            told[h.id]: (replace(h, **plain_handoff), meanings.get(h.definition_id))
            for h in handoffs.values()
        },
        "clocks": {told[c.id]: replace(c, **plain_clock, team_id=nobody) for c in clocks.values()},
        "tallies": {
            (promises[t.commitment_id], t.on): replace(t, commitment_id=nobody) for t in tallies
        },
        "metrics": {(m.metric, sides[m.team_id], m.on): m.amount for m in metrics},
        "events": Counter(
            (e.kind, e.at, e.payload.get("stage"), e.payload.get("state"), _about(e, told))
            for e in log
            if events and e.kind != "EscalationRaised"
        ),
    }


def _about(event: LoggedEvent, told: dict[UUID, Any]) -> Any:
    keys = ("clock_id", "handoff_id", "lead_id")
    return next((told[UUID(event.payload[key])] for key in keys if event.payload.get(key)), None)


async def define_mql(world: World) -> None:
    """Let an MQL mean one thing, and from the middle of the month on another that nobody meets."""
    signed: dict[str, Any] = {
        "stage": Stage.MQL,
        "words": "Asked for a demonstration.",
        "owner_side": Side.MARKETING,
        "proposed_by": world.marketer.id,
        "proposed_at": at(1),
        "marketing_signed_by": world.marketer.id,
        "marketing_signed_at": at(1),
        "sales_signed_by": world.rep.id,
        "sales_signed_at": at(1),
    }
    async with world.work() as work:
        for number, effective_at in ((1, at(1)), (2, at(16))):
            await work.add(
                StageDefinition(
                    id=new_id(),
                    number=number,
                    effective_at=effective_at,
                    criterion={"score": {"gte": 900}},
                    **signed,
                )
            )


def stories(chance: random.Random, count: int) -> list[ImportedLead]:
    """Return rows about leads that came through March in all possible ways."""
    rows = []
    for number in range(count):
        when = at(2, 0) + timedelta(minutes=chance.randrange(10 * 1440))
        steps = []
        for planned in chance.choice(_WAYS):
            when += timedelta(minutes=chance.choice((1, 30, 200, 2000, 5000)))
            steps.append(replace(planned, at=when))
        rows.append(
            a_row(f"lead {number}", *steps, line=number + 2, seen_at=at(2, 0), score=number)
        )
    return rows


_MQL, _GIVEN = stage(Stage.MQL, END), step(StepKind.HAND_OFF, END)
_WAYS = (
    (_MQL,),
    (_MQL, _GIVEN),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END)),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END), stage(Stage.CUSTOMER, END)),
    (_MQL, _GIVEN, step(StepKind.REJECT, END, reason="a student")),
    (_MQL, _GIVEN, step(StepKind.RECYCLE, END, reason="next year")),
    (_MQL, _GIVEN, step(StepKind.ACCEPT, END), step(StepKind.RECYCLE, END, reason="no money")),
    (stage(Stage.LEAD, END), _MQL, step(StepKind.RECYCLE, END)),
)


async def live_through(world: World, rows: Sequence[ImportedLead]) -> None:
    """Do what the rows tell at the instants at which they say it happened."""
    actor, known = system(world.tenant.id), {}
    for row in rows:
        assert row.external_id is not None
        name = LeadName(row.external_id.source, row.external_id.value)
        world.at(at(2, 0))
        async with world.work() as work:
            details = LeadDetails(external_ids=(name,), score=row.score or 0)
            known[row.line] = (await create_lead(work, actor, details, judge=False)).id
    story = [(each, known[row.line]) for row in rows for each in row.steps]
    for each, lead_id in sorted(story, key=lambda told: told[0].at):
        world.at(each.at)
        async with world.work() as work:
            await keeping.sweep(work, actor)
        async with world.work() as work:
            await do(work, actor, lead_id, each)
    world.at(END)
    async with world.work() as work:
        await keeping.sweep(work, actor)


async def do(work: Any, actor: Any, lead_id: UUID, each: ImportedStep) -> None:
    match each.kind:
        case StepKind.STAGE:
            lead = await work.get(Lead, lead_id)
            assert each.stage is not None
            await enter_stage(work, actor, lead, each.stage, at=each.at, judged=False)
        case StepKind.HAND_OFF:
            await hand_off(work, actor, lead_id, routed=False)
        case StepKind.ACCEPT:
            await accept_lead(work, actor, lead_id)
        case StepKind.REJECT:
            await reject_lead(work, actor, lead_id, reason=each.reason or NO_REASON)
        case StepKind.RECYCLE:
            await recycle_lead(work, actor, lead_id, reason=each.reason or NO_REASON)


@pytest.mark.parametrize("seed", range(3))
async def test_an_imported_history_equals_one_that_was_lived(
    world: World, other_world: World, seed: int
) -> None:
    rows = stories(random.Random(seed), 40)
    for each in (world, other_world):
        await sign(each)
        await define_mql(each)

    await live_through(other_world, rows)
    assert {row.outcome for row in await take(world, rows)} == {CREATED}

    imported, lived = await everything(world), await everything(other_world)
    for part in lived:
        assert imported[part] == lived[part], part


@pytest.mark.parametrize("seed", range(3))
async def test_a_history_told_in_two_files_is_the_same(
    world: World, other_world: World, seed: int
) -> None:
    """What was told of clocks in between stays told, as what was then believed."""
    chance = random.Random(seed)
    rows = stories(chance, 40)
    halves = [replace(row, steps=row.steps[: chance.randrange(5)]) for row in rows]
    world.at(END)
    for each in (world, other_world):
        await sign(each)

    await take(world, rows)
    await take(other_world, halves)
    again = await take(other_world, rows)

    news = [len(half.steps) < len(row.steps) for half, row in zip(halves, rows, strict=True)]
    assert [result.outcome is UPDATED for result in again] == news
    at_once = await everything(world, events=False)
    in_two = await everything(other_world, events=False)
    for part in at_once:
        assert in_two[part] == at_once[part], part


async def test_the_same_rows_again_change_nothing(world: World) -> None:
    rows = stories(random.Random(7), 30)
    world.at(END)
    await sign(world)
    await take(world, rows)
    before = await everything(world)

    world.wait(days=3)
    assert await outcomes(world, *rows) == [UNCHANGED] * 30

    assert await everything(world) == before


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
