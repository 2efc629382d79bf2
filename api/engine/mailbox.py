"""A place for the latest value only, so that a slow reader never makes memory grow."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds one value for one reader; a newer value takes the place of an unread one."""

    __slots__ = ("_closed", "_failure", "_full", "_news", "_value")

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._value: T | None = None
        self._full = False
        self._closed = False
        self._failure: Exception | None = None

    def put(self, value: T) -> None:
        """Leave a value, over the one that has not been read."""
        if self._closed:
            return
        self._value = value
        self._full = True
        self._news.set()

    def close(self, failure: Exception | None = None) -> None:
        """Let the reader have what is left, then the end: by `failure` if there is one."""
        if self._closed:
            return
        self._closed = True
        self._failure = failure
        self._news.set()

    def __aiter__(self) -> Mailbox[T]:
        return self

    async def __anext__(self) -> T:
        await self._news.wait()
        if self._full:
            value, self._value, self._full = self._value, None, False
            if not self._closed:
                self._news.clear()
            return value  # type: ignore[return-value]  # full, so it is a T, which may be None
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration
