"""The scalars of the filter language: what each type of field may be compared with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact
from enum import StrEnum

from domain import ids
from domain.errors import Invalid
from domain.filters.fields import ANYTHING, PARTIAL, Comparator, FieldType, FilterField
from domain.filters.tree import Scalar
from domain.values import limited_text

LONGEST_TEXT = 1000
MOST_DIGITS = 38
_INT64 = range(-(2**63), 2**63)

# A double holds every decimal of 15 digits, so up to there it prints what its writer wrote.
_FLOAT_DIGITS = 15

_NUMBER = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def read_value(field: FilterField, op: Comparator, json: object) -> Scalar:
    """Return the value that a field is compared with, in the one form it has in a filter.

    Raises:
        Invalid: if it is not a value of the field's type, or beyond what can be stored.
    """
    if op in PARTIAL and json == "":
        raise Invalid("Every text contains the empty text: expected at least one character.")
    return _READERS[field.type](field, json)


def _text(field: FilterField, json: object) -> str:
    if not isinstance(json, str):
        raise Invalid("Expected text.")
    return str(limited_text(json, name="The text", path=(), longest=LONGEST_TEXT))


def _number(field: FilterField, json: object) -> int | Decimal:
    """Return an int for a whole number of 64 bits, so that 50 and 50.0 are one value."""
    match json:
        case bool():
            raise Invalid("Expected a number, got true or false.")
        case int():
            if json not in _INT64:
                raise Invalid("A whole number must fit in 64 bits.")
            return int(json)
        case Decimal():
            return _exact(json)
        case float():
            return _exact(_written(json))
        case str() if _NUMBER.fullmatch(json):
            return _exact(Decimal(json))
    raise Invalid("Expected a number, or its digits as text.")


def _written(number: float) -> Decimal:
    """Return the decimal that was written where a JSON reader has made a double of it."""
    written = Decimal(repr(number))
    if not written.is_finite():
        raise Invalid("Expected a number; NaN and infinity are none.")
    if len(written.normalize().as_tuple().digits) > _FLOAT_DIGITS:
        raise Invalid("So many digits are not exact as a JSON number: write them as text.")
    return written


def _exact(number: Decimal) -> int | Decimal:
    if not number.is_finite():
        raise Invalid("Expected a number; NaN and infinity are none.")
    try:
        shortest = number.normalize(Context(prec=MOST_DIGITS, traps=[Inexact]))
    except Inexact:
        raise Invalid(f"A number has at most {MOST_DIGITS} digits.") from None
    exponent = shortest.as_tuple().exponent
    fraction = max(0, -exponent) if isinstance(exponent, int) else 0
    if fraction + max(0, shortest.adjusted() + 1) > MOST_DIGITS:
        raise Invalid(f"A number has at most {MOST_DIGITS} digits.")
    if not fraction and (whole := int(shortest)) in _INT64:
        return whole
    return shortest


def _instant(field: FilterField, json: object) -> datetime:
    expected = "Expected an instant such as 2026-03-01T09:30:00Z"
    if isinstance(json, str) and _INSTANT.fullmatch(json):
        json = _or_none(datetime.fromisoformat, json.upper())
    if not isinstance(json, datetime):
        raise Invalid(f"{expected}.")
    if json.utcoffset() is None:
        raise Invalid(f"{expected}, with its offset from UTC.")
    try:
        return json.astimezone(UTC)
    except OverflowError:
        raise Invalid(f"{expected}, in the years 1 to 9999 of UTC.") from None


def _day(field: FilterField, json: object) -> date:
    if isinstance(json, str) and _DAY.fullmatch(json):
        json = _or_none(date.fromisoformat, json)
    if not isinstance(json, date) or isinstance(json, datetime):
        raise Invalid("Expected a day such as 2026-03-01.")
    return json


def _or_none(read: Callable[[str], date], text: str) -> date | None:
    """Return what a text says, or None for a 30th of February."""
    try:
        return read(text)
    except ValueError:
        return None


def _flag(field: FilterField, json: object) -> bool:
    if not isinstance(json, bool):
        raise Invalid("Expected true or false.")
    return json


def _id(field: FilterField, json: object) -> Scalar:
    if field.kind is None:
        raise ValueError(f"{field.name} holds no ids")
    if not isinstance(json, str):
        named = "an" if field.kind == ANYTHING else f"a {ids.PREFIXES[field.kind]}"
        raise Invalid(f"Expected {named} id.")
    return ids.parse(json)[1] if field.kind == ANYTHING else ids.expect(field.kind, json)


def _choice(field: FilterField, json: object) -> StrEnum:
    if field.choices is None:
        raise ValueError(f"{field.name} is not a choice")
    for member in field.choices:
        if json == member.value:
            return member
    raise Invalid(f"Expected one of {', '.join(field.choices)}.")


_READERS: Mapping[FieldType, Callable[[FilterField, object], Scalar]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.INSTANT: _instant,
    FieldType.DAY: _day,
    FieldType.FLAG: _flag,
    FieldType.ID: _id,
    FieldType.CHOICE: _choice,
}
