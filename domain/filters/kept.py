"""Filters of criteria that are stored: read once, and kept while they are used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from domain.filters.fields import FilterFields
from domain.filters.parsing import parse
from domain.filters.tree import Filter

MOST_KEPT = 4096
# Of the texts they are kept by.  A filter takes about as much memory as its text.
MOST_CHARACTERS = 4_000_000


class KeptFilters:
    """The filters that were last asked for, by what they say and not by who says it.

    So nothing needs to be forgotten when a criterion changes, is rolled back or is another
    tenant's.
    """

    def __init__(self, most: int = MOST_KEPT, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._characters = 0
        self._filters: OrderedDict[tuple[FilterFields, str], Filter] = OrderedDict()

    def of(self, criterion: Mapping[str, Any], fields: FilterFields) -> Filter:
        """Return the filter that a criterion says."""
        # The order of its keys is part of a filter, and `1`, `1.0` and `true` are told apart.
        key = fields, repr(criterion)
        found = self._filters.get(key)
        if found is None:
            found = self._filters[key] = parse(criterion, fields)
            self._characters += len(key[1])
            self._forget()
        else:
            self._filters.move_to_end(key)
        return found

    def __len__(self) -> int:
        return len(self._filters)

    def _forget(self) -> None:
        while len(self._filters) > self._most or self._characters > self._most_characters:
            (_, text), _ = self._filters.popitem(last=False)
            self._characters -= len(text)


_kept = KeptFilters()


def parsed(criterion: Mapping[str, Any], fields: FilterFields) -> Filter:
    """Return the filter that a stored criterion says, as `parse` does, but without reading it anew.

    Raises:
        BadCriterion: if it cannot be understood, which is then found out each time.
    """
    return _kept.of(criterion, fields)
