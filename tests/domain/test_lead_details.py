"""What may be said of a lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, Refusals
from domain.ids import new_id
from domain.lead_details import (
    LONGEST_EMAIL,
    MOST_EXTERNAL_IDS,
    LeadDetails,
    NamedCompany,
    checked,
    described,
    past,
)
from domain.leads import ExternalId, Lead
from domain.stages import Stage

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SEEN = datetime(2018, 5, 1, tzinfo=UTC)


def a_lead(**values):
    return Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **values,
    )


def test_details_are_kept_trimmed_in_small_letters_and_without_blanks():
    given = LeadDetails(
        email="  Ada@Example.COM ",
        first_name=" Ada ",
        last_name="  ",
        job_title=None,
        country=" gb ",
        company=NamedCompany(" Engines ", " Engines.Example. "),
        origin_source=" Organic Search ",
        score=-1000,
        external_ids=(
            ExternalId(" HubSpot ", " 47 "),
            ExternalId("hubspot", "47"),
            ExternalId("crm", "a"),
        ),
        created_at=SEEN,
    )

    assert checked(given, now=NOON) == LeadDetails(
        email="ada@example.com",
        first_name="Ada",
        last_name=None,
        job_title=None,
        country="GB",
        company=NamedCompany("Engines", "Engines.Example."),
        origin_source="Organic Search",
        score=-1000,
        external_ids=(ExternalId("hubspot", "47"), ExternalId("crm", "a")),
        created_at=SEEN,
    )


def test_a_company_without_name_and_domain_is_none():
    assert checked(LeadDetails(company=NamedCompany(" ", None)), now=NOON).company is None


@pytest.mark.parametrize(
    ("details", "path"),
    [
        (LeadDetails(email="nobody"), ("email",)),
        (LeadDetails(email="a b@example.com"), ("email",)),
        (LeadDetails(email=f"{'a' * LONGEST_EMAIL}@b.example"), ("email",)),
        (LeadDetails(email="a\x00@example.com"), ("email",)),
        (LeadDetails(first_name="a" * 201), ("firstName",)),
        (LeadDetails(last_name="a\x00b"), ("lastName",)),
        (LeadDetails(job_title="\ud800"), ("jobTitle",)),
        (LeadDetails(origin_source="a" * 201), ("originSource",)),
        (LeadDetails(origin_medium="a" * 201), ("originMedium",)),
        (LeadDetails(origin_campaign="a" * 201), ("originCampaign",)),
        (LeadDetails(country="Ireland"), ("country",)),
        (LeadDetails(country="ÄÖ"), ("country",)),
        (LeadDetails(score=1001), ("score",)),
        (LeadDetails(score=-1001), ("score",)),
        (LeadDetails(score=10**30), ("score",)),
        (LeadDetails(company=NamedCompany("a" * 201)), ("company", "name")),
        (LeadDetails(company=NamedCompany(None, "a" * 2001)), ("company", "domain")),
        (LeadDetails(company=NamedCompany(None, "a\x00.example")), ("company", "domain")),
        (LeadDetails(phone="1" * 201), ("phone",)),
        (LeadDetails(source=" "), ("source",)),
        (LeadDetails(observed_at=NOON + timedelta(minutes=6)), ("observedAt",)),
        (LeadDetails(external_ids=(ExternalId("crm", " "),)), ("externalIds", 0, "value")),
        (LeadDetails(external_ids=(ExternalId("", "1"),)), ("externalIds", 0, "source")),
        (LeadDetails(external_ids=(ExternalId("crm", "1\x00"),)), ("externalIds", 0, "value")),
        (
            LeadDetails(
                external_ids=tuple(ExternalId("crm", str(n)) for n in range(MOST_EXTERNAL_IDS + 1))
            ),
            ("externalIds",),
        ),
        (LeadDetails(created_at=NOON + timedelta(minutes=6)), ("createdAt",)),
        (LeadDetails(created_at=datetime(1, 1, 1, tzinfo=UTC)), ("createdAt",)),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_field(details, path):
    with pytest.raises(Invalid) as refusal:
        checked(details, now=NOON)

    assert (refusal.value.code, refusal.value.path) == ("INVALID", path)


def test_all_faults_are_told_at_once():
    details = LeadDetails(email="nobody", score=5000, created_at=NOON + timedelta(days=1))

    with pytest.raises(Refusals) as refusals:
        checked(details, now=NOON)

    assert [each.path for each in refusals.value.refusals] == [
        ("email",),
        ("score",),
        ("createdAt",),
    ]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200),
    st.integers(-1000, 1000),
)
def test_what_is_kept_is_kept_again_unchanged(text, score):
    given = LeadDetails(first_name=text, origin_source=text, score=score)
    kept = checked(given, now=NOON)

    assert checked(kept, now=NOON) == kept


def test_a_clock_a_little_ahead_is_forgiven():
    assert past(NOON + timedelta(minutes=5), NOON, path=()) == NOON
    assert past(NOON, NOON, path=()) == NOON
    assert past(SEEN, NOON, path=()) == SEEN


def test_what_is_not_said_stays_and_none_takes_away():
    lead = a_lead(first_name="Ada", last_name="King", score=7)

    told = described(lead, LeadDetails(last_name=None, email="ada@example.com"))

    assert told == replace(lead, last_name=None, email="ada@example.com")
    assert described(lead, LeadDetails(score=None)) == replace(lead, score=0)
