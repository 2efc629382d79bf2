"""What the campaigns of a scene cost, and what became of its leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from domain.attribution import BY_KIND, BuiltInModel
from domain.campaigns import CampaignAsset, CampaignCost
from domain.customers import Customer, CustomerStep, RevenueEvent, RevenueKind, record_revenue
from domain.duplicates import DuplicateCandidate, DuplicateRules, Trait, weighed
from domain.duplicates.scanning import DuplicateScan
from domain.exchange import set_rate
from domain.ids import new_id, public
from domain.leads import ExternalId, Lead
from domain.merging import merge_leads
from domain.opportunities import (
    OpportunityDetails,
    OpportunityStep,
    lose_opportunity,
    open_opportunity,
    pipeline,
    win_opportunity,
)
from domain.stages import Stage
from domain.uploads import JobStatus
from domain.values import Money
from tests.agreements import an_mql
from tests.api.scene_names import named
from tests.world import World


async def the_campaigns(world: World, names: Mapping[str, Any]) -> dict[str, Any]:
    campaign_id, asset_id = (UUID(hex=names[kind][-32:]) for kind in ("Campaign", "ContentAsset"))
    member = CampaignAsset(
        id=new_id(), campaign_id=campaign_id, asset_id=asset_id, added_at=world.now
    )
    cost = CampaignCost(
        id=new_id(),
        campaign_id=campaign_id,
        on=date(2026, 3, 3),
        amount_minor=100_000,
        currency="EUR",
        recorded_at=world.now,
    )
    model = replace(
        BY_KIND[BuiltInModel.LINEAR], id=new_id(), name="Ours", built_in=None, created_at=world.now
    )
    async with world.work() as work:
        await work.add_all([member, cost, model])
        lead = await work.get(Lead, UUID(hex=names["Lead"][-32:]))
        await work.save(replace(lead, campaign_id=campaign_id))
    return named(member, cost, model)


async def the_deals(world: World, names: Mapping[str, Any]) -> dict[str, Any]:
    """Store deals of the buying lead: one open, one lost, and one won by a customer."""
    actor, lead_id = world.actor(world.rep), UUID(hex=names["buying lead"][-32:])
    marketer = world.actor(world.marketer)
    async with world.work() as work:
        first, second, *rest = await pipeline(work)
        opened, lost, won = [
            await open_opportunity(
                work,
                actor,
                lead_id,
                OpportunityDetails(
                    name="Deal", amount=Decimal(5), currency="EUR", external_id=name
                ),
            )
            for name in (ExternalId("crm", "4711"), None, None)
        ]
        await lose_opportunity(work, actor, lost.id, reason="No budget.")
        await win_opportunity(work, actor, won.id)
        more, kind = Money(1, "EUR"), RevenueKind.EXPANSION
        mistake = await record_revenue(work, actor, lead=lead_id, kind=kind, amount=more)
        rate = await set_rate(
            work, marketer, currency="CHF", rate=Decimal(1), starts_on=date(2026, 1, 1)
        )
        kinds = (Customer, CustomerStep, RevenueEvent, OpportunityStep)
        made = [(await work.find(kind))[0] for kind in kinds]
    return {
        "all stages": [public("PipelineStage", stage.id) for stage in (first, second, *rest)],
        "first stage": public("PipelineStage", first.id),
        "lost opportunity": public("Opportunity", lost.id),
        "mistaken revenue": public("RevenueEvent", mistake.id),
        "won opportunity": public("Opportunity", won.id),
        "accepted handoff": public("Handoff", cast(UUID, opened.handoff_id)),
        **named(second, opened, rate, *made),
    }


async def the_doubles(world: World) -> dict[str, Any]:
    """Two leads that may be one person, two that were, and a scan that is waited for."""
    younger, elder, double = (an_mql(world.now, stage=Stage.VISITOR) for _ in range(3))
    lead_id, other_id = sorted((younger.id, elder.id), reverse=True)
    pair = DuplicateCandidate(
        id=new_id(),
        lead_id=lead_id,
        other_id=other_id,
        score=Decimal("0.9"),
        evidence=(weighed(Trait.NAME, Decimal(1)),),
        fingerprint="f",
        found_at=world.now,
    )
    rules = DuplicateRules(id=world.tenant.id)
    # Claimed for so long that no worker takes it out of the scene.
    scan = DuplicateScan(
        id=new_id(),
        status=JobStatus.RUNNING,
        created_at=world.now,
        claimed_until=world.now + timedelta(days=1),
    )
    async with world.work() as work:
        await work.add_all([younger, elder, double])
        await work.add_all([pair, rules, scan])
    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), elder.id, [double.id])
    return {
        "younger lead": public("Lead", lead_id),
        "elder lead": public("Lead", other_id),
        "merged lead": public("Lead", elder.id),
        **named(pair, rules, scan, merge),
    }
