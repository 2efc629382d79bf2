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
BYTE_ORDER_MARK = "\ufeff"


# Encodings that a file names itself, by a mark that spreadsheets need to read it.
_MARKED = frozenset({"utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})


class ErrorFile:
    """A CSV file that comes into being with the first error; `resume` keeps what it holds.

    It is written as the file of the rows was, so that the same mapping and the same spreadsheet
    read it.
    """

    def __init__(
        self, path: Path, *, resume: bool = False, encoding: str = "utf-8", delimiter: str = ","
    ) -> None:
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter
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
        """Write down one error; `header` are the columns of the file with the rows.

        That may be a file of errors itself, not all of which were mended: what it says of them is
        said anew.
        """
        row = error.row
        if tuple(header[: len(ERROR_COLUMNS)]) == ERROR_COLUMNS:
            header = header[len(ERROR_COLUMNS) :]
            # A row whose fields could not be told apart is one text.
            row = row[len(ERROR_COLUMNS) :] or row
        if self._stream is None:
            self._stream = self._begin(header)
        told = (error.line, error.column or "", str(error.code), error.message)
        self._stream.write(self._line((*told, *row)))

    def _begin(self, header: Sequence[str]) -> TextIO:
        # What stands for what was no text at all may be no letter of the encoding.
        stream = self._path.open("a", encoding=self._encoding, errors="replace", newline="")
        if stream.tell() == 0:
            mark = BYTE_ORDER_MARK if self._encoding in _MARKED else ""
            stream.write(mark + self._line((*ERROR_COLUMNS, *header)))
        return stream

    def _line(self, values: Sequence[object]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter).writerow(values)
        return text.getvalue()
