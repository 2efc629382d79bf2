"""Where the names of the columns stand: exports put titles, days and notes above them."""

from __future__ import annotations

from collections.abc import Collection

from infra.importing.records import (
    MOST_ABOVE,
    BadRecord,
    Record,
    is_separator_line,
    names_of,
)


class HeadingSearch:
    """Finds the first row that has every name that the mapping wants.

    What stands above it is no row of the file.  Where none of the first rows has them all, the one
    that has most is meant, and is to be refused for what is missing.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self._above: list[Record | BadRecord] = []

    def add(self, record: Record | BadRecord) -> Record | BadRecord | None:
        """Return the row that names the columns, if this one settles it."""
        if isinstance(record, Record):
            if is_separator_line(record):
                return None
            if self._wanted <= set(names_of(record.fields)):
                return record
        self._above.append(record)
        return self.nearest if len(self._above) == MOST_ABOVE else None

    @property
    def nearest(self) -> Record | BadRecord | None:
        """The row so far that has most of the names; of equals the first."""
        return max(self._above, key=self._found, default=None)

    def _found(self, record: Record | BadRecord) -> int:
        if isinstance(record, BadRecord):
            return 0
        return len(self._wanted & set(names_of(record.fields)))
