"""Counts failed sign-ins, for all processes together.

Three tallies meet each attempt: of the account, of the address it comes from, and of the account
from that address.  What is stored names nobody: keys are keyed hashes, and an e-mail address that
nobody has is counted like any other, so that the count does not tell who has an account.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from domain.identity import AttemptLimit, Failures, TooManyAttempts
from infra.database import Database
from infra.secrets import derived_key

# How long an address is trusted with an account after the right password came from there.
TRUST = timedelta(days=30)
_SWEPT = 20
_V6_PREFIX_BITS = 64


class Scope(StrEnum):
    """What attempts are counted by."""

    PAIR = "PAIR"
    ACCOUNT = "ACCOUNT"
    ADDRESS = "ADDRESS"


LIMITS: Mapping[Scope, AttemptLimit] = {
    Scope.PAIR: AttemptLimit(
        free=10, longest=timedelta(minutes=15), forgiven_each=timedelta(hours=1)
    ),
    # Many addresses at one account: slow enough to guess nothing, and no wait to despair of.
    Scope.ACCOUNT: AttemptLimit(
        free=100, longest=timedelta(minutes=5), forgiven_each=timedelta(minutes=10)
    ),
    # One address may be a whole company's, whose people mistype all day.
    Scope.ADDRESS: AttemptLimit(
        free=100, longest=timedelta(minutes=15), forgiven_each=timedelta(minutes=1)
    ),
}

# Locks the tallies, each made if it is not there, in one order for everybody.
_TAKE = """
INSERT INTO sign_in_failures AS f (key, last_at, forgiven_at, kept_until)
SELECT k, $2, $2, $2 FROM unnest($1::text[]) AS k ORDER BY k
ON CONFLICT (key) DO UPDATE SET key = f.key
RETURNING key, last_at, forgiven_at, trusted_until
"""
_KEEP = """
UPDATE sign_in_failures f SET
  last_at = g.last_at, forgiven_at = g.forgiven_at, trusted_until = g.trusted_until,
  kept_until = greatest(g.forgiven_at, g.trusted_until)
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
  AS g(key, last_at, forgiven_at, trusted_until)
WHERE f.key = g.key
"""
_SWEEP = """
DELETE FROM sign_in_failures WHERE key IN (
  SELECT key FROM sign_in_failures WHERE kept_until < $1
  ORDER BY kept_until LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was let through, and the tallies that count it as failed so far."""

    keys: Mapping[Scope, str]


class Attempts:
    """Lets attempts through, or says how long to wait."""

    def __init__(
        self, database: Database, secret: bytes, limits: Mapping[Scope, AttemptLimit] = LIMITS
    ) -> None:
        self._database = database
        self._key = derived_key(secret, "sign-in attempts v1")
        self._limits = limits

    async def begin(self, email: str, address: str | None) -> Attempt:
        """Let an attempt through and count it as failed, until it is said to have succeeded.

        Raises:
            TooManyAttempts: if it is too early for another one; then it is not counted.
        """
        attempt, now = Attempt(self._keys(email, address)), await self._database.now()
        async with self._taken(attempt, now) as tallies:
            wait = self._wait(tallies, now)
            if not wait:
                for scope, failures in tallies.items():
                    tallies[scope] = failures.one_more(self._limits[scope], at=now)
        if wait:
            raise TooManyAttempts(wait)
        return attempt

    async def succeeded(self, attempt: Attempt) -> None:
        """Take an attempt back, and trust where it came from."""
        now = await self._database.now()
        async with self._taken(attempt, now) as tallies:
            self._take_back(tallies)
            if (pair := tallies.get(Scope.PAIR)) is not None:
                tallies[Scope.PAIR] = replace(pair, forgiven_at=now, trusted_until=now + TRUST)

    async def withdrawn(self, attempt: Attempt) -> None:
        """Take back an attempt that was not judged."""
        async with self._taken(attempt, await self._database.now()) as tallies:
            self._take_back(tallies)

    def _take_back(self, tallies: dict[Scope, Failures]) -> None:
        for scope, failures in tallies.items():
            earlier = failures.forgiven_at - self._limits[scope].forgiven_each
            tallies[scope] = replace(failures, forgiven_at=earlier)

    @asynccontextmanager
    async def _taken(self, attempt: Attempt, now: datetime) -> AsyncIterator[dict[Scope, Failures]]:
        """Lock the tallies of an attempt for a block, and keep what it makes of them."""
        scopes = {key: scope for scope, key in attempt.keys.items()}
        async with self._database.platform.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_TAKE, list(scopes), now)
            tallies = {scopes[key]: Failures(*rest) for key, *rest in rows}
            yield tallies
            kept = [(attempt.keys[scope], *astuple(each)) for scope, each in tallies.items()]
            await connection.execute(_KEEP, *map(list, zip(*kept, strict=True)))
            await connection.execute(_SWEEP, now, _SWEPT)

    def _wait(self, found: Mapping[Scope, Failures], now: datetime) -> timedelta:
        waits = {
            scope: failures.wait(self._limits[scope], at=now) for scope, failures in found.items()
        }
        pair = found.get(Scope.PAIR)
        if pair is not None and pair.is_trusted(now):
            # Strangers who try an account from elsewhere must not keep its owner out.
            waits[Scope.ACCOUNT] = timedelta(0)
        return max(waits.values())

    def _keys(self, email: str, address: str | None) -> Mapping[Scope, str]:
        keys = {Scope.ACCOUNT: self._hashed(Scope.ACCOUNT, email.lower())}
        if (place := network_of(address)) is not None:
            keys[Scope.ADDRESS] = self._hashed(Scope.ADDRESS, place)
            keys[Scope.PAIR] = self._hashed(Scope.PAIR, f"{place} {email.lower()}")
        return keys

    def _hashed(self, scope: Scope, text: str) -> str:
        octets = f"{scope} {text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, octets, "sha256").hexdigest()


def network_of(address: str | None) -> str | None:
    """Return whom an address belongs to, as far as counting goes; None where it is unknown.

    Of IPv6 the first 64 bits, for anybody has all addresses that begin with them.
    """
    if address is None:
        return None
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> _V6_PREFIX_BITS << _V6_PREFIX_BITS))
