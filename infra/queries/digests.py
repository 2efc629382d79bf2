"""What a digest tells, and who is to get one."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.digests import DigestOf, DigestSubscription, DueDigest, FeedbackDigest
from domain.handoff import Handoff, HandoffStatus
from domain.leads import Activity, ActivityKind, Agency
from domain.opportunities import Opportunity, OpportunityStep
from domain.outcomes import Outcome
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.queries.outcomes import outcome_case, touch_counts
from infra.rows import table_of

subscriptions = table_of(DigestSubscription)
handoffs = table_of(Handoff)
activities = table_of(Activity)
opportunities = table_of(Opportunity)
steps = table_of(OpportunityStep)


@answers(DueDigest)
async def due_digest(work: PostgresWork, question: DueDigest) -> DigestSubscription | None:
    """Return the subscription due first, locked, by the index digest_subscriptions_due."""
    statement = (
        rows_of(DigestSubscription)
        .where(
            subscriptions.c.next_at <= question.at,
            subscriptions.c.id != sa.all_(sa.literal(list(question.but), sa.ARRAY(sa.Uuid))),
        )
        .order_by(subscriptions.c.next_at, subscriptions.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = await work.fetch(DigestSubscription, statement)
    return found[0] if found else None


@answers(DigestOf)
async def digest_of(work: PostgresWork, question: DigestOf) -> FeedbackDigest:
    """Return a digest, in four statements.

    What happened is found by when it was recorded, because an integration may tell days later what
    came to pass: handoffs_heard, activities_by_record and opportunity_steps_by_record.  What waits
    is open, by handoffs_open_since.
    """
    outcome: Any = outcome_case(work).label("outcome")
    happened = handoffs.c.id.in_(_told_of(work, question))
    ours = _of_teams(question)
    news = rows_of(Handoff).where(happened, *ours)
    newest = news.order_by(handoffs.c.handed_off_at.desc(), handoffs.c.id.desc())
    by_outcome = sa.select(outcome, sa.func.count()).where(happened, *ours).group_by(sa.text("1"))
    waits = (
        handoffs.c.status == sa.literal_column(f"'{HandoffStatus.OPEN.value}'"),
        outcome_case(work) == Outcome.NONE.value,
        *ours,
    )
    oldest = rows_of(Handoff).where(*waits).order_by(handoffs.c.handed_off_at, handoffs.c.id)
    waiting = sa.select(sa.func.count()).select_from(handoffs).where(*waits)
    counts = {Outcome(row[0]): row[1] for row in await work.rows(by_outcome)}
    return FeedbackDigest(
        since=question.since,
        until=question.until,
        news=await work.fetch(Handoff, newest.limit(question.limit)),
        counts={outcome: counts[outcome] for outcome in Outcome if outcome in counts},
        waiting=await work.fetch(Handoff, oldest.limit(question.limit)),
        waiting_count=(await work.rows(waiting))[0][0],
    )


def _of_teams(question: DigestOf) -> list[sa.ColumnElement[bool]]:
    if not question.team_ids:
        return []
    return [
        handoffs.c.from_team_id == sa.any_(sa.literal(list(question.team_ids), sa.ARRAY(sa.Uuid)))
    ]


def _told_of(work: PostgresWork, question: DigestOf) -> sa.CompoundSelect[Any]:
    """Select the ids of hand-offs about which something happened in the time."""

    def within(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
        return sa.and_(column > question.since, column <= question.until)

    other = handoffs.alias("told_of")
    touched = (
        sa.select(other.c.id)
        .select_from(other.join(activities, activities.c.lead_id == other.c.lead_id))
        .where(
            activities.c.tenant_id == work.tenant_id,
            activities.c.agency == sa.literal_column(f"'{Agency.HUMAN.value}'"),
            activities.c.kind != sa.literal_column(f"'{ActivityKind.NOTE.value}'"),
            within(activities.c.recorded_at),
            touch_counts(work, other),
        )
    )
    answered = sa.select(other.c.id).where(within(other.c.heard_at))
    dealt = (
        sa.select(opportunities.c.handoff_id)
        .select_from(
            steps.join(
                opportunities,
                sa.and_(
                    opportunities.c.tenant_id == steps.c.tenant_id,
                    opportunities.c.id == steps.c.opportunity_id,
                ),
            )
        )
        .where(
            steps.c.tenant_id == work.tenant_id,
            opportunities.c.handoff_id.is_not(None),
            within(steps.c.recorded_at),
        )
    )
    ours = [part.where(other.c.tenant_id == work.tenant_id) for part in (touched, answered)]
    return sa.union_all(*ours, dealt)
