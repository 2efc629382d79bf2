"""What a person wishes, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.consent import (
    Consent,
    ConsentPurpose,
    ConsentStatus,
    ConsentWithdrawn,
    DoNotContact,
    LegalBasis,
    check_basis,
    check_may_be_contacted,
    check_may_be_logged,
    is_withdrawn,
    may_track,
    not_to_contact,
    standing,
    stricter,
    withdrawals_to_keep,
    withdrawn_since,
)
from domain.errors import Invalid
from domain.ids import new_id
from domain.leads import Activity, ActivityKind, Agency
from tests.domain.building_leads import NOON, a_lead

GRANTED, WITHDRAWN = ConsentStatus.GRANTED, ConsentStatus.WITHDRAWN
EMAIL, PHONE, TRACKING = ConsentPurpose.EMAIL, ConsentPurpose.PHONE, ConsentPurpose.TRACKING


def consent(status, hours=0, purpose=TRACKING, **more):
    """Return what was said so many hours before noon."""
    return Consent(
        id=new_id(),
        lead_id=new_id(),
        purpose=purpose,
        status=status,
        basis=LegalBasis.CONSENT,
        source="form",
        occurred_at=NOON - timedelta(hours=hours),
        recorded_at=NOON,
        **more,
    )


def activity(kind=ActivityKind.CALL, hours=0, **more):
    said = {"agency": Agency.HUMAN, "answered": False, "user_id": None, **more}
    return Activity(
        id=new_id(),
        lead_id=new_id(),
        kind=kind,
        occurred_at=NOON - timedelta(hours=hours),
        recorded_at=NOON,
        **said,
    )


@pytest.mark.parametrize(
    ("history", "allowed"),
    [
        ([], True),
        ([consent(GRANTED)], True),
        ([consent(WITHDRAWN)], False),
        ([consent(GRANTED, 2), consent(WITHDRAWN, 1)], False),
        ([consent(GRANTED, 1), consent(WITHDRAWN, 2)], True),  # told late, but older
        ([consent(GRANTED), consent(WITHDRAWN)], False),  # at once: the stricter
        ([consent(WITHDRAWN), consent(GRANTED)], False),
        ([consent(WITHDRAWN, purpose=EMAIL)], True),  # of another purpose
    ],
)
def test_what_was_said_last_counts(history, allowed):
    assert may_track(history) is allowed


@pytest.mark.parametrize(
    ("history", "hours_ago"),
    [
        ((), None),
        ((consent(GRANTED),), None),
        ((consent(WITHDRAWN, 1),), 1),
        ((consent(WITHDRAWN, 1), consent(WITHDRAWN, 3)), 3),  # said again
        ((consent(WITHDRAWN, 3), consent(GRANTED, 2), consent(WITHDRAWN, 1)), 1),
        ((consent(WITHDRAWN, 2), consent(GRANTED, 1)), None),
        ((consent(WITHDRAWN, 1), consent(GRANTED, 1)), 1),  # at the same instant
        ((consent(WITHDRAWN, 1, PHONE),), None),
    ],
)
def test_what_is_withdrawn_is_so_since_it_was_said_first(history, hours_ago):
    since = None if hours_ago is None else NOON - timedelta(hours=hours_ago)
    assert withdrawn_since(history, TRACKING) == since


def test_each_purpose_stands_for_itself():
    email, phone = consent(GRANTED, purpose=EMAIL), consent(WITHDRAWN, purpose=PHONE)

    assert standing([email, phone]) == {EMAIL: email, PHONE: phone}
    assert (is_withdrawn([email, phone], EMAIL), is_withdrawn([email, phone], PHONE)) == (
        False,
        True,
    )


@pytest.mark.parametrize("kind", [ActivityKind.CALL, ActivityKind.EMAIL])
def test_nobody_is_called_or_written_to_who_must_not_be(kind):
    lead = not_to_contact(a_lead(), reason="Asked.", at=NOON)

    with pytest.raises(DoNotContact):
        check_may_be_logged(lead, [], activity(kind))


@pytest.mark.parametrize(
    "done",
    [
        activity(answered=True),  # a conversation, whoever began it
        activity(ActivityKind.MEETING),
        activity(ActivityKind.NOTE),
        activity(ActivityKind.EMAIL, agency=Agency.AUTOMATIC),  # has gone out already
        activity(hours=1),  # before the person wished it so
    ],
)
def test_facts_are_not_lost(done):
    lead = not_to_contact(a_lead(), reason="Asked.", at=NOON - timedelta(minutes=30))
    history = [consent(WITHDRAWN, 0.5, PHONE), consent(WITHDRAWN, 0.5, EMAIL)]

    check_may_be_logged(lead, history, done)


def test_who_does_not_wish_to_be_called_can_be_written_to():
    history = [consent(WITHDRAWN, purpose=PHONE)]

    check_may_be_logged(a_lead(), history, activity(ActivityKind.EMAIL))
    with pytest.raises(ConsentWithdrawn):
        check_may_be_logged(a_lead(), history, activity(ActivityKind.CALL))


def test_what_was_done_before_is_judged_by_what_was_wished_then():
    lead = not_to_contact(a_lead(), reason="Asked.", at=NOON)

    check_may_be_contacted(lead, at=NOON - timedelta(microseconds=1))
    with pytest.raises(DoNotContact):
        check_may_be_contacted(lead, at=NOON)
    check_may_be_contacted(a_lead(), at=NOON)


def test_said_again_it_was_so_since_the_first_time():
    once = not_to_contact(a_lead(), reason="Asked.", at=NOON)

    again = not_to_contact(once, reason="Asked twice.", at=NOON + timedelta(days=1))
    before = not_to_contact(once, reason="By letter.", at=NOON - timedelta(days=1))

    assert again == replace(once, do_not_contact_reason="Asked twice.")
    assert (before.do_not_contact_at, before.do_not_contact_reason) == (
        NOON - timedelta(days=1),
        "By letter.",
    )


def test_of_two_leads_that_become_one_the_stricter_wish_is_kept():
    free = a_lead()
    early = not_to_contact(a_lead(), reason="Early.", at=NOON - timedelta(days=1))
    late = not_to_contact(a_lead(), reason="Late.", at=NOON)

    def wish(lead):
        return lead.do_not_contact, lead.do_not_contact_at, lead.do_not_contact_reason

    assert stricter(free, a_lead()) == free
    assert wish(stricter(free, late)) == wish(late)
    assert stricter(late, free) == late
    assert wish(stricter(late, early)) == wish(stricter(early, late)) == wish(early)
    assert stricter(late, early).id == late.id


def test_a_withdrawal_outlives_the_merging_with_somebody_who_agreed_later():
    lead_id = new_id()
    mine, theirs = consent(WITHDRAWN, 5), consent(GRANTED, 1)

    [kept] = withdrawals_to_keep([mine], [theirs], lead_id=lead_id, at=NOON)

    assert kept == replace(
        mine,
        id=kept.id,
        lead_id=lead_id,
        source="merge",
        occurred_at=NOON,
        recorded_at=NOON,
    )
    assert not may_track([mine, theirs, kept])
    assert withdrawals_to_keep([theirs], [mine], lead_id=lead_id, at=NOON) != ()


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ([], []),
        ([consent(GRANTED)], []),
        ([consent(WITHDRAWN)], []),  # the history says so itself
        ([consent(WITHDRAWN)], [consent(GRANTED, 1)]),
        (
            [consent(WITHDRAWN, 2), consent(GRANTED)],
            [consent(GRANTED, 1)],
        ),  # taken back by themselves
    ],
)
def test_nothing_is_added_where_the_histories_say_it_themselves(mine, theirs):
    assert withdrawals_to_keep(mine, theirs, lead_id=new_id(), at=NOON) == ()


def test_what_the_law_demands_is_not_withdrawn():
    check_basis(GRANTED, LegalBasis.LEGAL_OBLIGATION)
    with pytest.raises(Invalid) as refusal:
        check_basis(WITHDRAWN, LegalBasis.LEGAL_OBLIGATION)

    assert refusal.value.path == ("basis",)
