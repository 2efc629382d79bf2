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
    """Return the sums before a period, in it, and in it of those who brought what there was before.

    One statement over all revenue up to the period's end, by revenue_events_by_instant.
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
        )
        .group_by(dated.c.customer_id)
        .subquery("of_customers")
    )
    each = of_customers.c
    opening = each.before_NEW + each.before_EXPANSION - each.before_CHURN
    within = [sa.func.sum(each[f"within_{kind}"]) for kind in _KINDS]
    parts = (
        [sa.func.sum(each[f"before_{kind}"]) for kind in _KINDS],
        within,
        [total.filter(opening > 0) for total in within],
    )
    lost = sa.func.sum(sa.func.least(opening, each.within_CHURN)).filter(opening > 0)
    columns = (sa.func.coalesce(total, 0) for part in (*parts, [lost]) for total in part)
    ((*sums, gone, lacking),) = await work.rows(sa.select(*columns, sa.func.min(each.lacking)))
    width = len(_KINDS)
    before, came, kept = (
        _read((*sums[place : place + width], lacking), question.currency)
        for place in range(0, len(sums), width)
    )
    return PeriodRevenue(before=before, within=came, kept=kept, lost=int(gone))


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
