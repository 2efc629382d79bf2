"""Whether a process can do its work: the database answers and has what this code needs."""

from __future__ import annotations

from sqlalchemy import MetaData

from infra.database import Database
from infra.tables import metadata

_COLUMNS = """
SELECT c.relname || '.' || a.attname
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
"""


def columns_needed(tables: MetaData = metadata) -> frozenset[str]:
    """Return the columns that this version of the code knows."""
    return frozenset(f"{table.name}.{c.name}" for table in tables.tables.values() for c in table.c)


class Health:
    """Looks after one process's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._has_schema = False

    async def fault(self) -> str | None:
        """Return what keeps this process from working, in a few words.

        A schema that is newer than the code is well: during a roll-out old processes go on.
        """
        async with self._database.app.acquire(timeout=1) as connection:
            if self._has_schema:
                await connection.fetchval("SELECT 1", timeout=2)
                return None
            found = {row[0] for row in await connection.fetch(_COLUMNS, timeout=2)}
        missing = sorted(columns_needed() - found)
        self._has_schema = not missing
        return (
            f"the schema lacks {len(missing)} columns: run `smarketing migrate`"
            if missing
            else None
        )
