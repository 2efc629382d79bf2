"""Create invitations, letters that wait to be sent, password resets, and the first run's token."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE, PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "invitations",
        "id uuid NOT NULL",
        "email text NOT NULL",
        "name text",
        choice("role", "OWNER", "ADMIN", "MANAGER", "MEMBER", "ANALYST"),
        "team_ids jsonb NOT NULL",
        "digest text NOT NULL",
        "invited_by uuid",
        "created_at timestamptz NOT NULL",
        "sent_at timestamptz NOT NULL",
        "expires_at timestamptz NOT NULL",
        "accepted_at timestamptz",
        "revoked_at timestamptz",
        "user_id uuid",
        "version bigint NOT NULL",
        refers={"user_id": "users"},
        unique={
            "invitations_digest": "digest",
            "invitations_open": "email WHERE accepted_at IS NULL AND revoked_at IS NULL",
        },
        indexes={"invitations_by_created": "created_at, id"},
    )
    # As with API keys: a link says whose it is only through its digest.
    op.execute("CREATE INDEX invitations_lookup ON invitations (digest)")
    op.execute(f"GRANT SELECT (tenant_id, id, digest) ON invitations TO {PLATFORM_ROLE}")
    _platform_tables()


def _platform_tables() -> None:
    op.execute("""
        CREATE TABLE mails (
            id uuid PRIMARY KEY,
            sealed bytea NOT NULL,
            about text UNIQUE,
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            tries bigint NOT NULL
        )
    """)
    op.execute("CREATE INDEX mails_due ON mails (due_at)")
    # A letter is written in the transaction of its cause.  The application can put one in, and
    # neither see nor change any.
    op.execute(f"GRANT INSERT ON mails TO {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON mails TO {PLATFORM_ROLE}")
    op.execute("""
        CREATE TABLE password_resets (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES accounts (id),
            digest text NOT NULL UNIQUE,
            requested_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            used_at timestamptz
        )
    """)
    op.execute("CREATE INDEX password_resets_by_account ON password_resets (account_id)")
    op.execute("""
        CREATE TABLE first_runs (
            "only" boolean PRIMARY KEY CHECK ("only"),
            nonce uuid NOT NULL,
            digest text NOT NULL,
            made_at timestamptz NOT NULL
        )
    """)
    for table in ("password_resets", "first_runs"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop("first_runs", "password_resets", "mails", "invitations")
