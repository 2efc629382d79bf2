"""Create attribution models and the credits that campaigns have earned, and let leads belong."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE leads ADD COLUMN campaign_id uuid")
    op.execute(
        'ALTER TABLE leads ADD CONSTRAINT "leads.campaign_id"'
        " FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)"
    )
    op.execute("CREATE INDEX leads_by_campaign ON leads (tenant_id, campaign_id, created_at, id)")
    # Figures are read for a period.
    op.execute("CREATE INDEX touches_by_instant ON touches (tenant_id, occurred_at)")
    tenant_table(
        "attribution_models",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "anchors jsonb NOT NULL",
        "rest_share numeric NOT NULL CHECK (rest_share BETWEEN 0 AND 1)",
        choice("spread", "EVEN", "DECAY"),
        "created_at timestamptz NOT NULL",
        "half_life_days bigint CHECK (half_life_days > 0)",
        "skips_direct boolean NOT NULL",
        choice(
            "built_in",
            *("FIRST", "LAST", "LAST_NON_DIRECT", "LINEAR", "U_FIRST_LEAD", "U_FIRST_LAST"),
            *("W_SHAPED", "FULL_PATH", "TIME_DECAY"),
            optional=True,
        ),
        "created_by uuid",
        "archived_at timestamptz",
        "computing_after uuid",
        "computed_count bigint NOT NULL",
        "opportunity_count bigint NOT NULL",
        "version bigint NOT NULL",
        refers={"created_by": "users"},
        unique={"attribution_models_name": "name WHERE archived_at IS NULL"},
        indexes={
            "attribution_models_computing": "computing_after WHERE computing_after IS NOT NULL"
        },
    )
    tenant_table(
        "attribution_credits",
        "opportunity_id uuid NOT NULL",
        "model_id uuid NOT NULL",
        "touch_id uuid NOT NULL",
        choice(
            "channel",
            *("DIRECT", "ORGANIC_SEARCH", "PAID_SEARCH", "SOCIAL", "PAID_SOCIAL", "DISPLAY"),
            *("EMAIL", "REFERRAL", "PARTNER", "EVENT", "OFFLINE", "OTHER"),
        ),
        "share numeric NOT NULL CHECK (share BETWEEN 0 AND 1)",
        "campaign_id uuid",
        "asset_id uuid",
        "amount_minor bigint CHECK (amount_minor >= 0)",
        "currency text",
        key=("model_id", "opportunity_id", "touch_id"),
        refers={
            "opportunity_id": "opportunities",
            "model_id": "attribution_models",
            "touch_id": "touches",
            "campaign_id": "campaigns",
            "asset_id": "content_assets",
        },
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    # Which tenants have deals to compute: the worker asks across tenants, for this alone.
    op.execute(
        f"GRANT SELECT (tenant_id, computing_after) ON attribution_models TO {PLATFORM_ROLE}"
    )


def downgrade() -> None:
    begin()
    drop("attribution_credits", "attribution_models")
    op.execute("DROP INDEX touches_by_instant")
    op.execute("DROP INDEX leads_by_campaign")
    op.execute("ALTER TABLE leads DROP COLUMN campaign_id")
