"""Keep what people did as it was when they did, and write to those who are called."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


_WITHOUT = {
    "handoffs_by_decision": "handoffs (tenant_id, decided_at) WHERE decided_at IS NOT NULL",
    "handoffs_by_return": "handoffs (tenant_id, returned_at) WHERE returned_at IS NOT NULL",
    "opportunities_by_record": "opportunities (tenant_id, recorded_at)",
    "opportunities_by_close": "opportunities (tenant_id, closed_at) WHERE closed_at IS NOT NULL",
}
_INSTEAD = {
    "handoffs_heard": "handoffs (tenant_id, heard_at) WHERE heard_at IS NOT NULL",
    "mentions_letters": "mentions (tenant_id, letter_at, id) WHERE letter_at IS NOT NULL",
    "opportunity_steps_by_record": "opportunity_steps (tenant_id, recorded_at, opportunity_id)",
}


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE handoffs ADD COLUMN heard_at timestamptz")
    op.execute("ALTER TABLE users ADD COLUMN left_at timestamptz")
    op.execute("ALTER TABLE users ADD COLUMN mention_letters boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE mentions ADD COLUMN letter_at timestamptz")
    # Which tenants have a letter due: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, letter_at) ON mentions TO {PLATFORM_ROLE}")
    op.execute("ALTER TABLE activities ADD COLUMN team_ids jsonb NOT NULL DEFAULT '[]'::jsonb")
    _past()
    # Whoever adds an activity says whose it is.
    op.execute("ALTER TABLE activities ALTER COLUMN team_ids DROP DEFAULT")
    _index(_INSTEAD, instead_of=_WITHOUT)


def downgrade() -> None:
    begin()
    _index(_WITHOUT, instead_of=_INSTEAD)
    op.execute("ALTER TABLE activities DROP COLUMN team_ids")
    op.execute("ALTER TABLE handoffs DROP COLUMN heard_at")
    op.execute("ALTER TABLE mentions DROP COLUMN letter_at")
    op.execute("ALTER TABLE users DROP COLUMN mention_letters")
    op.execute("ALTER TABLE users DROP COLUMN left_at")
    op.execute(f"REVOKE SELECT (tenant_id) ON mentions FROM {PLATFORM_ROLE}")  # noqa: S608  # no query


def _index(indexes: Mapping[str, str], *, instead_of: Mapping[str, str]) -> None:
    for name in instead_of:
        op.execute(f"DROP INDEX {name}")
    for name, on in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {on}")


def _past() -> None:
    """Let what was done so far be of the teams that people are in now, and heard when it was."""
    tables = ("activities", "team_members", "handoffs")
    for table in tables:
        # The owner of the tables reads past the wall here, which stands again at the end.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE activities a SET team_ids = m.ids FROM (SELECT tenant_id, user_id,"
        " jsonb_agg(team_id::text ORDER BY id) AS ids FROM team_members GROUP BY tenant_id, user_id"
        ") m WHERE m.tenant_id = a.tenant_id AND m.user_id = a.user_id"
    )
    op.execute(
        "UPDATE handoffs SET heard_at = greatest(decided_at, returned_at)"
        " WHERE decided_at IS NOT NULL"
    )
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
