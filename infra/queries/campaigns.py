"""Reads and set-based writes about campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.attribution.performance import CampaignsThat
from domain.campaigns import AdoptTouches, Campaign, NextStrays, Strays
from domain.leads import Lead
from domain.touches import Touch
from infra.database import PostgresWork
from infra.filters import where
from infra.queries import answers
from infra.queries.attribution import folded
from infra.rows import table_of

leads = table_of(Lead)
touches = table_of(Touch)
campaigns = table_of(Campaign)

_ADOPT = """
UPDATE touches t SET campaign_id = l.campaign_id, version = t.version + 1
FROM (
  SELECT m.id, m.campaign_id FROM unnest($2::uuid[], $3::uuid[]) AS m(id, campaign_id)
  JOIN touches o ON o.tenant_id = $1 AND o.id = m.id
  WHERE o.campaign_id IS NULL ORDER BY m.id FOR NO KEY UPDATE OF o
) l
WHERE t.tenant_id = $1 AND t.id = l.id RETURNING t.lead_id
"""


@answers(NextStrays)
async def next_strays(work: PostgresWork, question: NextStrays) -> Strays:
    """Return what names one of some campaigns, along the primary keys of touches and leads."""
    ends = [await _last_of(work, table, question) for table in (touches, leads)]
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


@answers(AdoptTouches)
async def adopt_touches(work: PostgresWork, question: AdoptTouches) -> frozenset[UUID]:
    """Give touches their campaigns in one statement, by the primary key."""
    pairs = [(id, campaign_id) for campaign_id, ids in question.touches.items() for id in ids]
    ids, campaign_ids = zip(*pairs, strict=True)
    rows = await work.connection.fetch(_ADOPT, work.tenant_id, list(ids), list(campaign_ids))
    return frozenset(row[0] for row in rows if row[0] is not None)


async def _last_of(work: PostgresWork, table: sa.Table, question: NextStrays) -> UUID | None:
    """Return the last row of a table's next batch, None if it is the last batch."""
    statement = (
        sa.select(table.c.id)
        .where(table.c.id > question.after)
        .order_by(table.c.id)
        .offset(question.limit - 1)
        .limit(1)
    )
    rows = await work.rows(statement)
    return rows[0][0] if rows else None


def _among(table: sa.Table, after: UUID, last: UUID | None) -> Sequence[sa.ColumnElement[bool]]:
    above = table.c.id > after
    return (above,) if last is None else (above, table.c.id <= last)
