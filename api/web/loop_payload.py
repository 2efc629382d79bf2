"""What the closed-loop page is drawn from: the answer of the `closedLoop` subscription, typed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from api.web.payload import Amount


class Window(StrEnum):
    """How far back the page goes."""

    LAST_30_DAYS = "LAST_30_DAYS"
    LAST_90_DAYS = "LAST_90_DAYS"
    LAST_12_MONTHS = "LAST_12_MONTHS"


class Model(StrEnum):
    """By which rule deals are credited to campaigns."""

    FIRST = "FIRST"
    LAST = "LAST"
    LAST_NON_DIRECT = "LAST_NON_DIRECT"
    LINEAR = "LINEAR"
    U_FIRST_LEAD = "U_FIRST_LEAD"
    U_FIRST_LAST = "U_FIRST_LAST"
    W_SHAPED = "W_SHAPED"
    FULL_PATH = "FULL_PATH"
    TIME_DECAY = "TIME_DECAY"


class StageName(StrEnum):
    """The stages of the funnel."""

    VISITOR = "VISITOR"
    PROSPECT = "PROSPECT"
    LEAD = "LEAD"
    MQL = "MQL"
    SAL = "SAL"
    SQL = "SQL"
    OPPORTUNITY = "OPPORTUNITY"
    CUSTOMER = "CUSTOMER"
    ADVOCATE = "ADVOCATE"


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Conversion(_View, frozen=True):
    """The share that came from one stage to another, and between what it may lie."""

    rate: Decimal | None = None
    of: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)


class Time(_View, frozen=True):
    """How long half of so many leads took at most."""

    leads: int
    p50: timedelta


class Stage(_View, frozen=True):
    """One stage of the funnel."""

    stage: StageName
    reached: int
    from_first: Conversion
    from_previous: Conversion | None = None
    time: Time | None = None


class Effort(_View, frozen=True):
    """What came of one source and campaign."""

    source: str
    leads: int
    mqls: int
    sqls: int
    opportunities: int
    won: int
    revenue: Amount
    campaign: str | None = None
    foreign: int = 0


class Campaign(_View, frozen=True):
    """What one campaign cost and brought, or several together."""

    cost: Amount
    touches: int
    leads: int
    mqls: int
    accepted: int
    sqls: int
    pipeline: Amount
    won: Amount
    won_deals: Decimal
    name: str | None = None
    cac: Amount | None = None
    roi_rate: Decimal | None = None


class MissingRate(_View, frozen=True):
    """The rate without which nothing can be added up."""

    currency: str
    to: str
    on: date


class Campaigns(_View, frozen=True):
    """What campaigns are worth under one model."""

    model: Model
    lines: tuple[Campaign, ...] = ()
    others: Campaign | None = None
    without: Campaign | None = None
    total: Campaign | None = None
    missing: MissingRate | None = None


class Span(_View, frozen=True):
    """What came in some days."""

    starts_on: date
    last_on: date
    new: Amount
    again: Amount
    lost: Amount

    @property
    def total(self) -> Decimal:
        return self.new.amount + self.again.amount


class Loop(_View, frozen=True):
    """Everything on the page at one instant."""

    as_of: datetime
    tenant_name: str
    time_zone: str
    window: Window
    starts_on: date
    last_on: date
    leads: int
    open: int
    stages: tuple[Stage, ...]
    efforts: tuple[Effort, ...]
    campaigns: Campaigns
    spans: tuple[Span, ...]
    revenue: Amount
    won: int
    foreign: int


def loop_of(snapshot: object) -> Loop:
    """Return the typed picture for the plain value of the GraphQL field `closedLoop`."""
    return msgspec.convert(snapshot, Loop)
