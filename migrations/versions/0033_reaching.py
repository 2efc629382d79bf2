"""Count for goals what the funnel counts: a lead once, when it first came so far or farther."""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

from migrations.tenancy import begin

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TABLES = ("tenants", "stage_entries", "metric_tallies")
_ONWARD = {
    "MQLS": ("MQL", "SAL", "SQL", "OPPORTUNITY", "CUSTOMER", "ADVOCATE"),
    "SQLS": ("SQL", "OPPORTUNITY", "CUSTOMER", "ADVOCATE"),
    "OPPORTUNITIES": ("OPPORTUNITY", "CUSTOMER", "ADVOCATE"),
    "CUSTOMERS": ("CUSTOMER", "ADVOCATE"),
}
_EVERYBODY = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    begin()
    _count_anew(
        {
            metric: "SELECT tenant_id, min(entered_at) AS at FROM stage_entries"  # noqa: S608  # our own words
            f" WHERE stage IN ({_listed(onward)}) GROUP BY tenant_id, lead_id"
            for metric, onward in _ONWARD.items()
        }
    )


def downgrade() -> None:
    """Count each time that a lead entered one of the stages, coming from an earlier one."""
    begin()
    _count_anew(
        {
            metric: "SELECT tenant_id, entered_at AS at FROM stage_entries"  # noqa: S608  # our own words
            f" WHERE stage = '{onward[0]}' AND previous NOT IN ({_listed(onward)})"
            for metric, onward in _ONWARD.items()
        }
    )


def _count_anew(facts: dict[str, str]) -> None:
    """Count facts, each with its tenant and instant, on the tenants' own days."""
    for table in _TABLES:
        # The owner of the tables reads past the wall here, which stands again at the end.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"DELETE FROM metric_tallies WHERE metric IN ({_listed(facts)})")  # noqa: S608  # our own words
    for metric, fact in facts.items():
        op.execute(
            'INSERT INTO metric_tallies (tenant_id, metric, team_id, "on", amount)'  # noqa: S608  # our own words
            f" SELECT t.tenant_id, '{metric}', '{_EVERYBODY}'::uuid,"
            " (f.at AT TIME ZONE t.time_zone)::date, count(*)"
            f" FROM tenants t JOIN ({fact}) f ON f.tenant_id = t.tenant_id"
            " GROUP BY t.tenant_id, 4"
        )
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
