"""Holding on: what a stream reads is read late rather than not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.errors import Unavailable

T = TypeVar("T")

HOLD_SECONDS = 0.25
"""Between two attempts to read what is out of reach."""


async def held_on(read: Callable[[], Awaitable[T]]) -> T:
    """Read, and while what is needed is out of reach try again, for as long as it takes."""
    while True:
        try:
            return await read()
        except Unavailable:
            await asyncio.sleep(HOLD_SECONDS)
