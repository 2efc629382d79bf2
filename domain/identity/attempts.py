"""How often somebody may try a password: ever more slowly, but never not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from domain.errors import DomainError

_FIRST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimit:
    """After so many failures each further one doubles the wait, from a second to the longest."""

    free: int
    longest: timedelta
    forgiven_each: timedelta
    """In this time one failure is forgiven."""

    def wait(self, failures: int) -> timedelta:
        """Return how long to wait after the last of so many failures."""
        if failures < self.free:
            return timedelta(0)
        # Beyond this the longest wait is long since reached, and the number would overflow.
        doubled: int = 2 ** min(failures - self.free, 30)
        return min(_FIRST_WAIT * doubled, self.longest)


@dataclass(frozen=True, slots=True)
class Failures:
    """What is kept about an account, an address, or an account from one address.

    How many failures there are follows from when the last of them will be forgiven.
    """

    last_at: datetime
    forgiven_at: datetime
    trusted_until: datetime | None = None
    """Until when somebody is known to come from here with the right password."""

    def count(self, limit: AttemptLimit, *, at: datetime) -> int:
        """Return how many failures are not forgiven yet."""
        return max(0, ceil((self.forgiven_at - at) / limit.forgiven_each))

    def wait(self, limit: AttemptLimit, *, at: datetime) -> timedelta:
        """Return how long nobody may try yet; nothing, if one may now."""
        wait = limit.wait(self.count(limit, at=at)) - (at - self.last_at)
        return max(wait, timedelta(0))

    def one_more(self, limit: AttemptLimit, *, at: datetime) -> Failures:
        """Count an attempt as failed, which it is until it succeeds.

        From its beginning: else a thousand at once would all be the first.
        """
        begin = max(self.forgiven_at, at)
        return replace(self, last_at=at, forgiven_at=begin + limit.forgiven_each)

    def is_trusted(self, at: datetime) -> bool:
        """Say whether the right password came from here lately."""
        return self.trusted_until is not None and at < self.trusted_until


class TooManyAttempts(DomainError):
    """There were too many wrong passwords; even the right one has to wait."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, wait: timedelta) -> None:
        self.retry_after = max(1, ceil(wait.total_seconds()))
        super().__init__(f"Too many attempts; try again in {_spoken(self.retry_after)}.")


def _spoken(seconds: int) -> str:
    if seconds < 120:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    return f"{ceil(seconds / 60)} minutes"
