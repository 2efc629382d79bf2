"""Let leads that are one person be found and merged, and a merge be undone."""

from __future__ import annotations

from alembic import op

from infra.settings import APP_ROLE, PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ANSWERS = "'OPEN', 'ACCEPTED', 'REJECTED', 'RECYCLED'"
# What a merge takes away whole, to put it back when it is undone.
_TAKEN = ("leads", "stage_entries", "customers")
# What could only be added so far, and now goes from one lead to another.
_MOVED = ("activities", "stage_entries")
_KEYS = ("mailbox", "phone", "sound_key", "local_key", "work_sound_key", "work_initial_key")


def upgrade() -> None:
    begin()
    op.execute("CREATE SCHEMA trgm")
    op.execute("CREATE EXTENSION pg_trgm SCHEMA trgm")
    op.execute(f"GRANT USAGE ON SCHEMA trgm TO {APP_ROLE}")
    _answers(f"{_ANSWERS}, 'MERGED'")
    for table in _TAKEN:
        op.execute(f"GRANT DELETE ON {table} TO {APP_ROLE}")
    for table in _MOVED:
        op.execute(f"GRANT UPDATE (lead_id) ON {table} TO {APP_ROLE}")
    _merges()
    _duplicates()


def _merges() -> None:
    tenant_table(
        "lead_merges",
        "id uuid NOT NULL",
        "winner_id uuid NOT NULL",
        "losers jsonb NOT NULL",
        "merged_at timestamptz NOT NULL",
        "merged_by uuid",
        "automatic boolean NOT NULL",
        "score numeric CHECK (score BETWEEN 0 AND 1)",
        "undone_at timestamptz",
        "undone_by uuid",
        "version bigint NOT NULL",
        indexes={
            "lead_merges_by_instant": "merged_at, id",
            "lead_merges_by_winner": "winner_id, id",
        },
    )
    tenant_table(
        "merge_records",
        "id uuid NOT NULL",
        "winner jsonb NOT NULL",
        "survivor jsonb NOT NULL",
        "losers jsonb NOT NULL",
        "handoffs jsonb NOT NULL",
        "clocks jsonb NOT NULL",
        "history jsonb NOT NULL",
        "moved jsonb NOT NULL",
        "taken jsonb NOT NULL",
        "customers jsonb NOT NULL",
        "provenance jsonb NOT NULL",
        "dismissals jsonb NOT NULL",
        refers={"id": "lead_merges"},
        may="SELECT, INSERT",
    )
    tenant_table(
        "lead_aliases",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "merge_id uuid NOT NULL",
        "email text",
        refers={"lead_id": "leads", "merge_id": "lead_merges"},
        indexes={
            "lead_aliases_email": "email WHERE email IS NOT NULL",
            "lead_aliases_by_lead": "lead_id, id",
        },
        may="SELECT, INSERT, UPDATE, DELETE",
    )


def _duplicates() -> None:
    tenant_table(
        "lead_prints",
        "lead_id uuid NOT NULL",
        "person text",
        "mailbox text",
        "phone text",
        "employer text",
        "domain text",
        "sound_key text",
        "local_key text",
        "work_sound_key text",
        "work_initial_key text",
        key=("lead_id",),
        refers={"lead_id": "leads"},
        indexes={f"lead_prints_{key}": f"{key}, lead_id WHERE {key} IS NOT NULL" for key in _KEYS},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "duplicate_candidates",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "other_id uuid NOT NULL CHECK (other_id < lead_id)",
        "score numeric NOT NULL CHECK (score BETWEEN 0 AND 1)",
        "evidence jsonb NOT NULL",
        "fingerprint text NOT NULL",
        "found_at timestamptz NOT NULL",
        choice("status", "PROPOSED", "DISMISSED"),
        "certain boolean NOT NULL",
        "dismissed_at timestamptz",
        "dismissed_by uuid",
        "version bigint NOT NULL",
        refers={"lead_id": "leads", "other_id": "leads"},
        unique={"duplicate_candidates_pair": "lead_id, other_id"},
        indexes={
            "duplicate_candidates_by_other": "other_id, id",
            "duplicate_candidates_by_found": "found_at, id",
            "duplicate_candidates_by_score": "score, id",
            "duplicate_candidates_certain": "id WHERE certain AND status = 'PROPOSED'",
        },
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    op.execute(
        f"GRANT SELECT (tenant_id, certain, status) ON duplicate_candidates TO {PLATFORM_ROLE}"
    )
    tenant_table(
        "duplicate_rules",
        "id uuid NOT NULL",
        "merge_from numeric CHECK (merge_from BETWEEN 0 AND 1)",
        "propose_from numeric NOT NULL CHECK (propose_from BETWEEN 0 AND 1)",
        "checked_to bigint NOT NULL",
        "version bigint NOT NULL",
    )
    op.execute(f"GRANT SELECT (tenant_id, checked_to) ON duplicate_rules TO {PLATFORM_ROLE}")
    tenant_table(
        "duplicate_scans",
        "id uuid NOT NULL",
        choice("status", "QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"),
        "created_at timestamptz NOT NULL",
        "created_by uuid",
        "leads bigint NOT NULL",
        "compared bigint NOT NULL",
        "found bigint NOT NULL",
        "after uuid NOT NULL",
        "started_at timestamptz",
        "ended_at timestamptz",
        "claimed_until timestamptz",
        "claim bigint NOT NULL",
        "error text",
        "version bigint NOT NULL",
        indexes={
            "duplicate_scans_by_created": "created_at, id",
            "duplicate_scans_waiting": "created_at WHERE status IN ('QUEUED', 'RUNNING')",
        },
    )
    visible = "tenant_id, status, claimed_until"
    op.execute(f"GRANT SELECT ({visible}) ON duplicate_scans TO {PLATFORM_ROLE}")


def downgrade() -> None:
    begin()
    drop(
        *("duplicate_scans", "duplicate_rules", "duplicate_candidates", "lead_prints"),
        *("lead_aliases", "merge_records", "lead_merges"),
    )
    for table in _MOVED:
        op.execute(f"REVOKE UPDATE (lead_id) ON {table} FROM {APP_ROLE}")
    for table in _TAKEN:
        op.execute(f"REVOKE DELETE ON {table} FROM {APP_ROLE}")
    # A hand-off that was merged was sent back, as far as anybody knew before there were merges.
    op.execute("ALTER TABLE handoffs NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE handoffs SET status = 'RECYCLED' WHERE status = 'MERGED'")
    op.execute("ALTER TABLE handoffs FORCE ROW LEVEL SECURITY")
    _answers(_ANSWERS)
    op.execute("DROP EXTENSION pg_trgm")
    op.execute("DROP SCHEMA trgm")


def _answers(allowed: str) -> None:
    op.execute("ALTER TABLE handoffs DROP CONSTRAINT handoffs_status_check")
    op.execute(
        f"ALTER TABLE handoffs ADD CONSTRAINT handoffs_status_check CHECK (status IN ({allowed}))"
    )
