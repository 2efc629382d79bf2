from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.funnel import Clockwork, Conversion, conversion
from domain.funnel.report import clockwork
from domain.sla.calendar import DayOverride, WorkingHours
from tests.world import OFFICE

D = Decimal
DUBLIN = WorkingHours("Europe/Dublin", OFFICE, (DayOverride(datetime(2026, 3, 17).date()),))  # noqa: DTZ001  # a day
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reached", "of", "low", "high"),
    [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_intervals_are_those_that_newcombe_published(
    reached: int, of: int, low: str, high: str
) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), method 3."""
    found = conversion(reached, of, confidence=D("0.95"))

    assert (round(found.low, 4), round(found.high, 4)) == (D(low), D(high))
    assert found.rate == round(D(reached) / of, 6)


def test_of_nobody_nothing_is_known() -> None:
    assert conversion(0, 0, confidence=D("0.95")) == Conversion(
        of=0, rate=None, low=D(0), high=D(1)
    )


def test_more_confidence_takes_a_wider_interval() -> None:
    narrow, wide = (conversion(30, 100, confidence=D(c)) for c in ("0.8", "0.99"))

    assert wide.low < narrow.low < D("0.3") < narrow.high < wide.high


CLOCKWORK = clockwork(DUBLIN, 2025, 2027)


def worked(at: datetime, laid_out: Clockwork) -> timedelta:
    """Read a clockwork as the database does."""
    micros = (at - EPOCH) // timedelta(microseconds=1)
    place = bisect_right(laid_out.opens, micros) - 1
    past = min(micros - laid_out.opens[place], laid_out.lengths[place])
    return timedelta(microseconds=laid_out.worked[place] + past)


@given(
    st.datetimes(datetime(2025, 1, 3), datetime(2027, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # zoned there
    st.datetimes(datetime(2025, 1, 3), datetime(2027, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # zoned there
)
def test_a_clockwork_tells_the_calendars_time(one: datetime, other: datetime) -> None:
    assert worked(other, CLOCKWORK) - worked(one, CLOCKWORK) == DUBLIN.between(one, other)
