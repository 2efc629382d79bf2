"""Let content assets find the touches of before they were known."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute(
        "ALTER TABLE content_assets ADD COLUMN matching_after uuid,"
        " ADD COLUMN matching_started_at timestamptz"
    )
    # Those there are begin to look too.
    op.execute(
        "UPDATE content_assets SET matching_after = '00000000-0000-0000-0000-000000000000',"
        " matching_started_at = created_at WHERE url IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX content_assets_matching ON content_assets (tenant_id, matching_after)"
        " WHERE matching_after IS NOT NULL"
    )
    # Which tenants have touches to match: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, matching_after) ON content_assets TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    op.execute(f"REVOKE SELECT (tenant_id, matching_after) ON content_assets FROM {PLATFORM_ROLE}")  # noqa: S608  # our own role
    op.execute("DROP INDEX content_assets_matching")
    op.execute(
        "ALTER TABLE content_assets DROP COLUMN matching_started_at, DROP COLUMN matching_after"
    )
