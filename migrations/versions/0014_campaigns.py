"""Create campaigns, what they cost, and the content that marketing made."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import EXTERNAL_NAME, begin, choice, drop, tenant_table

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "content_assets",
        "id uuid NOT NULL",
        "title text NOT NULL",
        choice(
            "kind",
            *("PAGE", "ARTICLE", "WHITEPAPER", "CASE_STUDY", "VIDEO", "WEBINAR", "TOOL"),
            *("EMAIL", "OTHER"),
        ),
        "created_at timestamptz NOT NULL",
        "created_by uuid",
        "url text",
        "topic text",
        choice(
            "journey_stage",
            *("AWARENESS", "CONSIDERATION", "DECISION", "RETENTION"),
            optional=True,
        ),
        "persona_id uuid",
        "archived_at timestamptz",
        "version bigint NOT NULL",
        refers={"persona_id": "personas"},
        unique={"content_assets_url": "url WHERE url IS NOT NULL"},
        indexes={"content_assets_by_created": "created_at, id"},
    )
    tenant_table(
        "campaigns",
        "id uuid NOT NULL",
        "name text NOT NULL",
        choice(
            "kind",
            *("ADVERTISING", "CONTENT", "EMAIL", "EVENT", "WEBINAR", "SOCIAL", "SEARCH"),
            *("REFERRAL", "PARTNER", "OUTBOUND", "OTHER"),
        ),
        "code text NOT NULL",
        "created_at timestamptz NOT NULL",
        "created_by uuid",
        "starts_on date",
        "ends_on date",
        "budget_minor bigint CHECK (budget_minor >= 0)",
        "currency text",
        "archived_at timestamptz",
        "adopting_after uuid",
        "version bigint NOT NULL",
        "CHECK (ends_on > starts_on)",
        "CHECK ((budget_minor IS NULL) = (currency IS NULL))",
        unique={"campaigns_code": "code"},
        indexes={
            "campaigns_by_created": "created_at, id",
            "campaigns_adopting": "adopting_after WHERE adopting_after IS NOT NULL",
        },
    )
    # Which tenants have touches to adopt: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, adopting_after) ON campaigns TO {PLATFORM_ROLE}")
    tenant_table(
        "campaign_costs",
        "id uuid NOT NULL",
        "campaign_id uuid NOT NULL",
        '"on" date NOT NULL',
        "amount_minor bigint NOT NULL CHECK (amount_minor >= 0)",
        "currency text NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "recorded_by uuid",
        "note text",
        "external_source text",
        "external_value text",
        "version bigint NOT NULL",
        refers={"campaign_id": "campaigns"},
        unique={"campaign_costs_external": EXTERNAL_NAME},
        indexes={"campaign_costs_by_day": 'campaign_id, "on", id'},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "campaign_assets",
        "id uuid NOT NULL",
        "campaign_id uuid NOT NULL",
        "asset_id uuid NOT NULL",
        "added_at timestamptz NOT NULL",
        refers={"campaign_id": "campaigns", "asset_id": "content_assets"},
        unique={"campaign_assets_pair": "campaign_id, asset_id"},
        indexes={"campaign_assets_by_asset": "asset_id, id"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )


def downgrade() -> None:
    begin()
    drop("campaign_assets", "campaign_costs", "campaigns", "content_assets")
