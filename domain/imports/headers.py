"""What can be wrong with a mapping, or with a file before its first row."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from domain.errors import Invalid
from domain.imports.cells import Cell


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


def check_header(header: Sequence[str], cells: Iterable[Cell]) -> list[Invalid]:
    """Return what is wrong with the names of a file's columns, if those of the cells are needed."""
    named = [name for name in header if name]
    if not named:
        return [BadHeader("The first row is to name the columns, but it is empty.")]
    doubled = sorted({name for name in named if named.count(name) > 1})
    refusals: list[Invalid] = [
        BadHeader(f"There are {named.count(name)} columns {name!r}.") for name in doubled
    ]
    for cell in cells:
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
