"""Reads about agreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from domain.handoff import Handoff
from domain.sla.agreeing import AgreementsAround
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.clocks import SlaTally
from domain.sla.signing import HandedOffByDay, HasJudged, SignedAgreements, UnjudgedHandoffs
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

slas = table_of(Sla)
commitments = table_of(Commitment)
tallies = table_of(SlaTally)
handoffs = table_of(Handoff)

# No time zone is further than this from UTC.
_A_DAY = timedelta(days=1)


@answers(AgreementsAround)
async def agreements_around(work: PostgresWork, question: AgreementsAround) -> Sequence[Sla]:
    """Return signed agreements that had taken effect and not ceased, oldest first.

    Whether their period holds the instant is judged by the day in UTC, give or take one.  Uses the
    index slas_by_team (sales_team_id, starts_on).
    """
    # The first and the last day there are have a neighbour on one side only.
    day = min(max(question.at.date(), date.min + _A_DAY), date.max - _A_DAY)
    statement = _signed().where(
        slas.c.sales_team_id == question.sales_team_id,
        slas.c.starts_on <= day + _A_DAY,
        slas.c.ends_on >= day - _A_DAY,
        slas.c.effective_at <= question.at,
        sa.or_(slas.c.ceased_at.is_(None), slas.c.ceased_at > question.at),
    )
    if question.marketing_team_id is not None:
        statement = statement.where(slas.c.marketing_team_id == question.marketing_team_id)
    return await work.fetch(Sla, statement)


@answers(SignedAgreements)
async def signed_agreements(work: PostgresWork, question: SignedAgreements) -> Sequence[Sla]:
    """Return signed agreements of two teams that share a day with a period, oldest first.

    Uses the index slas_by_team (sales_team_id, starts_on).
    """
    statement = _signed().where(
        slas.c.sales_team_id == question.sales_team_id,
        slas.c.marketing_team_id == question.marketing_team_id,
        slas.c.starts_on < question.period.end,
        slas.c.ends_on > question.period.first,
    )
    return await work.fetch(Sla, statement)


@answers(HasJudged)
async def has_judged(work: PostgresWork, question: HasJudged) -> bool:
    """Say whether anything was counted under an agreement, by the primary key of its tallies."""
    statement = (
        sa.select(sa.literal(1))
        .select_from(commitments.join(tallies, tallies.c.commitment_id == commitments.c.id))
        .where(commitments.c.sla_id == question.sla_id)
        .limit(1)
    )
    return bool(await work.rows(statement))


@answers(UnjudgedHandoffs)
async def unjudged_handoffs(work: PostgresWork, question: UnjudgedHandoffs) -> Sequence[Handoff]:
    """Return hand-offs without an agreement, oldest first, by the index handoffs_by_instant."""
    statement = (
        rows_of(Handoff)
        .where(
            handoffs.c.sla_id.is_(None),
            handoffs.c.from_team_id == question.marketing_team_id,
            handoffs.c.to_team_id == question.sales_team_id,
            handoffs.c.handed_off_at >= question.since,
            handoffs.c.handed_off_at < question.until,
        )
        .order_by(handoffs.c.handed_off_at, handoffs.c.id)
        .limit(question.limit)
    )
    if question.after is not None:
        place = sa.tuple_(handoffs.c.handed_off_at, handoffs.c.id)
        statement = statement.where(place > sa.tuple_(*question.after))
    return await work.fetch(Handoff, statement)


@answers(HandedOffByDay)
async def handed_off_by_day(work: PostgresWork, question: HandedOffByDay) -> Mapping[date, int]:
    """Return how many hand-offs were counted on each day, by the primary key of the tallies."""
    delivery = commitments.join(slas, slas.c.id == commitments.c.sla_id)
    statement = (
        sa.select(tallies.c.on, sa.func.sum(tallies.c.handed_off))
        .select_from(delivery.join(tallies, tallies.c.commitment_id == commitments.c.id))
        .where(
            slas.c.sales_team_id == question.sales_team_id,
            slas.c.marketing_team_id == question.marketing_team_id,
            commitments.c.kind == CommitmentKind.DELIVERY.value,
            tallies.c.on >= question.period.first,
            tallies.c.on < question.period.end,
        )
        .group_by(tallies.c.on)
    )
    return {row[0]: int(row[1]) for row in await work.rows(statement)}


def _signed() -> sa.Select[Any]:
    return (
        rows_of(Sla)
        .where(slas.c.marketing_signed_at.is_not(None), slas.c.sales_signed_at.is_not(None))
        .order_by(slas.c.starts_on, slas.c.id)
    )
