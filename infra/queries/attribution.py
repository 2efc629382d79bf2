"""Reads and set-based writes about attribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.attribution import (
    BUILT_IN_MODELS,
    AttributionCredit,
    AttributionModel,
    ForgetCredits,
    Journey,
    Journeys,
    LeadsWithDeals,
    Milestones,
    NextOpportunities,
    OpportunityCount,
    SettleCampaigns,
    Step,
    StoreBuiltIns,
)
from domain.campaigns import Campaign
from domain.lead_intake import FirstCampaigns
from domain.leads import Agency, Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.scoring import MarkDue
from domain.sla.keeping import LeadLocks
from domain.touches import Channel, Touch
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of
from infra.statements import arrays_of, insert_many_text

leads = table_of(Lead)
touches = table_of(Touch)
campaigns = table_of(Campaign)
opportunities = table_of(Opportunity)
credits = table_of(AttributionCredit)


@answers(LeadsWithDeals)
async def leads_with_deals(work: PostgresWork, question: LeadsWithDeals) -> tuple[UUID, ...]:
    """Return leads by id, by the index opportunities_by_lead."""
    statement = (
        sa.select(opportunities.c.lead_id)
        .where(opportunities.c.lead_id == sa.any_(_ids(question.lead_ids)))
        .distinct()
    )
    return tuple(sorted(row[0] for row in await work.rows(statement)))


@answers(OpportunityCount)
async def opportunity_count(work: PostgresWork, _: OpportunityCount) -> int:
    """Return how many opportunities the tenant has."""
    total: int = (await work.rows(sa.select(sa.func.count()).select_from(opportunities)))[0][0]
    return total


@answers(Journeys)
async def journeys(work: PostgresWork, question: Journeys) -> Sequence[Journey]:
    """Return opportunities by id, and the human touches of their leads, in two statements.

    By the indexes opportunities_by_lead and touches_by_lead; no touches are read where there is
    no opportunity.
    """
    statement = (
        sa.select(
            opportunities.c.id,
            opportunities.c.lead_id,
            opportunities.c.status,
            opportunities.c.opened_at,
            opportunities.c.closed_at,
            opportunities.c.amount_minor,
            opportunities.c.currency,
            leads.c.created_at,
        )
        .select_from(opportunities.join(leads, leads.c.id == opportunities.c.lead_id))
        .where(opportunities.c.lead_id == sa.any_(_ids(question.lead_ids)))
        .order_by(opportunities.c.id)
    )
    found = await work.rows(statement)
    steps = await _steps(work, {row[1] for row in found})
    return [
        Journey(
            opportunity_id=row[0],
            is_lost=row[2] == OpportunityStatus.LOST.value,
            milestones=Milestones(lead_created_at=row[7], deal_created_at=row[3], closed_at=row[4]),
            amount_minor=row[5],
            currency=row[6],
            steps=steps.get(row[1], ()),
        )
        for row in found
    ]


async def _steps(work: PostgresWork, lead_ids: set[UUID]) -> dict[UUID, list[Step]]:
    steps: dict[UUID, list[Step]] = {}
    if not lead_ids:
        return steps
    names = ("lead_id", "id", "occurred_at", "channel", "campaign_id", "asset_id")
    statement = sa.select(*(touches.c[name] for name in names)).where(
        touches.c.lead_id == sa.any_(_ids(sorted(lead_ids))),
        touches.c.agency == Agency.HUMAN.value,
    )
    for row in await work.rows(statement):
        step = Step(
            touch_id=row[1],
            at=row[2],
            channel=Channel(row[3]),
            campaign_id=row[4],
            asset_id=row[5],
        )
        steps.setdefault(row[0], []).append(step)
    return steps


@answers(SettleCampaigns)
async def settle_campaigns(work: PostgresWork, question: SettleCampaigns) -> None:
    """Give leads the campaign they came from; where that is another, their version goes up.

    So a copy that was read before is not saved over it; their edition stays, so that nobody's edit
    is stale for it.

    One statement where nothing changes, by the primary key of leads, touches_by_lead up to the
    first touch of a campaign, and the tenant's campaigns.  Where something does, those leads are
    locked in the order of their ids, and looked at once more.
    """
    astray = await _astray(work, question.lead_ids)
    if not astray:
        return
    locked = tuple(sorted(astray))
    await work.ask(LeadLocks(ids=locked))
    moved: dict[UUID | None, list[UUID]] = {}
    for lead_id, campaign_id in (await _astray(work, locked)).items():
        moved.setdefault(campaign_id, []).append(lead_id)
    for campaign_id, lead_ids in moved.items():
        await work.execute(
            sa.update(leads)
            .where(leads.c.id == sa.any_(_ids(lead_ids)))
            .values(
                campaign_id=campaign_id,
                version=leads.c.version + 1,
                derived=leads.c.derived + 1,
            )
        )
    # How well a lead fits may follow from its campaign: the worker scores it anew.
    if everybody := tuple(lead_id for lead_ids in moved.values() for lead_id in lead_ids):
        await work.ask(MarkDue(lead_ids=everybody, at=work.now))


async def _astray(work: PostgresWork, lead_ids: Sequence[UUID]) -> Mapping[UUID, UUID | None]:
    """Return which leads belong to another campaign than they say, and to which, if to any."""
    named = campaigns.alias("named")
    first = first_campaign(work, leads.c.id).lateral("first")
    belongs = sa.func.coalesce(named.c.id, first.c.campaign_id)
    by_code = sa.and_(
        named.c.tenant_id == work.tenant_id, named.c.code == folded(leads.c.origin_campaign)
    )
    statement = (
        sa.select(leads.c.id, belongs.label("campaign_id"))
        .select_from(leads.outerjoin(named, by_code).outerjoin(first, sa.true()))
        .where(
            leads.c.id == sa.any_(_ids(lead_ids)),
            leads.c.campaign_id.is_distinct_from(belongs),
        )
    )
    return {row[0]: row[1] for row in await work.rows(statement)}


@answers(FirstCampaigns)
async def first_campaigns(work: PostgresWork, question: FirstCampaigns) -> Mapping[UUID, UUID]:
    """Return the campaigns of leads' first human touches, by the index touches_by_lead."""
    first = first_campaign(work, leads.c.id).lateral("first")
    statement = (
        sa.select(leads.c.id, first.c.campaign_id)
        .select_from(leads.join(first, sa.true()))
        .where(leads.c.id == sa.any_(_ids(question.lead_ids)))
    )
    return {row[0]: row[1] for row in await work.rows(statement)}


