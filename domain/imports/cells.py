"""Where the values of a file come from, and why a row was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.imports.dates import ISO


class RowFault(StrEnum):
    """Why a row was left out."""

    BAD_DATE = "BAD_DATE"
    BAD_EMAIL = "BAD_EMAIL"
    BAD_ENCODING = "BAD_ENCODING"
    BAD_ID = "BAD_ID"
    BAD_NUMBER = "BAD_NUMBER"
    BAD_QUOTING = "BAD_QUOTING"
    DATE_OUT_OF_RANGE = "DATE_OUT_OF_RANGE"
    FIELD_COUNT = "FIELD_COUNT"
    NO_IDENTITY = "NO_IDENTITY"
    NUL_CHARACTER = "NUL_CHARACTER"
    RECORD_TOO_LARGE = "RECORD_TOO_LARGE"
    REQUIRED = "REQUIRED"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A row that was left out, and why: there is one for each such row.

    `column` and `code` are those of the first fault, `message` tells all of them.  `code` is a
    `RowFault`, or that of the refusal where the row could be read but not taken.  `row` is the
    original, as far as it could be told apart into fields.
    """

    line: int
    column: str | None
    code: str
    message: str
    row: tuple[str, ...] = ()


class Otherwise(StrEnum):
    """What to do with a value that the mapping's table of values does not list."""

    KEEP = "keep"
    BLANK = "blank"
    REFUSE = "refuse"


class Letters(StrEnum):
    """How to change the letters of a value."""

    KEEP = "keep"
    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one value comes from: a column, or always the same.

    `path` is where the mapping says so, for refusals.  `formats` are for instants only.
    """

    path: tuple[str | int, ...]
    column: str | None = None
    constant: str | None = None
    required: bool = False
    letters: Letters = Letters.KEEP
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: Otherwise = Otherwise.KEEP
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """How the file is written.  An encoding or delimiter that is not given is found out.

    `skip_rows` is how rows begin that are none, such as totals, case-folded; `currency_signs` is
    what may stand beside an amount, the longest first.
    """

    encoding: str | None = None
    delimiter: str | None = None
    time_zone: str = "UTC"
    date_formats: tuple[str, ...] = (ISO,)
    decimal_mark: str = "."
    blanks: frozenset[str] = frozenset()
    skip_rows: tuple[str, ...] = ()
    currency_signs: tuple[str, ...] = ()
