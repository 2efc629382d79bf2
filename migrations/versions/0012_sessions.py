"""Create sessions, count failed sign-ins, and let keys have the secret before for a while."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ENDS = (
    "SIGNED_OUT",
    "SIGNED_OUT_EVERYWHERE",
    "ENDED_BY_ADMIN",
    "MEMBERSHIP_ENDED",
    "PASSWORD_CHANGED",
    "TOKEN_REUSED",
    "TOO_MANY",
)


def upgrade() -> None:
    begin()
    tenant_table(
        "sessions",
        "id uuid NOT NULL",
        "user_id uuid NOT NULL",
        "digest text NOT NULL",
        "generation bigint NOT NULL",
        "epoch bigint NOT NULL",
        "created_at timestamptz NOT NULL",
        "last_used_at timestamptz NOT NULL",
        "expires_at timestamptz NOT NULL",
        "ip_address text",
        "user_agent text",
        "ended_at timestamptz",
        choice("ended_because", *ENDS, optional=True),
        "version bigint NOT NULL",
        refers={"user_id": "users"},
        indexes={"sessions_by_user": "user_id, last_used_at, id"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    op.execute("ALTER TABLE accounts ADD COLUMN epoch bigint NOT NULL DEFAULT 0")
    op.execute("""
        CREATE TABLE sign_in_failures (
            key text PRIMARY KEY,
            last_at timestamptz NOT NULL,
            forgiven_at timestamptz NOT NULL,
            trusted_until timestamptz,
            kept_until timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX sign_in_failures_kept ON sign_in_failures (kept_until)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_failures TO {PLATFORM_ROLE}")
    for column in ("rotated_at timestamptz", "previous_digest text"):
        op.execute(f"ALTER TABLE api_keys ADD COLUMN {column}")
    op.execute("ALTER TABLE api_keys ADD COLUMN previous_expires_at timestamptz")
    # As for the secret itself: whose it is, is looked up across tenants by the digest alone.
    op.execute("CREATE INDEX api_keys_previous_lookup ON api_keys (previous_digest)")
    op.execute(f"GRANT SELECT (previous_digest) ON api_keys TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    for column in ("rotated_at", "previous_digest", "previous_expires_at"):
        op.execute(f"ALTER TABLE api_keys DROP COLUMN {column}")
    op.execute("ALTER TABLE accounts DROP COLUMN epoch")
    drop("sign_in_failures", "sessions")
