"""Call a scoring model's thresholds by what they are for."""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

from migrations.tenancy import begin

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_NAMES = (
    ("a", "fit_for_a"),
    ("b", "fit_for_b"),
    ("one", "engagement_for_1"),
    ("two", "engagement_for_2"),
)


def upgrade() -> None:
    begin()
    _rename(_NAMES)


def downgrade() -> None:
    begin()
    _rename((new, old) for old, new in _NAMES)


def _rename(names: Iterable[tuple[str, str]]) -> None:
    # The owner of the table reads past the wall here, which stands again at the end.
    op.execute("ALTER TABLE scoring_models NO FORCE ROW LEVEL SECURITY")
    for old, new in names:
        op.execute(
            f"UPDATE scoring_models SET terms = (terms - '{old}')"  # noqa: S608  # our own names
            f" || jsonb_build_object('{new}', terms -> '{old}')"
        )
    op.execute("ALTER TABLE scoring_models FORCE ROW LEVEL SECURITY")
