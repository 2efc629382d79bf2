"""Reads and set-based writes about campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.attribution.performance import CampaignsThat
from domain.campaigns import Campaign, NextStrays
from domain.leads import Lead
from domain.strays import Strays
from domain.touches import Touch
from infra.database import PostgresWork
from infra.filters import where
from infra.queries import answers
from infra.queries.attribution import folded
from infra.queries.batches import last_of_batch
from infra.rows import table_of

leads = table_of(Lead)
touches = table_of(Touch)
campaigns = table_of(Campaign)


@answers(NextStrays)
async def next_strays(work: PostgresWork, question: NextStrays) -> Strays:
    """Return what names one of some campaigns, along the primary keys of touches and leads."""
    ends = [
        await last_of_batch(work, table, after=question.after, limit=question.limit)
        for table in (touches, leads)
    ]
    last = min((end for end in ends if end is not None), default=None)
    codes = sa.literal(list(question.campaigns), sa.ARRAY(sa.Text))
    named = folded(touches.c.utm_campaign)
    stray = sa.select(touches.c.id, touches.c.lead_id, named).where(
        *_among(touches, question.after, last),
        touches.c.campaign_id.is_(None),
        named == sa.any_(codes),
    )
    origin = folded(leads.c.origin_campaign)
    naming = sa.select(leads.c.id).where(
        *_among(leads, question.after, last), origin == sa.any_(codes)
    )
    found: dict[UUID, list[UUID]] = {}
    lead_ids = {row[0] for row in await work.rows(naming)}
    for touch_id, lead_id, code in await work.rows(stray):
        found.setdefault(question.campaigns[code], []).append(touch_id)
        lead_ids |= {lead_id} - {None}
    return Strays(
        touches={campaign_id: tuple(ids) for campaign_id, ids in found.items()},
        lead_ids=tuple(sorted(lead_ids)),
        last=last,
    )


@answers(CampaignsThat)
async def campaigns_that(work: PostgresWork, question: CampaignsThat) -> frozenset[UUID]:
    """Return campaigns by a filter: the tenant's are few, and read through."""
    statement = sa.select(campaigns.c.id).where(where(question.filter, campaigns.c))
    return frozenset(row[0] for row in await work.rows(statement))


def _among(table: sa.Table, after: UUID, last: UUID | None) -> Sequence[sa.ColumnElement[bool]]:
    above = table.c.id > after
    return (above,) if last is None else (above, table.c.id <= last)
