"""Reads for call briefs."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.briefs import AssetsRead, BriefedAsset
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.leads import Agency
from domain.touches import Touch, TouchKind
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of

touches = table_of(Touch)
assets = table_of(ContentAsset)


@answers(AssetsRead)
async def assets_read(work: PostgresWork, question: AssetsRead) -> Sequence[BriefedAsset]:
    """Return each asset a lead has touched by hand, the latest first, by touches_by_lead."""
    last_at = sa.func.max(touches.c.occurred_at)
    statement = (
        sa.select(
            assets.c.id,
            assets.c.title,
            assets.c.kind,
            assets.c.topic,
            assets.c.journey_stage,
            sa.func.count(),
            last_at,
        )
        .select_from(sa.join(touches, assets, assets.c.id == touches.c.asset_id))
        .where(
            touches.c.lead_id == question.lead_id,
            touches.c.occurred_at <= question.until,
            touches.c.agency == Agency.HUMAN.value,
            # Who clicked an advertisement for it has not read it yet.
            touches.c.kind != TouchKind.AD_CLICK.value,
        )
        .group_by(
            assets.c.id, assets.c.title, assets.c.kind, assets.c.topic, assets.c.journey_stage
        )
        .order_by(last_at.desc(), assets.c.id)
        .limit(question.limit)
    )
    return [
        BriefedAsset(
            asset_id=row[0],
            title=row[1],
            kind=AssetKind(row[2]),
            topic=row[3],
            journey_stage=None if row[4] is None else JourneyStage(row[4]),
            times=row[5],
            last_at=row[6],
        )
        for row in await work.rows(statement)
    ]
