"""One row of a file to a lead, by a mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.imports import (
    EARLIEST,
    LATEST,
    Cell,
    ImportedLead,
    ImportedStep,
    LeadField,
    LeadMapping,
    Letters,
    NotADate,
    Otherwise,
    OutOfRange,
    RowError,
    RowFault,
    StepMapping,
    example_of,
    in_order,
    read_instant,
)
from domain.leads import ExternalId

LONGEST_TEXT = 200
LONGEST_REASON = 2000
LONGEST_EMAIL = 254
LARGEST_SCORE = 1_000_000_000

# The shape only: whether a domain name is a real one is decided where leads are made.
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.0*)?", re.ASCII)


class _Fault(Exception):
    """One thing wrong with one value."""

    def __init__(self, cell: Cell | None, code: RowFault, message: str) -> None:
        super().__init__(message)
        self.column = cell.column if cell else None
        self.code = code
        self.message = message


class RowReader:
    """Reads rows of one file by one mapping."""

    def __init__(self, mapping: LeadMapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.file.time_zone)
        self._width = len(header)
        self._places = {name: at for at, name in enumerate(header) if name}

    def read(self, line: int, row: Sequence[str]) -> ImportedLead | RowError | None:
        """Return the lead of a row, why there is none, or nothing for a row without any value."""
        if not any(row):
            return None
        if len(row) != self._width:
            message = f"The row has {len(row)} fields, but there are {self._width} columns."
            return RowError(
                line=line, column=None, code=RowFault.FIELD_COUNT, message=message, row=tuple(row)
            )
        values = _Values(self._mapping, self._zone, self._places, row)
        lead = values.lead(line)
        if not values.faults:
            return lead
        first = values.faults[0]
        # Several values may come from one column.
        messages = dict.fromkeys(fault.message for fault in values.faults)
        return RowError(
            line=line,
            column=first.column,
            code=first.code,
            message=" ".join(messages),
            row=tuple(row),
        )


@dataclass(slots=True)
class _Values:
    """The values of one row; faults are gathered, so that all of them can be told."""

    mapping: LeadMapping
    zone: ZoneInfo
    places: Mapping[str, int]
    row: Sequence[str]
    faults: list[_Fault] = field(default_factory=list)

    def lead(self, line: int) -> ImportedLead:
        key, source = self.field(LeadField.EXTERNAL_ID), self.mapping.external_id_source
        lead = ImportedLead(
            line=line,
            external_id=ExternalId(source, key) if key and source else None,
            email=self.email(),
            first_name=self.field(LeadField.FIRST_NAME),
            last_name=self.field(LeadField.LAST_NAME),
            job_title=self.field(LeadField.JOB_TITLE),
            country=self.field(LeadField.COUNTRY),
            company_name=self.field(LeadField.COMPANY_NAME),
            company_domain=self.field(LeadField.COMPANY_DOMAIN),
            origin_source=self.field(LeadField.ORIGIN_SOURCE),
            origin_medium=self.field(LeadField.ORIGIN_MEDIUM),
            origin_campaign=self.field(LeadField.ORIGIN_CAMPAIGN),
            score=self.score(),
            seen_at=self.instant(self.mapping.fields.get(LeadField.SEEN_AT)),
            steps=self.steps(),
            row=tuple(self.row),
        )
        if lead.external_id is None and lead.email is None and not self.faults:
            message = "The row has neither an external id nor an e-mail address."
            self.faults.append(_Fault(None, RowFault.NO_IDENTITY, message))
        return lead

    def field(self, name: LeadField) -> str | None:
        return self.text(self.mapping.fields.get(name))

    def text(self, cell: Cell | None, *, longest: int = LONGEST_TEXT) -> str | None:
        """Return the value of a cell, or nothing if it is blank or at fault."""
        if cell is None:
            return None
        try:
            value = self._value(cell)
        except _Fault as fault:
            self.faults.append(fault)
            return None
        if len(value) > longest:
            self.fault(cell, RowFault.TEXT_TOO_LONG, f"is longer than {longest} characters.")
            return None
        return value or None

    def _value(self, cell: Cell) -> str:
        raw = cell.constant if cell.column is None else self.row[self.places[cell.column]]
        value = (raw or "").strip()
        if value in self.mapping.file.blanks:
            value = ""
        if value and cell.values:
            value = _replaced(value, cell)
        if not value and cell.required:
            raise _Fault(cell, RowFault.REQUIRED, f"{_name(cell)} is blank.")
        if cell.letters is Letters.KEEP:
            return value
        return value.lower() if cell.letters is Letters.LOWER else value.upper()

    def email(self) -> str | None:
        cell = self.mapping.fields.get(LeadField.EMAIL)
        email = self.text(cell, longest=LONGEST_EMAIL)
        if cell is None or email is None or _EMAIL.fullmatch(email):
            return email
        self.fault(cell, RowFault.BAD_EMAIL, f"is no e-mail address: {email[:80]!r}.")
        return None

    def score(self) -> int | None:
        cell = self.mapping.fields.get(LeadField.SCORE)
        text = self.text(cell)
        if cell is None or text is None:
            return None
        if _NUMBER.fullmatch(text) and abs(score := int(text.partition(".")[0])) <= LARGEST_SCORE:
            return score
        message = f"is no whole number up to {LARGEST_SCORE:,}: {text[:80]!r}."
        self.fault(cell, RowFault.BAD_NUMBER, message)
        return None

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

    def steps(self) -> tuple[ImportedStep, ...]:
        return in_order(step for each in self.mapping.steps if (step := self.step(each)))

    def step(self, step: StepMapping) -> ImportedStep | None:
        """Return what happened, or nothing if the row does not say when."""
        at = self.instant(step.at)
        if at is None:
            return None
        return ImportedStep(
            kind=step.kind,
            at=at,
            stage=step.stage,
            reason=self.text(step.reason, longest=LONGEST_REASON),
            from_team=self.text(step.from_team),
            to_team=self.text(step.to_team),
        )

    def fault(self, cell: Cell, code: RowFault, message: str) -> None:
        self.faults.append(_Fault(cell, code, f"{_name(cell)} {message}"))


def _replaced(value: str, cell: Cell) -> str:
    if value in cell.values:
        return cell.values[value]
    if cell.otherwise is Otherwise.REFUSE:
        message = f"{_name(cell)} has a value that is not listed: {value[:80]!r}."
        raise _Fault(cell, RowFault.UNKNOWN_VALUE, message)
    return value if cell.otherwise is Otherwise.KEEP else ""


def _name(cell: Cell) -> str:
    """Return what to call a cell: its column, or where the mapping gives its constant."""
    return cell.column if cell.column is not None else ".".join(map(str, cell.path))
