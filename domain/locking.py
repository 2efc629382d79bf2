"""Locks on what may become another's between being found and being locked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.errors import StaleWrite
from domain.ports import Question, Work

T = TypeVar("T")

# How often it is looked for what becomes another's in the same instant.
_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLocks(Question[None]):
    """Mark the locks that are held so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBackLocks(Question[None]):
    """Give back the locks taken since they were marked, and undo what was written since."""


async def find_and_lock(
    work: Work, attempt: Callable[[Work], Awaitable[T | None]], *, kind: str
) -> T:
    """Return what an attempt has found and locked; None means that it became another's meanwhile.

    To lock that one as well would break the order in which everybody locks, so everything is let
    go of, and looked for again.

    Raises:
        StaleWrite: if it became another's again and again.
    """
    await work.ask(MarkLocks())
    for _ in range(_TRIES):
        found = await attempt(work)
        if found is not None:
            return found
        await work.ask(GiveBackLocks())
    raise StaleWrite(kind)
