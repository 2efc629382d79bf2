"""Pacing: ahead or behind, and how sure that is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.sla.calendar import DayOverride, Window, WorkingHours, always_open
from domain.sla.pacing import (
    Bands,
    Pace,
    PaceReading,
    day_share,
    learn_weekday_weights,
    pace,
    weights,
)
from domain.values import Period

D = Decimal
MARCH = Period.month(2026, 3)
office = WorkingHours("UTC", tuple(Window(day, 540, 1020) for day in range(5)))


def day(of_march: int) -> date:
    return date(2026, 3, of_march)


def march(attained: int | Decimal, on: int, **others: Any) -> PaceReading:
    given = {"target": D(1000), "period": MARCH, "hours": office, **others}
    return pace(attained=D(attained), on=day(on), **given)


def test_the_vector_of_the_specification():
    assert march(310, 11) == PaceReading(
        pace=Pace.BEHIND,
        target=D(1000),
        attained=D(310),
        expected=D("363.64"),
        gap=D("-53.64"),
        projected=D("852.50"),
        needed_per_day=D("49.29"),
        remaining_days=14,
        elapsed_weight=D(8),
        total_weight=D(22),
        probability=D("0.0002"),
        total_p10=D(804),
        total_p90=D(903),
    )


@pytest.mark.parametrize(
    ("attained", "on", "verdict"),
    [
        (382, 11, Pace.AHEAD),  # 5 % above 363.64
        (381, 11, Pace.ON_TRACK),
        (364, 11, Pace.ON_TRACK),
        (363, 11, Pace.AT_RISK),  # projected 998.25
        (328, 11, Pace.AT_RISK),  # projected 902
        (327, 11, Pace.BEHIND),  # projected 899.25
        (1000, 11, Pace.MET),
        (999, 30, Pace.ON_TRACK),
        (999, 31, Pace.MISSED),
        (1000, 31, Pace.MET),
    ],
)
def test_each_verdict_begins_at_its_band(attained, on, verdict):
    assert march(attained, on).pace is verdict


def test_exactly_on_the_line_is_on_track_though_the_rate_has_no_end_in_decimals():
    thirds = Period(day(2), day(31))  # 21 working days, 7 of them gone

    told = pace(target=D(30), attained=D(10), period=thirds, on=day(10), hours=office)

    assert (told.pace, told.projected, told.gap) == (Pace.ON_TRACK, D(30), D(0))


def test_the_bands_are_settings():
    generous = Bands(ahead=D("0"), on_track=D("0.85"), at_risk=D("0.5"))

    assert march(310, 11, bands=generous).pace is Pace.ON_TRACK
    assert march(364, 11, bands=generous).pace is Pace.AHEAD
    with pytest.raises(ValueError, match="overlap"):
        Bands(on_track=D("0.8"))


def test_before_the_period_nothing_is_expected_and_the_promise_is_taken_at_its_word():
    told = pace(target=D(220), attained=D(0), period=MARCH, on=date(2026, 2, 27), hours=office)

    assert (told.pace, told.expected, told.projected) == (Pace.NOT_STARTED, D(0), D(220))
    assert (told.needed_per_day, told.remaining_days) == (D(10), 22)


def test_a_period_that_begins_on_a_weekend_is_on_track_until_its_first_working_day():
    told = march(0, 1)

    assert (told.pace, told.expected, told.projected) == (Pace.ON_TRACK, D(0), D(1000))
    assert march(1, 1).pace is Pace.AHEAD


def test_expectation_grows_through_the_working_day():
    noon = datetime(2026, 3, 12, 13, tzinfo=UTC)
    told = march(310, 12, share_of_day=day_share(office, noon, zone="UTC"))

    assert told.elapsed_weight == D("8.5")
    assert (told.expected, told.remaining_days) == (D("386.36"), 14)


@pytest.mark.parametrize(
    ("hours", "moment", "passed"),
    [
        (office, datetime(2026, 3, 12, 8, tzinfo=UTC), D(0)),
        (office, datetime(2026, 3, 12, 13, tzinfo=UTC), D("0.5")),
        (office, datetime(2026, 3, 12, 20, tzinfo=UTC), D(1)),
        (office, datetime(2026, 3, 14, 6, tzinfo=UTC), D("0.25")),  # a Saturday
        (always_open("Europe/Berlin"), datetime(2026, 3, 29, 0, tzinfo=UTC), D(1) / 23),
    ],
)
def test_the_share_of_a_day_is_that_of_its_open_time(hours, moment, passed):
    assert day_share(hours, moment, zone=hours.time_zone) == passed


def test_the_last_day_is_not_over_at_closing_time():
    closed = march(999, 31, share_of_day=D(1))

    assert (closed.pace, closed.needed_per_day, closed.remaining_days) == (Pace.AT_RISK, None, 0)
    assert march(999, 31).pace is Pace.MISSED


def test_early_on_the_promise_speaks_as_well_as_the_first_days():
    """Two days at 90 where 45.45 was promised: three more are taken to go as promised."""
    told = march(180, 3)

    assert told.projected == D("1445.45")  # 180 + 20 · (180 + 3 · 45.4545) / 5
    assert march(180, 3, prior_weight=D(0)).projected == D(1980)
    assert march(180, 3, prior_per_day=D(90)).projected == D(1980)


def test_after_the_first_week_the_projection_is_the_plain_ratio():
    assert march(180, 6).projected == march(180, 6, prior_weight=D(0)).projected == D(792)


def test_no_evidence_and_no_prior_leave_the_promise():
    assert march(0, 1, prior_weight=D(0)).projected == D(1000)


@pytest.mark.parametrize(("attained", "verdict"), [(0, Pace.MET), (5, Pace.MET)])
def test_a_target_of_nothing_is_met(attained, verdict):
    told = march(attained, 11, target=D(0))

    assert (told.pace, told.needed_per_day, told.probability) == (verdict, D(0), D(1))


def test_what_is_certain_is_certain():
    assert march(1000, 11).probability == D(1)
    over = march(310, 31)
    assert (over.probability, over.total_p10, over.total_p90) == (D(0), D(310), D(310))
    assert (over.needed_per_day, over.projected) == (None, D(310))


def test_money_is_uncertain_by_the_deal_and_not_by_the_cent():
    by_the_cent = march(360_000, 11, target=D(1_000_000))
    by_the_lead = march(360_000, 11, target=D(1_000_000), unit=D(2_000))

    assert by_the_cent.projected == by_the_lead.projected == D(990_000)
    assert by_the_cent.probability == D(0)
    assert D("0.3") < by_the_lead.probability < D("0.5")
    assert by_the_lead.total_p90 - by_the_lead.total_p10 > 100_000


@pytest.mark.parametrize(
    "wrong",
    [{"target": D(-1)}, {"unit": D(0)}, {"prior_weight": D(-1)}],
)
def test_figures_that_cannot_be_are_our_own_mistake(wrong):
    with pytest.raises(ValueError, match="no pace of"):
        march(1, 11, **wrong)
    with pytest.raises(ValueError, match="no pace of"):
        march(-1, 11)
    with pytest.raises(ValueError, match="between 0 and 1"):
        march(1, 11, share_of_day=D("1.1"))


# Weights


def test_closed_days_weigh_nothing_and_working_days_alike():
    holiday = WorkingHours("UTC", office.windows, (DayOverride(day(3), (), "holiday"),))

    assert weights(Period(day(1), day(5)), holiday) == [
        (day(1), D(0)),
        (day(2), D(1)),
        (day(3), D(0)),
        (day(4), D(1)),
    ]


def test_a_learned_week_moves_the_expectation():
    front_loaded = (D(2), D("0.5"), D("0.5"), D(1), D(1), D(1), D(1))
    week = Period(day(2), day(9))

    told = pace(
        target=D(100),
        attained=D(40),
        period=week,
        on=day(2),
        hours=office,
        weekday_weights=front_loaded,
    )

    assert (told.expected, told.pace, told.needed_per_day) == (D(40), Pace.ON_TRACK, D(20))


def test_a_period_without_a_working_day_is_spread_over_its_days():
    weekend = Period(day(7), day(9))

    assert weights(weekend, office) == [(day(7), D(1)), (day(8), D(1))]
    told = pace(target=D(10), attained=D(4), period=weekend, on=day(7), hours=office)
    assert (told.expected, told.projected) == (D(5), D("8.8"))


def test_weekdays_are_learned_with_caution():
    """Mondays bring twice what the other days do, seen for four weeks."""
    counts = {day(2) + timedelta(days=n): 20 if n % 7 == 0 else 10 for n in range(28) if n % 7 < 5}

    assert learn_weekday_weights(counts, office) == (
        D("1.3333"),  # (4 · 20/12 + 4) / 8
        D("0.9167"),
        D("0.9167"),
        D("0.9167"),
        D("0.9167"),
        D(1),
        D(1),
    )
    assert learn_weekday_weights(counts, office, prior_days=D(0))[0] == D("1.6667")


def test_a_day_without_a_count_brought_nothing_and_closed_days_say_nothing():
    counts = {day(2): 10, day(3): 10, day(5): 10, day(6): 10, day(7): 1000}

    assert learn_weekday_weights(counts, office) == (
        D("1.05"),
        D("1.05"),
        D("0.8"),
        D("1.05"),
        D("1.05"),
        D(1),
        D(1),
    )


@pytest.mark.parametrize("counts", [{}, {day(2): 0}, {day(7): 5}])
def test_with_nothing_to_learn_from_every_day_is_alike(counts):
    assert learn_weekday_weights(counts, office) == (D(1),) * 7


@pytest.mark.parametrize("wrong", [(D(1),) * 6, (D(-1), *(D(1),) * 6)])
def test_a_week_that_cannot_be_is_our_own_mistake(wrong):
    with pytest.raises(ValueError, match="seven weights"):
        weights(MARCH, office, wrong)
