"""What figures are read for: by what they are told apart, which days, by which model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.attribution.models import AttributionModel
from domain.errors import Invalid
from domain.filters import Filter
from domain.values import Period

LONGEST_DAYS = 3_700


class PerformanceDimension(StrEnum):
    """By what figures are told apart."""

    CAMPAIGN = "CAMPAIGN"
    CHANNEL = "CHANNEL"
    ORIGIN = "ORIGIN"
    CONTENT = "CONTENT"
    PERSONA = "PERSONA"

    @property
    def is_of_leads(self) -> bool:
        """Whether it is the lead that has it, and so the whole deal, and not each touch."""
        return self in {PerformanceDimension.ORIGIN, PerformanceDimension.PERSONA}


class PerformanceBasis(StrEnum):
    """Which leads, touches and deals belong to a period."""

    COHORT = "COHORT"
    CLOSE = "CLOSE"


class PerformanceMeasure(StrEnum):
    """A number that has rows behind it."""

    COST = "COST"
    TOUCHES = "TOUCHES"
    LEADS = "LEADS"
    MQLS = "MQLS"
    ACCEPTED = "ACCEPTED"
    SQLS = "SQLS"
    PIPELINE = "PIPELINE"
    WON = "WON"
    INFLUENCED = "INFLUENCED"

    @property
    def is_money(self) -> bool:
        return self in {
            PerformanceMeasure.COST,
            PerformanceMeasure.PIPELINE,
            PerformanceMeasure.WON,
            PerformanceMeasure.INFLUENCED,
        }


class PerformancePeriodTooLong(Invalid):
    """More days than figures are read for at once."""

    code = "PERIOD_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(f"A period has at most {LONGEST_DAYS} days.", path=("period",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What figures are read for: the model, the days, and what they are told apart by.

    Days are those of the tenant's time zone.  Money is exchanged into one currency by the rate of
    the day: of the cost, of the close, and of `today` for deals that are open.  With `campaigns`
    there are the rows of these alone; what was won by all is what shares are of.
    """

    dimension: PerformanceDimension
    model: AttributionModel
    basis: PerformanceBasis
    period: Period
    currency: str
    time_zone: str
    today: date
    filter: Filter | None = None
    campaigns: frozenset[UUID] | None = None


# What rows are told apart by: an id, a channel or an origin; None is all that has none.
Key: TypeAlias = str | None
