"""Making changes that somebody else may be making in the same instant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from api.context import Info
from domain.errors import AlreadyExists

T = TypeVar("T")


async def written(info: Info, change: Callable[[Any], Awaitable[T]]) -> T:
    """Make a change in one transaction; again, if somebody stored the same in the same instant.

    The second time what they stored is there to be seen, and is updated or named as a duplicate.
    """
    for _ in range(2):
        try:
            async with info.context.writing() as work:
                return await change(work)
        except AlreadyExists:
            continue
    async with info.context.writing() as work:
        return await change(work)
