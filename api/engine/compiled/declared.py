"""How a field says that it can be read for many parents at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

R = TypeVar("R", bound=Callable[..., Any])

LoadMany = Callable[[Any, Sequence[Any], Mapping[str, Any]], Awaitable[Sequence[Any]]]
"""`load_many(context, parents, arguments)` returns one value for each parent, in their order.

The arguments have their public names; those that were not given are absent."""

_MARK = "__load_many__"


def many_at_once(load_many: LoadMany) -> Callable[[R], R]:
    """Declare how to get for many parents what a resolver gets for one."""

    def declare(resolver: R) -> R:
        setattr(resolver, _MARK, load_many)
        return resolver

    return declare


def load_many_of(resolver: Any) -> LoadMany | None:
    """Return how a resolver's values are got for many parents, None if it did not say."""
    found: LoadMany | None = getattr(resolver, _MARK, None)
    return found
