"""Paying for operations by their cost, and saying in the header what is left.

The fields are those of draft-ietf-httpapi-ratelimit-headers (10): a policy for each bucket, and
what is left in it.  The draft's units count requests or bytes; ours count cost, which a parameter
of our own says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from api.engine import ErrorCode
from api.transport.body import Refused


class Allowance(Protocol):
    """One bucket: what it holds when it is full, and what is left."""

    @property
    def name(self) -> str:
        """Return what it is called in the header: tenant, user, key, board or address."""

    @property
    def quota(self) -> int:
        """Return the cost that it holds when full, which is what flows in in a window."""

    @property
    def window(self) -> int:
        """Return the seconds of the window."""

    @property
    def remaining(self) -> int:
        """Return the cost that is left."""

    @property
    def wait(self) -> int:
        """Return after how many seconds more is there: 0 where it is full."""


class Payer(Protocol):
    """Somebody who pays for operations out of some buckets, all of them for each operation."""

    @property
    def allowances(self) -> Sequence[Allowance]:
        """Return the buckets as they are now."""

    def wait(self) -> int | None:
        """Return after how many seconds anything can be paid; None if perhaps now."""

    async def pay(self, cost: int) -> int | None:
        """Pay all of the cost and return None, or nothing, and return the seconds to wait."""


class Nobody:
    """Who pays where nothing has a price."""

    allowances: Sequence[Allowance] = ()

    def wait(self) -> int | None:
        """Return that there is no need to wait."""
        return None

    async def pay(self, cost: int) -> int | None:
        """Pay nothing."""
        return None


def out_of_budget(seconds: int) -> Refused:
    """Refuse what cannot be paid, and say when it can."""
    return Refused(
        429,
        f"Too much was asked for lately: try again in {seconds} seconds.",
        code=ErrorCode.RATE_LIMITED,
        headers={"Retry-After": str(seconds)},
        extensions={"retryAfter": seconds},
    )


def rate_limit_fields(allowances: Sequence[Allowance]) -> Mapping[str, str]:
    """Return the header fields that say what may be spent, and what is left."""
    if not allowances:
        return {}
    policies = (
        f'"{each.name}";q={each.quota};w={each.window};smarketing-unit="cost"'
        for each in allowances
    )
    limits = (
        f'"{each.name}";r={each.remaining}' + (f";t={each.wait}" if each.wait else "")
        for each in allowances
    )
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}
