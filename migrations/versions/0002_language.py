"""Create the shared language: stage definitions and buyer personas."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STAGES = (
    "VISITOR",
    "PROSPECT",
    "LEAD",
    "MQL",
    "SAL",
    "SQL",
    "OPPORTUNITY",
    "CUSTOMER",
    "ADVOCATE",
)


def upgrade() -> None:
    begin()
    tenant_table(
        "stage_definitions",
        "id uuid NOT NULL",
        choice("stage", *STAGES),
        "number bigint NOT NULL",
        "words text NOT NULL",
        choice("owner_side", "MARKETING", "SALES"),
        "criterion jsonb NOT NULL",
        "effective_at timestamptz NOT NULL",
        "proposed_by uuid NOT NULL",
        "proposed_at timestamptz NOT NULL",
        "marketing_signed_by uuid",
        "marketing_signed_at timestamptz",
        "sales_signed_by uuid",
        "sales_signed_at timestamptz",
        "withdrawn_at timestamptz",
        "version bigint NOT NULL",
        refers={
            "proposed_by": "users",
            "marketing_signed_by": "users",
            "sales_signed_by": "users",
        },
        unique={"stage_definitions_number": "stage, number"},
    )
    tenant_table(
        "photos",
        "id uuid NOT NULL",
        "content_type text NOT NULL",
        "width bigint NOT NULL",
        "height bigint NOT NULL",
        "content bytea NOT NULL",
        "created_at timestamptz NOT NULL",
        may="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "personas",
        "id uuid NOT NULL",
        *_WORDS,
        "rank bigint NOT NULL",
        "number bigint NOT NULL",
        "created_at timestamptz NOT NULL",
        "photo_id uuid",
        "archived_at timestamptz",
        "assigning_after uuid",
        "version bigint NOT NULL",
        refers={"photo_id": "photos"},
        unique={"personas_name": "name WHERE archived_at IS NULL"},
        indexes={"personas_assigning": "assigning_after WHERE assigning_after IS NOT NULL"},
    )
    # Which tenants have leads to assign anew: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, assigning_after) ON personas TO {PLATFORM_ROLE}")
    tenant_table(
        "persona_versions",
        "id uuid NOT NULL",
        "persona_id uuid NOT NULL",
        "number bigint NOT NULL",
        *_WORDS,
        "changed_by uuid",
        "changed_at timestamptz NOT NULL",
        refers={"persona_id": "personas"},
        unique={"persona_versions_number": "persona_id, number"},
        may="SELECT, INSERT",
    )
    tenant_table(
        "persona_acknowledgements",
        "id uuid NOT NULL",
        "persona_id uuid NOT NULL",
        "user_id uuid NOT NULL",
        "number bigint NOT NULL",
        "acknowledged_at timestamptz NOT NULL",
        refers={"persona_id": "personas", "user_id": "users"},
        unique={"persona_acknowledgements_once": "persona_id, user_id, number"},
        may="SELECT, INSERT",
    )


_WORDS = (
    "name text NOT NULL",
    "job_title text NOT NULL",
    "goals jsonb NOT NULL",
    "challenges jsonb NOT NULL",
    "buying_questions jsonb NOT NULL",
    "criterion jsonb",
)


def downgrade() -> None:
    begin()
    drop("persona_acknowledgements", "persona_versions", "personas", "photos")
    drop("stage_definitions")
