"""Create goals and the daily counts they are measured by."""

from __future__ import annotations

from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "goals",
        "id uuid NOT NULL",
        "name text NOT NULL",
        choice(
            "metric",
            *("LEADS_CREATED", "MQLS", "HANDOFFS", "HANDOFFS_ACCEPTED", "HANDOFFS_REJECTED"),
            *("SQLS", "OPPORTUNITIES", "CUSTOMERS", "RESPONSE_RATE", "ACCEPTANCE_RATE"),
        ),
        "team_id uuid NOT NULL",
        "starts_on date NOT NULL",
        "ends_on date NOT NULL CHECK (ends_on > starts_on)",
        "target numeric NOT NULL",
        "created_by uuid NOT NULL",
        "created_at timestamptz NOT NULL",
        "archived_at timestamptz",
        "version bigint NOT NULL",
        refers={"team_id": "teams", "created_by": "users"},
        indexes={"goals_by_start": "starts_on, id"},
    )
    tenant_table(
        "metric_tallies",
        "metric text NOT NULL",
        "team_id uuid NOT NULL",
        '"on" date NOT NULL',
        "amount bigint NOT NULL",
        key=("metric", "team_id", '"on"'),
    )


def downgrade() -> None:
    begin()
    drop("metric_tallies", "goals")
