"""Let an event in the outbox tell which request it came of, for traces across processes."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE outbox ADD COLUMN traceparent text")


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE outbox DROP COLUMN traceparent")
