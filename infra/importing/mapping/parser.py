"""What all mappings are made of: the file, its cells and plain values, each fault told."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TypeGuard, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import DomainError
from domain.imports import (
    ISO,
    BadMapping,
    Cell,
    FileMapping,
    Letters,
    Otherwise,
    contradicting,
    did_you_mean,
    fault_in_format,
    read_instant,
)

Path = tuple[str | int, ...]
Choice = TypeVar("Choice", bound=StrEnum)

DELIMITERS = (",", ";", "\t", "|")
DECIMAL_MARKS = (".", ",")

# Codecs of single words and of source code, and UTF-7, which can spell what is no text.
_NOT_OF_FILES = frozenset(
    ["undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"]
)


@dataclass
class Parser:
    """Reads on after a fault, so that all of them can be told."""

    refusals: list[DomainError] = field(default_factory=list)
    formats: tuple[str, ...] = (ISO,)

    def file(self, table: Mapping[str, object]) -> FileMapping:
        self.known(table, [each.name for each in fields(FileMapping)], ("file",))
        formats = self.formats_of(table, "date_formats", ("file",))
        return FileMapping(
            encoding=self.encoding(table),
            delimiter=self.delimiter(table),
            time_zone=self.time_zone(table),
            date_formats=formats or (ISO,),
            decimal_mark=self.decimal_mark(table),
            blanks=frozenset(self.texts(table, "blanks", ("file",))),
            skip_rows=tuple(each.casefold() for each in self.words(table, "skip_rows")),
            currency_signs=tuple(
                sorted(self.words(table, "currency_signs"), key=len, reverse=True)
            ),
        )

    def words(self, table: Mapping[str, object], key: str) -> list[str]:
        """Return what values of the file begin or end with."""
        words = [word.strip() for word in self.texts(table, key, ("file",))]
        for at, word in enumerate(words):
            if not word:
                self.refuse("Everything begins and ends with nothing.", "file", key, at)
        return words

    def encoding(self, table: Mapping[str, object]) -> str | None:
        name = self.text(table, "encoding", ("file",))
        if name is None:
            return None
        try:
            "name".encode(name).decode(name)
            found = codecs.lookup(name).name
        except (LookupError, ValueError):
            found = "undefined"
        if found in _NOT_OF_FILES:
            self.refuse(
                f"No encoding is called {name!r}; try 'utf-8' or 'cp1252'.", "file", "encoding"
            )
            return None
        return found

    def delimiter(self, table: Mapping[str, object]) -> str | None:
        sign = self.text(table, "delimiter", ("file",))
        if sign is None or sign in DELIMITERS:
            return sign
        self.refuse("A delimiter is ',', ';', a tab ('\\t') or '|'.", "file", "delimiter")
        return None

    def decimal_mark(self, table: Mapping[str, object]) -> str:
        mark = self.text(table, "decimal_mark", ("file",))
        if mark is None or mark in DECIMAL_MARKS:
            return mark or "."
        self.refuse("A decimal mark is '.' or ','.", "file", "decimal_mark")
        return "."

    def time_zone(self, table: Mapping[str, object]) -> str:
        name = self.text(table, "time_zone", ("file",))
        if name is None:
            return "UTC"
        try:
            return ZoneInfo(name).key
        except (LookupError, ValueError, OSError):
            near = did_you_mean(name, sorted(available_timezones()))
            hint = near if near.startswith("did") else "use a name like 'Europe/Berlin'."
            self.refuse(f"There is no time zone {name[:80]!r}; {hint}", "file", "time_zone")
            return "UTC"

    def source_of(self, given: object, path: Path) -> tuple[str | None, object]:
        """Return the system that an external id comes from, and what else is said of it."""
        if not isinstance(given, dict) or "source" not in given:
            self.refuse(
                "Name the system the ids come from: { source = 'crm', column = 'id' }.", *path
            )
            return None, given
        source = self.text(given, "source", path)
        return source, {key: value for key, value in given.items() if key != "source"}

    def cell(self, given: object, path: Path, *, instant: bool = False) -> Cell | None:
        """Return where a value comes from: a column's name, or a table that says more."""
        table = {"column": given} if isinstance(given, str) else given
        if not isinstance(table, dict):
            self.refuse("Give a column's name, or a table such as { column = '…' }.", *path)
            return None
        keys = ("column", "constant", "required", "letters", "values", "otherwise")
        self.known(table, (*keys, "formats") if instant else keys, path)
        column, constant = self.text(table, "column", path), self.text(table, "constant", path)
        if ("column" in table) == ("constant" in table):
            self.refuse("Give either a column or a constant.", *path)
            return None
        formats = self.formats_of(table, "formats", path) if instant else ()
        formats = (formats or self.formats) if instant else ()
        if instant and constant is not None and not _is_instant(constant, formats):
            self.refuse(f"{constant!r} is no date in any of the formats.", *path, "constant")
        return Cell(
            path=path,
            column=column,
            constant=constant,
            required=self.flag(table, "required", path),
            letters=self.choice(table, "letters", Letters, path) or Letters.KEEP,
            values=self.values(table, path),
            otherwise=self.choice(table, "otherwise", Otherwise, path) or Otherwise.KEEP,
            formats=formats,
        )

    def values(self, table: Mapping[str, object], path: Path) -> dict[str, str]:
        given = self.table(table, "values", path)
        texts = {name: value for name, value in given.items() if is_text(value)}
        for name in given.keys() - texts.keys():
            self.refuse("A value is replaced by a text.", *path, "values", name)
        return texts

    def formats_of(self, table: Mapping[str, object], key: str, path: Path) -> tuple[str, ...]:
        formats = self.texts(table, key, path)
        sound = True
        for at, style in enumerate(formats):
            fault = fault_in_format(style)
            if fault is not None:
                sound = False
                self.refuse(f"The date format {style!r} will not do: {fault}.", *path, key, at)
        clash = contradicting(formats) if sound else None
        if clash is not None:
            one, other = clash
            self.refuse(f"{one!r} and {other!r} read the same text as two days.", *path, key)
        return formats

    def table(self, table: Mapping[str, object], key: str, path: Path) -> Mapping[str, object]:
        found = table.get(key, {})
        if isinstance(found, dict):
            return found
        self.refuse("This is to be a table.", *path, key)
        return {}

    def text(self, table: Mapping[str, object], key: str, path: Path) -> str | None:
        found = table.get(key)
        if found is None:
            return None
        if is_text(found) and 1 <= len(found) <= 200:
            return found
        self.refuse("This is to be a text of 1 to 200 characters.", *path, key)
        return None

    def texts(self, table: Mapping[str, object], key: str, path: Path) -> tuple[str, ...]:
        found = table.get(key, [])
        if isinstance(found, list) and len(found) <= 50:
            texts = tuple(text for text in found if is_text(text))
            if len(texts) == len(found):
                return texts
        self.refuse("This is to be a list of at most 50 texts.", *path, key)
        return ()

    def flag(self, table: Mapping[str, object], key: str, path: Path) -> bool:
        found = table.get(key, False)
        if isinstance(found, bool):
            return found
        self.refuse("This is to be true or false.", *path, key)
        return False

    def choice(
        self, table: Mapping[str, object], key: str, choices: type[Choice], path: Path
    ) -> Choice | None:
        if key not in table:
            return None
        found = str(table[key])[:80]
        try:
            return choices(found)
        except ValueError:
            near = did_you_mean(found, [choice.value for choice in choices])
            self.refuse(f"{found!r} is not known here; {near}", *path, key)
            return None

    def known(self, table: Mapping[str, object], keys: Sequence[str], path: Path) -> None:
        for key in table:
            if key not in keys:
                near = did_you_mean(key[:80], keys)
                self.refuse(f"{key[:80]!r} is not known here; {near}", *path, key)

    def refuse(self, message: str, *path: str | int) -> None:
        self.refusals.append(BadMapping(message, path=path))


def is_text(value: object) -> TypeGuard[str]:
    """Say whether it is a text that can be stored."""
    if not isinstance(value, str):
        return False
    return not any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in value)


def _is_instant(text: str, formats: tuple[str, ...]) -> bool:
    try:
        read_instant(text, formats, ZoneInfo("UTC"))
    except ValueError:
        return False
    return True
