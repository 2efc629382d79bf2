"""An agreement with values of lead types, and hand-offs that tell what they were worth."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.handoff import Handoff, HandoffStatus
from domain.identity import system
from domain.ids import new_id
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from domain.sla.agreement import CommitmentKind, Measure, Sla, ValueRule
from domain.sla.recalibration import ValueRecalibration, recalibrate
from tests.agreements import a_commitment, a_sla, an_mql, sign
from tests.world import World

FAIR = {"originSource": {"eq": "fair"}}
LIST = """{ valueRecalibrations(first: 1) { nodes {
  id monthOn windowStartsOn windowEndsOn priorWeight missing { currency to on }
  deliveries { measure priorRate unrated averageRevenue { amount } pointValue { amount }
    sla { name } commitment { name }
    values { criterionText worthNow worthProposed handedOff won closeRate
      value { amount currency } } } } } }"""
EVERYBODY = (date(2026, 3, 1), date(2026, 6, 1))


async def an_agreement(world: World, measure: Measure = Measure.MONEY) -> Sla:
    sla = a_sla(world, period=EVERYBODY)
    delivery = a_commitment(
        sla,
        CommitmentKind.DELIVERY,
        0,
        name="Leads",
        measure=measure,
        target=100_000,
        values=(ValueRule(criterion=FAIR, units=100), ValueRule(criterion={}, units=50)),
    )
    response = a_commitment(
        sla,
        CommitmentKind.RESPONSE,
        1,
        name="Call",
        within_minutes=240,
        target_share=Decimal("0.9"),
    )
    await sign(world, delivery, response, sla=sla)
    return sla


async def handed_off(
    world: World, origin: str, number: int, *, won: int, at: datetime, currency: str = "EUR"
) -> None:
    """Store hand-offs of leads from one origin, of which the first ones were won for 1,000."""
    stage = PipelineStage(id=new_id(), name="Talks", position=1, win_rate=Decimal(0), created_at=at)
    made: list[Any] = [stage]
    for n in range(number):
        lead = an_mql(at, n, origin_source=origin)
        handoff = Handoff(
            id=new_id(),
            lead_id=lead.id,
            from_team_id=world.marketing.id,
            to_team_id=world.sales.id,
            score=0,
            handed_off_at=at,
            recorded_at=at,
            status=HandoffStatus.ACCEPTED,
            decided_at=at,
        )
        made += [lead, handoff]
        if n < won:
            made.append(
                Opportunity(
                    id=new_id(),
                    name="Deal",
                    lead_id=lead.id,
                    stage_id=stage.id,
                    opened_at=at,
                    stage_entered_at=at,
                    recorded_at=at,
                    updated_at=at,
                    amount_minor=100_000,
                    currency=currency,
                    status=OpportunityStatus.WON,
                    closed_at=at + timedelta(days=1),
                )
            )
    async with world.work() as work:
        await work.add_all(made)


async def reckoned(world: World) -> ValueRecalibration | None:
    async with world.work() as work:
        found: ValueRecalibration | None = await recalibrate(work, system(world.tenant.id))
        return found
