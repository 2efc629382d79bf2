"""Let touches and visitors go when they were kept long enough."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE
from migrations.tenancy import begin, drop, tenant_table

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_DAYS = "bigint NOT NULL DEFAULT {} CHECK ({} BETWEEN 30 AND 3650)"


def upgrade() -> None:
    begin()
    for name, days in (("anonymous_touch_days", 395), ("known_touch_days", 1095)):
        op.execute(f"ALTER TABLE tenants ADD COLUMN {name} {_DAYS.format(days, name)}")
    op.execute("ALTER TABLE touches ADD COLUMN reduced_at timestamptz")
    tenant_table(
        "touch_retention_runs",
        "id uuid NOT NULL",
        "anonymous_days bigint NOT NULL",
        "known_days bigint NOT NULL",
        "started_at timestamptz NOT NULL",
        "ended_at timestamptz",
        "erased_touches bigint NOT NULL",
        "reduced_touches bigint NOT NULL",
        "erased_visitors bigint NOT NULL",
        "reached_at timestamptz",
        "visitors_after uuid",
        "version bigint NOT NULL",
        indexes={"touch_retention_runs_by_start": "started_at, id"},
    )
    op.execute(
        "CREATE INDEX touches_of_nobody ON touches (tenant_id, occurred_at) WHERE lead_id IS NULL"
    )
    # Whether a figure rests on a touch, which the foreign key asks too when one goes.
    op.execute(
        "CREATE INDEX attribution_credits_by_touch ON attribution_credits (tenant_id, touch_id)"
    )
    op.execute(f"GRANT DELETE ON touches, visitors TO {APP_ROLE}")


def downgrade() -> None:
    begin()
    op.execute(f"REVOKE DELETE ON touches, visitors FROM {APP_ROLE}")
    op.execute("DROP INDEX attribution_credits_by_touch")
    op.execute("DROP INDEX touches_of_nobody")
    drop("touch_retention_runs")
    op.execute("ALTER TABLE touches DROP COLUMN reduced_at")
    op.execute("ALTER TABLE tenants DROP COLUMN known_touch_days, DROP COLUMN anonymous_touch_days")
