"""Lists in pages: keyset cursors over an order that never ties."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from domain.errors import Invalid
from domain.filters import Filter
from domain.ports import Question

E = TypeVar("E")

DEFAULT_PAGE = 25
LARGEST_PAGE = 100


class BadPage(Invalid):
    """A page that cannot be: a foreign cursor, a size out of range, both directions at once."""

    code = "BAD_USER_INPUT"


@dataclass(frozen=True, slots=True)
class Order:
    """One column of an order.  Nulls come last unless `nulls_first`."""

    field: str
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: `size` rows after (or before) a cursor, forward or backward."""

    size: int = DEFAULT_PAGE
    cursor: tuple[Any, ...] | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What else the rows of a list must be, where no filter can say it.

    `infra/queries` has a condition for each kind of it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[E]):
    """Some rows of a list.  `listing` is the question it answers, without its page."""

    nodes: Sequence[E]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    listing: Listing[E]

    @property
    def counting(self) -> Question[int]:
        """Return the question how many rows there are on all pages."""
        return Count(listing=self.listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Question["Page[E]"], Generic[E]):
    """A page of the entities of a kind that equal some values, match a filter and are `only` so.

    `order` is completed by the id, so that no two rows tie.
    """

    kind: type[E]
    equals: Mapping[str, Any] = field(default_factory=dict)
    filter: Filter | None = None
    only: Narrowing | None = None
    order: tuple[Order, ...] = ()
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Question[int]):
    """How many entities a listing has on all its pages."""

    listing: Listing[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingsOf(Question[Mapping[Any, "Page[Any]"]]):
    """The same listing for each of several parents, `by` naming the field that holds their id."""

    by: str
    parents: tuple[Any, ...]
    listing: Listing[Any]


def page_request(
    *, first: int | None, after: str | None, last: int | None, before: str | None
) -> PageRequest:
    """Return the page that Relay's four arguments name.

    Raises:
        BadPage: if they contradict each other, a size is outside 1-100, or a cursor is not ours.
    """
    if last is not None and (first is not None or after is not None):
        raise BadPage("Page forward with first and after, or backward with last and before.")
    if last is None and before is not None:
        raise BadPage("`before` goes with `last`.", path=("before",))
    name, size = ("first", first) if last is None else ("last", last)
    size = DEFAULT_PAGE if size is None else size
    if not 1 <= size <= LARGEST_PAGE:
        raise BadPage(f"`{name}` must be from 1 to {LARGEST_PAGE}, not {size}.", path=(name,))
    text, at = (after, "after") if last is None else (before, "before")
    cursor = None if text is None else read_cursor(text, at)
    return PageRequest(size=size, cursor=cursor, backward=last is not None)


def write_cursor(values: Sequence[Any]) -> str:
    """Return the cursor of a row whose order columns have these values (JSON's own types)."""
    text = json.dumps(list(values), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, name: str) -> tuple[Any, ...]:
    """Return the values in a cursor.

    Raises:
        BadPage: if it is not one of ours.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or not values or len(text) > 2000:
        raise BadPage(f"`{name}` is not a cursor of this list.", path=(name,))
    if any(isinstance(value, list | dict) for value in values):
        raise BadPage(f"`{name}` is not a cursor of this list.", path=(name,))
    return tuple(values)
