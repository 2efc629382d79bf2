"""A file of rows, read as a stream: in bounded memory, however long the file is."""

from __future__ import annotations

import asyncio
from codecs import IncrementalDecoder
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from domain.errors import Refusals
from domain.imports import (
    BadHeader,
    Imported,
    NotCsv,
    RowError,
    RowFault,
    RowMapping,
    check_header,
)
from infra.importing.encoding import UNDECODABLE, decoding_of
from infra.importing.headings import HeadingSearch
from infra.importing.records import BadRecord, Record, Records, delimiter_of, names_of
from infra.importing.rows import RowReader

Outcome = Imported | RowError

SAMPLE = 256 * 1024
BLOCK = 64 * 1024
MOST_COLUMNS = 2000


def chunks_of(path: Path) -> Iterator[bytes]:
    """Return the bytes of a file, piece by piece."""
    with path.open("rb") as file:
        while chunk := file.read(BLOCK):
            yield chunk


class RowsReader:
    """Reads one file once: one outcome for each row that is not blank, in the file's order.

    To go on after an interruption, give the `line` of the last outcome that was dealt with as
    `start_after_line`: the file is read again from its beginning, so that quotes, encoding and line
    numbers mean what they meant, but only the outcomes after that line are returned.

    `encoding`, `delimiter` and `header` are known from the first outcome on.
    """

    def __init__(
        self, mapping: RowMapping, *, total_bytes: int | None = None, start_after_line: int = 0
    ) -> None:
        self.encoding: str | None = None
        self.delimiter: str | None = None
        self.header: tuple[str, ...] = ()
        self.bytes_read = 0
        self._mapping = mapping
        self._total_bytes = total_bytes
        self._start_after_line = start_after_line
        self._decoder: IncrementalDecoder | None = None
        self._records: Records | None = None
        self._wanted = {cell.column for cell in mapping.cells if cell.column is not None}
        self._heading = HeadingSearch(self._wanted)
        self._rows: RowReader | None = None

    @property
    def progress(self) -> Decimal | None:
        """How much of the file has been read, from 0 to 1, if its size is known."""
        if not self._total_bytes:
            return None
        share = Decimal(self.bytes_read) / self._total_bytes
        return min(Decimal(1), share.quantize(Decimal("0.0001"), ROUND_DOWN))

    def read(self, chunks: Iterable[bytes]) -> Iterator[Outcome]:
        """Return what the rows say, as they come.

        Raises:
            NotCsv: if the file is something else.
            UnknownEncoding: if only a guess could tell how its characters are encoded.
            BadHeader: if its columns cannot be told apart.
            UnknownColumn: if one that the mapping names is missing.
            Refusals: if several of these are to be told.
        """
        blocks = _Blocks()
        for chunk in chunks:
            for block in blocks.add(chunk):
                yield from self._outcomes(block, final=False)
        yield from self._outcomes(blocks.rest, final=True)

    async def read_async(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Outcome]:
        """Return what the rows of an upload say; see `read`.  Others get a turn between blocks."""
        blocks = _Blocks()
        async for chunk in chunks:
            for block in blocks.add(chunk):
                for outcome in self._outcomes(block, final=False):
                    yield outcome
                await asyncio.sleep(0)
        for outcome in self._outcomes(blocks.rest, final=True):
            yield outcome

    def _outcomes(self, block: bytes, *, final: bool) -> Iterator[Outcome]:
        skip = 0
        if self._decoder is None or self._records is None:
            skip, self._decoder, self._records = self._begin(block, whole=final)
        for at in range(0, max(1, len(block)), BLOCK):
            piece, last = block[at : at + BLOCK], final and at + BLOCK >= len(block)
            text = self._decoder.decode(piece[skip:], last)
            self.bytes_read, skip = self.bytes_read + len(piece), 0
            for record in self._records.feed(text, final=last):
                outcome = self._outcome(record)
                if outcome is not None and outcome.line > self._start_after_line:
                    yield outcome
        if final and self._rows is None:
            self._refuse_heading()

    def _begin(self, sample: bytes, *, whole: bool) -> tuple[int, IncrementalDecoder, Records]:
        """Find out how the file is written."""
        file = self._mapping.file
        decoding = decoding_of(sample, declared=file.encoding, whole=whole)
        self.encoding, self.delimiter = decoding.encoding, file.delimiter
        if self.delimiter is None:
            text = decoding.decoder().decode(sample[decoding.skip :])
            self.delimiter = delimiter_of(text, wanted=self._wanted)
        return decoding.skip, decoding.decoder(), Records(self.delimiter)

    def _outcome(self, record: Record | BadRecord) -> Outcome | None:
        if self._rows is None:
            heading = self._heading.add(record)
            self._rows = None if heading is None else self._read_header(heading)
            return None
        if isinstance(record, BadRecord):
            return RowError(
                line=record.line,
                column=None,
                code=record.code,
                message=record.message,
                row=(_storable(record.text.rstrip("\r\n")),),
            )
        if self._records is not None and self._records.suspicious:
            error = self._unstorable(record)
            if error is not None:
                return error
        return self._rows.read(record.line, record.fields)

    def _refuse_heading(self) -> None:
        """Refuse a file of which no row has all the names, for what the nearest one lacks."""
        nearest = self._heading.nearest
        if nearest is None:
            raise BadHeader("The file has no row that names the columns.")
        self._read_header(nearest)

    def _read_header(self, record: Record | BadRecord) -> RowReader:
        if isinstance(record, BadRecord):
            raise BadHeader(f"The row that names the columns cannot be read: {record.message}")
        header = names_of(record.fields)
        if any(_storable(name) != name for name in header):
            raise NotCsv("This is not CSV: the names of the columns are no text.")
        if len(header) > MOST_COLUMNS:
            raise BadHeader(f"The file has {len(header)} columns; {MOST_COLUMNS} are allowed.")
        refusals = check_header(header, self._mapping.cells)
        if len(refusals) == 1:
            raise refusals[0]
        if refusals:
            raise Refusals(refusals)
        self.header = header
        return RowReader(self._mapping, header)

    def _unstorable(self, record: Record) -> RowError | None:
        """Return what is wrong with a row that holds what is not text."""
        for at, text in enumerate(record.fields):
            if _storable(text) == text:
                continue
            code, what = RowFault.NUL_CHARACTER, "a NUL character"
            if UNDECODABLE in text:
                code, what = RowFault.BAD_ENCODING, f"bytes that are not {self.encoding}"
            name = self.header[at] if at < len(self.header) else None
            return RowError(
                line=record.line,
                column=name,
                code=code,
                message=f"{name or f'Field {at + 1}'} holds {what}.",
                row=tuple(map(_storable, record.fields)),
            )
        return None


def _storable(text: str) -> str:
    """Return a text with a replacement character for what is not text."""
    return text.replace("\x00", "\ufffd").replace(UNDECODABLE, "\ufffd")


class _Blocks:
    """Makes even blocks of chunks of any size; the first is large enough to judge the file by."""

    def __init__(self) -> None:
        self._size = SAMPLE
        self._chunks: list[bytes] = []
        self._length = 0

    def add(self, chunk: bytes) -> Iterator[bytes]:
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._length < self._size:
            return
        held, at = self.rest, 0
        while len(held) - at >= self._size:
            block = held[at : at + self._size]
            at, self._size = at + len(block), BLOCK
            yield block
        self._chunks, self._length = [held[at:]], len(held) - at

    @property
    def rest(self) -> bytes:
        return b"".join(self._chunks)
