"""Create uploads and the imports that read them."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begin()
    tenant_table(
        "uploads",
        "id uuid NOT NULL",
        choice("purpose", "IMPORT", "PERSONA_PHOTO"),
        "file_name text NOT NULL",
        "created_by uuid",
        "created_at timestamptz NOT NULL",
        "persona_id uuid",
        "size bigint NOT NULL",
        "completed_at timestamptz",
        "version bigint NOT NULL",
        refers={"persona_id": "personas"},
    )
    tenant_table(
        "upload_chunks",
        "id uuid NOT NULL",
        "upload_id uuid NOT NULL",
        "position bigint NOT NULL",
        "content bytea NOT NULL",
        refers={"upload_id": "uploads"},
        unique={"upload_chunks_position": "upload_id, position"},
        may="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "import_jobs",
        "id uuid NOT NULL",
        "file_name text NOT NULL",
        "fingerprint text NOT NULL",
        "mapping text NOT NULL",
        "dry_run boolean NOT NULL",
        choice("status", "QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"),
        "created_at timestamptz NOT NULL",
        "created_by uuid",
        "upload_id uuid",
        "total_bytes bigint NOT NULL",
        "done_bytes bigint NOT NULL",
        "last_line bigint NOT NULL",
        "rows bigint NOT NULL",
        "created bigint NOT NULL",
        "updated bigint NOT NULL",
        "unchanged bigint NOT NULL",
        "failed bigint NOT NULL",
        "started_at timestamptz",
        "ended_at timestamptz",
        "claimed_until timestamptz",
        "claim bigint NOT NULL",
        "error text",
        "version bigint NOT NULL",
        refers={"upload_id": "uploads"},
        indexes={
            "import_jobs_by_created": "created_at, id",
            "import_jobs_waiting": "created_at WHERE status IN ('QUEUED', 'RUNNING')",
        },
    )
    visible = "tenant_id, status, claimed_until, upload_id"
    op.execute(f"GRANT SELECT ({visible}) ON import_jobs TO {PLATFORM_ROLE}")
    tenant_table(
        "import_row_errors",
        "id uuid NOT NULL",
        "job_id uuid NOT NULL",
        "line bigint NOT NULL",
        '"column" text',
        "code text NOT NULL",
        "message text NOT NULL",
        '"row" text',
        refers={"job_id": "import_jobs"},
        indexes={"import_row_errors_by_line": "job_id, line, id"},
        may="SELECT, INSERT",
    )


def downgrade() -> None:
    begin()
    drop("import_row_errors", "import_jobs", "upload_chunks", "uploads")
