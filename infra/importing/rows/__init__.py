"""One row of a file to what it says, by a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from domain.fact_import import PRINTS
from domain.imports import (
    FactMapping,
    Imported,
    ImportedFact,
    RowError,
    RowFault,
    RowMapping,
)
from infra.importing.rows.alike import Alike
from infra.importing.rows.facts import fact_of
from infra.importing.rows.leads import lead_of
from infra.importing.rows.values import Values

__all__ = ["RowReader"]


class RowReader:
    """Reads rows of one file by one mapping."""

    def __init__(self, mapping: RowMapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.file.time_zone)
        self._width = len(header)
        self._places = {name: at for at, name in enumerate(header) if name}
        self._alike = Alike()

    def read(self, line: int, row: Sequence[str]) -> Imported | RowError | None:
        """Return what a row says, why it says nothing, or None for a row without any value."""
        if not any(map(str.strip, row)):
            return None
        if len(row) > self._width and not any(map(str.strip, row[self._width :])):
            # Spreadsheets fill rows up to the longest one.
            row = row[: self._width]
        if self._is_skipped(row):
            return None
        if len(row) != self._width:
            message = f"The row has {len(row)} fields, but there are {self._width} columns."
            return RowError(
                line=line, column=None, code=RowFault.FIELD_COUNT, message=message, row=tuple(row)
            )
        values = Values(self._mapping.file, self._zone, self._places, row)
        said = self._said(values, line)
        if not values.faults:
            return self._told_apart(said) if isinstance(said, ImportedFact) else said
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

    def _is_skipped(self, row: Sequence[str]) -> bool:
        """Say whether a row is none, but a total or a note below the rows."""
        skipped = self._mapping.file.skip_rows
        if not skipped:
            return False
        first = next(field for value in row if (field := value.strip()))
        return first.casefold().startswith(skipped)

    def _said(self, values: Values, line: int) -> Imported:
        if isinstance(self._mapping, FactMapping):
            return fact_of(values, self._mapping, line)
        return lead_of(values, self._mapping, line)

    def _told_apart(self, fact: ImportedFact) -> ImportedFact:
        """Return a row without a name with how many rows before it said the same.

        After an interruption rows are read from the first one on, so that this is what it was.
        """
        printed = PRINTS.get(fact.kind)
        if printed is None or "external_id" in fact.values:
            return fact
        return replace(fact, twins=self._alike.count(printed(fact)))
