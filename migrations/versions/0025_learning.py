"""Let models be trained each month and compared, and hand-offs keep who the lead was."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE, PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COLUMNS = {
    "month_on": "date",
    "won": "bigint",
    "lost": "bigint",
    "known_to": "timestamptz",
    "digest": "text",
    "comparison": "jsonb",
    "used_at": "timestamptz",
    "used_by": "uuid",
}
_FLAGS = ("in_use", "kept")


def upgrade() -> None:
    begin()
    for name, type_ in _COLUMNS.items():
        op.execute(f"ALTER TABLE prediction_models ADD COLUMN {name} {type_}")
    verdict = choice("verdict", "BETTER", "NO_BETTER", "TOO_FEW_NEW", "KEPT", optional=True)
    op.execute(f"ALTER TABLE prediction_models ADD COLUMN {verdict}")
    for name in _FLAGS:
        op.execute(
            f"ALTER TABLE prediction_models ADD COLUMN {name} boolean NOT NULL DEFAULT false"
        )
        op.execute(f"ALTER TABLE prediction_models ALTER COLUMN {name} DROP DEFAULT")
    op.execute(
        'ALTER TABLE prediction_models ADD CONSTRAINT "prediction_models.used_by"'
        " FOREIGN KEY (tenant_id, used_by) REFERENCES users (tenant_id, id)"
    )
    _ends_as("'QUEUED', 'READY', 'REFUSED', 'UNCHANGED'")
    _keep_what_predicts()
    op.execute(
        "CREATE UNIQUE INDEX prediction_models_in_use ON prediction_models (tenant_id) WHERE in_use"
    )
    op.execute(
        "CREATE UNIQUE INDEX prediction_models_month ON prediction_models (tenant_id, month_on)"
        " WHERE month_on IS NOT NULL"
    )
    tenant_table(
        "prediction_schedules",
        "id uuid NOT NULL CHECK (id = tenant_id)",
        "next_at timestamptz NOT NULL",
        "version bigint NOT NULL",
        indexes={"prediction_schedules_due": "next_at"},
    )
    # Which tenants are to learn: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, next_at) ON prediction_schedules TO {PLATFORM_ROLE}")
    op.execute("ALTER TABLE handoff_briefs ADD COLUMN known jsonb")
    # What was known never changes; a merge alone says whose it is now.
    op.execute(f"REVOKE UPDATE ON handoff_briefs FROM {APP_ROLE}")
    op.execute(f"GRANT UPDATE (lead_id) ON handoff_briefs TO {APP_ROLE}")


def downgrade() -> None:
    begin()
    op.execute(f"REVOKE UPDATE (lead_id) ON handoff_briefs FROM {APP_ROLE}")
    op.execute(f"GRANT UPDATE ON handoff_briefs TO {APP_ROLE}")
    op.execute("ALTER TABLE handoff_briefs DROP COLUMN known")
    drop("prediction_schedules")
    op.execute("ALTER TABLE prediction_models NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM prediction_models WHERE status = 'UNCHANGED'")
    op.execute("ALTER TABLE prediction_models FORCE ROW LEVEL SECURITY")
    _ends_as("'QUEUED', 'READY', 'REFUSED'")
    for name in (*_FLAGS, "verdict", *reversed(_COLUMNS)):
        op.execute(f"ALTER TABLE prediction_models DROP COLUMN {name}")


def _ends_as(listed: str) -> None:
    op.execute("ALTER TABLE prediction_models DROP CONSTRAINT prediction_models_status_check")
    op.execute(
        "ALTER TABLE prediction_models ADD CONSTRAINT prediction_models_status_check"
        f" CHECK (status IN ({listed}))"
    )


def _keep_what_predicts() -> None:
    """Have the newest model that was trained go on predicting."""
    # The owner of the table reads past the wall here, which stands again at the end.
    op.execute("ALTER TABLE prediction_models NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE prediction_models
        SET won = (trained #>> '{counts,won}')::bigint, lost = (trained #>> '{counts,lost}')::bigint
        WHERE trained IS NOT NULL
    """)
    op.execute("""
        UPDATE prediction_models m
        SET in_use = true, used_at = trained_at, known_to = trained_at
        WHERE status = 'READY' AND number = (
          SELECT max(number) FROM prediction_models o
          WHERE o.tenant_id = m.tenant_id AND o.status = 'READY')
    """)
    op.execute("ALTER TABLE prediction_models FORCE ROW LEVEL SECURITY")
