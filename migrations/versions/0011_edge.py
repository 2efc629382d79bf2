"""Create the cost buckets that processes share, and the documents that clients have uploaded."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE directory ADD COLUMN cost_quota bigint CHECK (cost_quota > 0)")
    # Unlogged: a crash fills every bucket, and in return a lease costs the log nothing.
    op.execute("""
        CREATE UNLOGGED TABLE cost_buckets (
            tenant_id uuid NOT NULL,
            holder_id uuid NOT NULL,
            level bigint NOT NULL,
            at timestamptz NOT NULL,
            leases jsonb NOT NULL,
            PRIMARY KEY (tenant_id, holder_id)
        )
    """)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON cost_buckets TO {PLATFORM_ROLE}")
    mode = choice("mode", "off", "allow", "only")
    op.execute(f"""
        CREATE TABLE document_clients (
            name text PRIMARY KEY,
            {mode},
            revision uuid NOT NULL,
            created_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE trusted_documents (
            client text NOT NULL REFERENCES document_clients (name),
            sha256 text NOT NULL,
            alias text,
            text text NOT NULL,
            added_at timestamptz NOT NULL,
            used_on date,
            PRIMARY KEY (client, sha256),
            UNIQUE (client, alias)
        )
    """)
    # What is trusted is decided at the command line, by the owner: the service only reads it, and
    # notes the day on which a document was last asked for.
    op.execute(f"GRANT SELECT ON document_clients, trusted_documents TO {PLATFORM_ROLE}")
    op.execute(f"GRANT UPDATE (used_on) ON trusted_documents TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop("trusted_documents", "document_clients", "cost_buckets")
    op.execute("ALTER TABLE directory DROP COLUMN cost_quota")
