"""The cursor of a queue: which leads were on the pages before."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from uuid import UUID

from domain.paging import BadPage

MOST_QUEUED = 10_000
"""More than anybody works in a year; of more leads, those due first, then the best graded."""
_SIGN = "q1."
_MARK = 6


def mark_of(lead_id: UUID) -> bytes:
    """Return what a cursor keeps of a lead: the end of its id, which is chance alone."""
    return lead_id.bytes[-_MARK:]


def cursor_after(seen: Iterable[bytes], shown: Iterable[UUID]) -> str:
    """Return the cursor behind a page: a mark of each lead that was on it or on one before.

    It takes eight characters a lead.
    """
    marks = b"".join([*seen, *map(mark_of, shown)])
    return _SIGN + base64.urlsafe_b64encode(marks).decode()


def marks_in(cursor: str | None) -> tuple[bytes, ...]:
    """Return the marks of the leads that were on the pages before.

    Raises:
        BadPage: if it is no cursor of a queue.
    """
    if cursor is None:
        return ()
    wrong = BadPage("`after` is no cursor of this list.", path=("after",))
    try:
        marks = base64.b64decode(cursor.removeprefix(_SIGN), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if not cursor.startswith(_SIGN) or len(marks) % _MARK or len(marks) > _MARK * MOST_QUEUED:
        raise wrong
    return tuple(marks[n : n + _MARK] for n in range(0, len(marks), _MARK))
