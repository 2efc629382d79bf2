"""Create scores, predictions, call briefs, and what lead types turned out to be worth."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_GRADES = ("C3", "C2", "C1", "B3", "B2", "B1", "A3", "A2", "A1")


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE leads ADD COLUMN fit bigint, ADD COLUMN engagement bigint")
    op.execute(f"ALTER TABLE leads ADD COLUMN {choice('grade', *_GRADES, optional=True)}")
    op.execute("CREATE INDEX leads_by_grade ON leads (tenant_id, grade, id)")
    tenant_table(
        "scoring_models",
        "id uuid NOT NULL",
        "number bigint NOT NULL",
        "name text NOT NULL",
        "terms jsonb NOT NULL",
        "proposed_at timestamptz NOT NULL",
        "proposed_by uuid",
        choice("status", "PROPOSED", "ACTIVE", "CEASED"),
        "activated_at timestamptz",
        "activated_by uuid",
        "ceased_at timestamptz",
        "scoring_after uuid",
        "scored bigint NOT NULL",
        "version bigint NOT NULL",
        refers={"proposed_by": "users", "activated_by": "users"},
        unique={
            "scoring_models_number": "number",
            "scoring_models_active": "status WHERE status = 'ACTIVE'",
        },
        indexes={"scoring_models_scoring": "scoring_after WHERE scoring_after IS NOT NULL"},
    )
    tenant_table(
        "lead_gradings",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "model_id uuid NOT NULL",
        "fit bigint NOT NULL",
        "engagement bigint NOT NULL",
        choice("grade", *_GRADES),
        "matched jsonb NOT NULL",
        "sums jsonb NOT NULL",
        "touches jsonb NOT NULL",
        "graded_at timestamptz NOT NULL",
        "changes_at timestamptz",
        "version bigint NOT NULL",
        refers={"lead_id": "leads", "model_id": "scoring_models"},
        unique={"lead_gradings_lead": "lead_id"},
        indexes={"lead_gradings_due": "changes_at WHERE changes_at IS NOT NULL"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "prediction_models",
        "id uuid NOT NULL",
        "number bigint NOT NULL",
        "fields jsonb NOT NULL",
        "requested_at timestamptz NOT NULL",
        "requested_by uuid",
        choice("status", "QUEUED", "READY", "REFUSED"),
        "trained_at timestamptz",
        "reason text",
        "trained jsonb",
        "version bigint NOT NULL",
        refers={"requested_by": "users"},
        unique={"prediction_models_number": "number"},
        indexes={"prediction_models_queued": "requested_at WHERE status = 'QUEUED'"},
    )
    tenant_table(
        "handoff_briefs",
        "id uuid NOT NULL",
        "handoff_id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "made_at timestamptz NOT NULL",
        "facts jsonb NOT NULL",
        "brief jsonb",
        refers={"handoff_id": "handoffs", "lead_id": "leads"},
        unique={"handoff_briefs_handoff": "handoff_id"},
        indexes={"handoff_briefs_by_lead": "lead_id, id"},
    )
    tenant_table(
        "value_recalibrations",
        "id uuid NOT NULL",
        "month_on date NOT NULL",
        "window_starts_on date NOT NULL",
        "window_ends_on date NOT NULL",
        "made_at timestamptz NOT NULL",
        "prior_weight bigint NOT NULL",
        "deliveries jsonb NOT NULL",
        "skipped jsonb NOT NULL",
        unique={"value_recalibrations_month": "month_on"},
        may="SELECT, INSERT",
    )
    op.execute(
        "CREATE INDEX commitments_valued ON commitments (tenant_id) WHERE measure <> 'COUNT'"
    )
    # Which tenants have something to score, to learn or to reckon: the worker asks across tenants,
    # for this alone.
    op.execute(f"GRANT SELECT (tenant_id, measure) ON commitments TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT (tenant_id, scoring_after) ON scoring_models TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT (tenant_id, changes_at) ON lead_gradings TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT (tenant_id, status) ON prediction_models TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop(
        *("value_recalibrations", "handoff_briefs", "prediction_models"),
        *("lead_gradings", "scoring_models"),
    )
    op.execute(f"REVOKE SELECT (tenant_id, measure) ON commitments FROM {PLATFORM_ROLE}")  # noqa: S608  # our own role
    op.execute("DROP INDEX commitments_valued")
    op.execute("DROP INDEX leads_by_grade")
    op.execute("ALTER TABLE leads DROP COLUMN grade, DROP COLUMN engagement, DROP COLUMN fit")
