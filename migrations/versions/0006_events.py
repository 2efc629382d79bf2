"""Create the outbox, and the log of events that a relay numbers without gaps."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, drop, tenant_table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "outbox",
        "batch uuid NOT NULL",
        "position bigint NOT NULL",
        *_EVENT,
        key=("batch", "position"),
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    op.execute(f"GRANT SELECT (tenant_id) ON outbox TO {PLATFORM_ROLE}")
    tenant_table(
        "feeds",
        "last_number bigint NOT NULL",
        key=(),
    )
    op.execute(f"GRANT SELECT ON feeds TO {PLATFORM_ROLE}")
    tenant_table(
        "event_log",
        "number bigint NOT NULL",
        *_EVENT,
        key=("number",),
        unique={"event_log_id": "id"},
        indexes={"event_log_by_kind": "kind, number"},
        may="SELECT, INSERT",
    )


_EVENT = (
    "id uuid NOT NULL",
    "kind text NOT NULL",
    '"at" timestamptz NOT NULL',
    "recorded_at timestamptz NOT NULL",
    '"by" uuid',
    "payload jsonb NOT NULL",
)


def downgrade() -> None:
    begin()
    drop("event_log", "feeds", "outbox")
