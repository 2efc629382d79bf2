"""What changed for clients since the last release."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.releases import Change, compare, release

RELEASED = """
type Query { leads(first: Int): [Lead!]!  teams: [String!]! }
type Lead { id: ID!  stage: Stage!  note: String }
enum Stage { LEAD MQL }
"""
REASON = "Nobody ever asked for it."


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    release(RELEASED, "1.0.0", tmp_path)
    return tmp_path


def review(releases: Path, *whats: str) -> None:
    changes = ", ".join(f'"{what}"' for what in whats)
    text = f'[[reviewed]]\nreason = "{REASON}"\nchanges = [{changes}]\n'
    (releases / "reviewed.toml").write_text(text)


def test_a_release_has_not_changed(releases: Path) -> None:
    found = compare(RELEASED, releases)

    assert (found.release, found.changes, found.stale, found.settled) == ("1.0.0", [], [], True)


@pytest.mark.parametrize(
    ("old", "new", "what", "breaking"),
    [
        ("note: String", "", "Field Lead.note was removed.", True),
        (
            "first: Int",
            "first: Int!",
            "Argument Query.leads(first:) has changed type from Int to Int!.",
            True,
        ),
        (
            "stage: Stage!",
            "stage: Stage",
            "Field Lead.stage changed type from Stage! to Stage.",
            True,
        ),
        ("LEAD MQL", "LEAD", "Enum value Stage.MQL was removed.", True),
        ("LEAD MQL", "LEAD MQL SAL", "Enum value Stage.SAL was added.", False),
    ],
    ids=["field", "argument", "nullable", "value gone", "value new"],
)
def test_what_clients_may_trip_over_needs_a_reason(
    releases: Path, old: str, new: str, what: str, breaking: bool
) -> None:
    schema = RELEASED.replace(old, new)

    found = compare(schema, releases)
    assert found.changes == found.unreviewed == [Change(what=what, breaking=breaking)]
    assert not found.settled

    review(releases, what)
    found = compare(schema, releases)
    assert found.changes == [Change(what=what, breaking=breaking, reason=REASON)]
    assert found.settled


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("note: String", "note: String  tags: [String!]"),
        ("first: Int", "first: Int  after: String"),
        ("note: String", "note: String!"),
    ],
    ids=["field", "optional argument", "never null"],
)
def test_what_no_client_can_notice_needs_none(releases: Path, old: str, new: str) -> None:
    assert compare(RELEASED.replace(old, new), releases).changes == []


def test_a_review_of_nothing_is_stale(releases: Path) -> None:
    review(releases, "Field Lead.note was removed.")

    found = compare(RELEASED, releases)

    assert found.stale == ["Field Lead.note was removed."]
    assert not found.settled


def test_a_release_replaces_the_last_and_begins_a_new_review(releases: Path) -> None:
    schema = RELEASED.replace("note: String", "")
    review(releases, "Field Lead.note was removed.")

    release(schema, "2.0.0", releases)

    assert {file.name for file in releases.iterdir()} == {"2.0.0.graphql", "reviewed.toml"}
    found = compare(schema, releases)
    assert (found.release, found.changes, found.stale) == ("2.0.0", [], [])


def test_without_a_release_nothing_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compare(RELEASED, tmp_path)
