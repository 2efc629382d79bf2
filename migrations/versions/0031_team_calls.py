"""Keep as somebody of which team a user was called."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE mentions ADD COLUMN team_id uuid")
    op.execute(
        'ALTER TABLE mentions ADD CONSTRAINT "mentions.team_id"'
        " FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)"
    )


def downgrade() -> None:
    begin()
    op.execute("ALTER TABLE mentions DROP COLUMN team_id")
