"""How leads are scored, what was learnt of them, and enough outcomes to learn from."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.briefs import HandoffBrief
from domain.handoff import Handoff, HandoffStatus
from domain.ids import new_id
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage, pipeline
from domain.prediction import (
    ClosedOutcome,
    PredictionField,
    PredictionModel,
    PredictionStatus,
    learnt_from,
)
from domain.prediction.learning import LEAST_OUTCOMES, LEAST_WON
from domain.scoring import PRESET
from domain.scoring.proposing import propose_model
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.recalibration import PRIOR_WEIGHT, CalibratedDelivery, ValueRecalibration
from domain.stages import Stage
from tests.agreements import an_mql
from tests.world import World


async def a_history(
    world: World,
    *,
    fairs: int = 150,
    mails: int = 150,
    since: timedelta = timedelta(days=200),
    shares: tuple[int, int] = (6, 1),
) -> None:
    """Store hand-offs that were closed: six in ten from fairs were won, one in ten from mails."""
    stage = PipelineStage(
        id=new_id(), name="Talks", position=1, win_rate=Decimal(0), created_at=world.now
    )
    made: list[Any] = [stage]
    for n in range(fairs + mails):
        origin, share = ("fair", shares[0]) if n < fairs else ("mail", shares[1])
        won = n % 10 < share
        at = world.now - since + timedelta(minutes=7 * (n * 37 % (fairs + mails)))
        lead, facts = an_mql(at, origin_source=origin), {"ORIGIN_SOURCE": origin}
        made += lead, *closed_handoff(world, lead, stage, won=won, facts=facts, at=at)
    async with world.work() as work:
        await work.add_all(made)


async def what_was_learnt(world: World, sla: Sla) -> tuple[Any, ...]:
    """Store a scoring model, a prediction model, what lead types were worth, and many outcomes."""
    trained = a_trained_model(world)
    async with world.work() as work:
        model = await propose_model(work, world.actor(), name="Ours", terms=PRESET)
        deliveries = await work.find(Commitment, sla_id=sla.id, kind=CommitmentKind.DELIVERY)
        recalibration = a_recalibration(world, sla, deliveries)
        lead = an_mql(world.now, stage=Stage.CUSTOMER)
        stage = (await pipeline(work))[0]
        await work.add_all([trained, recalibration, lead, *outcomes(world, lead, stage)])
    return model, trained, recalibration


def a_trained_model(world: World) -> PredictionModel:
    """Return a model that has learnt that one in four is won."""
    lesson = learnt_from(
        [
            ClosedOutcome(
                handoff_id=new_id(), facts={"COUNTRY": "IE"}, won=n % 4 == 0, closed_at=world.now
            )
            for n in range(LEAST_OUTCOMES)
        ],
        ["COUNTRY"],
    )
    return PredictionModel(
        id=new_id(),
        number=1,
        fields=(PredictionField.COUNTRY,),
        requested_at=world.now,
        status=PredictionStatus.READY,
        trained_at=world.now,
        known_to=world.now,
        trained=lesson.model,
    )


def a_recalibration(world: World, sla: Sla, deliveries: Any) -> ValueRecalibration:
    """Return what the lead types of an agreement were worth."""
    return ValueRecalibration(
        id=new_id(),
        month_on=sla.starts_on,
        window_starts_on=sla.starts_on,
        window_ends_on=sla.ends_on,
        made_at=world.now,
        prior_weight=PRIOR_WEIGHT,
        deliveries=tuple(
            CalibratedDelivery(
                sla_id=sla.id,
                commitment_id=each.id,
                measure=each.measure,
                currency=sla.currency,
                prior_rate=Decimal("0.1"),
                average_revenue_minor=100_000,
                point_value_minor=1,
                values=(),
            )
            for each in deliveries
        ),
    )


def outcomes(world: World, lead: Lead, stage: PipelineStage) -> list[Any]:
    """Return as many closed hand-offs as learning takes, all of one lead."""
    made: list[Any] = []
    for n in range(LEAST_OUTCOMES):
        made += closed_handoff(
            world,
            lead,
            stage,
            won=n < LEAST_WON,
            facts={"COUNTRY": "IE"},
            at=world.now - timedelta(days=400, minutes=n),
        )
    return made


def closed_handoff(
    world: World,
    lead: Lead,
    stage: PipelineStage,
    *,
    won: bool,
    facts: dict[str, str],
    at: datetime,
) -> tuple[Any, ...]:
    """Return a hand-off that was accepted, with what was known then and how its deal ended."""
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
    brief = HandoffBrief(
        id=new_id(), handoff_id=handoff.id, lead_id=lead.id, made_at=at, facts=facts
    )
    deal = Opportunity(
        id=new_id(),
        name="Deal",
        lead_id=lead.id,
        stage_id=stage.id,
        handoff_id=handoff.id,
        opened_at=at,
        stage_entered_at=at,
        recorded_at=at,
        updated_at=at,
        status=OpportunityStatus.WON if won else OpportunityStatus.LOST,
        closed_at=at + timedelta(days=10),
    )
    return handoff, brief, deal
