"""Text to records, in pieces of any size, with physical line numbers and bounded memory.

The standard `csv` module does the parsing.  Around it: a record that a piece of text cuts in two is
kept for the next piece, and a record whose quotes do not match costs itself only, not the rest of
the file that its open quote would swallow.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from domain.imports import NotCsv, RowFault
from infra.importing.encoding import UNDECODABLE

LARGEST_RECORD = 1024 * 1024
MOST_OVERSIZED = 100
DELIMITERS = (",", ";", "\t", "|")
# How many rows, titles and notes, may stand above the one that names the columns.
MOST_ABOVE = 50

_LINE_END = re.compile(r"[\r\n]")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)

# The limit is the whole process's, and its default (128 KiB a field) is below ours.
csv.field_size_limit(LARGEST_RECORD)


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one record, which begins in `line`."""

    line: int
    fields: list[str]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Lines that are no record, and how the first of them begins."""

    line: int
    code: RowFault
    message: str
    text: str


@dataclass(slots=True)
class Records:
    """Feed it text, get records; `suspicious` once there was a character that cannot be stored."""

    delimiter: str
    line: int = 1
    suspicious: bool = False
    _partial: str = ""
    _cut: bool = False
    _pending: list[str] = field(default_factory=list)
    _oversized: int = 0

    def feed(self, text: str, *, final: bool = False) -> Iterator[Record | BadRecord]:
        """Return the records that end in this text; with `final`, there is no more to come.

        Raises:
            NotCsv: if hardly a quote in the file closes.
        """
        if "\x00" in text or UNDECODABLE in text:
            self.suspicious = True
        self._pending += self._lines(text, final=final)
        yield from self._parse(final=final)

    def _lines(self, text: str, *, final: bool) -> list[str]:
        """Return the lines that are complete now, each with its end."""
        if self._cut:
            end = _LINE_END.search(text)
            if end is None and not final:
                return []
            text, self._cut = text[end.start() :] if end else "", False
        # A carriage return at the very end may be half of an end of line.
        text = self._partial + text
        held = "\r" if text.endswith("\r") and not final else ""
        lines = list(io.StringIO(text[: len(text) - len(held)], newline=""))
        unfinished = bool(lines) and not lines[-1].endswith(("\n", "\r")) and not final
        self._partial = (lines.pop() if unfinished else "") + held
        if len(self._partial) > LARGEST_RECORD and not held:
            self._partial, self._cut = self._partial[: LARGEST_RECORD + 1], True
        return lines

    def _parse(self, *, final: bool) -> Iterator[Record | BadRecord]:
        lines, start = self._pending, 0
        while start < len(lines):
            reader = csv.reader(lines[start:], delimiter=self.delimiter, strict=True)
            done = 0
            try:
                for fields in reader:
                    size = sum(map(len, lines[start + done : start + reader.line_num]))
                    first, done = self.line + start + done, reader.line_num
                    if size > LARGEST_RECORD:
                        yield self._too_large(first, lines[first - self.line])
                    elif fields:
                        yield Record(first, fields)
                start = len(lines)
            except csv.Error:
                broken = start + done
                size = sum(map(len, lines[broken : start + reader.line_num]))
                whole = final or start + reader.line_num < len(lines)
                if not whole and size <= LARGEST_RECORD:
                    start = broken
                    break
                yield self._bad(self.line + broken, lines[broken], size)
                start = broken + 1
        self.line += start
        del lines[:start]

    def _bad(self, line: int, text: str, size: int) -> BadRecord:
        if size <= LARGEST_RECORD:
            return BadRecord(
                line, RowFault.BAD_QUOTING, "The quotes of this row do not match.", text[:2000]
            )
        # Each of these is parsed to the limit and then again from its second line.
        self._oversized += 1
        if self._oversized > MOST_OVERSIZED:
            raise NotCsv(
                f"Up to line {line} there are {self._oversized} quotes that do not close within "
                f"{LARGEST_RECORD:,} characters; this is not CSV, or another delimiter is needed."
            )
        return self._too_large(line, text)

    @staticmethod
    def _too_large(line: int, text: str) -> BadRecord:
        return BadRecord(
            line,
            RowFault.RECORD_TOO_LARGE,
            f"The row is longer than {LARGEST_RECORD:,} characters; is a closing quote missing?",
            text[:2000],
        )


def delimiter_of(sample: str, *, wanted: Collection[str]) -> str:
    """Return the delimiter by which a file is most likely written.

    It is the one whose header has most of the columns that the mapping wants; among equals, the one
    by which most rows have as many fields as the header, then the one with most columns.
    """
    announced = _SEPARATOR_LINE.match(sample)
    if announced:
        return announced[1]
    return max(DELIMITERS, key=lambda delimiter: _fit(sample, delimiter, wanted))


def is_separator_line(record: Record) -> bool:
    """Say whether a first record is Excel's announcement of the delimiter (`sep=;`)."""
    text = "".join(record.fields).strip().casefold()
    return record.line == 1 and text.startswith("sep=") and len(text) <= len("sep=,")


def names_of(fields: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns as a mapping has them."""
    return tuple(name.strip() for name in fields)


def _fit(sample: str, delimiter: str, wanted: Collection[str]) -> tuple[int, float, int]:
    lines = io.StringIO(sample, newline="")
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row][:500]
    except csv.Error:
        return 0, 0.0, 0
    if not rows:
        return 0, 0.0, 0
    at = _heading(rows, wanted)
    header = names_of(rows[at])
    # The last row of the sample may be cut.
    even = [len(row) == len(header) for row in rows[at + 1 : -1]]
    found = len(set(header) & set(wanted))
    return found, sum(even) / len(even) if even else 1.0, len(header)


def _heading(rows: Sequence[Sequence[str]], wanted: Collection[str]) -> int:
    """Return which of the first rows has most of the names that are wanted; of equals the first."""
    found = [len(set(names_of(row)) & set(wanted)) for row in rows[:MOST_ABOVE]]
    return found.index(max(found))
