"""How the bytes of a file become text, without ever guessing.

Statistical detection was tried and rejected: on a short list of Brazilian names it prefers cp1250,
which turns "Conceição" into "Conceiçăo", and Cyrillic comes out as Korean.  So what is not marked,
declared or valid UTF-8 is refused, showing how it would read in the usual encodings.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from domain.imports import NotCsv, UnknownEncoding

# Stands for bytes that are no text in the file's encoding.  Half a surrogate pair can never be the
# result of decoding, so it cannot be mistaken for something that was really in the file.
UNDECODABLE = "\udcff"
_MARK = "smarketing.mark"

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_USUAL = ("cp1252", "cp1250", "cp1251", "mac_roman", "cp932", "gb18030", "big5", "euc_kr")
_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh91AY", "a bzip2 archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF89a", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1\x15", "a Parquet file"),
    (b"{\\rtf", "an RTF document"),
)
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]\d-])")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|\?xml|!--)", re.IGNORECASE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x00"))


@dataclass(frozen=True, slots=True)
class Decoding:
    """The encoding of a file, and how many bytes of byte order mark stand before the text."""

    encoding: str
    skip: int = 0

    def decoder(self) -> codecs.IncrementalDecoder:
        return codecs.getincrementaldecoder(self.encoding)(_MARK)


def decoding_of(sample: bytes, *, declared: str | None, whole: bool) -> Decoding:
    """Return how to decode a file that begins with a sample; `whole` if that is all of it.

    Raises:
        NotCsv: if it is empty, binary, or another well-known kind of file.
        UnknownEncoding: if only a guess could tell.
    """
    if not sample.strip():
        raise NotCsv("The file is empty.")
    _refuse_other_kinds(sample)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            _refuse_contradiction(declared, encoding)
            return Decoding(encoding, len(mark))
    if declared is not None:
        return Decoding(codecs.lookup(declared).name)
    if sample.count(0) * 4 > len(sample):
        raise UnknownEncoding(
            "The file looks like UTF-16 without a byte order mark, or is no text at all; "
            'if it is text, declare its encoding, such as "utf-16-le".',
            path=("file", "encoding"),
        )
    _refuse_binary(sample)
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample, final=whole)
    except UnicodeDecodeError as error:
        raise UnknownEncoding(_choices(sample, error.start), path=("file", "encoding")) from None
    return Decoding("utf-8")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(_MARK, _mark)


def _refuse_other_kinds(sample: bytes) -> None:
    kind = next((kind for start, kind in _SIGNATURES if sample.startswith(start)), None)
    if sample.startswith(b"PK\x03\x04"):
        workbook = b"[Content_Types].xml" in sample or b"xl/" in sample
        kind = "an Excel workbook (.xlsx)" if workbook else "a zip archive; unpack it first"
    elif _JSON.match(sample):
        kind = "JSON"
    elif _MARKUP.match(sample):
        kind = "a web page or XML"
    if kind is not None:
        advice = "; save it as CSV" if kind.endswith(")") else ""
        raise NotCsv(f"This is not CSV: it looks like {kind}{advice}.")


def _refuse_binary(sample: bytes) -> None:
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 50 > len(sample):
        raise NotCsv("This is not CSV: it looks like a binary file.")


def _refuse_contradiction(declared: str | None, marked: str) -> None:
    if declared is None:
        return
    name = codecs.lookup(declared).name
    if name not in (marked, marked.removesuffix("-le").removesuffix("-be"), f"{marked}-sig"):
        raise UnknownEncoding(
            f"{declared} is declared, but the file begins with the mark of {marked}.",
            path=("file", "encoding"),
        )


def _choices(sample: bytes, at: int) -> str:
    """Return what to say when the bytes are not UTF-8, so that a person can choose."""
    start, end = sample.rfind(b"\n", 0, at) + 1, sample.find(b"\n", at)
    line = sample[max(start, at - 40) : end if 0 <= end < at + 40 else at + 40].strip()
    readings: dict[str, str] = {}
    for encoding in _USUAL:
        reading = line.decode(encoding, "replace")
        if "\ufffd" not in reading and reading.isprintable():
            readings.setdefault(reading, encoding)
    shown = ", ".join(f"{encoding} ({reading!r})" for reading, encoding in readings.items())
    line_number = sample.count(b"\n", 0, at) + 1
    return (
        f"The file is not UTF-8 (line {line_number}); declare its encoding. "
        f"That line would read: {shown or 'as nothing usual'}."
    )
