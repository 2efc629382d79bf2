"""What the schema was when it was last released, and what has changed for its clients since."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import build_schema
from graphql.utilities import (
    DangerousChangeType,
    find_breaking_changes,
    find_dangerous_changes,
)

REVIEWED = "reviewed.toml"
_EMPTY = """\
# What the schema broke since the last release, and why that was worth it.  A test compares the
# schema with the last release and fails on anything that is not here, and on anything that is here
# but is no change (any more).  `smarketing schema diff` prints what there is.
"""
# What nobody has to give, nobody misses.
_HARMLESS = {DangerousChangeType.OPTIONAL_ARG_ADDED, DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that a client may trip over."""

    what: str
    breaking: bool
    """Documents that were valid are not any more; else only clients that expect no more than
    there was trip, such as those that go through all values of an enum."""
    reason: str | None = None
    """Why it was worth it, once somebody has thought about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The schema beside the last release."""

    release: str
    changes: Sequence[Change]
    stale: Sequence[str]
    """What was reviewed and is no change."""

    @property
    def unreviewed(self) -> Sequence[Change]:
        """Return what nobody has given a reason for."""
        return [change for change in self.changes if change.reason is None]

    @property
    def settled(self) -> bool:
        """Tell whether every change was reviewed, and nothing else."""
        return not (self.unreviewed or self.stale)


def compare(sdl: str, releases: Path) -> Comparison:
    """Compare a schema with the last release in a folder.

    Raises:
        FileNotFoundError: if there is no release.
    """
    last = _last(releases)
    reasons = _reasons(releases / REVIEWED)
    changes = [
        Change(what=what, breaking=breaking, reason=reasons.get(what))
        for what, breaking in _changes(last.read_text(encoding="utf-8"), sdl).items()
    ]
    known = {change.what for change in changes}
    return Comparison(
        release=last.stem,
        changes=changes,
        stale=[what for what in reasons if what not in known],
    )


def release(sdl: str, version: str, releases: Path) -> Path:
    """Keep a schema as the one of a release, in place of the last, and begin a new review."""
    file = releases / f"{version}.graphql"
    for earlier in releases.glob("*.graphql"):
        earlier.unlink()
    file.write_text(sdl, encoding="utf-8", newline="\n")
    (releases / REVIEWED).write_text(_EMPTY, encoding="utf-8", newline="\n")
    return file


def _last(releases: Path) -> Path:
    found = sorted(releases.glob("*.graphql"))
    if len(found) != 1:
        raise FileNotFoundError(f"{releases} must hold the schema of the last release, and no more")
    return found[0]


def _changes(old: str, new: str) -> Mapping[str, bool]:
    """Return what changed for clients, and whether it breaks them; what breaks comes first."""
    before, after = build_schema(old), build_schema(new)
    breaking = {change.description: True for change in find_breaking_changes(before, after)}
    dangerous = {
        change.description: False
        for change in find_dangerous_changes(before, after)
        if change.type not in _HARMLESS
    }
    return {**dict(sorted(breaking.items())), **dict(sorted(dangerous.items()))}


def _reasons(file: Path) -> Mapping[str, str]:
    groups = tomllib.loads(file.read_text(encoding="utf-8")).get("reviewed", [])
    return {what: group["reason"] for group in groups for what in group["changes"]}
