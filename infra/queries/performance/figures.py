"""Figures of a scope in one statement, and the pages of what is behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    Number,
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
from infra.queries.performance.met import LEAD_MEASURES, once_each, told_apart
from infra.queries.performance.source import Source

MONEY_OF_DEALS = (
    PerformanceMeasure.PIPELINE,
    PerformanceMeasure.WON,
    PerformanceMeasure.INFLUENCED,
)
_SHARES = "shares"
_EVIDENCE = ("lead_id", "touch_id", "cost_id", "opportunity_id")


@answers(Rows)
async def rows(
    work: PostgresWork, question: Rows
) -> tuple[Sequence[Figures], Figures, MissingRate | None]:
    """Return the figures of a scope by key, their total, and the first rate there is not.

    One statement: the leads that are counted are told apart together, everything else is added up
    by itself.  A period's leads, touches and deals are found by leads_by_created,
    stage_entries_by_stage, leads_by_watch, touches_by_instant, opportunities_by_status and
    _by_opened, credits by their primary key (model_id, opportunity_id, touch_id).
    """
    source = Source(work.tenant_id, question.scope)
    whole = sa.union_all(*_parts(source)).subquery("whole")
    sheet = _Sheet(question.scope)
    for row in await work.rows(sa.select(whole)):
        sheet.take(row)
    return sheet.rows(), sheet.total(), _first_missing(sheet.lacking, question.scope)


@answers(EvidenceOf)
async def evidence(work: PostgresWork, asked: EvidenceOf) -> EvidencePage:
    """Return a page of the rows behind a number, by deal, lead, touch or cost."""
    behind, is_of_key = _behind(work, asked.number)
    page = asked.page
    place = sa.tuple_(behind.c.a, behind.c.b)
    statement = sa.select(behind).where(is_of_key)
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
        missing=_first_missing([row["lacks"] for row in found if row["lacks"]], asked.number.scope),
    )


@answers(EvidenceCount)
async def evidence_count(work: PostgresWork, question: EvidenceCount) -> int:
    """Return how many rows there are behind a number."""
    behind, is_of_key = _behind(work, question.number)
    statement = sa.select(sa.func.count()).select_from(behind).where(is_of_key)
    total: int = (await work.rows(statement))[0][0]
    return total


def _behind(work: PostgresWork, number: Number) -> tuple[Any, sa.ColumnElement[bool]]:
    """Return the rows behind a number and those of other keys, and the condition of its own."""
    behind = facts(Source(work.tenant_id, number.scope), number.measure).subquery("behind")
    key: Any = behind.c.key
    if number.key is None:
        return behind, key.is_(None)
    asked = UUID(number.key) if isinstance(key.type, sa.Uuid) else number.key
    return behind, key == sa.literal(asked, key.type)


def has_costs(scope: Scope) -> bool:
    return scope.filter is None


def _parts(source: Source) -> Iterator[sa.Select[Any]]:
    """Return the aggregates of a scope, by key; those of which a total is not the sum, in all."""
    if has_costs(source.scope):
        yield _aggregate(source, PerformanceMeasure.COST)
    yield _aggregate(source, PerformanceMeasure.TOUCHES)
    yield _counted(told_apart(source, LEAD_MEASURES).subquery("keyed"))
    yield from (_aggregate(source, measure) for measure in MONEY_OF_DEALS)
    if source.dimension is PerformanceDimension.CONTENT:
        yield _counted(once_each(source, LEAD_MEASURES).subquery("once_each"), is_total=True)
    if not source.dimension.is_of_leads:
        yield _influenced_once(source)


def _aggregate(source: Source, measure: PerformanceMeasure) -> sa.Select[Any]:
    """Return the number, the sum of money and the sum of shares of a measure, by key."""
    behind = facts(source, measure).subquery(measure.lower())
    minor = sa.func.sum(behind.c.minor) if measure.is_money else None
    share = sa.func.sum(behind.c.share) if measure is PerformanceMeasure.WON else None
    lacks = sa.func.min(behind.c.lacks) if measure.is_money else None
    told = _told(sa.literal(measure.value), behind.c.key, minor=minor, share=share, lacks=lacks)
    return told.group_by(behind.c.key)


def _counted(keyed: Any, *, is_total: bool = False) -> sa.Select[Any]:
    """Return how many leads each measure counts, by key or in all."""
    if is_total:
        return _told(keyed.c.measure, None).group_by(keyed.c.measure)
    return _told(keyed.c.measure, keyed.c.key).group_by(keyed.c.measure, keyed.c.key)


def _influenced_once(source: Source) -> sa.Select[Any]:
    """Return the sum of all deals that anything influenced, each of them once."""
    behind = facts(source, PerformanceMeasure.INFLUENCED).subquery("influence")
    each = sa.select(behind.c.a, behind.c.minor)
    if source.scope.campaigns is not None:
        named = sa.literal(sorted(source.scope.campaigns), sa.ARRAY(sa.Uuid))
        each = each.where(behind.c.key == sa.any_(named))
    once = each.distinct().subquery("once")
    measure = sa.literal(PerformanceMeasure.INFLUENCED.value)
    return _told(measure, None, minor=sa.func.sum(once.c.minor)).select_from(once)


def _told(
    measure: sa.ColumnElement[Any],
    key: sa.ColumnElement[Any] | None,
    *,
    minor: sa.ColumnElement[Any] | None = None,
    share: sa.ColumnElement[Any] | None = None,
    lacks: sa.ColumnElement[Any] | None = None,
) -> sa.Select[Any]:
    """Return a SELECT of what `_Sheet` takes.  Keys become text once they are few."""
    return sa.select(
        measure.label("measure"),
        sa.cast(sa.null() if key is None else key, sa.Text).label("key"),
        sa.literal(key is None).label("is_total"),
        sa.func.count().label("number"),
        sa.cast(sa.null() if minor is None else minor, sa.Numeric).label("minor"),
        sa.cast(sa.null() if share is None else share, sa.Numeric).label("share"),
        sa.cast(sa.null() if lacks is None else lacks, sa.Text).label("lacks"),
    )


class _Sheet:
    """Figures as they come: by key, and in all where that is not the sum of the rows."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.lacking: list[str] = []
        self._book: dict[Key, dict[str, Decimal]] = {}
        self._total: dict[str, Decimal] = {}

    def take(self, row: Any) -> None:
        """Take one row of the statement."""
        measure, key, is_total, number, minor, share, lacks = row
        value = (minor or Decimal(0)) if PerformanceMeasure(measure).is_money else Decimal(number)
        place = self._total if is_total else self._book.setdefault(key, {})
        place[measure] = value
        place[_SHARES] = place.get(_SHARES, Decimal(0)) + (share or 0)
        self.lacking += [lacks] if lacks else []

    def rows(self) -> Sequence[Figures]:
        return [self._figures(key, values) for key, values in self._kept()]

    def total(self) -> Figures:
        return replace(self._figures(None, self._whole()), is_total=True)

    def _kept(self) -> Sequence[tuple[Key, Mapping[str, Decimal]]]:
        """Return the rows that are asked for: all, or those of some campaigns."""
        if self.scope.campaigns is None:
            return list(self._book.items())
        wanted = {str(campaign_id) for campaign_id in self.scope.campaigns}
        return [(key, values) for key, values in self._book.items() if key in wanted]

    def _all_won(self) -> int:
        won = PerformanceMeasure.WON.value
        return int(sum(values.get(won, Decimal(0)) for values in self._book.values()))

    def _whole(self) -> Mapping[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for _, values in self._kept():
            for name, value in values.items():
                sums[name] = sums.get(name, Decimal(0)) + value
        known = {name: value for name, value in self._total.items() if name != _SHARES}
        return {**sums, **known}

    def _campaignless(self) -> Mapping[str, Decimal]:
        """Return what no campaign brought, where it is by campaigns that rows are told apart."""
        by_campaign = self.scope.dimension is PerformanceDimension.CAMPAIGN
        return self._book.get(None, {}) if by_campaign and self.scope.campaigns is None else {}

    def _figures(self, key: Key, values: Mapping[str, Decimal]) -> Figures:
        def of(measure: PerformanceMeasure) -> int:
            return int(values.get(measure.value, 0))

        # It is in the row that has no key, and in the total.
        free = self._campaignless() if key is None else {}
        return Figures(
            scope=self.scope,
            key=key,
            touches=of(PerformanceMeasure.TOUCHES),
            leads=of(PerformanceMeasure.LEADS),
            mqls=of(PerformanceMeasure.MQLS),
            accepted=of(PerformanceMeasure.ACCEPTED),
            sqls=of(PerformanceMeasure.SQLS),
            pipeline_minor=of(PerformanceMeasure.PIPELINE),
            won_minor=of(PerformanceMeasure.WON),
            won_deals=values.get(_SHARES, Decimal(0)),
            influenced_minor=of(PerformanceMeasure.INFLUENCED),
            all_won_minor=self._all_won(),
            campaignless_minor=int(free.get(PerformanceMeasure.WON.value, 0)),
            campaignless_deals=free.get(_SHARES, Decimal(0)),
            cost_minor=of(PerformanceMeasure.COST) if has_costs(self.scope) else None,
        )


def _first_missing(lacking: Sequence[str], scope: Scope) -> MissingRate | None:
    return missing_rate(min(lacking, default=None), to=scope.currency)


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
