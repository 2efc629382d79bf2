"""What came of marketing's efforts, counted in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from domain.campaigns import Campaign
from domain.efforts import CountEfforts, EffortCounts, EffortFigure, EffortKind, StarsOfAll
from domain.handoff import Handoff, HandoffStatus
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.outcomes import Outcome
from domain.ratings import Rating, StarsGiven
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import (
    Amount,
    earliest_lacking,
    exchanged,
    local_day,
    refuse_missing,
)
from infra.queries.outcomes import outcome_case
from infra.rows import table_of

handoffs = table_of(Handoff)
leads = table_of(Lead)
opportunities = table_of(Opportunity)
ratings = table_of(Rating)
campaigns = table_of(Campaign)


def _key(work: PostgresWork, by: EffortKind) -> sa.ColumnElement[Any]:
    """Return what a lead's effort is called.

    That of a campaign is the code of the one it belongs to, or what it names where there is none.
    """
    if by is EffortKind.ORIGIN:
        return leads.c.origin_source
    code = (
        sa.select(campaigns.c.code)
        .where(campaigns.c.tenant_id == work.tenant_id, campaigns.c.id == leads.c.campaign_id)
        .correlate(leads)
        .scalar_subquery()
    )
    return sa.func.coalesce(code, leads.c.origin_campaign)


@answers(CountEfforts)
async def count_efforts(work: PostgresWork, question: CountEfforts) -> Sequence[EffortCounts]:
    """Return what was counted of each effort in one statement, the best by a figure first.

    Reads the hand-offs of the time by handoffs_by_instant, and of each by index its deals, its
    ratings and, where sales has said nothing, its touches.  What a merge ended is left out.
    Won amounts go by the rate of the day of closing, by exchange_rates_day.
    """
    each = _handoffs(work, question).cte("each_handoff")
    total = sa.select(
        each.c.key,
        sa.func.count().label("handed_off"),
        sa.func.count().filter(each.c.outcome != Outcome.NONE.value).label("with_feedback"),
        sa.func.count().filter(each.c.status != HandoffStatus.OPEN.value).label("decided"),
        sa.func.count().filter(each.c.status == HandoffStatus.ACCEPTED.value).label("accepted"),
        *(_sum(each.c[name]) for name in ("won", "revenue", "raters", "stars")),
        sa.func.min(each.c.lacking).label("lacking"),
    )
    totals = total.group_by(each.c.key).cte("totals")
    statement = _with_campaigns(work, totals, question)
    rows = await work.rows(statement)
    # Of all efforts, not only of those shown: without a rate nobody can say which come first.
    refuse_missing(rows[0][12] if rows else None, to=question.currency)
    return [_counts(row) for row in rows]


@answers(StarsOfAll)
async def stars_of_all(work: PostgresWork, question: StarsOfAll) -> tuple[StarsGiven, StarsGiven]:
    """Return all stars for campaigns and for leads, in one statement."""
    of_campaign: Any = ratings.c.campaign_id.is_not(None)
    statement = sa.select(of_campaign, sa.func.count(), sa.func.sum(ratings.c.stars)).group_by(
        sa.text("1")
    )
    found = {
        row[0]: StarsGiven(count=row[1], stars=int(row[2])) for row in await work.rows(statement)
    }
    return found.get(True, StarsGiven()), found.get(False, StarsGiven())


def _handoffs(work: PostgresWork, question: CountEfforts) -> sa.Select[Any]:
    """Select a row for each hand-off with its key, its outcome, its deals and its ratings."""
    deals = _deals_of(work, question)
    rated = _ratings_of(work)
    statement = (
        sa.select(
            _key(work, question.by).label("key"),
            handoffs.c.status,
            outcome_case(work).label("outcome"),
            *(deals.c[name] for name in ("won", "revenue", "lacking")),
            *(rated.c[name] for name in ("raters", "stars")),
        )
        .select_from(
            handoffs.join(
                leads,
                sa.and_(
                    leads.c.tenant_id == handoffs.c.tenant_id, leads.c.id == handoffs.c.lead_id
                ),
            )
            .join(deals, sa.true())
            .join(rated, sa.true())
        )
        .where(
            handoffs.c.tenant_id == work.tenant_id,
            # Of a person who had been handed off already nothing came but that.
            handoffs.c.status != HandoffStatus.MERGED.value,
        )
    )
    if question.since is not None:
        statement = statement.where(handoffs.c.handed_off_at >= question.since)
    if question.until is not None:
        statement = statement.where(handoffs.c.handed_off_at < question.until)
    return statement


def _deals_of(work: PostgresWork, question: CountEfforts) -> Any:
    amount = Amount(
        work.tenant_id,
        opportunities.c.amount_minor,
        opportunities.c.currency,
        local_day(opportunities.c.closed_at, question.time_zone),
        to=question.currency,
    )
    # Told apart here and not looked for, as in `infra.queries.outcomes`.
    won: Any = opportunities.c.status == OpportunityStatus.WON.value
    return (
        sa.select(
            sa.func.count().filter(won).label("won"),
            sa.func.coalesce(sa.func.sum(exchanged(amount)).filter(won), 0).label("revenue"),
            earliest_lacking(amount).filter(won).label("lacking"),
        )
        .where(
            opportunities.c.tenant_id == work.tenant_id,
            opportunities.c.handoff_id == handoffs.c.id,
        )
        .correlate(handoffs)
        .lateral("deals")
    )


def _ratings_of(work: PostgresWork) -> Any:
    return (
        sa.select(sa.func.count().label("raters"), _sum(ratings.c.stars))
        .where(ratings.c.tenant_id == work.tenant_id, ratings.c.handoff_id == handoffs.c.id)
        .correlate(handoffs)
        .lateral("rated")
    )


def _with_campaigns(work: PostgresWork, totals: sa.CTE, question: CountEfforts) -> sa.Select[Any]:
    """Select totals with their campaign's stars, ordered and cut off."""
    stars = (
        sa.select(
            sa.func.count().label("campaign_raters"),
            _sum(ratings.c.stars, name="campaign_stars"),
        )
        .where(ratings.c.tenant_id == work.tenant_id, ratings.c.campaign_id == campaigns.c.id)
        .correlate(campaigns)
        .lateral("campaign_rated")
    )
    is_campaign = sa.literal(question.by is EffortKind.CAMPAIGN)
    on = sa.and_(
        campaigns.c.tenant_id == work.tenant_id, campaigns.c.code == totals.c.key, is_campaign
    )
    joined = totals.outerjoin(campaigns, on).outerjoin(stars, sa.true())
    figure = _figure(question.order, totals, stars)
    order = figure.desc() if question.descending else figure.asc()
    lacking = sa.func.min(totals.c.lacking).over().label("lacking")
    counted = (column for column in totals.c if column.name != "lacking")
    rated = (stars.c.campaign_raters, stars.c.campaign_stars)
    columns = (*counted, campaigns.c.id, *rated, lacking)
    # As a subquery, because the restriction to the tenant would undo the outer join.
    found = (
        sa.select(
            *columns, sa.func.row_number().over(order_by=_places(order, totals)).label("row_place")
        )
        .select_from(joined)
        .subquery("found")
    )
    return sa.select(found).where(found.c.row_place <= question.limit).order_by(found.c.row_place)


