"""Create the pipeline, opportunities, customers, their revenue, and rates of exchange."""

from __future__ import annotations

from migrations.tenancy import EXTERNAL_NAME, begin, choice, drop, tenant_table

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STATUS = ("OPEN", "WON", "LOST")
_STANDING = ("ACTIVE", "ADVOCATE", "AT_RISK", "CHURNED")


def upgrade() -> None:
    begin()
    tenant_table(
        "pipeline_stages",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "position bigint NOT NULL",
        "win_rate numeric NOT NULL CHECK (win_rate BETWEEN 0 AND 1)",
        "created_at timestamptz NOT NULL",
        "archived_at timestamptz",
        "version bigint NOT NULL",
        indexes={"pipeline_stages_by_position": "position, id"},
    )
    tenant_table(
        "opportunities",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "lead_id uuid NOT NULL",
        "stage_id uuid NOT NULL",
        "opened_at timestamptz NOT NULL",
        "stage_entered_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "updated_at timestamptz NOT NULL",
        "company_id uuid",
        "handoff_id uuid",
        "owner_id uuid",
        "amount_minor bigint CHECK (amount_minor >= 0)",
        "currency text",
        "expected_close_on date",
        choice("status", *_STATUS),
        "closed_at timestamptz",
        "lost_reason text",
        "external_source text",
        "external_value text",
        "version bigint NOT NULL",
        "CHECK (closed_at >= opened_at)",
        "CHECK ((status = 'OPEN') = (closed_at IS NULL))",
        "CHECK ((amount_minor IS NULL) = (currency IS NULL))",
        "CHECK ((external_source IS NULL) = (external_value IS NULL))",
        refers={
            "lead_id": "leads",
            "stage_id": "pipeline_stages",
            "company_id": "companies",
            "handoff_id": "handoffs",
            "owner_id": "users",
        },
        unique={"opportunities_external": EXTERNAL_NAME},
        indexes={
            "opportunities_by_opened": "opened_at, id",
            "opportunities_by_lead": "lead_id, opened_at, id",
            "opportunities_by_company": "company_id, opened_at, id",
            "opportunities_by_handoff": "handoff_id, opened_at, id",
            "opportunities_by_owner": "owner_id, opened_at, id",
            "opportunities_by_status": "status, closed_at, id",
            "opportunities_by_stage": "stage_id, id",
            "opportunities_by_expected": "expected_close_on, id",
        },
    )
    tenant_table(
        "opportunity_steps",
        "id uuid NOT NULL",
        "opportunity_id uuid NOT NULL",
        "stage_id uuid NOT NULL",
        choice("status", *_STATUS),
        "at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        '"by" uuid',
        refers={"opportunity_id": "opportunities", "stage_id": "pipeline_stages"},
        indexes={"opportunity_steps_by_opportunity": "opportunity_id, at, id"},
        may="SELECT, INSERT",
    )
    tenant_table(
        "customers",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "bought_at timestamptz NOT NULL",
        choice("status", *_STANDING),
        "status_entered_at timestamptz NOT NULL",
        "company_id uuid",
        "version bigint NOT NULL",
        refers={"lead_id": "leads", "company_id": "companies"},
        unique={"customers_lead": "lead_id"},
        indexes={
            "customers_by_bought": "bought_at, id",
            "customers_by_company": "company_id, bought_at, id",
        },
        # A merge of two customers leaves one.
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "customer_steps",
        "id uuid NOT NULL",
        "customer_id uuid NOT NULL",
        choice("status", *_STANDING),
        "at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        '"by" uuid',
        "reason text",
        refers={"customer_id": "customers"},
        indexes={"customer_steps_by_customer": "customer_id, at, id"},
    )
    tenant_table(
        "revenue_events",
        "id uuid NOT NULL",
        "customer_id uuid NOT NULL",
        choice("kind", "NEW", "EXPANSION", "RENEWAL", "CHURN"),
        "amount_minor bigint NOT NULL CHECK (amount_minor >= 0)",
        "currency text NOT NULL",
        "at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "opportunity_id uuid",
        "recorded_by uuid",
        "external_source text",
        "external_value text",
        "note text",
        "version bigint NOT NULL",
        refers={"customer_id": "customers", "opportunity_id": "opportunities"},
        unique={"revenue_events_external": EXTERNAL_NAME},
        indexes={
            "revenue_events_by_customer": "customer_id, at, id",
            "revenue_events_by_instant": "at, id",
            "revenue_events_by_opportunity": "opportunity_id, id",
        },
    )
    tenant_table(
        "exchange_rates",
        "id uuid NOT NULL",
        "currency text NOT NULL",
        "to_currency text NOT NULL",
        "starts_on date NOT NULL",
        "rate numeric NOT NULL CHECK (rate > 0)",
        "recorded_at timestamptz NOT NULL",
        "recorded_by uuid",
        "version bigint NOT NULL",
        unique={"exchange_rates_day": "currency, to_currency, starts_on"},
        indexes={"exchange_rates_by_start": "starts_on, id"},
    )


def downgrade() -> None:
    begin()
    drop(
        *("exchange_rates", "revenue_events", "customer_steps", "customers"),
        *("opportunity_steps", "opportunities", "pipeline_stages"),
    )
