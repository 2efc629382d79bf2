"""What became of hand-offs: the facts behind outcomes, and the same rule as a condition in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.handoff import Handoff, HandoffStatus
from domain.leads import Activity, ActivityKind, Agency
from domain.opportunities import Opportunity, OpportunityStatus
from domain.outcomes import FollowUp, FollowUps, HandoffsWith, Outcome
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.queries.listing import narrows
from infra.rows import table_of

handoffs = table_of(Handoff)
activities = table_of(Activity)
opportunities = table_of(Opportunity)

_LONGEST = timedelta(days=36_525)
# What each outcome without a deal says of sales' answer: by this a partial index can be used.
_STATUS = {
    Outcome.NONE: HandoffStatus.OPEN,
    Outcome.ACCEPTED: HandoffStatus.ACCEPTED,
    Outcome.REJECTED: HandoffStatus.REJECTED,
    Outcome.MERGED: HandoffStatus.MERGED,
}
# What deals say of a hand-off, the first the most.
_OF_DEALS = {
    OpportunityStatus.WON: Outcome.WON,
    OpportunityStatus.OPEN: Outcome.OPPORTUNITY,
    OpportunityStatus.LOST: Outcome.LOST,
}


@answers(FollowUps)
async def follow_ups(work: PostgresWork, question: FollowUps) -> Mapping[UUID, FollowUp]:
    """Return what happened to hand-offs, in two statements.

    By the primary key of the hand-offs, activities_by_lead and opportunities_by_handoff.
    """
    wanted = sa.literal(list(question.handoff_ids), sa.ARRAY(sa.Uuid))
    meeting = activities.c.kind == ActivityKind.MEETING.value
    counted = (
        sa.select(
            handoffs.c.id,
            sa.func.count(),
            sa.func.min(activities.c.occurred_at),
            sa.func.min(activities.c.occurred_at).filter(meeting),
        )
        .select_from(handoffs.join(activities, activities.c.lead_id == handoffs.c.lead_id))
        .where(handoffs.c.id == sa.any_(wanted), touch_counts(work, handoffs))
        .group_by(handoffs.c.id)
    )
    found = {
        row[0]: FollowUp(attempts=row[1], first_touch_at=row[2], meeting_at=row[3])
        for row in await work.rows(counted)
    }
    deals = rows_of(Opportunity).where(opportunities.c.handoff_id == sa.any_(wanted))
    for deal in await work.fetch(Opportunity, deals.order_by(opportunities.c.id)):
        if deal.handoff_id is not None:
            known = found.get(deal.handoff_id, FollowUp())
            together = (*known.opportunities, deal)
            found[deal.handoff_id] = replace(known, opportunities=together)
    return found


@narrows(HandoffsWith)
def handoffs_with(work: PostgresWork, only: HandoffsWith) -> sa.ColumnElement[bool]:
    """Return the condition of the hand-offs asked for.

    What has no feedback is open, and is read by the partial index handoffs_open_since.
    """
    conditions: list[sa.ColumnElement[bool]] = []
    if only.older_than is not None:
        at = work.now - min(only.older_than, _LONGEST)
        conditions.append(handoffs.c.handed_off_at <= at)
    if only.outcome is not None:
        if status := _STATUS.get(only.outcome):
            conditions.append(handoffs.c.status == sa.literal_column(f"'{status.value}'"))
        conditions.append(outcome_case(work) == only.outcome.value)
    return sa.and_(sa.true(), *conditions)


def outcome_case(work: PostgresWork) -> sa.ColumnElement[str]:
    """Return the outcome of a hand-off as an expression: `domain.outcomes.outcome_of` in SQL."""
    status = handoffs.c.status
    back = sa.or_(
        status == HandoffStatus.RECYCLED.value,
        handoffs.c.returned_at.is_not(None),
    )
    met = activities.c.kind == ActivityKind.MEETING.value
    without = sa.case(
        (status == HandoffStatus.REJECTED.value, Outcome.REJECTED.value),
        (status == HandoffStatus.MERGED.value, Outcome.MERGED.value),
        (back, Outcome.RECYCLED.value),
        (_was_touched(work, met), Outcome.MEETING.value),
        (_was_touched(work), Outcome.ATTEMPTED.value),
        (status == HandoffStatus.ACCEPTED.value, Outcome.ACCEPTED.value),
        else_=Outcome.NONE.value,
    )
    outcomes = {place: outcome.value for place, outcome in enumerate(_OF_DEALS.values())}
    return sa.case(outcomes, value=_best_deal(work), else_=without)


def _best_deal(work: PostgresWork) -> sa.ScalarSelect[Any]:
    """Return the place among `_OF_DEALS` of the deal that says most, NULL where there is none.

    Statuses are told apart here and not looked for: without statistics PostgreSQL would as soon
    read all deals that are won, for each hand-off, as those of the hand-off.
    """
    places = {status.value: place for place, status in enumerate(_OF_DEALS)}
    return (
        sa.select(sa.func.min(sa.case(places, value=opportunities.c.status)))
        .where(
            opportunities.c.tenant_id == work.tenant_id,
            opportunities.c.handoff_id == handoffs.c.id,
        )
        .correlate(handoffs)
        .scalar_subquery()
    )


def _was_touched(work: PostgresWork, *more: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return (
        sa.select(sa.literal(1))
        .where(
            activities.c.tenant_id == work.tenant_id,
            activities.c.lead_id == handoffs.c.lead_id,
            touch_counts(work, handoffs),
            *more,
        )
        .correlate(handoffs)
        .exists()
    )


def touch_counts(work: PostgresWork, handoff: Any) -> sa.ColumnElement[bool]:
    """Return whether an activity is a touch of a hand-off: a human one, by those who got it.

    It counts for the newest hand-off before it that no merge has ended.  What an integration
    reports is nobody's, and is taken for theirs.
    """
    merged = HandoffStatus.MERGED.value
    later = handoffs.alias("later")
    handed_on = (
        sa.select(sa.literal(1))
        .where(
            later.c.tenant_id == work.tenant_id,
            later.c.lead_id == handoff.c.lead_id,
            later.c.status != merged,
            later.c.handed_off_at > handoff.c.handed_off_at,
            later.c.handed_off_at <= activities.c.occurred_at,
        )
        .correlate(handoff, activities)
        .exists()
    )
    in_team = activities.c.team_ids.has_key(sa.cast(handoff.c.to_team_id, sa.Text))
    return sa.and_(
        activities.c.agency == Agency.HUMAN.value,
        activities.c.kind != ActivityKind.NOTE.value,
        activities.c.occurred_at >= handoff.c.handed_off_at,
        handoff.c.status != merged,
        ~handed_on,
        sa.or_(
            activities.c.user_id.is_(None),
            activities.c.user_id == handoff.c.owner_id,
            in_team,
        ),
    )
