"""Which of several sources is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.provenance import (
    DEFAULT_RANKS,
    DEFAULT_STALE_AFTER,
    MOST_CANDIDATES,
    MOST_RANKS,
    BadRanks,
    Fact,
    FactRecord,
    LeadFact,
    LeadProvenance,
    Observation,
    Source,
    SourceKind,
    StaleAfter,
    Trust,
    checked_ranks,
    checked_stale_after,
    combined,
    first_told,
    settled,
)

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TRUST = Trust.of(DEFAULT_RANKS, DEFAULT_STALE_AFTER, now=NOW)
USER = Source("user", SourceKind.USER)
CRM = Source("hubspot", SourceKind.CRM)
FORM = Source("form", SourceKind.FORM)
FILE = Source("fair", SourceKind.IMPORT)
SERVICE = Source("enrichment", SourceKind.ENRICHMENT)


def said(value, source, days=0):
    """Return what a source said so many days ago."""
    return Observation(
        value=value,
        source=source.name,
        kind=source.kind,
        observed_at=NOW - timedelta(days=days),
    )


def told(*observations, trust=TRUST, fact=Fact.JOB_TITLE):
    """Return what is written of a fact once several sources have spoken, in this order."""
    records = ()
    for each in observations:
        source = Source(each.source, each.kind)
        _, records = settled(records, {fact: each.value}, source, each.observed_at, trust)
    [record] = records
    return record


@pytest.mark.parametrize(
    ("earlier", "later", "believed"),
    [
        (said("CTO", FILE, 2), said("CEO", USER), "CEO"),  # a user always counts
        (said("CTO", USER, 2), said("CEO", FILE), "CTO"),  # newer, but of a lower rank
        (said("CTO", USER, 2), said("CEO", USER), "CEO"),  # of the same rank the newer
        (said("CTO", FORM), said("CEO", FORM, 2), "CTO"),  # however late the older is told
        (said("CTO", USER, 366), said("CEO", FILE), "CEO"),  # stale, so anybody may
        (said("CTO", USER, 365), said("CEO", FILE), "CTO"),  # on the last day not yet
        (said("CTO", FILE), said("CEO", USER, 366), "CTO"),  # stale when it comes
        (said("CTO", USER, 400), said("CEO", FILE, 390), "CTO"),  # both stale: the higher
        (said("CTO", FORM), said(None, USER), None),  # there is no such thing
        (said("CTO", FORM), said(None, FILE), "CTO"),
    ],
)
def test_the_freshest_of_the_highest_source_is_believed(earlier, later, believed):
    assert told(earlier, later).said.value == believed


def test_what_is_not_believed_is_kept_beside_the_newest_first():
    record = told(said("CTO", USER), said("CEO", FILE, 3), said("COO", SERVICE, 1))

    assert record == FactRecord(
        fact=Fact.JOB_TITLE,
        said=said("CTO", USER),
        candidates=(said("COO", SERVICE, 1), said("CEO", FILE, 3)),
    )


def test_a_source_has_one_word_only():
    record = told(said("CTO", USER), said("CEO", FILE, 3), said("COO", FILE, 1), said("X", FILE, 2))

    assert record.candidates == (said("COO", FILE, 1),)


def test_who_agrees_is_no_candidate():
    assert told(said("CTO", USER), said("CTO", FILE)).candidates == ()
    assert told(said("CEO", FILE), said("CTO", FORM), said("CEO", USER)).candidates == (
        said("CTO", FORM),
    )


def test_what_is_told_again_within_a_day_is_not_written_again():
    first = told(said("CTO", FORM, 1.5))

    assert told(first.said, said("CTO", FORM, 0.6)) == first
    assert told(first.said, said("CTO", FORM, 0.5)).said == said("CTO", FORM, 0.5)


def test_so_many_candidates_are_kept_and_no_more():
    others = [
        said(f"v{n}", Source(f"s{n}", SourceKind.IMPORT), n) for n in range(MOST_CANDIDATES + 3)
    ]

    record = told(said("CTO", USER), *others)

    assert record.candidates == tuple(others[:MOST_CANDIDATES])


def test_a_fact_nobody_wrote_down_is_anybodys_to_tell():
    believed, records = settled(
        (), {Fact.EMAIL: "a@x.example", Fact.PHONE: None}, SERVICE, NOW, TRUST
    )

    assert believed == {Fact.EMAIL, Fact.PHONE}
    assert [(record.fact, record.said.value) for record in records] == [
        (Fact.EMAIL, "a@x.example"),
        (Fact.PHONE, None),
    ]


def test_a_new_lead_has_what_was_said_of_it():
    assert first_told({Fact.EMAIL: "a@x.example", Fact.PHONE: None}, FORM, NOW) == (
        FactRecord(fact=Fact.EMAIL, said=said("a@x.example", FORM)),
    )


def test_a_source_ranks_by_its_own_name_else_by_its_kind_else_last():
    trust = Trust.of(("fair", "crm", "import"), (), now=NOW)

    places = [trust.place(each.name, each.kind) for each in (USER, FILE, CRM, FORM)]
    other_file = trust.place("other", SourceKind.IMPORT)

    assert (places, other_file) == ([-1, 0, 1, 3], 2)


@given(
    st.lists(
        st.tuples(st.sampled_from([USER, CRM, FORM, FILE, SERVICE]), st.integers(0, 800)),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_the_order_in_which_sources_speak_does_not_matter(speakers):
    words = [said(f"v{n}", source, days) for n, (source, days) in enumerate(speakers)]

    believed = {told(*order).said for order in permutations(words)}

    assert believed == {
        max(
            words,
            key=lambda each: TRUST.weight(Fact.JOB_TITLE, each.source, each.kind, each.observed_at),
        )
    }


def test_of_two_leads_that_become_one_the_better_word_is_kept():
    winner = (told(said("CTO", FILE)), told(said("Ada", USER), fact=Fact.FIRST_NAME))
    loser = (
        told(said("CEO", USER, 9), said("COO", FORM)),
        told(said("Eda", FILE), fact=Fact.FIRST_NAME),
        told(said("DE", FORM), fact=Fact.COUNTRY),
    )

    assert combined(winner, loser, TRUST) == (
        FactRecord(fact=Fact.FIRST_NAME, said=said("Ada", USER), candidates=(said("Eda", FILE),)),
        FactRecord(
            fact=Fact.JOB_TITLE,
            said=said("CEO", USER, 9),
            candidates=(said("COO", FORM), said("CTO", FILE)),
        ),
        FactRecord(fact=Fact.COUNTRY, said=said("DE", FORM)),
    )


def test_a_lead_combined_with_itself_is_the_same():
    records = (told(said("CEO", USER, 9), said("COO", FORM)),)

    assert combined(records, records, TRUST) == records


def test_a_fact_is_shown_with_whether_it_is_doubtful():
    records = (
        told(said("Ada", USER, 3000), fact=Fact.FIRST_NAME),
        told(said("CTO", USER, 366), said("CEO", FILE, 400)),
    )

    shown = LeadProvenance(id=None, facts=records).shown(TRUST)

    assert [(each.fact, each.stale) for each in shown] == [
        (Fact.FIRST_NAME, False),
        (Fact.JOB_TITLE, True),
    ]
    assert shown[1] == LeadFact(
        fact=Fact.JOB_TITLE,
        value="CTO",
        source="user",
        kind=SourceKind.USER,
        observed_at=NOW - timedelta(days=366),
        stale=True,
        candidates=(said("CEO", FILE, 400),),
    )


def test_ranks_are_kept_in_small_letters():
    assert checked_ranks([" HubSpot ", "form"]) == ("hubspot", "form")


@pytest.mark.parametrize(
    ("ranks", "path"),
    [
        (["form", "User"], ("sourceRanks", 1)),
        (["form", "FORM"], ("sourceRanks", 1)),
        (["x"] * (MOST_RANKS + 1), ("sourceRanks",)),
    ],
)
def test_ranks_that_contradict_themselves_are_refused(ranks, path):
    with pytest.raises(BadRanks) as refusal:
        checked_ranks(ranks)

    assert refusal.value.path == path


@pytest.mark.parametrize(
    ("limits", "path"),
    [
        ([StaleAfter(Fact.EMAIL, 0)], ("staleAfter", 0, "days")),
        ([StaleAfter(Fact.EMAIL, 3651)], ("staleAfter", 0, "days")),
        ([StaleAfter(Fact.EMAIL, 1), StaleAfter(Fact.EMAIL, 2)], ("staleAfter", 1, "fact")),
    ],
)
def test_limits_that_cannot_be_are_refused(limits, path):
    with pytest.raises(Invalid) as refusal:
        checked_stale_after(limits)

    assert refusal.value.path == path
