"""Keep which next steps a merge has replaced, so that it can be undone."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE merge_records ADD COLUMN steps jsonb NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE merge_records DROP COLUMN steps")
