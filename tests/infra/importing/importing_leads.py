"""Rows about leads, imported in tests, and all that came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.feed import LoggedEvent
from domain.goals.targets import EVERYBODY, MetricTally
from domain.handoff import Handoff
from domain.identity import system
from domain.ids import new_id
from domain.import_results import ImportedRow
from domain.imports import ImportedLead, ImportedStep, StepKind, in_order
from domain.lead_import import import_draft, import_rows
from domain.lead_intake import UpsertOutcome
from domain.leads import ExternalId, Lead, LeadExternalId
from domain.lifecycle import StageDefinition, StageEntry
from domain.sla.agreement import Commitment
from domain.sla.clocks import SlaClock, SlaTally
from domain.stages import Side, Stage
from infra.outbox import publish_all
from tests.world import World

END = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
CREATED, UPDATED = UpsertOutcome.CREATED, UpsertOutcome.UPDATED
UNCHANGED = UpsertOutcome.UNCHANGED


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
    plain_handoff = {**blank, "recorded_at": never, "heard_at": None, "sla_id": None}
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
