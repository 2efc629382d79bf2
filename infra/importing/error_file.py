"""The rows that were left out, with the reason, in a file that can be mended and imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from domain.imports import RowError

# Before the original columns, under names that no column of the file is likely to have.
ERROR_COLUMNS = ("error_line", "error_column", "error_code", "error_message")


def header_line(header: Sequence[str]) -> str:
    """Return the first line of the file: our columns, then the original ones."""
    return _line((*ERROR_COLUMNS, *header))


def error_line(error: RowError) -> str:
    """Return the line about one row."""
    return _line((error.line, error.column or "", str(error.code), error.message, *error.row))


class ErrorFile:
    """A CSV file that comes into being with the first error; `resume` keeps what it holds."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self._path = path
        self._stream: TextIO | None = None
        if not resume:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, error: RowError, header: Sequence[str]) -> None:
        """Write down one error; `header` are the columns of the file with the leads."""
        if self._stream is None:
            self._stream = self._path.open("a", encoding="utf-8", newline="")
            if self._stream.tell() == 0:
                self._stream.write(header_line(header))
        self._stream.write(error_line(error))


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()
