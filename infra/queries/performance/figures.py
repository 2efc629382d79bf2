"""Figures of a scope in one statement, and the pages of what is behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.attribution.performance import (
    EvidenceCount,
    EvidenceOf,
    EvidencePage,
    EvidenceRow,
    Figures,
    Key,
    PerformanceDimension,
    PerformanceMeasure,
    Rows,
    Scope,
)
from domain.exchange import MissingRate
from domain.paging import BadPage, write_cursor
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import missing_rate
from infra.queries.performance.facts import facts

_EVIDENCE = ("lead_id", "touch_id", "cost_id", "opportunity_id")


@answers(Rows)
async def rows(
    work: PostgresWork, question: Rows
) -> tuple[Sequence[Figures], Figures, MissingRate | None]:
    """Return the figures of a scope by key, their total, and the first rate there is not.

    One statement, of one aggregate for each measure.  A period's leads, touches and deals are
    found by leads_by_created, stage_entries_by_stage, opportunities_by_status and _by_opened,
    credits by their primary key (model_id, opportunity_id, touch_id).
    """
    scope = question.scope
    parts = [_aggregate(work, scope, measure) for measure in _measures(scope)]
    whole = sa.union_all(*parts).subquery("whole")
    book: dict[Key, dict[PerformanceMeasure, Any]] = {}
    total: dict[PerformanceMeasure, Any] = {}
    lacking: list[str] = []
    for name, key, is_total, *values, lacks in await work.rows(sa.select(whole)):
        place = total if is_total else book.setdefault(key, {})
        place[PerformanceMeasure(name)] = values
        lacking += [lacks] if lacks else []
    all_won = int(_value(total, PerformanceMeasure.WON, 1))
    found = [_figures(scope, key, values, all_won) for key, values in book.items()]
    missing = missing_rate(min(lacking, default=None), to=scope.currency)
    return found, _figures(scope, None, total, all_won), missing


@answers(EvidenceOf)
async def evidence(work: PostgresWork, asked: EvidenceOf) -> EvidencePage:
    """Return a page of the rows behind a number, by deal, lead, touch or cost."""
    behind = facts(work.tenant_id, asked.number.scope, asked.number.measure).subquery("behind")
    page = asked.page
    place = sa.tuple_(behind.c.a, behind.c.b)
    statement = sa.select(behind).where(behind.c.key.is_not_distinct_from(asked.number.key))
    if page.cursor is not None:
        cursor = sa.tuple_(*(sa.literal(id, sa.Uuid) for id in _ids_in(page.cursor)))
        statement = statement.where(place < cursor if page.backward else place > cursor)
    order = [column.desc() if page.backward else column for column in (behind.c.a, behind.c.b)]
    found: list[Any] = list(await work.rows(statement.order_by(*order).limit(page.size + 1)))
    more, found = len(found) > page.size, found[: page.size]
    if page.backward:
        found.reverse()
    came = page.cursor is not None
    return EvidencePage(
        nodes=[_evidence(row, asked) for row in found],
        cursors=[write_cursor([row["a"].hex, row["b"].hex]) for row in found],
        has_next_page=came if page.backward else more,
        has_previous_page=more if page.backward else came,
        counting=EvidenceCount(number=asked.number),
    )


@answers(EvidenceCount)
async def evidence_count(work: PostgresWork, question: EvidenceCount) -> int:
    """Return how many rows there are behind a number."""
    number = question.number
    behind = facts(work.tenant_id, number.scope, number.measure).subquery("behind")
    statement = sa.select(sa.func.count()).where(behind.c.key.is_not_distinct_from(number.key))
    total: int = (await work.rows(statement))[0][0]
    return total


def _measures(scope: Scope) -> Sequence[PerformanceMeasure]:
    costs = scope.filter is None
    return [
        measure for measure in PerformanceMeasure if costs or measure is not PerformanceMeasure.COST
    ]


def _aggregate(work: PostgresWork, scope: Scope, measure: PerformanceMeasure) -> sa.Select[Any]:
    """Return the number, the sum of money and the sum of shares of a measure, by key and in all.

    Whoever is in several rows counts once in the total.
    """
    behind = facts(work.tenant_id, scope, measure).subquery(measure.lower())
    of_key = behind.c.key
    number = sa.func.count()
    if scope.dimension is PerformanceDimension.CONTENT and not measure.is_money:
        number = sa.func.count(behind.c.a.distinct())
    minor: sa.ColumnElement[Any] = sa.func.sum(behind.c.minor)
    total = sa.func.grouping(of_key) == 1
    if measure is PerformanceMeasure.INFLUENCED:
        minor = sa.case((total, _once(work, scope)), else_=minor)
    return sa.select(
        sa.literal(measure.value).label("measure"),
        of_key.label("key"),
        total.label("is_total"),
        number.label("number"),
        minor.label("minor"),
        sa.func.sum(behind.c.share).label("share"),
        sa.func.min(behind.c.lacks).label("lacks"),
    ).group_by(sa.func.grouping_sets(sa.tuple_(of_key), sa.tuple_()))


def _once(work: PostgresWork, scope: Scope) -> sa.ScalarSelect[Any]:
    """Return the sum of all deals that anything influenced, each of them once."""
    behind = facts(work.tenant_id, scope, PerformanceMeasure.INFLUENCED).subquery("influence")
    once = sa.select(behind.c.a, behind.c.minor).distinct().subquery("once")
    return sa.select(sa.func.sum(once.c.minor)).scalar_subquery()


def _figures(
    scope: Scope, key: Key, values: Mapping[PerformanceMeasure, Sequence[Any]], all_won: int
) -> Figures:
    cost = None
    if PerformanceMeasure.COST in _measures(scope):
        cost = int(_value(values, PerformanceMeasure.COST, 1))
    return Figures(
        scope=scope,
        key=key,
        touches=int(_value(values, PerformanceMeasure.TOUCHES, 0)),
        leads=int(_value(values, PerformanceMeasure.LEADS, 0)),
        mqls=int(_value(values, PerformanceMeasure.MQLS, 0)),
        accepted=int(_value(values, PerformanceMeasure.ACCEPTED, 0)),
        sqls=int(_value(values, PerformanceMeasure.SQLS, 0)),
        pipeline_minor=int(_value(values, PerformanceMeasure.PIPELINE, 1)),
        won_minor=int(_value(values, PerformanceMeasure.WON, 1)),
        won_deals=Decimal(_value(values, PerformanceMeasure.WON, 2)),
        influenced_minor=int(_value(values, PerformanceMeasure.INFLUENCED, 1)),
        all_won_minor=all_won,
        cost_minor=cost,
    )


def _value(
    values: Mapping[PerformanceMeasure, Sequence[Any]], measure: PerformanceMeasure, place: int
) -> Any:
    """Return a measure's number (0), money (1) or shares (2); 0 where there is none."""
    return (values.get(measure) or (0, 0, 0))[place] or 0


def _evidence(row: Any, asked: EvidenceOf) -> EvidenceRow:
    return EvidenceRow(
        measure=asked.number.measure,
        currency=asked.number.scope.currency,
        amount_minor=None if row["minor"] is None else int(row["minor"]),
        credited_share=row["share"],
        **{name: row[name] for name in _EVIDENCE},
    )


def _ids_in(cursor: Sequence[Any]) -> Sequence[UUID]:
    try:
        a, b = (UUID(hex=text) for text in cursor)
    except (ValueError, AttributeError, TypeError) as error:
        raise BadPage("This is not a cursor of this list.", path=("after",)) from error
    return a, b
