"""The one way to make a table that belongs to tenants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

from infra.settings import APP_ROLE

# What a unique index needs so that what other systems name is never taken twice.
EXTERNAL_NAME = "external_source, external_value WHERE external_value IS NOT NULL"

# A tenant that PostgreSQL has not met in a table's sample has one row there, as far as the planner
# knows, and what joins its thousands is planned to try each with each.  Usually a table is sampled
# again when a tenth of it has changed; beside big tenants a new one would wait for that for ever.
STATISTICS: Mapping[str, int] = {
    "autovacuum_analyze_scale_factor": 0,
    "autovacuum_analyze_threshold": 1000,
}


def begin() -> None:
    """Give up quickly when somebody holds a lock, and never touch zero rows in silence."""
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("SET LOCAL row_security = off")


def tenant_table(
    name: str,
    *columns: str,
    key: Sequence[str] = ("id",),
    refers: Mapping[str, str] | None = None,
    unique: Mapping[str, str] | None = None,
    indexes: Mapping[str, str] | None = None,
    may: str = "SELECT, INSERT, UPDATE",
) -> None:
    """Create a table whose rows each belong to one tenant, visible to that tenant only.

    Args:
        columns: Column definitions and checks in SQL, without the tenant.
        key: What identifies a row within its tenant.
        refers: Column to table: foreign keys.  PostgreSQL checks them without looking at
            row-level security, so the tenant must be part of each, or one tenant's row could
            point at another's.
        unique: Name to columns (and `WHERE …`), each led by the tenant, or it would be an oracle.
        indexes: The same for plain indexes.
        may: What the application may do; TRUNCATE, TRIGGER and REFERENCES are never among it.
    """
    parts = ["tenant_id uuid NOT NULL", *columns, f"PRIMARY KEY ({', '.join(('tenant_id', *key))})"]
    parts += [
        f'CONSTRAINT "{name}.{column}" FOREIGN KEY (tenant_id, "{column}")'
        f" REFERENCES {target} (tenant_id, id)"
        for column, target in (refers or {}).items()
    ]
    options = ", ".join(f"{option} = {value}" for option, value in STATISTICS.items())
    op.execute(f"CREATE TABLE {name} ({', '.join(parts)}) WITH ({options})")
    distribute(name)
    isolate(name)
    op.execute(f"GRANT {may} ON {name} TO {APP_ROLE}")
    for index, rest in (unique or {}).items():
        op.execute(f"CREATE UNIQUE INDEX {index} ON {name} {_led_by_tenant(rest)}")
    for index, rest in (indexes or {}).items():
        op.execute(f"CREATE INDEX {index} ON {name} {_led_by_tenant(rest)}")


def isolate(name: str) -> None:
    """Show a table's rows to their own tenant only, the table's owner included.

    The policy has exactly this shape because `pgrls verify` can prove it, and because Citus
    refuses it with a sub-select.  An unset tenant is an error, not an empty answer.
    """
    tenant = "tenant_id = current_setting('app.tenant_id')::uuid"
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_isolation ON {name} USING ({tenant}) WITH CHECK ({tenant})")


def distribute(name: str) -> None:
    """Spread a table over the nodes by tenant, where PostgreSQL is Citus."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM pg_extension WHERE extname = 'citus'")):
        op.execute(f"SELECT create_distributed_table('{name}', 'tenant_id')")


def choice(column: str, *members: str, optional: bool = False) -> str:
    """Return a text column that takes only the members.

    Not an enum type: under row-level security its `=` cannot use an index.
    """
    listed = ", ".join(f"'{member}'" for member in members)
    null = "" if optional else " NOT NULL"
    return f'"{column}" text{null} CHECK ("{column}" IN ({listed}))'


def drop(*names: str) -> None:
    """Drop tables, the last made first."""
    for name in names:
        op.execute(f"DROP TABLE {name}")


def _led_by_tenant(rest: str) -> str:
    columns, where, condition = rest.partition(" WHERE ")
    return f"(tenant_id, {columns}){where}{condition}"
