"""Let the platform have PostgreSQL look at tables that have grown much at once."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    # As the owner, because nobody else may.  It tells no row and changes none: a table is one of
    # tenants' that has a quarter of a megabyte more than when it was sampled last.  One at a time,
    # so that no lock is kept for long; what somebody samples just now is passed over.
    op.execute("""
        CREATE FUNCTION app.sample(after text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS $$
        DECLARE grown regclass; called text;
        BEGIN
            SELECT c.oid, c.relname INTO grown, called FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname > after
              AND pg_relation_size(c.oid)
                > (c.relpages + 32) * current_setting('block_size')::bigint
            ORDER BY c.relname LIMIT 1;
            IF called IS NOT NULL THEN
                EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown);
            END IF;
            RETURN called;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION app.sample(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.sample(text) TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    op.execute("DROP FUNCTION app.sample(text)")
