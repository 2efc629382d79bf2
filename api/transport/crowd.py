"""How much one address, bearer or tenant has open, and where that is too much.

Counted in each process: a socket belongs to one, and so does the memory it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import TracebackType

from api.engine import ErrorCode
from api.transport.body import Refused

RETRY_AFTER = 5
"""Seconds after which somebody whose places are taken may look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody, as far as he or she is counted: a bearer of credentials, or an address."""

    address: str
    bearer: Hashable = None
    """The user, API key or board; None where nobody is known."""
    tenant: Hashable = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdLimits:
    """The most that may be open at the same time.  A connection is a socket or an event stream."""

    connections_per_address: int = 5_000
    connections_per_bearer: int = 5_000
    subscriptions_per_bearer: int = 5_000
    subscriptions_per_tenant: int = 20_000


class Crowd:
    """Everybody who has something open in this process."""

    def __init__(self, limits: CrowdLimits | None = None) -> None:
        self._limits = limits or CrowdLimits()
        self._counts: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def at(self, who: Who) -> Place:
        """Return the place of a connection from somebody's address."""
        limit = self._limits.connections_per_address
        return Place(self._counts, "connections", {("address", who.address): limit})

    def connection(self, who: Who) -> Place:
        """Return the place of a connection of a known bearer; anybody may have it."""
        limit = self._limits.connections_per_bearer
        return Place(self._counts, "connections", _known({("bearer", who.bearer): limit}))

    def subscription(self, who: Who) -> Place:
        """Return the place of a subscription."""
        limits = {
            ("subscriber", who.bearer): self._limits.subscriptions_per_bearer,
            ("subscribers", who.tenant): self._limits.subscriptions_per_tenant,
        }
        return Place(self._counts, "subscriptions", _known(limits))


class Place:
    """What one connection or subscription takes up while the block runs."""

    def __init__(
        self, counts: Counter[Hashable], what: str, limits: Mapping[Hashable, int]
    ) -> None:
        self._counts = counts
        self._what = what
        self._limits = limits

    def require(self) -> None:
        """Refuse where all places are taken."""
        for key, limit in self._limits.items():
            if self._counts[key] >= limit:
                raise Refused(
                    429,
                    f"There are {limit} {self._what} of yours open already; close some first.",
                    code=ErrorCode.RATE_LIMITED,
                    headers={"Retry-After": str(RETRY_AFTER)},
                    extensions={"retryAfter": RETRY_AFTER},
                )

    def __enter__(self) -> None:
        self._counts.update(self._limits.keys())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for key in self._limits:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]


def _known(limits: Mapping[tuple[str, Hashable], int]) -> Mapping[Hashable, int]:
    """Leave out what somebody who is not known does not have."""
    return {key: limit for key, limit in limits.items() if key[1] is not None}
