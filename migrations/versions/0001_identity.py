"""Create the way into a tenant, the installation's accounts, and who belongs to a tenant."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE, PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLES = ("OWNER", "ADMIN", "MANAGER", "MEMBER", "ANALYST")


def upgrade() -> None:
    begin()
    op.execute("CREATE SCHEMA app")
    op.execute(f"GRANT USAGE ON SCHEMA app TO {APP_ROLE}, {PLATFORM_ROLE}")
    # SET LOCAL and not set_config(): Citus carries only the former to its workers, and with the
    # latter every query would silently find nothing.
    op.execute("""
        CREATE FUNCTION app.enter(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN EXECUTE format('SET LOCAL app.tenant_id = %L', tenant); END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION app.enter(uuid) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.enter(uuid) TO {APP_ROLE}, {PLATFORM_ROLE}")
    _platform_tables()
    tenant_table(
        "tenants",
        "id uuid NOT NULL CHECK (id = tenant_id)",
        "slug text NOT NULL",
        "name text NOT NULL",
        "time_zone text NOT NULL",
        "currency text NOT NULL",
        "created_at timestamptz NOT NULL",
        "placement text NOT NULL",
        "version bigint NOT NULL",
    )
    tenant_table(
        "users",
        "id uuid NOT NULL",
        "account_id uuid NOT NULL",
        "email text NOT NULL",
        "name text NOT NULL",
        choice("role", *ROLES),
        "created_at timestamptz NOT NULL",
        "active boolean NOT NULL",
        "version bigint NOT NULL",
        unique={"users_email": "email", "users_account": "account_id"},
    )
    tenant_table(
        "calendars",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "current_id uuid NOT NULL",
        "created_at timestamptz NOT NULL",
        "version bigint NOT NULL",
        unique={"calendars_name": "name"},
    )
    tenant_table(
        "calendar_versions",
        "id uuid NOT NULL",
        "calendar_id uuid NOT NULL",
        "number bigint NOT NULL",
        "time_zone text NOT NULL",
        "windows jsonb NOT NULL",
        "overrides jsonb NOT NULL",
        "created_at timestamptz NOT NULL",
        "country text",
        "subdivision text",
        "created_by uuid",
        refers={"calendar_id": "calendars"},
        unique={"calendar_versions_number": "calendar_id, number"},
        may="SELECT, INSERT",
    )
    tenant_table(
        "teams",
        "id uuid NOT NULL",
        "name text NOT NULL",
        choice("side", "MARKETING", "SALES"),
        "created_at timestamptz NOT NULL",
        "calendar_id uuid",
        "version bigint NOT NULL",
        refers={"calendar_id": "calendars"},
        unique={"teams_name": "name"},
    )
    tenant_table(
        "team_members",
        "id uuid NOT NULL",
        "team_id uuid NOT NULL",
        "user_id uuid NOT NULL",
        "created_at timestamptz NOT NULL",
        "available boolean NOT NULL",
        "capacity bigint NOT NULL CHECK (capacity >= 0)",
        "last_routed_at timestamptz",
        "version bigint NOT NULL",
        refers={"team_id": "teams", "user_id": "users"},
        unique={"team_members_user": "team_id, user_id"},
        indexes={"team_members_by_user": "user_id"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "api_keys",
        "id uuid NOT NULL",
        "name text NOT NULL",
        choice("role", *ROLES),
        "digest text NOT NULL",
        "created_by uuid",
        "created_at timestamptz NOT NULL",
        "revoked_at timestamptz",
        "version bigint NOT NULL",
        unique={"api_keys_digest": "digest"},
    )
    tenant_table(
        "boards",
        "id uuid NOT NULL",
        "name text NOT NULL",
        "digest text NOT NULL",
        "created_by uuid",
        "created_at timestamptz NOT NULL",
        "sales_team_id uuid",
        "revoked_at timestamptz",
        "version bigint NOT NULL",
        refers={"sales_team_id": "teams"},
        unique={"boards_digest": "digest"},
    )
    # A key says whose it is only through its digest, so these two are looked up across tenants,
    # by the platform's role and by the digest alone.
    for table in ("api_keys", "boards"):
        op.execute(f"CREATE INDEX {table}_lookup ON {table} (digest)")
        op.execute(f"GRANT SELECT (tenant_id, id, digest) ON {table} TO {PLATFORM_ROLE}")


def _platform_tables() -> None:
    """Create what belongs to no tenant.  The application role cannot see any of it."""
    op.execute("""
        CREATE TABLE accounts (
            id uuid PRIMARY KEY,
            email text NOT NULL UNIQUE,
            password_hash text NOT NULL,
            created_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE directory (
            slug text PRIMARY KEY,
            tenant_id uuid NOT NULL UNIQUE,
            name text NOT NULL,
            placement text NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE memberships (
            account_id uuid NOT NULL REFERENCES accounts (id),
            tenant_id uuid NOT NULL REFERENCES directory (tenant_id),
            user_id uuid NOT NULL,
            PRIMARY KEY (account_id, tenant_id)
        )
    """)
    for table in ("accounts", "directory", "memberships"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop("boards", "api_keys", "team_members", "teams", "calendar_versions", "calendars")
    drop("users", "tenants", "memberships", "directory", "accounts")
    op.execute("DROP SCHEMA app CASCADE")
