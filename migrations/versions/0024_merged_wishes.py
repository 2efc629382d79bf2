"""Keep which consents a merge has withdrawn, so that it can be undone."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE
from migrations.tenancy import begin

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE merge_records ADD COLUMN withdrawals jsonb NOT NULL DEFAULT '[]'")
    op.execute(f"GRANT DELETE ON consents TO {APP_ROLE}")


def downgrade() -> None:
    begin()
    op.execute(f"REVOKE DELETE ON consents FROM {APP_ROLE}")
    op.execute("ALTER TABLE merge_records DROP COLUMN withdrawals")
