"""Create agreements, hand-offs, the clocks between them, and what they add up to."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    _agreements()
    _handoffs()
    _clocks()


def _agreements() -> None:
    tenant_table(
        "slas",
        "id uuid NOT NULL",
        "series_id uuid NOT NULL",
        "number bigint NOT NULL",
        "name text NOT NULL",
        choice("period_kind", "MONTH", "QUARTER", "CUSTOM"),
        "starts_on date NOT NULL",
        "ends_on date NOT NULL CHECK (ends_on > starts_on)",
        "time_zone text NOT NULL",
        "calendar_id uuid NOT NULL",
        "currency text NOT NULL",
        "marketing_team_id uuid NOT NULL",
        "sales_team_id uuid NOT NULL",
        "effective_at timestamptz NOT NULL",
        choice("proposed_side", "MARKETING", "SALES"),
        "proposed_by uuid NOT NULL",
        "proposed_at timestamptz NOT NULL",
        "ahead_band numeric NOT NULL",
        "at_risk_band numeric NOT NULL",
        "marketing_signed_by uuid",
        "marketing_signed_at timestamptz",
        "sales_signed_by uuid",
        "sales_signed_at timestamptz",
        "withdrawn_at timestamptz",
        "supersedes_id uuid",
        "ceased_at timestamptz",
        "version bigint NOT NULL",
        refers={
            "calendar_id": "calendars",
            "marketing_team_id": "teams",
            "sales_team_id": "teams",
            "proposed_by": "users",
            "marketing_signed_by": "users",
            "sales_signed_by": "users",
            "supersedes_id": "slas",
        },
        unique={"slas_number": "series_id, number"},
        indexes={"slas_by_team": "sales_team_id, starts_on", "slas_by_start": "starts_on, id"},
    )
    tenant_table(
        "commitments",
        "id uuid NOT NULL",
        "sla_id uuid NOT NULL",
        "position bigint NOT NULL",
        choice("kind", "DELIVERY", "RESPONSE", "ATTEMPTS", "DISPOSITION", "COVERAGE"),
        "name text NOT NULL",
        choice("measure", "COUNT", "POINTS", "MONEY"),
        "target bigint",
        "target_share numeric",
        "quality_floor numeric",
        "segment jsonb",
        "persona_id uuid",
        "values jsonb NOT NULL",
        "claw_back_days bigint NOT NULL",
        "within_minutes bigint",
        "working_time boolean NOT NULL",
        "attempts bigint NOT NULL",
        "warn_minutes jsonb NOT NULL",
        "escalation jsonb NOT NULL",
        choice("on_reassignment", "CONTINUE", "RESTART", "CHILD"),
        "weekday_weights jsonb",
        "linked_to uuid",
        refers={"sla_id": "slas", "persona_id": "personas"},
        unique={"commitments_position": "sla_id, position"},
        may="SELECT, INSERT",
    )


def _handoffs() -> None:
    tenant_table(
        "handoffs",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "from_team_id uuid NOT NULL",
        "to_team_id uuid NOT NULL",
        "score bigint NOT NULL",
        "handed_off_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "handed_off_by uuid",
        "owner_id uuid",
        "definition_id uuid",
        "persona_id uuid",
        "reason text",
        "sla_id uuid",
        "due_at timestamptz",
        choice("status", "OPEN", "ACCEPTED", "REJECTED", "RECYCLED"),
        "decided_at timestamptz",
        "decided_by uuid",
        "decision_reason text",
        "version bigint NOT NULL",
        refers={
            "lead_id": "leads",
            "from_team_id": "teams",
            "to_team_id": "teams",
            "owner_id": "users",
            "definition_id": "stage_definitions",
            "persona_id": "personas",
            "sla_id": "slas",
        },
        # One lead waits for one answer at a time.
        unique={"handoffs_open": "lead_id WHERE status = 'OPEN'"},
        indexes={
            "handoffs_by_lead": "lead_id, handed_off_at, id",
            "handoffs_by_instant": "handed_off_at, id",
            "handoffs_unanswered": "owner_id, handed_off_at, id WHERE status = 'OPEN'",
            "handoffs_waiting": "to_team_id, handed_off_at, id WHERE status = 'OPEN'",
        },
    )
    tenant_table(
        "handoff_credits",
        "id uuid NOT NULL",
        "handoff_id uuid NOT NULL",
        "commitment_id uuid NOT NULL",
        '"on" date NOT NULL',
        "units bigint NOT NULL",
        "clawed_back_at timestamptz",
        "version bigint NOT NULL",
        refers={"handoff_id": "handoffs", "commitment_id": "commitments"},
        unique={"handoff_credits_once": "handoff_id, commitment_id"},
        indexes={"handoff_credits_by_commitment": 'commitment_id, "on"'},
    )


def _clocks() -> None:
    tenant_table(
        "sla_clocks",
        "id uuid NOT NULL",
        "sla_id uuid NOT NULL",
        "commitment_id uuid NOT NULL",
        "handoff_id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "team_id uuid NOT NULL",
        "calendar_version_id uuid NOT NULL",
        "started_at timestamptz NOT NULL",
        "facts jsonb NOT NULL",
        choice(
            "state",
            *("SCHEDULED", "RUNNING", "PAUSED", "WARNING", "BREACHED"),
            *("MET", "MET_LATE", "WAIVED", "CANCELLED", "TRANSFERRED"),
        ),
        "due_at timestamptz NOT NULL",
        "transitions jsonb NOT NULL",
        "escalated bigint NOT NULL",
        "user_id uuid",
        "parent_id uuid",
        "warn_at timestamptz",
        "next_at timestamptz",
        "ended_at timestamptz",
        "reason text",
        "version bigint NOT NULL",
        refers={
            "sla_id": "slas",
            "commitment_id": "commitments",
            "handoff_id": "handoffs",
            "lead_id": "leads",
            "team_id": "teams",
            "calendar_version_id": "calendar_versions",
            "user_id": "users",
            "parent_id": "sla_clocks",
        },
        indexes={
            # What a sweep takes, and what a status counts: open clocks only, so that neither
            # grows with history.
            "sla_clocks_next": "next_at WHERE next_at IS NOT NULL",
            "sla_clocks_open": "commitment_id, due_at, id WHERE ended_at IS NULL",
            "sla_clocks_by_due": "due_at, id WHERE ended_at IS NULL",
            "sla_clocks_by_handoff": "handoff_id",
            "sla_clocks_by_user": "user_id, due_at, id WHERE ended_at IS NULL",
            "sla_clocks_by_lead": "lead_id, started_at",
        },
    )
    # The one index not led by the tenant: with it a worker finds which tenants have something
    # due, in time that depends on what is due and not on how many clocks run.
    op.execute("CREATE INDEX sla_clocks_due ON sla_clocks (next_at) WHERE next_at IS NOT NULL")
    op.execute(f"GRANT SELECT (tenant_id, next_at) ON sla_clocks TO {PLATFORM_ROLE}")
    tenant_table(
        "sla_tallies",
        "commitment_id uuid NOT NULL",
        '"on" date NOT NULL',
        "delivered bigint NOT NULL",
        "clawed_back bigint NOT NULL",
        "handed_off bigint NOT NULL",
        "accepted bigint NOT NULL",
        "rejected bigint NOT NULL",
        "opened bigint NOT NULL",
        "met bigint NOT NULL",
        "met_late bigint NOT NULL",
        "breached bigint NOT NULL",
        "excused bigint NOT NULL",
        key=("commitment_id", '"on"'),
        refers={"commitment_id": "commitments"},
    )


def downgrade() -> None:
    begin()
    drop("sla_tallies", "sla_clocks", "handoff_credits", "handoffs", "commitments", "slas")
