"""The values of one row, each understood by its cell, with every fault told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.imports import (
    EARLIEST,
    LATEST,
    Cell,
    FileMapping,
    Letters,
    NotADate,
    Otherwise,
    OutOfRange,
    RowFault,
    example_of,
    read_instant,
)
from domain.leads import ExternalId

LONGEST_TEXT = 200
LONGEST_EMAIL = 254
LARGEST_NUMBER = 1_000_000_000
LARGEST_AMOUNT = Decimal(10) ** 15

# The shape only: whether a domain name is a real one is decided where leads are made.
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.0*)?", re.ASCII)
# Thousands stand in groups of three or in none; the mark between them is the other one, an
# apostrophe or a space of some width.
_AMOUNTS = {
    mark: re.compile(
        rf"[+-]?(?:\d{{1,15}}|\d{{1,3}}(?:[{other}'\u2019 \u00a0\u202f]\d{{3}}){{1,4}})"
        rf"(?:\{mark}\d{{1,6}})?",
        re.ASCII,
    )
    for mark, other in ((".", ","), (",", r"\."))
}
# What an amount is written with; what else there is may be the sign of a currency.
_WRITTEN = re.compile(r"[\d.,'\u2019\s+-]+")
# A long number as a spreadsheet shows it, and what it shows where there is none: many rows have the
# same, and would be taken for one thing.
_ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{1,3}", re.ASCII | re.IGNORECASE)
_NO_ID = re.compile(
    r"[\W_]+|\(?(?:not set|n/a|null|none|nan|undefined)\)?"
    r"|#(?:N/A|NV|NAME\?|(?:REF|BEZUG|VALUE|WERT|DIV/0|NULL|NUM|ZAHL)!)",
    re.IGNORECASE,
)


class Fault(Exception):
    """One thing wrong with one value."""

    def __init__(self, cell: Cell | None, code: RowFault, message: str) -> None:
        super().__init__(message)
        self.column = cell.column if cell else None
        self.code = code
        self.message = message


@dataclass(slots=True)
class Values:
    """The values of one row; faults are gathered, so that all of them can be told."""

    file: FileMapping
    zone: ZoneInfo
    places: Mapping[str, int]
    row: Sequence[str]
    faults: list[Fault] = field(default_factory=list)

    def text(self, cell: Cell | None, *, longest: int = LONGEST_TEXT) -> str | None:
        """Return the value of a cell, or nothing if it is blank or at fault."""
        if cell is None:
            return None
        try:
            value = self._value(cell)
        except Fault as fault:
            self.faults.append(fault)
            return None
        if len(value) > longest:
            self.fault(cell, RowFault.TEXT_TOO_LONG, f"is longer than {longest} characters.")
            return None
        return value or None

    def _value(self, cell: Cell) -> str:
        raw = cell.constant if cell.column is None else self.row[self.places[cell.column]]
        value = (raw or "").strip()
        if value in self.file.blanks:
            value = ""
        value = _replaced(value, cell) if value else cell.values.get("", "")
        if not value and cell.required:
            raise Fault(cell, RowFault.REQUIRED, f"{_name(cell)} is blank.")
        if cell.letters is Letters.KEEP:
            return value
        return value.lower() if cell.letters is Letters.LOWER else value.upper()

    def name(self, cell: Cell | None, source: str | None) -> ExternalId | None:
        """Return what something is called in another system."""
        key = self.text(cell)
        if cell is None or key is None or source is None:
            return None
        if _ROUNDED.fullmatch(key):
            what = f"is a number that a spreadsheet has rounded: {key[:80]!r}; export it as text."
        elif _NO_ID.fullmatch(key):
            what = f"says that there is none: {key[:80]!r}; name it in `blanks` if so."
        else:
            return ExternalId(source, key)
        self.fault(cell, RowFault.BAD_ID, what)
        return None

    def email(self, cell: Cell | None) -> str | None:
        email = self.text(cell, longest=LONGEST_EMAIL)
        if cell is None or email is None or _EMAIL.fullmatch(email):
            return email
        self.fault(cell, RowFault.BAD_EMAIL, f"is no e-mail address: {email[:80]!r}.")
        return None

    def number(self, cell: Cell | None) -> int | None:
        text = self.text(cell)
        if cell is None or text is None:
            return None
        if _NUMBER.fullmatch(text) and abs(read := int(text.partition(".")[0])) <= LARGEST_NUMBER:
            return read
        message = f"is no whole number up to {LARGEST_NUMBER:,}: {text[:80]!r}."
        self.fault(cell, RowFault.BAD_NUMBER, message)
        return None

    def amount(self, cell: Cell | None) -> Decimal | None:
        text = self.text(cell)
        if cell is None or text is None:
            return None
        mark = self.file.decimal_mark
        bare = _without_signs(text, self.file.currency_signs)
        if _AMOUNTS[mark].fullmatch(bare):
            whole, _, part = bare.partition(mark)
            digits = "".join(sign for sign in whole if sign.isdecimal() or sign in "+-")
            read = Decimal(f"{digits}.{part or 0}")
            if abs(read) <= LARGEST_AMOUNT:
                return read
        message = f"is no amount such as 1234{mark}56: {text[:80]!r}."
        self.fault(cell, RowFault.BAD_NUMBER, message + _amount_hint(text, bare, mark))
        return None

    def choice(self, cell: Cell | None, choices: Sequence[str]) -> str | None:
        text = self.text(cell)
        if cell is None or text is None or text in choices:
            return text
        message = f"is none of {', '.join(choices)}: {text[:80]!r}."
        self.fault(cell, RowFault.UNKNOWN_VALUE, message)
        return None

    def day(self, cell: Cell | None) -> date | None:
        at = self.instant(cell)
        return None if at is None else at.astimezone(self.zone).date()

    def instant(self, cell: Cell | None) -> datetime | None:
        text = self.text(cell)
        if cell is None or text is None:
            return None
        try:
            return read_instant(text, cell.formats, self.zone)
        except NotADate:
            like = " or ".join(example_of(style) for style in cell.formats)
            self.fault(cell, RowFault.BAD_DATE, f"is no date like {like}: {text[:80]!r}.")
            return None
        except OutOfRange:
            span = f"from {EARLIEST.year} up to {LATEST.year - 1}"
            self.fault(cell, RowFault.DATE_OUT_OF_RANGE, f"is not {span}: {text[:80]!r}.")
            return None

    def fault(self, cell: Cell, code: RowFault, message: str) -> None:
        self.faults.append(Fault(cell, code, f"{_name(cell)} {message}"))


def _replaced(value: str, cell: Cell) -> str:
    if not cell.values or value in cell.values:
        return cell.values.get(value, value)
    if cell.otherwise is Otherwise.REFUSE:
        message = f"{_name(cell)} has a value that is not listed: {value[:80]!r}."
        raise Fault(cell, RowFault.UNKNOWN_VALUE, message)
    return value if cell.otherwise is Otherwise.KEEP else cell.values.get("", "")


def _without_signs(text: str, signs: Sequence[str]) -> str:
    """Return an amount without the currency's sign, which stands before or behind it, if at all."""
    for sign in signs:
        for minus in ("", "-", "+"):
            if text.startswith(minus + sign):
                return minus + text.removeprefix(minus + sign).strip()
        if text.endswith(sign):
            return text.removesuffix(sign).strip()
    return text


def _amount_hint(text: str, bare: str, mark: str) -> str:
    """Return how the mapping would have to be for a text to be an amount, if it may be one."""
    other = "," if mark == "." else "."
    if _AMOUNTS[other].fullmatch(bare):
        return f'  It is one if the mapping says decimal_mark = "{other}".'
    beside = _WRITTEN.sub("", text)
    if beside and _AMOUNTS[mark].fullmatch(_without_signs(text, [beside])):
        return f'  It is one if the mapping says currency_signs = ["{beside}"].'
    return ""


def _name(cell: Cell) -> str:
    """Return what to call a cell: its column, or where the mapping gives its constant."""
    return cell.column if cell.column is not None else ".".join(map(str, cell.path))
