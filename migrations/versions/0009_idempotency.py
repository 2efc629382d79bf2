"""Create the answers that are kept for requests under a key."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, drop, tenant_table

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "idempotency_keys",
        "client_id uuid NOT NULL",
        "digest text NOT NULL",
        "fingerprint text NOT NULL",
        "answer bytea NOT NULL",
        "created_at timestamptz NOT NULL",
        key=("client_id", "digest"),
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    # Across tenants: the platform looks for whose answers are too old.
    op.execute("CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at)")
    visible = "tenant_id, created_at"
    op.execute(f"GRANT SELECT ({visible}) ON idempotency_keys TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop("idempotency_keys")
