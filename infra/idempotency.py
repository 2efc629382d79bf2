"""Answers kept under a key of the client's choice, so that the same request has one effect.

An answer may hold what is shown only once (a new API key, a token), and a request a password.  So
the answer is sealed, of the request there is only a keyed digest, and of the key a plain one: what
is stored tells nothing without the installation's secret.  Whoever replaces the secret makes the
kept answers unreadable, and their keys are refused as used for something else: never run again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain.errors import DomainError
from infra.database import Database, PostgresWork
from infra.sealing import sealed, unsealed
from infra.secrets import derived_key

LIFE = timedelta(hours=24)
CLEANED_EVERY_SECONDS = 60.0
BATCH = 500

# On Citus the lock is one of the node that is connected to, so that two nodes may carry out the
# same request at once.  Then the key of the table decides: one of them is rolled back.
_LOCK = "SELECT pg_try_advisory_xact_lock($1)"
_FIND = """
SELECT fingerprint, answer FROM idempotency_keys
WHERE tenant_id = $1 AND client_id = $2 AND digest = $3 AND created_at > $4
"""
_KEEP = """
INSERT INTO idempotency_keys AS k (tenant_id, client_id, digest, fingerprint, answer, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, client_id, digest) DO UPDATE
SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at
WHERE k.created_at <= $7
"""
# As the platform's role, by the index idempotency_keys_oldest.
_TENANTS = "SELECT DISTINCT tenant_id FROM idempotency_keys WHERE created_at <= $1"
_REMOVE = """
DELETE FROM idempotency_keys WHERE tenant_id = $1 AND (client_id, digest) IN (
    SELECT client_id, digest FROM idempotency_keys
    WHERE tenant_id = $1 AND created_at <= $2
    ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
"""


class KeyInUse(DomainError):
    """The same request is being carried out at this moment."""

    code = "IDEMPOTENCY_KEY_IN_USE"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running; ask again soon.")


class KeyReused(DomainError):
    """The key was used for something else."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; take a new one.")


class AnswerWithheld(DomainError):
    """The request was carried out, and its client may do less today than it could then."""

    code = "FORBIDDEN"

    def __init__(self) -> None:
        super().__init__(
            "This request was carried out before; its answer is kept back, because you may do less"
            " now than you could then."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request under its key."""

    tenant_id: UUID
    client_id: UUID
    """The user or the API key that asks: what others chose as keys is no concern of theirs."""
    may: frozenset[str]
    """What the client may do now."""
    digest: str
    fingerprint: str = field(repr=False)

    @property
    def place(self) -> bytes:
        """Return what no other request under another key shares."""
        return self.tenant_id.bytes + self.client_id.bytes + bytes.fromhex(self.digest)

    @property
    def lock(self) -> int:
        """Return the number of the lock that the one who carries it out holds."""
        return int.from_bytes(hashlib.sha256(self.place).digest()[:8], signed=True)


class KeptAnswers:
    """Keeps answers for a day, within the transaction of what they answer."""

    def __init__(self, secret: bytes) -> None:
        self._fingerprints = derived_key(secret, "idempotency fingerprint v1")
        self._seals = derived_key(secret, "kept answer v1")

    def asked(
        self, *, tenant_id: UUID, client_id: UUID, may: Iterable[str], key: str, request: bytes
    ) -> Asked:
        """Return what identifies a request; `request` is all that its effect depends on."""
        return Asked(
            tenant_id=tenant_id,
            client_id=client_id,
            may=frozenset(may),
            digest=hashlib.sha256(key.encode()).hexdigest(),
            fingerprint=hmac.digest(self._fingerprints, request, "sha256").hex(),
        )

    async def claim(self, work: PostgresWork, asked: Asked) -> bytes | None:
        """Return the kept answer, or None to the one who may now carry the request out.

        The claim ends with the transaction, however that ends.

        Raises:
            KeyInUse: if somebody else has the claim.
            KeyReused: if the key was used for another request.
            AnswerWithheld: if the client has lost a permission since.
        """
        if not await work.connection.fetchval(_LOCK, asked.lock):
            raise KeyInUse
        # A statement of its own: it must see what the last holder of the lock has committed.
        kept = await work.connection.fetchrow(
            _FIND, asked.tenant_id, asked.client_id, asked.digest, work.now - LIFE
        )
        if kept is None:
            return None
        if not hmac.compare_digest(kept["fingerprint"], asked.fingerprint):
            raise KeyReused
        return self._unsealed(asked, kept["answer"])

    async def keep(self, work: PostgresWork, asked: Asked, answer: bytes) -> None:
        """Store the answer to a request that was claimed.

        Raises:
            KeyInUse: if another node of the database has carried it out meanwhile.
        """
        status = await work.connection.execute(
            _KEEP,
            asked.tenant_id,
            asked.client_id,
            asked.digest,
            asked.fingerprint,
            self._sealed(asked, answer),
            work.now,
            work.now - LIFE,
        )
        if status != "INSERT 0 1":
            raise KeyInUse

    def _sealed(self, asked: Asked, answer: bytes) -> bytes:
        """Return an answer sealed, behind what the one who got it was allowed to do."""
        content = " ".join(sorted(asked.may)).encode() + b"\n" + answer
        return sealed(content, key=self._key(asked), about=asked.fingerprint.encode())

    def _unsealed(self, asked: Asked, seal: bytes) -> bytes:
        content = unsealed(seal, key=self._key(asked), about=asked.fingerprint.encode())
        if content is None:
            raise KeyReused
        might, _, answer = content.partition(b"\n")
        if not asked.may.issuperset(might.decode().split()):
            raise AnswerWithheld
        return answer

    def _key(self, asked: Asked) -> bytes:
        """Return the key of one place, so that an answer moved to another cannot be opened."""
        return hmac.digest(self._seals, asked.place, "sha256")


class AnswerCleaner:
    """Removes answers that are not to be given any more.  Any number of processes may."""

    def __init__(self, database: Database, *, every_seconds: float = CLEANED_EVERY_SECONDS) -> None:
        self._database = database
        self._every = every_seconds

    async def run(self) -> None:
        """Remove what is too old, for ever."""
        while True:
            await self.clean()
            await asyncio.sleep(self._every)

    async def clean(self) -> int:
        """Remove all that is too old, a batch of each tenant in turn; return how many."""
        removed, before = 0, await self._database.now() - LIFE
        rows = await self._database.platform.fetch(_TENANTS, before)
        tenants: list[UUID] = [row[0] for row in rows]
        while tenants:
            counts = {}
            for tenant_id in tenants:
                async with self._database.work(tenant_id) as work:
                    status = await work.connection.execute(_REMOVE, tenant_id, before, BATCH)
                counts[tenant_id] = int(status.rpartition(" ")[2])
            removed += sum(counts.values())
            tenants = [tenant_id for tenant_id, count in counts.items() if count == BATCH]
        return removed
