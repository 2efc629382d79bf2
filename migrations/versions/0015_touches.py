"""Create touches, the visitors they come from, and the keys of the sites that tell of them."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import EXTERNAL_NAME, begin, choice, drop, tenant_table

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "visitors",
        "id uuid NOT NULL",
        "token text NOT NULL",
        "first_seen_at timestamptz NOT NULL",
        "lead_id uuid",
        "identified_at timestamptz",
        "claimed_email text",
        "claimed_at timestamptz",
        "version bigint NOT NULL",
        refers={"lead_id": "leads"},
        unique={"visitors_token": "token"},
        indexes={
            "visitors_by_lead": "lead_id, id",
            "visitors_by_first_seen": "first_seen_at, id",
        },
    )
    tenant_table(
        "touches",
        "id uuid NOT NULL",
        choice(
            "kind",
            *("PAGE_VIEW", "FORM", "DOWNLOAD", "EMAIL_OPEN", "EMAIL_CLICK", "EVENT"),
            *("WEBINAR", "AD_CLICK", "CALL", "MEETING", "CHAT"),
        ),
        choice(
            "channel",
            *("DIRECT", "ORGANIC_SEARCH", "PAID_SEARCH", "SOCIAL", "PAID_SOCIAL", "DISPLAY"),
            *("EMAIL", "REFERRAL", "PARTNER", "EVENT", "OFFLINE", "OTHER"),
        ),
        choice("agency", "HUMAN", "AUTOMATIC"),
        "occurred_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "lead_id uuid",
        "visitor_id uuid",
        "campaign_id uuid",
        "asset_id uuid",
        "utm_source text",
        "utm_medium text",
        "utm_campaign text",
        "utm_content text",
        "utm_term text",
        "url text",
        "referrer text",
        "external_source text",
        "external_value text",
        "version bigint NOT NULL",
        "CHECK (lead_id IS NOT NULL OR visitor_id IS NOT NULL)",
        refers={
            "lead_id": "leads",
            "visitor_id": "visitors",
            "campaign_id": "campaigns",
            "asset_id": "content_assets",
        },
        unique={"touches_external": EXTERNAL_NAME},
        indexes={
            "touches_by_lead": "lead_id, occurred_at, id",
            "touches_by_visitor": "visitor_id, occurred_at, id",
            "touches_by_campaign": "campaign_id, occurred_at, id",
            "touches_by_asset": "asset_id, occurred_at, id",
        },
    )
    tenant_table(
        "tracking_sites",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "key text NOT NULL",
        "origins jsonb NOT NULL",
        "created_by uuid",
        "created_at timestamptz NOT NULL",
        "revoked_at timestamptz",
        "version bigint NOT NULL",
        unique={"tracking_sites_key": "key"},
    )
    # A page says whose it is only by its site's key, which is looked up across tenants by the
    # platform's role, as the keys of machines and boards are.
    op.execute("CREATE INDEX tracking_sites_lookup ON tracking_sites (key)")
    op.execute(f"GRANT SELECT (tenant_id, id, key) ON tracking_sites TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop("tracking_sites", "touches", "visitors")
