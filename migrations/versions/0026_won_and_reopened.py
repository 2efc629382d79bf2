"""Let a deal that was won be reopened, and keep why; keep which rate a month's values lacked."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE
from migrations.tenancy import begin

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# What goes when it turns out that nothing was won, or not then; the audit log keeps it.
_TAKEN_BACK = ("opportunity_steps", "revenue_events", "customer_steps")


def upgrade() -> None:
    begin()
    for table in _TAKEN_BACK:
        op.execute(f"GRANT DELETE ON {table} TO {APP_ROLE}")
    op.execute("ALTER TABLE opportunity_steps ADD COLUMN reason text")
    op.execute("ALTER TABLE value_recalibrations ADD COLUMN missing jsonb")


def downgrade() -> None:
    begin()
    for table in _TAKEN_BACK:
        op.execute(f"REVOKE DELETE ON {table} FROM {APP_ROLE}")
    op.execute("ALTER TABLE value_recalibrations DROP COLUMN missing")
    op.execute("ALTER TABLE opportunity_steps DROP COLUMN reason")
