"""Public holidays from the library's lists."""

from __future__ import annotations

from datetime import date

import pytest

from domain.sla.calendars import UnknownPlace
from infra.holidays import public_holidays


def test_a_country_has_its_holidays_in_order():
    found = public_holidays("DE", None, first_year=2026, last_year=2026)

    assert found == {
        date(2026, 1, 1): "New Year's Day",
        date(2026, 4, 3): "Good Friday",
        date(2026, 4, 6): "Easter Monday",
        date(2026, 5, 1): "Labor Day",
        date(2026, 5, 14): "Ascension Day",
        date(2026, 5, 25): "Pentecost Monday",
        date(2026, 10, 3): "German Unity Day",
        date(2026, 12, 25): "Christmas Day",
        date(2026, 12, 26): "Second Day of Christmas",
    }
    assert list(found) == sorted(found)


def test_a_part_of_a_country_has_more():
    found = public_holidays("DE", "BY", first_year=2026, last_year=2026)

    assert found[date(2026, 1, 6)] == "Epiphany"


def test_a_list_that_ends_early_gives_what_it_has():
    found = public_holidays("IN", None, first_year=2030, last_year=2041)

    assert {day.year for day in found} == set(range(2030, 2042))


@pytest.mark.parametrize(
    ("country", "subdivision", "message"),
    [
        ("XX", None, "No holidays are known for the country 'XX'."),
        ("GB", "LON", "for the subdivision 'LON'.  Did you mean ENG, NIR, SCT, WLS?"),
        ("IE", "D", "No holidays are known for the subdivision 'D'."),
    ],
)
def test_an_unknown_place_is_refused_with_what_might_be_meant(country, subdivision, message):
    with pytest.raises(UnknownPlace) as refused:
        public_holidays(country, subdivision, first_year=2026, last_year=2026)
    assert message in refused.value.message
