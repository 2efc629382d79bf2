"""How many rows of a file were alike so far, in little memory: a file may have millions."""

from __future__ import annotations

from array import array
from collections import Counter

# Twice as many places as rows, at least, so that a free one is near.
_SMALLEST = 1 << 10
_FREE = 0


class Alike:
    """Counts rows by their prints, in 16 to 32 bytes each: a table of the first 64 bits of each.

    That two of ten million rows that differ have these in common has a chance of 1 in 370,000.
    """

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _SMALLEST))
        self._known = 0
        self._more: Counter[int] = Counter()
        """Rows but for the first of each kind, where there are any."""

    def count(self, said: str) -> int:
        """Count a row by its print, in hexadecimal digits; return how many were alike before it."""
        key = int(said[:16], 16) or 1
        at = self._place(key)
        if self._places[at] == key:
            self._more[key] += 1
            return self._more[key]
        self._places[at] = key
        self._known += 1
        if 2 * self._known > len(self._places):
            self._grow()
        return 0

    def _place(self, key: int) -> int:
        """Return where a print is, or else the free place where it goes."""
        places, last = self._places, len(self._places) - 1
        at = key & last
        while places[at] not in (_FREE, key):
            at = (at + 1) & last
        return at

    def _grow(self) -> None:
        known = self._places
        self._places = array("Q", bytes(16 * len(known)))
        for key in known:
            if key != _FREE:
                self._places[self._place(key)] = key
