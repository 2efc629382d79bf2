"""The figures of each campaign, channel, origin, content or persona, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from hashlib import sha256
from typing import Any
from uuid import UUID

from domain.attribution.models import AttributionModel
from domain.attribution.performance.terms import (
    Key,
    PerformanceBasis,
    PerformanceDimension,
    Scope,
)
from domain.paging import BadPage, Order, PageRequest, write_cursor
from domain.touches import Channel
from domain.values import Money

_RATE = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one campaign, channel, origin, content or persona, or of all together.

    Money is in minor units of `currency`; `won_deals` counts deals by their credited shares.
    Costs are a campaign's; told apart by something else they are spread over its human touches of
    the period.  They cannot be narrowed by a filter, and are then None.  By campaign nothing is
    held against them but what campaigns won: `campaignless_minor`, of so many deals, is not.
    """

    scope: Scope
    key: Key
    touches: int
    leads: int
    mqls: int
    accepted: int
    sqls: int
    pipeline_minor: int
    won_minor: int
    won_deals: Decimal
    influenced_minor: int
    all_won_minor: int
    cost_minor: int | None = None
    campaignless_minor: int = 0
    campaignless_deals: Decimal = Decimal(0)
    is_total: bool = False

    @property
    def id(self) -> UUID:
        """What tells it from all others: what was asked, and which row of the answer it is."""
        asked = self.scope
        parts = (
            *(asked.dimension, asked.model.id, asked.basis, asked.period, asked.currency),
            *(asked.filter, None if asked.campaigns is None else sorted(asked.campaigns)),
            *(self.is_total, self.key),
        )
        return UUID(bytes=sha256(repr(parts).encode()).digest()[:16])

    @property
    def campaign_id(self) -> UUID | None:
        return self._id(PerformanceDimension.CAMPAIGN)

    @property
    def asset_id(self) -> UUID | None:
        return self._id(PerformanceDimension.CONTENT)

    @property
    def persona_id(self) -> UUID | None:
        return self._id(PerformanceDimension.PERSONA)

    @property
    def channel(self) -> Channel | None:
        is_channel = self.scope.dimension is PerformanceDimension.CHANNEL
        return Channel(self.key) if is_channel and self.key is not None else None

    @property
    def origin_source(self) -> str | None:
        return self.key if self.scope.dimension is PerformanceDimension.ORIGIN else None

    @property
    def cost(self) -> Money | None:
        return None if self.cost_minor is None else Money(self.cost_minor, self.scope.currency)

    @property
    def pipeline(self) -> Money:
        return Money(self.pipeline_minor, self.scope.currency)

    @property
    def won(self) -> Money:
        return Money(self.won_minor, self.scope.currency)

    @property
    def influenced(self) -> Money:
        return Money(self.influenced_minor, self.scope.currency)

    @property
    def cac(self) -> Money | None:
        """Cost per deal won, to the minor unit, half up; None where it is unknown or none is won.

        By campaign: per deal won by campaigns.
        """
        deals = self.won_deals - self.campaignless_deals
        if self.cost_minor is None or not deals:
            return None
        cost = Decimal(self.cost_minor) / deals
        return Money(int(cost.quantize(Decimal(1), ROUND_HALF_UP)), self.scope.currency)

    @property
    def roi_rate(self) -> Decimal | None:
        """(attributed revenue - cost) / cost; None where nothing was spent.

        By campaign: of the revenue that is attributed to campaigns.
        """
        if not self.cost_minor:
            return None
        earned = self.won_minor - self.campaignless_minor
        return (Decimal(earned - self.cost_minor) / self.cost_minor).quantize(_RATE, ROUND_HALF_UP)

    @property
    def sourced_share(self) -> Decimal | None:
        """What the model credits here, of all that was won; None while nothing is."""
        return self._of_all(self.won_minor)

    @property
    def influenced_share(self) -> Decimal | None:
        """Deals with any human touch from here, of all that was won.  They may overlap."""
        return self._of_all(self.influenced_minor)

    def _id(self, dimension: PerformanceDimension) -> UUID | None:
        is_it = self.scope.dimension is dimension
        return UUID(self.key) if is_it and self.key is not None else None

    def _of_all(self, minor: int) -> Decimal | None:
        if not self.all_won_minor:
            return None
        return (Decimal(minor) / self.all_won_minor).quantize(_RATE, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Figures of a scope: a row for each key, and their total.

    The total counts every lead, deal and touch once; a lead that met several contents is in the
    row of each.
    """

    scope: Scope
    rows: Sequence[Figures]
    total: Figures

    @property
    def model(self) -> AttributionModel:
        return self.scope.model

    @property
    def basis(self) -> PerformanceBasis:
        return self.scope.basis

    @property
    def dimension(self) -> PerformanceDimension:
        return self.scope.dimension

    @property
    def currency(self) -> str:
        return self.scope.currency

    @property
    def starts_on(self) -> date:
        return self.scope.period.first

    @property
    def ends_on(self) -> date:
        return self.scope.period.end


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresPage:
    """Some rows of figures; `counting` is how many there are on all pages."""

    nodes: Sequence[Figures]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    counting: int


# By what rows can be ordered; None where a row has no such figure.
ORDERS: Mapping[str, Callable[[Figures], Decimal | int | None]] = {
    "cost": lambda row: row.cost_minor,
    "touches": lambda row: row.touches,
    "leads": lambda row: row.leads,
    "mqls": lambda row: row.mqls,
    "accepted": lambda row: row.accepted,
    "sqls": lambda row: row.sqls,
    "pipeline": lambda row: row.pipeline_minor,
    "won": lambda row: row.won_minor,
    "won_deals": lambda row: row.won_deals,
    "influenced": lambda row: row.influenced_minor,
    "cac": lambda row: None if row.cac is None else row.cac.minor,
    "roi_rate": lambda row: row.roi_rate,
}
_MOST_FRUITFUL = tuple(
    Order(name, descending=True) for name in ("won", "pipeline", "leads", "touches", "cost")
)


def in_order(rows: Sequence[Figures], orders: Sequence[Order] = ()) -> list[Figures]:
    """Return rows as they were asked for; what was won most in front where nothing was said."""
    orders = orders or _MOST_FRUITFUL
    return sorted(rows, key=lambda row: _place(_values(row, orders), row.key, orders))


def page_of_figures(
    rows: Sequence[Figures], orders: Sequence[Order], page: PageRequest
) -> FiguresPage:
    """Return a page of rows; figures that have changed since the page before move no other row.

    Raises:
        BadPage: if the cursor is of a list in another order.
    """
    orders = orders or _MOST_FRUITFUL
    ordered = in_order(rows, orders)
    kept = ordered
    if page.cursor is not None:
        at = _placed(page.cursor, orders)
        kept = [row for row in ordered if _is_beyond(row, at, orders, backward=page.backward)]
    size = page.size
    nodes = kept[max(0, len(kept) - size) :] if page.backward else kept[:size]
    came, more = page.cursor is not None, len(kept) > size
    return FiguresPage(
        nodes=nodes,
        cursors=[write_cursor([*map(_text, _values(row, orders)), row.key]) for row in nodes],
        has_next_page=came if page.backward else more,
        has_previous_page=more if page.backward else came,
        counting=len(rows),
    )


def _is_beyond(row: Figures, at: Any, orders: Sequence[Order], *, backward: bool) -> bool:
    place = _place(_values(row, orders), row.key, orders)
    return bool(place < at if backward else place > at)


def _values(row: Figures, orders: Sequence[Order]) -> list[Decimal | int | None]:
    return [ORDERS[order.field](row) for order in orders]


def _place(values: Sequence[Decimal | int | None], key: Key, orders: Sequence[Order]) -> Any:
    """Return by what rows are compared: each value, those without one at their end, the key."""
    parts = [
        (
            (value is None) is not order.nulls_first,
            0 if value is None else -value if order.descending else value,
        )
        for value, order in zip(values, orders, strict=True)
    ]
    return (*parts, key is None, key or "")


def _placed(cursor: Sequence[Any], orders: Sequence[Order]) -> Any:
    *values, key = cursor
    try:
        known = [None if value is None else Decimal(value) for value in values]
        if all(value is None or value.is_finite() for value in known) and _is_key(key):
            return _place(known, key, orders)
    except (ValueError, TypeError, InvalidOperation):
        pass
    raise BadPage("This is not a cursor of this list in this order.", path=("after",))


def _is_key(key: object) -> bool:
    return key is None or isinstance(key, str)


def _text(value: Decimal | int | None) -> str | None:
    return None if value is None else str(value)
