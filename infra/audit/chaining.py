"""Appending to a tenant's chain, as the last thing of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.audit import RECORD_FIELDS, AuditEntry, AuditRecord, Head, digest_of
from infra.rows import columns_of
from infra.statements import cast_of

_FIRST_HEAD = """
INSERT INTO audit_heads (tenant_id, number, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""


def _append() -> str:
    """Return the statement that takes the head, chains entries to it, and moves it on.

    `$1` is the tenant, `$2` the digests, then every field of a record as an array.  All of it is
    one statement, because from its beginning to the commit nobody else writes for the tenant.
    """
    told = columns_of(AuditEntry)[: len(RECORD_FIELDS)]
    names = ", ".join(f'"{column.name}"' for column in told)
    arrays = ", ".join(f"${n}::{cast_of(column)}[]" for n, column in enumerate(told, start=3))
    values = ", ".join(f'e."{column.name}"' for column in told)
    return f"""
WITH head AS MATERIALIZED (
    SELECT number, hash FROM audit_heads WHERE tenant_id = $1 FOR NO KEY UPDATE
), chain AS MATERIALIZED (
    SELECT number, hash AS previous, app.chain(hash, number, $2::bytea[]) AS hashes FROM head
), moved AS (
    UPDATE audit_heads h
    SET number = c.number + cardinality(c.hashes), hash = c.hashes[cardinality(c.hashes)]
    FROM chain c WHERE h.tenant_id = $1
)
INSERT INTO audit_log (tenant_id, {names}, number, previous_hash, hash)
SELECT $1, {values}, c.number + e.place, e.previous, e.hash
FROM chain c, unnest({arrays}, array_prepend(c.previous, trim_array(c.hashes, 1)), c.hashes)
    WITH ORDINALITY AS e({names}, previous, hash, place)
"""  # noqa: S608  # the names put together are those of our own columns


_APPEND = _append()


async def append(connection: Any, tenant_id: UUID, records: Sequence[AuditRecord]) -> None:
    """Write records behind the tenant's newest entry."""
    digests = [digest_of(tenant_id, record) for record in records]
    columns = [[getattr(record, name) for record in records] for name in RECORD_FIELDS]
    done = f"INSERT 0 {len(records)}"
    if await connection.execute(_APPEND, tenant_id, digests, *columns) == done:
        return
    # There was no head to follow: these are the tenant's first.
    first = Head()
    await connection.execute(_FIRST_HEAD, tenant_id, first.number, first.hash)
    if await connection.execute(_APPEND, tenant_id, digests, *columns) != done:
        raise RuntimeError("the audit log took other entries than it was given")
