"""Keep why a deal was closed or reopened, and which rate a month's values lacked."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE opportunity_steps ADD COLUMN reason text")
    op.execute("ALTER TABLE value_recalibrations ADD COLUMN missing jsonb")


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE value_recalibrations DROP COLUMN missing")
    op.execute("ALTER TABLE opportunity_steps DROP COLUMN reason")
