"""What a file of leads says, and how its columns are to be understood.

A mapping says which column gives what; reading a row by it gives an `ImportedLead`, or a `RowError`
for the person who has to mend the file.  What is done with a lead is another matter: here nothing
is looked up and nothing is decided.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.errors import Invalid
from domain.leads import ExternalId
from domain.stages import Stage

ISO = "iso"
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", re.ASCII)
_DIRECTIVE = re.compile("%.?")
_DIRECTIVES = frozenset(f"%{letter}" for letter in "YymbBdHIMSfpz%")
_PROBE = datetime(2003, 4, 5, 6, 7, 8, tzinfo=UTC)


class StepKind(StrEnum):
    """What happened to a lead."""

    STAGE = "STAGE"
    HAND_OFF = "HAND_OFF"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    RECYCLE = "RECYCLE"


class LeadField(StrEnum):
    """What a column can tell about a lead."""

    EXTERNAL_ID = "external_id"
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    JOB_TITLE = "job_title"
    COUNTRY = "country"
    COMPANY_NAME = "company_name"
    COMPANY_DOMAIN = "company_domain"
    ORIGIN_SOURCE = "origin_source"
    ORIGIN_MEDIUM = "origin_medium"
    ORIGIN_CAMPAIGN = "origin_campaign"
    SCORE = "score"
    SEEN_AT = "seen_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStep:
    """Something that happened to a lead, when it did.  `stage` is given for `STAGE` only."""

    kind: StepKind
    at: datetime
    stage: Stage | None = None
    reason: str | None = None
    from_team: str | None = None
    to_team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLead:
    """One row of a file, understood.  It has an external id or an e-mail address, or both.

    `line` is where the row begins in the file.  `steps` are in the order in which they happened.
    `row` is the original, to be shown if the lead is refused after all.
    """

    line: int
    external_id: ExternalId | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    country: str | None = None
    company_name: str | None = None
    company_domain: str | None = None
    origin_source: str | None = None
    origin_medium: str | None = None
    origin_campaign: str | None = None
    score: int | None = None
    seen_at: datetime | None = None
    steps: tuple[ImportedStep, ...] = ()
    row: tuple[str, ...] = field(default=(), compare=False, repr=False)


class RowFault(StrEnum):
    """Why a row was left out."""

    BAD_DATE = "BAD_DATE"
    BAD_EMAIL = "BAD_EMAIL"
    BAD_ENCODING = "BAD_ENCODING"
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
class StepMapping:
    """Something that happened to every lead whose row says when."""

    kind: StepKind
    at: Cell
    stage: Stage | None = None
    reason: Cell | None = None
    from_team: Cell | None = None
    to_team: Cell | None = None

    @property
    def cells(self) -> Iterator[Cell]:
        maybe = (self.at, self.reason, self.from_team, self.to_team)
        return (cell for cell in maybe if cell is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """How the file is written.  An encoding or delimiter that is not given is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    time_zone: str = "UTC"
    date_formats: tuple[str, ...] = (ISO,)
    blanks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMapping:
    """Which column of a file gives what."""

    file: FileMapping
    fields: Mapping[LeadField, Cell]
    steps: tuple[StepMapping, ...] = ()
    external_id_source: str | None = None

    @property
    def cells(self) -> Iterator[Cell]:
        yield from self.fields.values()
        for step in self.steps:
            yield from step.cells


class BadMapping(Invalid):
    """A mapping that cannot be followed."""

    code = "BAD_MAPPING"


class UnknownColumn(Invalid):
    """The mapping names a column that the file does not have."""

    code = "UNKNOWN_COLUMN"


class NotCsv(Invalid):
    """The file is something else, or cannot be read as text."""

    code = "NOT_CSV"


class BadHeader(Invalid):
    """The first row does not name the columns."""

    code = "BAD_HEADER"


class UnknownEncoding(Invalid):
    """Nobody said how the characters are encoded, and it cannot be told for certain."""

    code = "UNKNOWN_ENCODING"


class NotADate(ValueError):
    """No date format of the mapping fits."""


