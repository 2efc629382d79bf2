"""Subscribers of the same thing follow one source, one execution and one encoded answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from contextlib import aclosing
from enum import Enum

import structlog

from api.engine.events import Payload
from api.engine.gauges import Gauges
from api.engine.mailbox import Mailbox
from api.engine.masking import BUG, ErrorCode, OperationFailed, refusal

log = structlog.get_logger(__name__)

Source = Callable[[], AsyncGenerator[Payload, None]]


class Kind(Enum):
    """What a subscription field tells: how things stand, or what happened."""

    STATE = "state"
    """Every answer replaces the one before: shared, and a slow reader gets the latest."""
    FEED = "feed"
    """Every answer matters: a source for each subscriber, read only as fast as he reads."""


SubscriptionKinds = Mapping[str, Kind]
"""Kinds by the name of the subscription field.  What is not named is a feed."""


class Cohort:
    """Subscribers with the same question and the same rights."""

    def __init__(self, source: Source, dissolve: Callable[[], None]) -> None:
        self._source = source
        self._dissolve = dissolve
        self._members: set[Mailbox[Payload]] = set()
        self._latest: Payload | None = None
        self._pump: asyncio.Task[None] | None = None

    def join(self) -> Mailbox[Payload]:
        """Let somebody in, and give him what the others saw last."""
        member: Mailbox[Payload] = Mailbox()
        self._members.add(member)
        if self._latest is not None:
            member.put(self._latest)
        if self._pump is None:
            self._pump = asyncio.create_task(self._publish_all(), name="cohort")
        return member

    def leave(self, member: Mailbox[Payload]) -> None:
        """Let somebody go; the last one closes the source."""
        self._members.discard(member)
        if not self._members:
            self.close()

    def close(self) -> asyncio.Task[None] | None:
        """Stop publishing.  Nobody can join any more."""
        self._dissolve()
        if self._pump is not None:
            self._pump.cancel()
        return self._pump

    async def _publish_all(self) -> None:
        failure: OperationFailed | None = None
        try:
            async with aclosing(self._source()) as answers:
                async for answer in answers:
                    self._publish(answer)
        except OperationFailed as failed:
            failure = failed
        except Exception as bug:  # members must hear of it, whatever it is
            log.exception("graphql.cohort_failed", error=type(bug).__qualname__)
            failure = OperationFailed([refusal(BUG, ErrorCode.INTERNAL_SERVER_ERROR)])
        finally:
            self._dissolve()
            for member in self._members:
                member.close(failure)

    def _publish(self, answer: Payload) -> None:
        if self._latest is not None and self._latest.body == answer.body:
            return
        self._latest = answer
        for member in self._members:
            member.put(answer)


class Cohorts:
    """All cohorts of this process."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges
        self._open: dict[Hashable, Cohort] = {}

    async def follow(self, key: Hashable, source: Source) -> AsyncGenerator[Payload, None]:
        """Follow the cohort of `key`, opening it with `source` if nobody follows it yet."""
        with self._gauges.counting("members"):
            cohort = self._open.get(key) or self._form(key, source)
            member = cohort.join()
            try:
                async for answer in member:
                    yield answer
            finally:
                cohort.leave(member)

    async def aclose(self) -> None:
        """Close every cohort and wait until its source is closed."""
        pumps = [pump for cohort in list(self._open.values()) if (pump := cohort.close())]
        await asyncio.gather(*pumps, return_exceptions=True)

    def _form(self, key: Hashable, source: Source) -> Cohort:
        def dissolve() -> None:
            if self._open.get(key) is cohort:
                del self._open[key]
                self._gauges.cohorts -= 1

        cohort = Cohort(source, dissolve)
        self._open[key] = cohort
        self._gauges.cohorts += 1
        return cohort
