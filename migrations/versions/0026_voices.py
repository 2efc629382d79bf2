"""Keep what people said and did as it was when they did."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE activities ADD COLUMN team_ids jsonb NOT NULL DEFAULT '[]'::jsonb")
    _past()
    # Whoever adds an activity says whose it is.
    op.execute("ALTER TABLE activities ALTER COLUMN team_ids DROP DEFAULT")


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE activities DROP COLUMN team_ids")


def _past() -> None:
    """Let what was done so far be of the teams that people are in now."""
    tables = ("activities", "team_members")
    for table in tables:
        # The owner of the tables reads past the wall here, which stands again at the end.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE activities a SET team_ids = m.ids FROM (SELECT tenant_id, user_id,"
        " jsonb_agg(team_id::text ORDER BY id) AS ids FROM team_members GROUP BY tenant_id, user_id"
        ") m WHERE m.tenant_id = a.tenant_id AND m.user_id = a.user_id"
    )
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
