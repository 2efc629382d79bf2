from datetime import UTC, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from domain.imports import (
    ImportedStep,
    NotADate,
    OutOfRange,
    StepKind,
    contradicting,
    did_you_mean,
    fault_in_format,
    in_order,
    read_instant,
)
from domain.stages import Stage

SAO_PAULO, BERLIN = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Berlin")
TWELVE = ("%d %b %y %I:%M %p",)
TWELVE_US = ("%m/%d/%Y %I:%M %p",)
AMERICAN = ("%m/%d/%Y %H:%M", "%m/%d/%Y")


@pytest.mark.parametrize(
    ("text", "formats", "zone", "at"),
    [
        ("2/26/2018 19:58", AMERICAN, SAO_PAULO, datetime(2018, 2, 26, 22, 58, tzinfo=UTC)),
        ("2/1/2018", AMERICAN, SAO_PAULO, datetime(2018, 2, 1, 2, 0, tzinfo=UTC)),
        # The day that began at 01:00, because midnight was skipped.
        ("10/15/2017", AMERICAN, SAO_PAULO, datetime(2017, 10, 15, 3, 0, tzinfo=UTC)),
        # An hour that was skipped, and one that came twice.
        ("3/25/2018 02:30", AMERICAN, BERLIN, datetime(2018, 3, 25, 1, 30, tzinfo=UTC)),
        ("10/28/2018 02:30", AMERICAN, BERLIN, datetime(2018, 10, 28, 0, 30, tzinfo=UTC)),
        ("2018-02-26", ("iso",), BERLIN, datetime(2018, 2, 25, 23, 0, tzinfo=UTC)),
        ("2018-02-26 19:58:01.5", ("iso",), BERLIN, datetime(2018, 2, 26, 18, 58, 1, 500000, UTC)),
        ("2018-02-26T19:58-03:00", ("iso",), BERLIN, datetime(2018, 2, 26, 22, 58, tzinfo=UTC)),
        ("26 Feb 18 7:58 PM", TWELVE, BERLIN, datetime(2018, 2, 26, 18, 58, tzinfo=UTC)),
        ("1519675080", ("epoch",), BERLIN, datetime(2018, 2, 26, 19, 58, tzinfo=UTC)),
        ("1519675080001", ("epoch_ms",), BERLIN, datetime(2018, 2, 26, 19, 58, 0, 1000, UTC)),
        ("2018-02", ("iso", "%Y-%m"), BERLIN, datetime(2018, 1, 31, 23, 0, tzinfo=UTC)),
        ("Feb 2018", ("%b %Y",), BERLIN, datetime(2018, 1, 31, 23, 0, tzinfo=UTC)),
        ("3/11/2026 2:05\u202fPM", TWELVE_US, BERLIN, datetime(2026, 3, 11, 13, 5, tzinfo=UTC)),
        ("26.02.2018 +0900", ("%d.%m.%Y %z",), BERLIN, datetime(2018, 2, 25, 15, 0, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_an_instant(text, formats, zone, at):
    assert read_instant(text, formats, zone) == at


@pytest.mark.parametrize("text", ["", "2018", "20180226", "2018-W09-1", "2018-02-30", "26.2.2018"])
def test_what_no_format_fits_is_no_date(text):
    with pytest.raises(NotADate):
        read_instant(text, ("iso", "%m/%d/%Y"), BERLIN)


@pytest.mark.parametrize("text", ["-1", "1.5E+09", "1519675080.5", "0", "1519675080001"])
def test_what_counts_no_seconds_is_no_date(text):
    with pytest.raises(NotADate):
        read_instant(text, ("epoch",), BERLIN)


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "2100-01-02", "9999-12-31"])
def test_a_year_that_no_lead_has_is_out_of_range(text):
    with pytest.raises(OutOfRange):
        read_instant(text, ("iso",), BERLIN)


def test_steps_of_one_instant_come_in_the_order_of_a_hand_off():
    day = datetime(2018, 2, 1, tzinfo=UTC)
    steps = (
        ImportedStep(kind=StepKind.STAGE, at=day, stage=Stage.LEAD),
        ImportedStep(kind=StepKind.STAGE, at=day, stage=Stage.MQL),
        ImportedStep(kind=StepKind.HAND_OFF, at=day),
        ImportedStep(kind=StepKind.ACCEPT, at=day),
        ImportedStep(kind=StepKind.STAGE, at=day, stage=Stage.CUSTOMER),
        ImportedStep(kind=StepKind.REJECT, at=datetime(2018, 2, 2, tzinfo=UTC)),
    )
    assert {in_order(order) for order in permutations(steps)} == {steps}


@pytest.mark.parametrize(
    ("style", "fault"),
    [
        ("iso", None),
        ("%m/%d/%Y", None),
        ("%d %B %y, %I:%M:%S %p %z 100%%", None),
        ("%m/%d", "it must hold exactly one of %Y %y"),
        ("%m/%Y", None),
        ("%m/%Y %H:%M", "a time needs a day, %d"),
        ("epoch", None),
        ("epoch_ms", None),
        ("%b %m %d %Y", "it must hold exactly one of %B %b %m"),
        ("%Y-%m-%d %I:%M", "a 12-hour clock needs both %I and %p"),
        ("%Y-%m-%d %H %p", "a 12-hour clock needs both %I and %p"),
        ("%d.%d.%m %Y", "it says the same thing twice"),
        ("%c", "'%c' is not known; use %B %H %I %M %S %Y %b %d %f %m %p %y %z"),
        ("%Y-%m-%d%", "'%' is not known; use %B %H %I %M %S %Y %b %d %f %m %p %y %z"),
    ],
)
def test_a_date_format_says_year_month_and_day_once(style, fault):
    assert fault_in_format(style) == fault


@pytest.mark.parametrize(
    ("formats", "clash"),
    [
        (("%m/%d/%Y", "%m/%d/%Y %H:%M", "iso"), None),
        (("%m/%d/%Y", "%d/%m/%Y"), ("%m/%d/%Y", "%d/%m/%Y")),
        (("iso", "%Y-%d-%m"), ("iso", "%Y-%d-%m")),
        (("%d.%m.%Y", "%d.%m.%y"), None),
        (("iso", "%Y-%m", "epoch_ms"), None),
        (("%Y%m%d", "%Y%m%d%H", "epoch"), ("%Y%m%d%H", "epoch")),
        (("epoch", "epoch_ms"), None),
    ],
)
def test_two_formats_may_not_read_one_text_as_two_days(formats, clash):
    assert contradicting(formats) == clash


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("Orgin", "did you mean 'origin'?"),
        ("xyz", "there are 'origin', 'won_date'."),
    ],
)
def test_an_unknown_word_comes_with_a_suggestion(word, end):
    assert did_you_mean(word, ["origin", "won_date"]) == end
