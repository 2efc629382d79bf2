"""Create threads, ratings, next steps and digests, and let sales promise feedback."""

from __future__ import annotations

from alembic import op

from infra.settings import PLATFORM_ROLE
from migrations.tenancy import begin, choice, drop, tenant_table

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KINDS = ("DELIVERY", "RESPONSE", "ATTEMPTS", "DISPOSITION", "COVERAGE")
_STAGES = (
    *("VISITOR", "PROSPECT", "LEAD", "MQL", "SAL", "SQL"),
    *("OPPORTUNITY", "CUSTOMER", "ADVOCATE"),
)
_SIDES = ("MARKETING", "SALES")
_INDEXES = {
    "handoffs_open_since": "handoffs (tenant_id, handed_off_at, id) WHERE status = 'OPEN'",
    "handoffs_by_decision": "handoffs (tenant_id, decided_at) WHERE decided_at IS NOT NULL",
    "handoffs_by_return": "handoffs (tenant_id, returned_at) WHERE returned_at IS NOT NULL",
    "activities_by_record": "activities (tenant_id, recorded_at, lead_id)"
    " WHERE agency = 'HUMAN' AND kind <> 'NOTE'",
    "opportunities_by_record": "opportunities (tenant_id, recorded_at)",
    "opportunities_by_close": "opportunities (tenant_id, closed_at) WHERE closed_at IS NOT NULL",
    "leads_by_watch": "leads (tenant_id, stage, stage_entered_at, id)",
}


def upgrade() -> None:
    begin()
    _promised(*_KINDS, "FEEDBACK")
    for column in ("returned_at timestamptz", "returned_by uuid", "return_reason text"):
        op.execute(f"ALTER TABLE handoffs ADD COLUMN {column}")
    _threads()
    _ratings()
    _leads()
    _digests()
    for name, on in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {on}")


def downgrade() -> None:
    begin()
    for name in reversed(_INDEXES):
        op.execute(f"DROP INDEX {name}")
    drop(
        *("digest_subscriptions", "leak_limits", "next_steps", "ratings"),
        *("mentions", "thread_messages", "threads"),
    )
    for column in ("return_reason", "returned_by", "returned_at"):
        op.execute(f"ALTER TABLE handoffs DROP COLUMN {column}")
    _promised(*_KINDS)


def _promised(*kinds: str) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE commitments DROP CONSTRAINT commitments_kind_check")
    op.execute(
        f"ALTER TABLE commitments ADD CONSTRAINT commitments_kind_check CHECK (kind IN ({listed}))"
    )


def _threads() -> None:
    tenant_table(
        "threads",
        "id uuid NOT NULL",
        "started_at timestamptz NOT NULL",
        "last_message_at timestamptz NOT NULL",
        "started_by uuid NOT NULL",
        "lead_id uuid",
        "handoff_id uuid",
        "campaign_id uuid",
        "asset_id uuid",
        choice("awaiting", *_SIDES, optional=True),
        "ask_id uuid",
        "due_at timestamptz",
        "version bigint NOT NULL",
        "CHECK (num_nonnulls(lead_id, handoff_id, campaign_id, asset_id) = 1)",
        "CHECK (num_nulls(awaiting, ask_id, due_at) IN (0, 3))",
        refers={
            "started_by": "users",
            "lead_id": "leads",
            "handoff_id": "handoffs",
            "campaign_id": "campaigns",
            "asset_id": "content_assets",
        },
        indexes={
            "threads_by_news": "last_message_at, id",
            "threads_by_lead": "lead_id, last_message_at, id WHERE lead_id IS NOT NULL",
            "threads_by_handoff": "handoff_id, last_message_at, id WHERE handoff_id IS NOT NULL",
            "threads_by_campaign": "campaign_id, last_message_at, id WHERE campaign_id IS NOT NULL",
            "threads_by_asset": "asset_id, last_message_at, id WHERE asset_id IS NOT NULL",
            "threads_awaiting": "awaiting, due_at, id WHERE awaiting IS NOT NULL",
        },
    )
    tenant_table(
        "thread_messages",
        "id uuid NOT NULL",
        "thread_id uuid NOT NULL",
        "author_id uuid NOT NULL",
        "text text NOT NULL",
        "sent_at timestamptz NOT NULL",
        choice("asks", *_SIDES, optional=True),
        "due_at timestamptz",
        "answered_by_id uuid",
        "edited_at timestamptz",
        "retracted_at timestamptz",
        "version bigint NOT NULL",
        "CHECK ((asks IS NULL) = (due_at IS NULL))",
        refers={"thread_id": "threads", "author_id": "users"},
        indexes={"thread_messages_by_thread": "thread_id, sent_at, id"},
    )
    tenant_table(
        "mentions",
        "id uuid NOT NULL",
        "thread_id uuid NOT NULL",
        "message_id uuid NOT NULL",
        "user_id uuid NOT NULL",
        "called_at timestamptz NOT NULL",
        "read_at timestamptz",
        "version bigint NOT NULL",
        refers={"thread_id": "threads", "message_id": "thread_messages", "user_id": "users"},
        unique={"mentions_once": "message_id, user_id"},
        indexes={
            "mentions_by_user": "user_id, called_at, id",
            "mentions_unread": "user_id, called_at, id WHERE read_at IS NULL",
        },
    )


