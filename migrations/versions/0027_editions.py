"""Tell apart what somebody changed about a lead from what only followed by rule."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE leads ADD COLUMN derived bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE leads DROP COLUMN derived")
