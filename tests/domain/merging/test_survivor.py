"""What the one lead says that several become, and whose word that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.ids import new_id
from domain.leads import Lead
from domain.merging.believing import Believed, believed
from domain.merging.record import three_way
from domain.merging.survivor import survivor
from domain.provenance import (
    DEFAULT_RANKS,
    DEFAULT_STALE_AFTER,
    Fact,
    FactRecord,
    Observation,
    SourceKind,
    Trust,
)
from domain.stages import Stage

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
TRUST = Trust.of(DEFAULT_RANKS, DEFAULT_STALE_AFTER, now=AT)


def a_lead(**said: Any) -> Lead:
    told: dict[str, Any] = {
        "id": new_id(),
        "stage": Stage.VISITOR,
        "stage_entered_at": AT,
        "created_at": AT,
        "updated_at": AT,
    }
    return Lead(**{**told, **said})


def survived(winner: Lead, *losers: Lead, tellers: dict[str, Lead] | None = None) -> Lead:
    return survivor(
        winner,
        losers,
        stage=Stage.MQL,
        stage_entered_at=AT,
        at=AT,
        tellers=tellers or {},
    )


@pytest.mark.parametrize(
    ("winner", "losers", "expected"),
    [
        # Blanks are filled by the first loser that says something.
        (
            {"job_title": "CTO"},
            [{"job_title": "CEO", "country": "IE"}, {"country": "DE", "last_name": "Lee"}],
            {"job_title": "CTO", "country": "IE", "last_name": "Lee"},
        ),
        # No score is a blank.
        ({"score": 0}, [{"score": 40}], {"score": 40}),
        ({"score": -5}, [{"score": 40}], {"score": -5}),
        # Where somebody came from is told by one of them.
        (
            {"origin_medium": "stand"},
            [{"origin_source": "fair", "origin_medium": "mail"}],
            {"origin_medium": "stand"},
        ),
        (
            {},
            [{"origin_source": "fair"}, {"origin_medium": "mail"}],
            {"origin_source": "fair"},
        ),
        # Who forbids to be contacted forbids it to all.
        (
            {},
            [
                {
                    "do_not_contact": True,
                    "do_not_contact_at": AT,
                    "do_not_contact_reason": "Asked us.",
                }
            ],
            {"do_not_contact": True, "do_not_contact_at": AT, "do_not_contact_reason": "Asked us."},
        ),
    ],
)
def test_the_winner_says_what_it_said_and_its_blanks_are_filled(
    winner: dict[str, Any], losers: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    one = a_lead(**winner)

    found = survived(one, *(a_lead(**said) for said in losers))

    assert found == replace(one, stage=Stage.MQL, **expected)


def test_the_person_was_seen_when_the_first_of_them_was() -> None:
    early = AT - timedelta(days=3)

    assert survived(a_lead(), a_lead(created_at=early)).created_at == early


def test_what_a_better_source_says_is_said_by_the_survivor() -> None:
    one, other = a_lead(job_title="CTO"), a_lead(job_title="CEO")

    assert survived(one, other, tellers={"job_title": other}).job_title == "CEO"


def said(fact: Fact, value: str, kind: SourceKind, days: int = 0) -> FactRecord:
    at = AT - timedelta(days=days)
    return FactRecord(
        fact=fact, said=Observation(value=value, source=kind.word, kind=kind, observed_at=at)
    )


def heard(one: Lead, other: Lead, ones: list[FactRecord], others: list[FactRecord]) -> Believed:
    known: dict[UUID, list[FactRecord]] = {one.id: ones, other.id: others}
    return believed(one, [other], known, TRUST)


def test_the_better_source_is_believed_and_the_other_remembered() -> None:
    one, other = a_lead(job_title="CTO"), a_lead(job_title="CEO")
    ones = [said(Fact.JOB_TITLE, "CTO", SourceKind.IMPORT)]
    others = [said(Fact.JOB_TITLE, "CEO", SourceKind.CRM)]

    found = heard(one, other, ones, others)

    (record,) = found.records
    assert found.tellers == {"job_title": other}
    assert (record.said, record.candidates) == (others[0].said, (ones[0].said,))


def test_of_two_as_good_the_winner_is_believed() -> None:
    one, other = a_lead(job_title="CTO"), a_lead(job_title="CEO")
    ones = [said(Fact.JOB_TITLE, "CTO", SourceKind.CRM)]

    found = heard(one, other, ones, [said(Fact.JOB_TITLE, "CEO", SourceKind.CRM)])

    assert found.tellers == {}
    assert [record.said for record in found.records] == [ones[0].said]


def test_an_address_is_kept_and_an_origin_told_by_one() -> None:
    one = a_lead(email="ann@acme.example", origin_source="fair")
    other = a_lead(email="lee@acme.example", origin_medium="mail")
    ones = [said(Fact.EMAIL, "ann@acme.example", SourceKind.IMPORT)]
    others = [
        said(Fact.EMAIL, "lee@acme.example", SourceKind.CRM),
        said(Fact.ORIGIN_MEDIUM, "mail", SourceKind.CRM),
    ]

    found = heard(one, other, ones, others)

    assert (found.tellers, found.records) == ({}, tuple(ones))


@pytest.mark.parametrize(
    ("before", "after", "now", "restored"),
    [
        ("a", "b", "b", {"x": "a"}),  # as the merge left it
        ("a", "b", "c", {}),  # somebody has changed it since
        ("a", "a", "c", {}),  # the merge changed nothing
        (None, "b", "b", {"x": None}),
    ],
)
def test_undoing_gives_back_what_nobody_has_changed_since(
    before: str | None, after: str, now: str, restored: dict[str, Any]
) -> None:
    assert three_way({"x": before}, {"x": after}, {"x": now}) == restored