def _places(order: Any, totals: sa.CTE) -> list[Any]:
    return [order.nulls_last(), totals.c.handed_off.desc(), totals.c.key.nulls_last()]


def _figure(order: EffortFigure, totals: sa.CTE, stars: Any) -> sa.ColumnElement[Any]:
    def share(part: Any, whole: Any) -> sa.ColumnElement[Any]:
        return sa.cast(part, sa.Numeric) / sa.func.nullif(whole, 0)

    figures: Mapping[EffortFigure, sa.ColumnElement[Any]] = {
        EffortFigure.HANDED_OFF: totals.c.handed_off,
        EffortFigure.ACCEPTED_SHARE: share(totals.c.accepted, totals.c.decided),
        EffortFigure.FEEDBACK_SHARE: share(totals.c.with_feedback, totals.c.handed_off),
        EffortFigure.WON: totals.c.won,
        EffortFigure.REVENUE: totals.c.revenue,
        EffortFigure.CAMPAIGN_RATING: share(stars.c.campaign_stars, stars.c.campaign_raters),
        EffortFigure.LEAD_RATING: share(totals.c.stars, totals.c.raters),
    }
    return figures[order]


def _sum(column: Any, *, name: str | None = None) -> sa.ColumnElement[Any]:
    named: str = name or column.name
    return sa.func.coalesce(sa.func.sum(column), 0).label(named)


def _counts(row: Sequence[Any]) -> EffortCounts:
    return EffortCounts(
        key=row[0],
        handed_off=row[1],
        with_feedback=row[2],
        decided=row[3],
        accepted=row[4],
        won=int(row[5]),
        revenue=int(row[6]),
        lead_stars=StarsGiven(count=int(row[7]), stars=int(row[8])),
        campaign_id=row[9],
        campaign_stars=StarsGiven(count=row[10] or 0, stars=int(row[11] or 0)),
    )
