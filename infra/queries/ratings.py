"""Reads about ratings."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from domain.ratings import Rating, StarsGiven, StarsOf
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of

ratings = table_of(Rating)


@answers(StarsOf)
async def stars_of(work: PostgresWork, question: StarsOf) -> Mapping[UUID | None, StarsGiven]:
    """Return the stars of campaigns, by the index ratings_by_campaign; under None those of all."""
    wanted = sa.literal(list(question.campaign_ids), sa.ARRAY(sa.Uuid))
    of_campaign = sa.case((ratings.c.campaign_id == sa.any_(wanted), ratings.c.campaign_id))
    statement = (
        sa.select(of_campaign, sa.func.count(), sa.func.sum(ratings.c.stars))
        .where(ratings.c.campaign_id.is_not(None))
        .group_by(sa.text("1"))
    )
    found: dict[UUID | None, StarsGiven] = {}
    count = stars = 0
    for campaign_id, number, given in await work.rows(statement):
        count, stars = count + number, stars + int(given)
        if campaign_id is not None:
            found[campaign_id] = StarsGiven(count=number, stars=int(given))
    return {**found, None: StarsGiven(count=count, stars=stars)}
