"""Keep telephone numbers, normal names of companies, sources of facts and people's wishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from domain.company_names import normal_name
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_RANKS = '["crm", "integration", "form", "import", "enrichment"]'
_STALE_AFTER = (
    "["
    + ", ".join(
        f'{{"fact": "{fact}", "days": 365}}'
        for fact in ("EMAIL", "PHONE", "JOB_TITLE", "COUNTRY", "COMPANY")
    )
    + "]"
)
_A_BATCH = 1000


def upgrade() -> None:
    begin()
    op.execute("ALTER TABLE tenants ADD COLUMN phone_country text")
    op.execute(
        f"ALTER TABLE tenants ADD COLUMN source_ranks jsonb NOT NULL DEFAULT '{_RANKS}'::jsonb"
    )
    op.execute(
        f"ALTER TABLE tenants ADD COLUMN stale_after jsonb NOT NULL DEFAULT '{_STALE_AFTER}'::jsonb"
    )
    op.execute("ALTER TABLE leads ADD COLUMN phone text")
    op.execute("ALTER TABLE leads ADD COLUMN do_not_contact boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE leads ADD COLUMN do_not_contact_at timestamptz")
    op.execute("ALTER TABLE leads ADD COLUMN do_not_contact_reason text")
    op.execute(
        "ALTER TABLE leads ADD CONSTRAINT leads_do_not_contact CHECK"
        " (do_not_contact = (do_not_contact_at IS NOT NULL)"
        " AND do_not_contact = (do_not_contact_reason IS NOT NULL))"
    )
    op.execute("CREATE INDEX leads_by_phone ON leads (tenant_id, phone) WHERE phone IS NOT NULL")
    op.execute("ALTER TABLE companies ADD COLUMN normal_name text")
    _name_companies()
    op.execute("ALTER TABLE companies ALTER COLUMN normal_name SET NOT NULL")
    op.execute(
        "CREATE UNIQUE INDEX companies_name ON companies (tenant_id, normal_name)"
        " WHERE domain IS NULL"
    )
    op.execute("CREATE INDEX companies_by_normal_name ON companies (tenant_id, normal_name)")
    op.execute("CREATE INDEX companies_by_created ON companies (tenant_id, created_at, id)")
    tenant_table(
        "lead_provenance",
        "id uuid NOT NULL",
        "facts jsonb NOT NULL",
        "version bigint NOT NULL",
        refers={"id": "leads"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "consents",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        choice("purpose", "EMAIL", "PHONE", "TRACKING"),
        choice("status", "GRANTED", "WITHDRAWN"),
        choice("basis", "CONSENT", "CONTRACT", "LEGITIMATE_INTEREST", "LEGAL_OBLIGATION"),
        "source text NOT NULL",
        "occurred_at timestamptz NOT NULL",
        "recorded_at timestamptz NOT NULL",
        "recorded_by uuid",
        "wording text",
        "version bigint NOT NULL",
        refers={"lead_id": "leads"},
        indexes={"consents_by_lead": "lead_id, occurred_at, id"},
    )


def downgrade() -> None:
    begin()
    drop("consents", "lead_provenance")
    for index in ("companies_by_created", "companies_by_normal_name", "companies_name"):
        op.execute(f"DROP INDEX {index}")
    op.execute("ALTER TABLE companies DROP COLUMN normal_name")
    op.execute("DROP INDEX leads_by_phone")
    op.execute("ALTER TABLE leads DROP CONSTRAINT leads_do_not_contact")
    for column in ("do_not_contact_reason", "do_not_contact_at", "do_not_contact", "phone"):
        op.execute(f"ALTER TABLE leads DROP COLUMN {column}")
    for column in ("stale_after", "source_ranks", "phone_country"):
        op.execute(f"ALTER TABLE tenants DROP COLUMN {column}")


def _name_companies() -> None:
    """Give each company its normal name, and make one of those that have none but that."""
    for table in ("companies", "leads"):
        # The owner of the tables reads past the wall here, which stands again at the end.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for rows in _batches("SELECT tenant_id, id, name FROM companies ORDER BY tenant_id, id"):
        _each(
            "UPDATE companies SET normal_name = :normal WHERE tenant_id = :tenant AND id = :id",
            [{"tenant": r.tenant_id, "id": r.id, "normal": normal_name(r.name)} for r in rows],
        )
    doubled = (
        "SELECT tenant_id, id, kept FROM (SELECT tenant_id, id, first_value(id) OVER"
        " (PARTITION BY tenant_id, normal_name ORDER BY id) AS kept"
        " FROM companies WHERE domain IS NULL) named WHERE id <> kept ORDER BY tenant_id, id"
    )
    for rows in _batches(doubled):
        pairs = [{"tenant": r.tenant_id, "id": r.id, "kept": r.kept} for r in rows]
        _each(
            "UPDATE leads SET company_id = :kept WHERE tenant_id = :tenant AND company_id = :id",
            pairs,
        )
        _each("DELETE FROM companies WHERE tenant_id = :tenant AND id = :id", pairs)
    for table in ("companies", "leads"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _batches(statement: str) -> Iterator[list[Any]]:
    rows = op.get_bind().execute(sa.text(statement)).all()
    for start in range(0, len(rows), _A_BATCH):
        yield list(rows[start : start + _A_BATCH])


def _each(statement: str, values: list[dict[str, Any]]) -> None:
    op.get_bind().execute(sa.text(statement), values)
