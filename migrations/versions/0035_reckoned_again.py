"""Let a month of which nothing could be said be reckoned again."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE
from migrations.tenancy import begin

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE value_recalibrations ADD COLUMN version bigint NOT NULL DEFAULT 1")
    op.execute(f"GRANT UPDATE ON value_recalibrations TO {APP_ROLE}")


def downgrade() -> None:
    begin()
    op.execute(f"REVOKE UPDATE ON value_recalibrations FROM {APP_ROLE}")
    op.execute("ALTER TABLE value_recalibrations DROP COLUMN version")
