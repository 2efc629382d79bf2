"""Sums of the revenue that customers bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.customers import RevenueEvent, RevenueKind
from domain.customers.figures import PeriodRevenue, RevenueIn, RevenueOf, RevenueSums
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import (
    Amount,
    earliest_lacking,
    exchanged,
    lacks_rate,
    local_day,
    missing_rate,
)
from infra.rows import table_of

events = table_of(RevenueEvent)

# In the order in which sums are read.
_KINDS = tuple(
    kind.value
    for kind in (RevenueKind.NEW, RevenueKind.EXPANSION, RevenueKind.RENEWAL, RevenueKind.CHURN)
)

# What comes to stand: see `domain.customers.standing`.
_SIGN = sa.case(
    (events.c.kind == RevenueKind.CHURN.value, -1),
    (events.c.kind == RevenueKind.RENEWAL.value, 0),
    else_=1,
)


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
    """Return the sums before a period and in it, and what those who had not left still bring.

    Whoever only ever paid in one currency has left when nothing of that is left, whatever remains
    by the rates of the days.  One statement over all revenue up to the period's end, by
    revenue_events_by_instant.
    """
    amount = _amount(work, question)
    # The rate of each is looked for once; pulled up, it would be for each of the sums.
    dated = (
        sa.select(
            events.c.customer_id,
            events.c.kind,
            (events.c.at < question.starts_at).label("is_before"),
            exchanged(amount).label("minor"),
            lacks_rate(amount).label("lacking"),
            events.c.currency,
            (_SIGN * events.c.amount_minor).label("own"),
        )
        .where(events.c.tenant_id == work.tenant_id, events.c.at < question.ends_at)
        .offset(0)
        .subquery("dated")
    )
    of_customers = (
        sa.select(
            *(_sum(dated.c, dated.c.is_before, kind).label(f"before_{kind}") for kind in _KINDS),
            *(_sum(dated.c, ~dated.c.is_before, kind).label(f"within_{kind}") for kind in _KINDS),
            sa.func.min(dated.c.lacking).label("lacking"),
            sa.func.count(dated.c.currency.distinct())
            .filter(dated.c.is_before)
            .label("currencies"),
            sa.func.sum(dated.c.own).filter(dated.c.is_before).label("own"),
        )
        .group_by(dated.c.customer_id)
        .subquery("of_customers")
    )
    each = of_customers.c
    opening = each.before_NEW + each.before_EXPANSION - each.before_CHURN
    kept = opening - each.within_CHURN
    more = kept + each.within_NEW + each.within_EXPANSION
    stayed = sa.and_(opening > 0, sa.or_(each.currencies > 1, each.own > 0))
    columns = (
        *(sa.func.sum(each[f"before_{kind}"]) for kind in _KINDS),
        *(sa.func.sum(each[f"within_{kind}"]) for kind in _KINDS),
        *(sa.func.sum(sa.func.greatest(part, 0)).filter(stayed) for part in (opening, kept, more)),
    )
    totals = (sa.func.coalesce(total, 0) for total in columns)
    ((*sums, lacking),) = await work.rows(sa.select(*totals, sa.func.min(each.lacking)))
    width = len(_KINDS)
    before, within = (
        _read((*sums[place : place + width], lacking), question.currency) for place in (0, width)
    )
    had, still, with_more = map(int, sums[2 * width :])
    return PeriodRevenue(before=before, within=within, had=had, kept=still, kept_and_more=with_more)


def _amount(work: PostgresWork, question: RevenueOf | RevenueIn) -> Amount:
    day = local_day(events.c.at, question.time_zone)
    return Amount(
        work.tenant_id, events.c.amount_minor, events.c.currency, day, to=question.currency
    )


def _sums(amount: Amount) -> list[sa.ColumnElement[Any]]:
    total = sa.func.sum(exchanged(amount))
    return [sa.func.coalesce(total.filter(events.c.kind == kind), 0) for kind in _KINDS]


def _sum(dated: Any, when: sa.ColumnElement[bool], kind: str) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(sa.func.sum(dated.minor).filter(when, dated.kind == kind), 0)


def _read(row: Sequence[Any], currency: str) -> RevenueSums:
    new, expansion, renewal, churn, lacking = row
    return RevenueSums(
        new=int(new),
        expansion=int(expansion),
        renewal=int(renewal),
        churn=int(churn),
        missing=missing_rate(lacking, to=currency),
    )
