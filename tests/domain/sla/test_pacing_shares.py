"""Shares: is enough of what came done in time?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.sla.calendar import Window, WorkingHours
from domain.sla.pacing import (
    Pace,
    ShareReading,
    share,
)
from domain.values import Period

D = Decimal
MARCH = Period.month(2026, 3)
office = WorkingHours("UTC", tuple(Window(day, 540, 1020) for day in range(5)))


def day(of_march: int) -> date:
    return date(2026, 3, of_march)


def promise(
    met: int, decided: int, target: str = "0.9", *, on: int = 11, undecided: int = 0
) -> ShareReading:
    return share(
        met=met,
        decided=decided,
        target_share=D(target),
        period=MARCH,
        on=day(on),
        undecided=undecided,
    )


def test_a_share_tells_everything_about_itself():
    assert promise(90, 100, undecided=10) == ShareReading(
        pace=Pace.ON_TRACK,
        target_share=D("0.9"),
        met=90,
        decided=100,
        undecided=10,
        met_share=D("0.9"),
        low=D("0.8549"),
        high=D("0.9322"),
        best_share=D("0.9091"),
        worst_share=D("0.8182"),
        probability=D("0.4821"),
    )


@pytest.mark.parametrize(
    ("met", "decided", "target", "verdict"),
    [
        (189, 200, "0.9", Pace.AHEAD),  # 94.5 % is 5 % above 90 %
        (188, 200, "0.9", Pace.ON_TRACK),
        (180, 200, "0.9", Pace.ON_TRACK),
        (179, 200, "0.9", Pace.AT_RISK),
        (162, 200, "0.9", Pace.AT_RISK),
        (161, 200, "0.9", Pace.BEHIND),
        (200, 200, "0.98", Pace.AHEAD),  # more than all cannot be asked for
        (199, 200, "0.98", Pace.ON_TRACK),
        (200, 200, "1", Pace.ON_TRACK),  # nobody is ahead of all
        (199, 200, "1", Pace.AT_RISK),
        (0, 0, "0.9", Pace.ON_TRACK),  # nothing was missed yet
        (0, 3, "0.9", Pace.BEHIND),
    ],
)
def test_during_the_period_the_share_so_far_decides(met, decided, target, verdict):
    assert promise(met, decided, target).pace is verdict


@pytest.mark.parametrize(
    ("met", "decided", "undecided", "verdict", "probability"),
    [
        (90, 100, 0, Pace.MET, D(1)),
        (89, 100, 0, Pace.MISSED, D(0)),
        (0, 0, 0, Pace.MET, D(1)),  # no hand-offs: nothing was owed
        (89, 99, 1, Pace.AT_RISK, D("0.4687")),  # the open one decides
        (88, 99, 1, Pace.MISSED, D(0)),  # even if it is met
        (95, 99, 1, Pace.MET, D(1)),  # even if it is not
    ],
)
def test_after_the_period_the_promise_is_settled_as_soon_as_it_can_be(
    met, decided, undecided, verdict, probability
):
    told = promise(met, decided, on=31, undecided=undecided)

    assert (told.pace, told.probability) == (verdict, probability)


def test_before_the_period_no_share_has_started():
    told = share(met=0, decided=0, target_share=D("0.9"), period=MARCH, on=date(2026, 2, 28))

    assert told == ShareReading(
        pace=Pace.NOT_STARTED,
        target_share=D("0.9"),
        met=0,
        decided=0,
        undecided=0,
        met_share=None,
        low=D(0),
        high=D(1),
        best_share=None,
        worst_share=None,
        probability=None,
    )


def test_the_last_day_of_a_share_lasts_until_midnight():
    running = share(
        met=89, decided=100, target_share=D("0.9"), period=MARCH, on=day(31), share_of_day=D(1)
    )

    assert running.pace is Pace.AT_RISK


@pytest.mark.parametrize(("met", "decided", "undecided"), [(2, 1, 0), (-1, 1, 0), (0, 0, -1)])
def test_counts_that_cannot_be_are_our_own_mistake(met, decided, undecided):
    with pytest.raises(ValueError, match="no share of"):
        promise(met, decided, undecided=undecided)
