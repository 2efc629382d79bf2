"""Let leads be compared block by block, in a line for each key."""

from __future__ import annotations

from alembic import op

from migrations.tenancy import begin

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_LINES = {
    "mailbox": "by_name",
    "phone": "by_name",
    "sound_key": "by_employer",
    "local_key": "by_employer",
    "work_sound_key": "by_name",
    "work_initial_key": "by_name",
}
_STEPS = (
    *("READ", "MAILBOX", "PHONE", "SOUND", "LOCAL"),
    *("WORK_SOUND", "WORK_INITIAL", "CHECK"),
)
_START = '{"key": "", "line": "", "lead_id": "00000000-0000-0000-0000-000000000000"}'
_ADDED = {
    "lead_prints": {
        "by_name": "by_name text NOT NULL DEFAULT ''",
        "by_employer": "by_employer text NOT NULL DEFAULT ''",
    },
    "duplicate_scans": {
        "step": "step text NOT NULL DEFAULT 'READ'",
        "done": "done bigint NOT NULL DEFAULT 0",
        "place": f"place jsonb NOT NULL DEFAULT '{_START}'",
    },
}


def upgrade() -> None:
    begin()
    for table, columns in _ADDED.items():
        for definition in columns.values():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")
    steps = ", ".join(f"'{step}'" for step in _STEPS)
    # Apart from its column, because Citus takes a constraint only by name.
    op.execute(
        "ALTER TABLE duplicate_scans ADD CONSTRAINT duplicate_scans_step_check"
        f" CHECK (step IN ({steps}))"
    )
    _index({key: f"{key}, {line}, lead_id" for key, line in _LINES.items()})


def downgrade() -> None:
    begin()
    _index({key: f"{key}, lead_id" for key in _LINES})
    for table, columns in _ADDED.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _index(columns: dict[str, str]) -> None:
    for key, named in columns.items():
        op.execute(f"DROP INDEX lead_prints_{key}")
        op.execute(
            f"CREATE INDEX lead_prints_{key} ON lead_prints (tenant_id, {named})"
            f" WHERE {key} IS NOT NULL"
        )
