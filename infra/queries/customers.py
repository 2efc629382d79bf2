"""Sums of the revenue that customers bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.customers import Customer, RevenueEvent, RevenueKind
from domain.customers.figures import PeriodRevenue, RevenueIn, RevenueOf, RevenueSums
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import Amount, earliest_lacking, exchanged, local_day, missing_rate
from infra.rows import table_of

events = table_of(RevenueEvent)
customers = table_of(Customer)


@answers(RevenueOf)
async def revenue_of(work: PostgresWork, question: RevenueOf) -> Mapping[UUID, RevenueSums]:
    """Return sums by customer, in one statement by the index revenue_events_by_customer."""
    wanted = sa.literal(list(question.customer_ids), sa.ARRAY(sa.Uuid))
    amount = _amount(work, question)
    statement = (
        sa.select(events.c.customer_id, *_sums(amount), earliest_lacking(amount))
        .where(events.c.customer_id == sa.any_(wanted))
        .group_by(events.c.customer_id)
    )
    return {row[0]: _read(row[1:], question.currency) for row in await work.rows(statement)}


@answers(RevenueIn)
async def revenue_in(work: PostgresWork, question: RevenueIn) -> PeriodRevenue:
    """Return the sums before a period, in it, and in it of those who were customers before.

    One statement over all revenue up to the period's end, by revenue_events_by_instant.
    """
    is_before = (events.c.at < question.starts_at).label("is_before")
    was_customer = (customers.c.bought_at < question.starts_at).label("was_customer")
    amount = _amount(work, question)
    grouped = (
        sa.select(is_before, was_customer, *_sums(amount), earliest_lacking(amount))
        .select_from(
            events.join(
                customers,
                sa.and_(
                    customers.c.tenant_id == events.c.tenant_id,
                    customers.c.id == events.c.customer_id,
                ),
            )
        )
        .where(events.c.tenant_id == work.tenant_id, events.c.at < question.ends_at)
        .group_by(sa.text("1"), sa.text("2"))
    )
    sums = {(row[0], row[1]): _read(row[2:], question.currency) for row in await work.rows(grouped)}
    nothing = RevenueSums()
    kept = sums.get((False, True), nothing)
    return PeriodRevenue(
        before=_together(sums.get((True, True), nothing), sums.get((True, False), nothing)),
        within=_together(kept, sums.get((False, False), nothing)),
        kept=kept,
    )


def _amount(work: PostgresWork, question: RevenueOf | RevenueIn) -> Amount:
    day = local_day(events.c.at, question.time_zone)
    return Amount(
        work.tenant_id, events.c.amount_minor, events.c.currency, day, to=question.currency
    )


def _sums(amount: Amount) -> list[sa.ColumnElement[Any]]:
    total = sa.func.sum(exchanged(amount))
    kinds = (RevenueKind.NEW, RevenueKind.EXPANSION, RevenueKind.RENEWAL, RevenueKind.CHURN)
    return [sa.func.coalesce(total.filter(events.c.kind == kind.value), 0) for kind in kinds]


def _read(row: Sequence[Any], currency: str) -> RevenueSums:
    new, expansion, renewal, churn, lacking = row
    return RevenueSums(
        new=int(new),
        expansion=int(expansion),
        renewal=int(renewal),
        churn=int(churn),
        missing=missing_rate(lacking, to=currency),
    )


def _together(one: RevenueSums, other: RevenueSums) -> RevenueSums:
    missing = [each.missing for each in (one, other) if each.missing is not None]
    return RevenueSums(
        new=one.new + other.new,
        expansion=one.expansion + other.expansion,
        renewal=one.renewal + other.renewal,
        churn=one.churn + other.churn,
        missing=min(missing, key=lambda each: (each.on, each.currency), default=None),
    )
