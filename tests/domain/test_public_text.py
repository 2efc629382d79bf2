"""Names may hang on the wall, dates and all; addresses and telephone numbers may not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import phonenumbers
import pytest

from domain.public_text import plain_source

AROUND = ("{}", "Webinar {}", "{} Messe", "newsletter_{}", "Fair ({}), 2nd", "x{}!")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("paid_search", "paid_search"),
        ("  two   words ", "two words"),
        ("retargeting_" * 16, "retargeting_" * 16),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_shown_on_one_line(text: str | None, shown: str | None) -> None:
    assert plain_source(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("Spring 2026/27", "Fair 2026-2027", "Season 1999/00", "Fair 2026 – 2027"),
        *("10.-12.03.2026 Messe", "28.2.-3.3.2026", "10.–12. 3. 2026", "May 3-5 2026"),
        *("2026-03-10/2026-03-12", "2026-03-10 - 2026-03-12", "20260310-20260312"),
        *("Q1 2026", "Q1/2026-Q2/2026", "H1 2026 – H2 2027", "FY26/27", "KW 10-12/2026"),
        *("CW45/2026", "March 10 2026", "March 10, 2026", "2026-03-10T10:30", "Top 10 2026"),
        *("Spring 2026 10% off", "v2026.03.1", "24/7", "A/B 50-50", "spring_2026_100"),
        *("#4500123456", "PO-4500123456", "order 4500123456", "cid_20123456789"),
        *("120210987654320123", "Meet us @ Hannover Messe", "at dawn", "Catch-22 at 12345"),
    ],
)
def test_a_date_a_season_or_an_order_tells_of_nobody(text: str) -> None:
    assert plain_source(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("ada@example.com", "from ada@example.com!", "ada @ example.com", "ada＠example.com"),
        *("ada(at)example.com", "ada [AT] example dot com", "ada at example dot com", "@adalove"),
        *("+353 (1) 234-5678", "030 1234567", "0171/1234567", "(212) 555-1234", "555-1234"),
        *("2026 1999", "20 26 03 10", "01.03.12.20.26", "03 2026 1999", "2812 3456", "10.03.26"),
        *("٠٣٠١٢٣٤٥٦٧", "０３０１２３４５６７", "030\u200b1234567", "030–12–34", "0301234567"),
        *("+49 2026-03-10", "(2026) 03-10", "2026.02.30.1", "2026-02-30 1", "12.13.2026.1"),
        *("2026-03-10 0171 1234567", "0171 1234567 2026-03-10", "10 03 2026", "2027-2026"),
        *("4500123456", "order 0301234567", "order 450 012 3456", "00491701234567890"),
        *(
            "0049170 1234567890 / 0301234",
            "tel0301234567",
            "Ann0301234567",
            "call 5551234",
            "id 4915112345678",
        ),
    ],
)
def test_whatever_may_tell_of_a_person_is_not_shown(text: str) -> None:
    assert plain_source(text) is None


def writings(day: date) -> tuple[str, ...]:
    """Return how people write a day, its month or its year."""
    return (
        *(f"{day:%Y-%m-%d}", f"{day:%Y/%m/%d}", f"{day:%Y.%m.%d}", f"{day:%Y%m%d}"),
        *(f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day.year}", f"{day:%d-%m-%Y}"),
        *(f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}", f"{day.month}/{day.day}/{day.year}"),
        *(f"{day.day}. {day.month}. {day.year}", f"{day:%d %b %Y}", f"{day:%B %d %Y}"),
        *(f"{day:%Y-%m}", f"{day:%m/%Y}", f"{day:%Y%m}", f"{day:%Y}"),
    )


def days() -> list[date]:
    """Return days of all years that somebody may speak of, the same ones each time."""
    first, last = date(1950, 1, 1).toordinal(), date(2099, 12, 31).toordinal()
    chance = random.Random(7)  # days, not secrets
    some = sorted(chance.sample(range(first, last), 60))
    return [date.fromordinal(day) for day in (first, *some, last)]


@pytest.mark.parametrize("around", AROUND)
def test_each_day_is_shown_however_it_is_written(around: str) -> None:
    told = [around.format(text) for day in days() for text in writings(day)]

    assert [text for text in told if plain_source(text) != text] == []


@pytest.mark.parametrize("dash", ["-", "–", "—", "\u2011"])
def test_so_are_days_from_one_to_another(dash: str) -> None:
    told = [
        f"Tour {one} {dash} {other}"
        for first, last in pairwise(days())
        for one, other in zip(writings(first), writings(last), strict=True)
        if one < other
    ]

    assert [text for text in told if plain_source(text) != text] == []


def numbers() -> Iterator[str]:
    """Return a fixed line and a mobile number of each region, as people write them."""
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    formats = phonenumbers.PhoneNumberFormat
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in kinds:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            yield phonenumbers.format_number(number, formats.E164)
            yield phonenumbers.format_number(number, formats.INTERNATIONAL)
            national = phonenumbers.format_number(number, formats.NATIONAL)
            for gap in ("", " ", ".", "-", "/", " - "):
                yield re.sub(r"\D+", gap, national)


def test_no_regions_telephone_numbers_are_shown_however_they_are_written() -> None:
    # Of fewer digits nobody can say whether they are one: they may be anything.
    told = [text for text in numbers() if sum(sign.isdigit() for sign in text) >= 6]

    assert len(told) > 3000
    assert [text for text in told if plain_source(f"Fair {text}") is not None] == []


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(
    "address", ["a@b.de", "ada.lovelace@example.com", "ADA_L+1@sub.example.ie"]
)
def test_no_address_is_shown(address: str, around: str) -> None:
    assert plain_source(around.format(address)) is None
