"""Create the audit log, which the application can only add to, and the head of its chain."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "audit_heads",
        "number bigint NOT NULL",
        "hash bytea NOT NULL",
        key=(),
    )
    # Each hash follows from the one before, and the one before is known once the head is locked: so
    # the database hashes, and holds the lock for one statement and the commit.  It reads nothing.
    op.execute("""
        CREATE FUNCTION app.chain(previous bytea, number bigint, digests bytea[]) RETURNS bytea[]
        LANGUAGE plpgsql IMMUTABLE STRICT AS $$
        DECLARE digest bytea; hashes bytea[] := '{}';
        BEGIN
            FOREACH digest IN ARRAY digests LOOP
                number := number + 1;
                previous := sha256(previous || int8send(number) || digest);
                hashes := hashes || previous;
            END LOOP;
            RETURN hashes;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION app.chain(bytea, bigint, bytea[]) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.chain(bytea, bigint, bytea[]) TO {APP_ROLE}")
    tenant_table(
        "audit_log",
        "id uuid NOT NULL",
        '"at" timestamptz NOT NULL',
        "action text NOT NULL",
        choice("actor_kind", "USER", "API_KEY", "OPERATOR", "SYSTEM"),
        "actor_id uuid",
        "actor_name text NOT NULL",
        "session_id uuid",
        "request_id text",
        "ip_address text",
        "user_agent text",
        choice("effect", "ADDED", "CHANGED", "REMOVED", "NOTED"),
        "subject_kind text NOT NULL",
        "subject_id uuid NOT NULL",
        "differences text NOT NULL",
        "number bigint NOT NULL",
        "previous_hash bytea NOT NULL",
        "hash bytea NOT NULL",
        key=("number",),
        unique={"audit_log_id": "id"},
        indexes={
            "audit_log_by_subject": "subject_id, number",
            "audit_log_by_actor": "actor_id, number",
        },
        may="SELECT, INSERT",
    )


def downgrade() -> None:
    begin()
    drop("audit_log", "audit_heads")
    op.execute("DROP FUNCTION app.chain(bytea, bigint, bytea[])")
