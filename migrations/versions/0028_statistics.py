"""Look at a table again after a thousand changed rows, however many rows it has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import STATISTICS, begin

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_TENANTS_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND a.attname = 'tenant_id' AND NOT a.attisdropped
ORDER BY c.relname
"""


def upgrade() -> None:
    begin()
    _alter("SET", ", ".join(f"{name} = {value}" for name, value in STATISTICS.items()))


def downgrade() -> None:
    begin()
    _alter("RESET", ", ".join(STATISTICS))


def _alter(verb: str, options: str) -> None:
    for table in op.get_bind().scalars(sa.text(_TENANTS_TABLES)).all():
        op.execute(f'ALTER TABLE "{table}" {verb} ({options})')
