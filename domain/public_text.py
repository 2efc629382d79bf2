"""What of a text that anybody may have written can be shown to whoever walks past.

Campaigns and sources are named by people and forms, who can write anything.  What may be an address
or somebody's telephone number is not shown, and in doubt it is not; a date or a year is no doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

# So few digits are nobody's number, and so many without a gap are some system's id (E.164).
_TOO_FEW, _TOO_MANY = 5, 16
# Also one with gaps, one spelt out, and the name by which somebody is found elsewhere.
_ADDRESS = re.compile(
    r"\w@|@\w|@\s*[\w-]+\.\w|[\[({<]\s*at\s*[\])}>]|\bat\b.+\bdot\b", re.IGNORECASE
)
# Digits with what people write between those of one number.
_NUMBER = re.compile(r"\+?\d(?:[\s()\[\]./\\·•-]*\d)*")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
# An id, if that is said right before a number without gaps: no telephone is called by these.
_ID = re.compile(r"(?:#|(?:\b|_)(?:cid|inv|order|po|sku)[-_:#]?\s?)$", re.IGNORECASE)
_FIRST_YEAR, _LAST_YEAR, _LAST_WEEK = 1950, 2099, 53
_MOST_PARTS = 6  # of two days


def plain_source(text: str | None) -> str | None:
    """Return a name on one line, unless it may tell of a person."""
    source = " ".join((text or "").split())
    return None if not source or _is_personal(_folded(source)) else source


def _is_personal(text: str) -> bool:
    return bool(_ADDRESS.search(text)) or any(
        _may_be_telephone(number[0], before=text[: number.start()])
        for number in _NUMBER.finditer(text)
    )


def _folded(text: str) -> str:
    """Return a text with plain digits, dashes and letters, and without what nobody sees."""
    plain = unicodedata.normalize("NFKC", text)
    seen = (sign for sign in plain if unicodedata.category(sign) != "Cf")
    return _DASHES.sub("-", "".join(str(unicodedata.decimal(sign, sign)) for sign in seen))


def _may_be_telephone(number: str, *, before: str) -> bool:
    groups = re.findall(r"\d+", number)
    digits = sum(map(len, groups))
    if digits <= _TOO_FEW:
        return False
    if number.isdecimal() and number[0] != "0" and (digits >= _TOO_MANY or _ID.search(before)):
        return False
    gaps = [_gap(signs) for signs in re.findall(r"\d(\D+)(?=\d)", number)]
    return number[0] == "+" or not _are_dates(groups, gaps)


def _gap(signs: str) -> str:
    """Return what parts two numbers: "." "-" or "/", a space, or "to" for a dash with room."""
    told = "".join(signs.split())
    if told == ".-" or (told in {"-", "/"} and told != signs):
        return "to"
    return told or " "


def _are_dates(groups: Sequence[str], gaps: Sequence[str]) -> bool:
    """Say whether numbers are a date, or two, or one with what may stand beside it."""
    if len(groups) > _MOST_PARTS:
        return False
    return _is_date(groups, gaps) or any(
        _are_beside((groups[:place], gaps[: place - 1]), gap, (groups[place:], gaps[place:]))
        for place, gap in enumerate(gaps, start=1)
    )


_Numbers = tuple[Sequence[str], Sequence[str]]


def _are_beside(one: _Numbers, gap: str, other: _Numbers) -> bool:
    """Say so of "10.-12.3.2026", "2026-2027", "3-5 2026" and "2026 10", and the like."""
    if gap in {" ", "to"} and _has_year(*one) and _is_part(*other):
        return True
    if gap == " ":
        return _is_part(*one) and _has_year(*other)
    if gap not in {"to", "-", "/"} or gap in (*one[1], *other[1]) or not _is_date(*other):
        return False
    if len(one[0]) == len(other[0]) == 1 and len(one[0][0]) == len(other[0][0]):
        return one[0][0] < other[0][0] and _is_date(*one)
    return _is_part(*one) or _is_date(*one)


def _is_part(groups: Sequence[str], gaps: Sequence[str]) -> bool:
    """Say whether numbers may be a day, some days, or a day and its month."""
    short = all(len(group) <= 2 for group in groups)
    return short and len(groups) <= 2 and set(gaps) <= {".", "-", "/"}


def _has_year(groups: Sequence[str], gaps: Sequence[str]) -> bool:
    return any(len(group) >= 4 for group in groups) and _is_date(groups, gaps)


def _is_date(groups: Sequence[str], gaps: Sequence[str]) -> bool:
    """Say whether numbers are a day, a month, a week, a year or a season, its year in full."""
    if len(set(gaps)) > 1 or not set(gaps) <= {".", "-", "/"}:
        return False
    match groups:
        case [number]:
            month, day = number[4:6] or "1", number[6:] or "1"
            return len(number) in {4, 6, 8} and _is_day(number[:4], month, day)
        case [one, other]:
            return _is_week(one, other) or _is_week(other, one)
        case [one, two, last]:
            american = gaps[0] == "/" and _is_day(last, one, two)
            return _is_day(one, two, last) or _is_day(last, two, one) or american
        case _:
            return False


def _is_week(year: str, week: str) -> bool:
    """Say whether numbers are a year with a week, a month, or the year that it ends in."""
    if not _is_day(year, "1", "1") or len(week) > 2:
        return False
    return 1 <= int(week) <= _LAST_WEEK or int(week) == (int(year) + 1) % 100


def _is_day(year: str, month: str, day: str) -> bool:
    """Say whether there is such a day, in years that somebody may speak of."""
    if len(year) != 4 or max(len(month), len(day)) > 2:
        return False
    try:
        return _FIRST_YEAR <= date(int(year), int(month), int(day)).year <= _LAST_YEAR
    except ValueError:
        return False
