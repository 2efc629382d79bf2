"""Nothing that a client sees breaks unnoticed."""

from __future__ import annotations

import tomllib

from infra.cli.schema import RELEASES, sdl
from infra.releases import REVIEWED, compare


def test_everything_that_breaks_since_the_last_release_was_reviewed() -> None:
    found = compare(sdl(), RELEASES)

    assert [change.what for change in found.unreviewed] == [], "give reasons in reviewed.toml"
    assert found.stale == [], "reviewed, but no change (any more)"


def test_a_review_gives_a_reason_and_looks_at_each_change_once() -> None:
    groups = tomllib.loads((RELEASES / REVIEWED).read_text(encoding="utf-8")).get("reviewed", [])

    assert [group for group in groups if not group["reason"].endswith(".")] == []
    changes = [what for group in groups for what in group["changes"]]
    assert len(set(changes)) == len(changes)
