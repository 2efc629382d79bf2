"""Create leads, their companies, their history and what was done about them."""

from __future__ import annotations

from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STAGES = (
    "VISITOR",
    "PROSPECT",
    "LEAD",
    "MQL",
    "SAL",
    "SQL",
    "OPPORTUNITY",
    "CUSTOMER",
    "ADVOCATE",
)


def upgrade() -> None:
    begin()
    tenant_table(
        "companies",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "created_at timestamptz NOT NULL",
        "domain text",
        "version bigint NOT NULL",
        unique={"companies_domain": "domain WHERE domain IS NOT NULL"},
        indexes={"companies_by_name": "name"},
    )
    tenant_table(
        "leads",
        "id uuid NOT NULL",
        choice("stage", *STAGES),
        "stage_entered_at timestamptz NOT NULL",
        "created_at timestamptz NOT NULL",
        "updated_at timestamptz NOT NULL",
        "email text",
        "first_name text",
        "last_name text",
        "job_title text",
        "country text",
        "company_id uuid",
        "origin_source text",
        "origin_medium text",
        "origin_campaign text",
        "persona_id uuid",
        "score bigint NOT NULL",
        "owner_id uuid",
        "version bigint NOT NULL",
        refers={"company_id": "companies", "persona_id": "personas", "owner_id": "users"},
        unique={"leads_email": "email WHERE email IS NOT NULL"},
        indexes={
            "leads_by_created": "created_at, id",
            "leads_by_stage": "stage, created_at, id",
            "leads_by_owner": "owner_id, created_at, id",
            "leads_by_company": "company_id, created_at, id",
            "leads_by_persona": "persona_id, stage, created_at, id",
            "leads_by_score": "score, id",
        },
    )
    tenant_table(
        "lead_external_ids",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "source text NOT NULL",
        "value text NOT NULL",
        "created_at timestamptz NOT NULL",
        refers={"lead_id": "leads"},
        unique={"lead_external_ids_value": "source, value"},
        indexes={"lead_external_ids_by_lead": "lead_id"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "activities",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        choice("kind", "CALL", "EMAIL", "MEETING", "NOTE"),
        choice("agency", "HUMAN", "AUTOMATIC"),
        "answered boolean NOT NULL",
        "user_id uuid",
        "occurred_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "text text",
        refers={"lead_id": "leads", "user_id": "users"},
        indexes={"activities_by_lead": "lead_id, occurred_at, id"},
        may="SELECT, INSERT",
    )
    tenant_table(
        "stage_entries",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        choice("stage", *STAGES),
        choice("previous", *STAGES, optional=True),
        "entered_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "definition_id uuid",
        "by uuid",
        "reason text",
        refers={"lead_id": "leads", "definition_id": "stage_definitions"},
        indexes={
            "stage_entries_by_lead": "lead_id, entered_at, id",
            "stage_entries_by_stage": "stage, entered_at",
        },
        may="SELECT, INSERT",
    )


def downgrade() -> None:
    begin()
    drop("stage_entries", "activities", "lead_external_ids", "leads", "companies")
