"""One version of an agreement through its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from domain.sla.agreement import Signature, Sla, SlaStatus, start_of_day
from domain.stages import Side
from domain.values import PeriodKind

MIA, SAM = uuid4(), uuid4()
PROPOSED_AT = datetime(2026, 2, 20, 9, tzinfo=UTC)
SIGNED_AT = datetime(2026, 2, 21, 9, tzinfo=UTC)

PROPOSAL = Sla(
    id=uuid4(),
    series_id=uuid4(),
    number=1,
    name="March",
    period_kind=PeriodKind.MONTH,
    starts_on=date(2026, 3, 1),
    ends_on=date(2026, 4, 1),
    time_zone="Europe/Berlin",
    calendar_id=uuid4(),
    currency="EUR",
    marketing_team_id=uuid4(),
    sales_team_id=uuid4(),
    effective_at=datetime(2026, 2, 28, 23, tzinfo=UTC),
    proposed_side=Side.SALES,
    proposed_by=SAM,
    proposed_at=PROPOSED_AT,
    sales_signed_by=SAM,
    sales_signed_at=PROPOSED_AT,
)
SIGNED = replace(PROPOSAL, marketing_signed_by=MIA, marketing_signed_at=SIGNED_AT)
# Spring forward: the last day of March 2026 in Berlin ends at 22:00 UTC.
ENDS_AT = datetime(2026, 3, 31, 22, tzinfo=UTC)
CEASED = replace(SIGNED, ceased_at=datetime(2026, 3, 15, tzinfo=UTC))


def test_a_period_runs_by_its_own_time_zone():
    assert (SIGNED.starts_at, SIGNED.ends_at) == (SIGNED.effective_at, ENDS_AT)


def test_a_day_starts_at_its_first_instant_even_where_midnight_is_skipped():
    # In Beirut the clock went from 24:00 to 01:00 on 29 March 2020.
    assert start_of_day(date(2020, 3, 29), "Asia/Beirut") == datetime(2020, 3, 28, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sla", "at", "expected"),
    [
        (PROPOSAL, datetime(2026, 3, 10, tzinfo=UTC), False),
        (SIGNED, datetime(2026, 2, 28, 22, 59, tzinfo=UTC), False),
        (SIGNED, SIGNED.effective_at, True),
        (SIGNED, datetime(2026, 3, 31, 21, 59, tzinfo=UTC), True),
        (SIGNED, ENDS_AT, False),
        (CEASED, datetime(2026, 3, 14, tzinfo=UTC), True),
        (CEASED, datetime(2026, 3, 15, tzinfo=UTC), False),
    ],
)
def test_it_is_in_force_from_its_effect_to_its_end(sla, at, expected):
    assert sla.in_force(at) is expected


@pytest.mark.parametrize(
    ("sla", "now", "status"),
    [
        (PROPOSAL, datetime(2026, 3, 10, tzinfo=UTC), SlaStatus.PROPOSED),
        (
            replace(PROPOSAL, withdrawn_at=SIGNED_AT),
            datetime(2026, 3, 10, tzinfo=UTC),
            SlaStatus.WITHDRAWN,
        ),
        (SIGNED, SIGNED_AT, SlaStatus.SIGNED),
        (SIGNED, SIGNED.effective_at, SlaStatus.ACTIVE),
        (SIGNED, ENDS_AT, SlaStatus.ENDED),
        (CEASED, datetime(2026, 3, 14, tzinfo=UTC), SlaStatus.ACTIVE),
        (CEASED, datetime(2026, 3, 15, tzinfo=UTC), SlaStatus.SUPERSEDED),
    ],
)
def test_its_status_follows_from_the_time(sla, now, status):
    assert sla.status(now) is status


def test_the_proposer_signs_first():
    assert SIGNED.signatures == (
        Signature(Side.SALES, SAM, PROPOSED_AT),
        Signature(Side.MARKETING, MIA, SIGNED_AT),
    )
    assert PROPOSAL.signatures == (Signature(Side.SALES, SAM, PROPOSED_AT),)
    assert (PROPOSAL.signed_at, SIGNED.signed_at) == (None, SIGNED_AT)