def _ratings() -> None:
    tenant_table(
        "ratings",
        "id uuid NOT NULL",
        "user_id uuid NOT NULL",
        "stars bigint NOT NULL CHECK (stars BETWEEN 1 AND 5)",
        "given_at timestamptz NOT NULL",
        "updated_at timestamptz NOT NULL",
        "campaign_id uuid",
        "handoff_id uuid",
        "comment text",
        "version bigint NOT NULL",
        "CHECK (num_nonnulls(campaign_id, handoff_id) = 1)",
        refers={"user_id": "users", "campaign_id": "campaigns", "handoff_id": "handoffs"},
        # A lead is rated by its hand-off: so no merging of leads ever makes two of one.
        unique={
            "ratings_campaign_once": "campaign_id, user_id WHERE campaign_id IS NOT NULL",
            "ratings_handoff_once": "handoff_id, user_id WHERE handoff_id IS NOT NULL",
        },
        indexes={"ratings_by_given": "given_at, id", "ratings_by_user": "user_id, given_at, id"},
    )


def _leads() -> None:
    tenant_table(
        "next_steps",
        "id uuid NOT NULL",
        "lead_id uuid NOT NULL",
        "text text NOT NULL",
        "due_at timestamptz NOT NULL",
        "set_at timestamptz NOT NULL",
        "set_by uuid",
        "done_at timestamptz",
        "done_by uuid",
        "replaced_at timestamptz",
        "version bigint NOT NULL",
        refers={"lead_id": "leads"},
        indexes={
            "next_steps_by_lead": "lead_id, set_at, id",
            "next_steps_open": "due_at, id WHERE done_at IS NULL AND replaced_at IS NULL",
        },
    )
    tenant_table(
        "leak_limits",
        "id uuid NOT NULL",
        choice("stage", *_STAGES),
        "set_at timestamptz NOT NULL",
        "without_owner_minutes bigint",
        "without_next_step_minutes bigint",
        "untouched_minutes bigint",
        "set_by uuid",
        "version bigint NOT NULL",
        unique={"leak_limits_stage": "stage"},
    )


def _digests() -> None:
    tenant_table(
        "digest_subscriptions",
        "id uuid NOT NULL",
        "user_id uuid NOT NULL",
        choice("frequency", "DAILY", "WEEKLY"),
        "subscribed_at timestamptz NOT NULL",
        "since timestamptz NOT NULL",
        "next_at timestamptz NOT NULL",
        "version bigint NOT NULL",
        refers={"user_id": "users"},
        unique={"digest_subscriptions_user": "user_id"},
        indexes={"digest_subscriptions_due": "next_at, id"},
        may="SELECT, INSERT, UPDATE, DELETE",
    )
    # Which tenants have a digest due: the worker asks across tenants, for this alone.
    op.execute(f"GRANT SELECT (tenant_id, next_at) ON digest_subscriptions TO {PLATFORM_ROLE}")