def first_campaign(work: PostgresWork, lead_id: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the campaign of a lead's first human touch that has one, as a subquery."""
    return (
        sa.select(touches.c.campaign_id)
        .where(
            touches.c.tenant_id == work.tenant_id,
            touches.c.lead_id == lead_id,
            touches.c.agency == Agency.HUMAN.value,
            touches.c.campaign_id.is_not(None),
        )
        .order_by(touches.c.occurred_at, touches.c.id)
        .limit(1)
    )


def folded(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a code as campaigns keep theirs: trimmed, A-Z made a-z; see `campaign_code`."""
    return sa.func.lower(sa.collate(sa.func.btrim(column), "C"))


@answers(ForgetCredits)
async def forget_credits(work: PostgresWork, question: ForgetCredits) -> None:
    """Remove credits by their primary key, in one statement."""
    model_ids, opportunity_ids, touch_ids = zip(*question.keys, strict=True)
    names = ("model_id", "opportunity_id", "touch_id")
    gone = sa.func.unnest(_ids(model_ids), _ids(opportunity_ids), _ids(touch_ids))
    keys = gone.table_valued(*names).render_derived(name="gone")
    await work.execute(
        sa.delete(credits).where(*(credits.c[name] == keys.c[name] for name in names))
    )


@answers(StoreBuiltIns)
async def store_built_ins(work: PostgresWork, _: StoreBuiltIns) -> None:
    """Store what is missing of the built-in models; of two who do this at once one waits."""
    await work.connection.execute(
        f"{insert_many_text(AttributionModel)} ON CONFLICT DO NOTHING",
        work.tenant_id,
        *arrays_of(AttributionModel, BUILT_IN_MODELS),
    )


@answers(NextOpportunities)
async def next_opportunities(
    work: PostgresWork, question: NextOpportunities
) -> Sequence[tuple[UUID, UUID]]:
    """Return opportunities and their leads along the primary key."""
    statement = (
        sa.select(opportunities.c.id, opportunities.c.lead_id)
        .where(opportunities.c.id > question.after)
        .order_by(opportunities.c.id)
        .limit(question.limit)
    )
    return [(row[0], row[1]) for row in await work.rows(statement)]


def _ids(ids: Sequence[UUID]) -> sa.BindParameter[Any]:
    return sa.literal(list(ids), sa.ARRAY(sa.Uuid))