class OutOfRange(ValueError):
    """A date that no lead can have: somebody mistyped the year."""


def check_header(header: Sequence[str], mapping: LeadMapping) -> list[Invalid]:
    """Return what is wrong with the names of a file's columns."""
    named = [name for name in header if name]
    if not named:
        return [BadHeader("The first row is to name the columns, but it is empty.")]
    doubled = sorted({name for name in named if named.count(name) > 1})
    refusals: list[Invalid] = [
        BadHeader(f"There are {named.count(name)} columns {name!r}.") for name in doubled
    ]
    for cell in mapping.cells:
        if cell.column is None or cell.column in named:
            continue
        refusals.append(
            UnknownColumn(
                f"The file has no column {cell.column!r}; {did_you_mean(cell.column, named)}",
                path=cell.path,
            )
        )
    return refusals


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return the end of a sentence that names a word nobody knows."""
    choices = list(choices)
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    shown = ", ".join(repr(choice) for choice in choices[:20])
    return f"there are {shown}{' and more' if len(choices) > 20 else ''}."


def in_order(steps: Iterable[ImportedStep]) -> tuple[ImportedStep, ...]:
    """Return steps as they happened; at the same instant, in the order of the hand-off.

    A lead that became an MQL, was handed off, accepted and won on one day, did so in this order.
    """
    return tuple(sorted(steps, key=lambda step: (step.at, _rank(step))))


def _rank(step: ImportedStep) -> tuple[int, int]:
    if step.stage is not None:
        return (0 if step.stage.rank <= Stage.MQL.rank else 5, step.stage.rank)
    order = (StepKind.HAND_OFF, StepKind.ACCEPT, StepKind.REJECT, StepKind.RECYCLE)
    return (1 + order.index(step.kind), 0)


@lru_cache(maxsize=8192)
def read_instant(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """Return the instant that a text means by the first format that fits.

    A day alone is its first instant.  A local time that a change of the clocks skipped counts by
    the offset before the change; one that came twice is the first (RFC 5545, 3.3.5).

    Raises:
        NotADate: if no format fits.
        OutOfRange: if it is before 1970 or not before 2100.
    """
    for style in formats:
        local = _parsed(text, style)
        if local is None:
            continue
        if not EARLIEST.year - 1 <= local.year <= LATEST.year:
            raise OutOfRange(text)
        at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
        if not EARLIEST <= at < LATEST:
            raise OutOfRange(text)
        return at
    raise NotADate(text)


def _parsed(text: str, style: str) -> datetime | None:
    try:
        if style != ISO:
            return datetime.strptime(text, style)  # noqa: DTZ007  # the file's zone is put on later
        return datetime.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def example_of(style: str) -> str:
    """Return how a date looks in a format."""
    day = datetime(2018, 2, 26, 19, 58, tzinfo=UTC)
    return day.date().isoformat() if style == ISO else day.strftime(style)


def fault_in_format(style: str) -> str | None:
    """Return why a date format cannot be used, if it cannot."""
    if style == ISO:
        return None
    found = _DIRECTIVE.findall(style)
    strange = [directive for directive in found if directive not in _DIRECTIVES]
    if strange:
        return f"{strange[0]!r} is not known; use {' '.join(sorted(_DIRECTIVES - {'%%'}))}"
    if len(found) - found.count("%%") != len(set(found) - {"%%"}):
        return "it says the same thing twice"
    for needed in ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"}):
        if len(needed & set(found)) != 1:
            return f"it must hold exactly one of {' '.join(sorted(needed))}"
    if ("%I" in found) != ("%p" in found):
        return "a 12-hour clock needs both %I and %p"
    return None


def contradicting(formats: Sequence[str]) -> tuple[str, str] | None:
    """Return two formats that read the same text as two different days, if there are such."""
    for style in formats:
        written = _PROBE.date().isoformat() if style == ISO else _PROBE.strftime(style)
        for other in formats:
            if _day(written, other) not in (None, _PROBE.date()):
                return style, other
    return None


def _day(text: str, style: str) -> date | None:
    parsed = _parsed(text, style)
    return None if parsed is None else parsed.date()
