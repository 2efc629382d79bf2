"""The chain: each entry's hash covers its content and the hash before it.

Written down for third parties in docs/adr/0012-the-audit-log-is-a-chain.md; the database computes
the same (`app.chain`), and so do `smarketing audit verify` and whoever distrusts both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain.audit.entry import RECORD_FIELDS, AuditRecord

# What the first entry follows.
GENESIS = bytes(32)
# Names the encoding, so that another one can come later.
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class Head:
    """The number and the hash of a tenant's newest entry."""

    number: int = 0
    hash: bytes = GENESIS

    @property
    def anchor(self) -> str:
        """What can be noted elsewhere, to know later that nothing up to here was rewritten."""
        return f"{self.number}:{self.hash.hex()}"


def digest_of(tenant_id: UUID, record: AuditRecord) -> bytes:
    """Return the SHA-256 of all that an entry says, but for its place.

    The format, the tenant and every field in its order, each as its length in bytes, a colon, its
    UTF-8 and a comma; nothing at all is `-,`.  So no two records are encoded alike.
    """
    values = (_FORMAT, tenant_id, *(getattr(record, name) for name in RECORD_FIELDS))
    return hashlib.sha256(b"".join(_encoded(value) for value in values)).digest()


def next_hash(previous: bytes, number: int, digest: bytes) -> bytes:
    """Return the hash of the entry that has this digest and comes after a hash.

    SHA-256 over the hash before, the number as eight bytes (the greatest first), and the digest.
    """
    return hashlib.sha256(previous + number.to_bytes(8) + digest).digest()


def _encoded(value: object) -> bytes:
    if value is None:
        return b"-,"
    text = instant_text(value) if isinstance(value, datetime) else str(value)
    data = text.encode()
    return b"%d:%b," % (len(data), data)


def instant_text(at: datetime) -> str:
    """Return an instant in UTC to the microsecond: 2026-11-22T09:00:00.000000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
