"""Random lives of a few leads that may be one person, everything told again from the facts."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import handoff_flow
from domain.attribution import reattribute
from domain.consent import ConsentPurpose, ConsentStatus, LegalBasis
from domain.consenting import record_consent, set_do_not_contact
from domain.customers import Customer, CustomerStatus, RevenueEvent, RevenueKind
from domain.errors import DomainError
from domain.goals.counting import METRIC_OF_STAGE
from domain.goals.targets import EVERYBODY, Metric, MetricTally
from domain.handoff import Handoff, HandoffCredit
from domain.identity import system
from domain.ids import new_id
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead, log_activity, update_lead
from domain.leads import ActivityKind, Agency, ExternalId, Lead
from domain.lifecycle import StageEntry, advance_lead, enter_stage
from domain.merging import LeadMerge, MergeRecord
from domain.opportunities import Opportunity, PipelineStage
from domain.sla import keeping
from domain.sla.agreement import Commitment, CommitmentKind
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.escalation import sweep_and_escalate
from domain.stages import Stage
from domain.touches import Channel, Touch, TouchKind, Visitor
from infra.tables import TABLES
from tests.world import World

_HALF = Decimal("0.5")

# Logs of what happened, and what merges keep of themselves: that one was made, or was undone.
_LOGS = {"event_log", "audit_log", "lead_merges", "merge_records", "duplicate_candidates"}
_CHANGES_BY_ITSELF = ("version", "derived", "updated_at")
# Credits that differ are written anew, with ids of their own.
_MADE_ANEW = {"attribution_credits": ("id",)}
_TALLIES = {"sla_tallies", "metric_tallies"}


class Story:
    """What marketing, sales and buyers do, by the ordinary use cases."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.leads: list[UUID] = []

    async def run(self, steps: int) -> None:
        async with self.world.work() as work:
            stage = PipelineStage(
                id=new_id(), name="Talks", position=1, win_rate=_HALF, created_at=work.now
            )
            self.stage = await work.add(stage)
        for _ in range(4):
            await self.meet()
        await self.go_on(steps)

    async def go_on(self, steps: int) -> None:
        """Let more happen, as far as it can."""
        for _ in range(steps):
            self.world.wait(minutes=self.chance.choice((3, 20, 45, 90, 240)))
            step = self.chance.choice(self.steps())
            try:
                await step()
            except DomainError:
                continue  # it cannot be done just now
        # What the story stores by hand is credited, as what comes by the use cases is at once.
        async with self.world.work() as work:
            await reattribute(work, self.leads)

    def steps(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What may come next, the likelier the oftener."""
        often = (self.advance, self.advance, self.hand_off, self.touch, self.answer, self.browse)
        seldom = (
            self.leap,
            self.deal,
            self.buy,
            self.sweep,
            self.waive,
            self.wish,
            self.tell,
            self.tell,
        )
        return (*often, *often, *seldom)

    async def meet(self) -> None:
        number = len(self.leads)
        details = LeadDetails(
            email=self.chance.choice((f"ann{number}@acme.example", None)),
            first_name=self.chance.choice(("Ann", None)),
            last_name=self.chance.choice(("Lee", None)),
            origin_source=self.chance.choice(("fair", None)),
            origin_medium=self.chance.choice(("stand", None)),
            score=self.chance.choice((0, 40)),
            external_ids=(ExternalId("crm", str(number)),),
            created_at=self.world.now - timedelta(days=self.chance.choice((0, 1, 3))),
        )
        async with self.world.work() as work:
            lead = await create_lead(work, self.world.actor(self.world.marketer), details)
        self.leads.append(lead.id)
        if self.chance.random() < 0.6:
            async with self.world.work() as work:
                await advance_lead(work, self.world.actor(), lead.id, to=Stage.MQL)
        if self.chance.random() < 0.6 and (await self._lead(lead.id)).stage is Stage.MQL:
            async with self.world.work() as work:
                actor = self.world.actor(self.world.marketer)
                await handoff_flow.hand_off(work, actor, lead.id)

    async def advance(self) -> None:
        to = self.chance.choice((Stage.PROSPECT, Stage.LEAD, Stage.MQL, Stage.MQL, Stage.SQL))
        async with self.world.work() as work:
            await advance_lead(work, self.world.actor(), self._anybody(), to=to)

    async def leap(self) -> None:
        """Let a lead enter a stage past others, as a file tells it."""
        to = self.chance.choice((Stage.SQL, Stage.OPPORTUNITY, Stage.CUSTOMER))
        async with self.world.work() as work:
            lead = await work.get(Lead, self._anybody(), lock=True)
            await enter_stage(work, self.world.actor(), lead, to, at=work.now, judged=False)

    async def hand_off(self) -> None:
        async with self.world.work() as work:
            actor = self.world.actor(self.world.marketer)
            await handoff_flow.hand_off(work, actor, self._anybody())

    async def touch(self) -> None:
        async with self.world.work() as work:
            await log_activity(
                work,
                self.world.actor(self.world.rep),
                self._anybody(),
                kind=ActivityKind.CALL,
                agency=self.chance.choice((Agency.HUMAN, Agency.AUTOMATIC)),
                answered=self.chance.random() < 0.3,
            )

    async def answer(self) -> None:
        lead_id, actor = self._anybody(), self.world.actor(self.world.rep)
        async with self.world.work() as work:
            match self.chance.choice(("accept", "accept", "reject", "recycle")):
                case "accept":
                    await handoff_flow.accept_lead(work, actor, lead_id)
                case "reject":
                    await handoff_flow.reject_lead(work, actor, lead_id, reason="a student")
                case _:
                    await handoff_flow.recycle_lead(work, actor, lead_id, reason="next year")

    async def browse(self) -> None:
        at, lead_id = self.world.now, self._anybody()
        visitor = Visitor(id=new_id(), token=new_id().hex, first_seen_at=at, lead_id=lead_id)
        touch = Touch(
            id=new_id(),
            kind=TouchKind.PAGE_VIEW,
            channel=Channel.DIRECT,
            agency=Agency.HUMAN,
            occurred_at=at,
            recorded_at=at,
            lead_id=lead_id,
            visitor_id=visitor.id,
        )
        async with self.world.work() as work:
            await work.add(visitor)
            await work.add(touch)

    async def deal(self) -> None:
        at = self.world.now
        deal = Opportunity(
            id=new_id(),
            name="Deal",
            lead_id=self._anybody(),
            stage_id=self.stage.id,
            opened_at=at,
            stage_entered_at=at,
            recorded_at=at,
            updated_at=at,
        )
        async with self.world.work() as work:
            await work.add(deal)

    async def buy(self) -> None:
        at = self.world.now
        customer = Customer(
            id=new_id(),
            lead_id=self._anybody(),
            bought_at=at,
            status=CustomerStatus.ACTIVE,
            status_entered_at=at,
        )
        revenue = RevenueEvent(
            id=new_id(),
            customer_id=customer.id,
            kind=RevenueKind.NEW,
            amount_minor=100,
            currency="EUR",
            at=at,
            recorded_at=at,
        )
        async with self.world.work() as work:
            await work.add(customer)
            await work.add(revenue)

    async def waive(self) -> None:
        async with self.world.work() as work:
            clocks = await work.find(SlaClock, ended_at=None)
            if clocks:
                clock = self.chance.choice(clocks)
                actor = self.world.actor(self.world.rep)
                await keeping.waive_clock(work, actor, clock.id, reason="trade fair")

    async def wish(self) -> None:
        lead_id, actor = self._anybody(), self.world.actor(self.world.rep)
        async with self.world.work() as work:
            if self.chance.random() < 0.3:
                await set_do_not_contact(work, actor, lead_id, reason="asked us")
                return
            await record_consent(
                work,
                actor,
                lead_id,
                purpose=ConsentPurpose.TRACKING,
                status=ConsentStatus.WITHDRAWN,
                basis=LegalBasis.CONSENT,
                source="a letter",
            )

    async def tell(self) -> None:
        said: dict[str, Any] = {
            "job_title": self.chance.choice(("CTO", "CEO", None)),
            "phone": self.chance.choice(("+4930123456", "+4930654321")),
            "source": self.chance.choice(("hubspot", "form", None)),
        }
        async with self.world.work() as work:
            actor = self.world.actor(self.world.marketer)
            await update_lead(work, actor, self._anybody(), LeadDetails(**said))

    async def sweep(self) -> None:
        async with self.world.work() as work:
            await sweep_and_escalate(work, system(self.world.tenant.id))

    async def _lead(self, lead_id: UUID) -> Lead:
        async with self.world.work() as work:
            found: Lead = await work.get(Lead, lead_id)
        return found

    def _anybody(self) -> UUID:
        return self.chance.choice(self.leads)


async def everything(world: World) -> dict[str, list[str]]:
    """Return all that is stored of a tenant, but for logs and what any writing changes."""
    found = {}
    async with world.database.work(world.tenant.id, read_only=True) as work:
        for kind, table in TABLES.items():
            if table.name in _LOGS:
                continue
            leaves_out = (*_CHANGES_BY_ITSELF, *_MADE_ANEW.get(table.name, ()))
            aside = " ".join(f"- '{name}'" for name in leaves_out)
            rows = await work.connection.fetch(
                f"SELECT (to_jsonb(t) {aside})::text FROM {table.name} t WHERE {_counts(kind)}"
            )
            found[table.name] = sorted(row[0] for row in rows)
    return found


def _counts(kind: type) -> str:
    """Return what leaves out tallies of nothing: a row of noughts says as much as none."""
    if TABLES[kind].name not in _TALLIES:
        return "true"
    numbers = [field.name for field in fields(kind) if field.type == "int"]
    return " OR ".join(f'"{name}" <> 0' for name in numbers)


async def kept_tallies(world: World) -> tuple[dict[Any, Counter[str]], dict[Any, int]]:
    """Return the tallies as they are kept, of the SLA and of what leads are counted by."""
    async with world.work() as work:
        slas = {
            (t.commitment_id, t.on): +Counter({name: getattr(t, name) for name in _COUNTERS})
            for t in await work.find(SlaTally)
        }
        metrics = {
            (t.metric, t.on): t.amount
            for t in await work.find(MetricTally, team_id=EVERYBODY)
            if t.amount and t.metric in _METRICS
        }
    return {key: total for key, total in slas.items() if total}, metrics


async def recounted(world: World) -> tuple[dict[Any, Counter[str]], dict[Any, int]]:
    """Count the same again from leads, steps, hand-offs, credits and clocks."""
    async with world.work() as work:
        commitments = {each.id: each for each in await work.find(Commitment)}
        handoffs = {each.id: each for each in await work.find(Handoff)}
        credits = await work.find(HandoffCredit)
        clocks = await work.find(SlaClock)
        entries, leads = await work.find(StageEntry), await work.find(Lead)
    slas = defaultdict[tuple[UUID, date], Counter[str]](Counter)
    for credit in credits:
        handoff = handoffs[credit.handoff_id]
        slas[credit.commitment_id, credit.on].update(keeping.counted_credit(handoff, credit))
    for clock in clocks:
        key = clock.commitment_id, clock.started_at.date()
        slas[key].update(keeping.counted(clock))
    coverage = next((c for c in commitments.values() if c.kind is CommitmentKind.COVERAGE), None)
    for handoff_id in {clock.handoff_id for clock in clocks} if coverage else ():
        own = [clock for clock in clocks if clock.handoff_id == handoff_id]
        day = min(clock.started_at for clock in own).date()
        slas[coverage.id, day].update(keeping.counted_coverage(own))
    metrics = Counter[tuple[str, date]](
        (Metric.LEADS_CREATED.value, lead.created_at.date()) for lead in leads
    )
    for stage, metric in METRIC_OF_STAGE.items():
        far = [e for e in entries if e.stage.rank >= stage.rank]
        metrics.update(
            (metric.value, min(e.entered_at for e in far if e.lead_id == lead_id).date())
            for lead_id in {e.lead_id for e in far}
        )
    return {key: +total for key, total in slas.items() if +total}, dict(metrics)


async def merges(world: World) -> list[tuple[LeadMerge, MergeRecord]]:
    async with world.work() as work:
        return [(m, await work.get(MergeRecord, m.id)) for m in await work.find(LeadMerge)]


_COUNTERS = tuple(field.name for field in fields(SlaTally) if field.type == "int")
_METRICS = {Metric.LEADS_CREATED.value, *(metric.value for metric in METRIC_OF_STAGE.values())}
