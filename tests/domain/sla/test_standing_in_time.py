"""How a status depends on when it is read, and on which version was in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import NotFound, PermissionDenied
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.sla.agreement import CommitmentKind, SlaStatus
from domain.sla.pacing import Pace
from domain.sla.standing import SeriesDay, sla_standing
from tests.domain.sla.building_standings import (
    D,
    a_signed_sla,
    delivery,
    march,
    on_day,
    promise,
    response,
    standing,
    standing_of_one,
    utc,
)
from tests.fakes import FakeWork

SOON = utc(3, 12, 10) + timedelta(seconds=9)


async def test_a_period_of_the_past_stands_as_it_ended():
    sla = a_signed_sla()
    kept, missed = delivery(sla, 100), delivery(sla, 101, position=1)
    touch = response(sla, position=2)
    counts = [
        on_day(kept, march(31), delivered=100),
        on_day(missed, march(31), delivered=100),
        on_day(touch, march(31), opened=10, met=9, met_late=1),
    ]

    found = await standing(sla, [kept, missed, touch], counts, datetime(2031, 1, 1, tzinfo=UTC))

    assert [c.status for c in found.commitments] == [Pace.MET, Pace.MISSED, Pace.MET]
    assert [c.probability for c in found.commitments] == [D(1), D(0), D(1)]
    assert (found.status, found.next_at) == (SlaStatus.ENDED, None)


async def test_what_is_still_open_after_the_end_may_settle_it_later():
    sla = a_signed_sla()
    touch = response(sla)
    counts = [on_day(touch, march(31), opened=10, met=8, met_late=1, open=1)]

    found = await standing_of_one(touch, counts, utc(4, 1, 8), sla)

    assert (found.status, found.met_share) == (Pace.AT_RISK, D("0.8889"))


@pytest.mark.parametrize(
    ("sla", "now"),
    [
        (a_signed_sla(), utc(2, 27, 12)),  # before its period
        (a_signed_sla(sales_signed_at=None), utc(3, 12)),  # a proposal
        (a_signed_sla(ceased_at=utc(3, 1)), utc(3, 12)),  # superseded before it began
    ],
)
async def test_what_is_not_in_force_has_not_started(sla: Any, now: datetime):
    promised, touch = delivery(sla), response(sla, position=1)

    found = await standing(sla, [promised, touch], [], now)

    assert [c.status for c in found.commitments] == [Pace.NOT_STARTED] * 2
    assert [c.expected for c in found.commitments] == [D(0), D("0.9")]
    assert found.working_days_elapsed == 0


async def test_versions_share_the_target_by_the_working_days_each_is_in_force():
    """13 of March's 22 working days lie before the 18th; the second version has the other ones."""
    change = utc(3, 18)
    old = a_signed_sla(ceased_at=change)
    new = a_signed_sla(effective_at=change, supersedes_id=old.id, number=2)
    first, second = delivery(old, 1100), delivery(new, 2200)

    early = await standing_of_one(
        first, [on_day(first, march(17), delivered=600)], utc(3, 12, 17), old
    )
    at_last = await standing(old, [first], [on_day(first, march(17), delivered=600)], utc(3, 25))
    late = await standing_of_one(
        second, [on_day(second, march(20), delivered=300)], utc(3, 21), new
    )

    assert (early.target, early.expected) == (D(600), D("450.00"))
    assert at_last.status is SlaStatus.SUPERSEDED
    assert (at_last.starts_on, at_last.ends_on) == (march(1), march(18))
    assert at_last.commitments[0].status is Pace.MET
    assert (late.target, late.expected, late.status) == (D(1000), D("300.00"), Pace.ON_TRACK)
    assert late.series[0] == SeriesDay(march(18), D(0), D("100.00"))


async def test_a_day_on_which_versions_change_is_expected_of_both():
    change = utc(3, 18, 12)
    old, new = a_signed_sla(ceased_at=change), a_signed_sla(effective_at=change)

    before = await standing(old, [delivery(old)], [], utc(3, 18, 11))
    after = await standing(new, [delivery(new)], [], utc(3, 18, 13))
    gone = await standing(old, [delivery(old)], [], utc(3, 18, 13))

    assert (before.ends_on, after.starts_on) == (march(19), march(18))
    assert gone.commitments[0].status is Pace.MISSED


async def test_a_share_without_a_number_is_all_of_them():
    sla = a_signed_sla()
    promised = promise(sla, CommitmentKind.DISPOSITION, target_share=None)

    found = await standing_of_one(promised, [], utc(3, 12), sla)

    assert (found.target_share, found.status, found.attained) == (D(1), Pace.ON_TRACK, None)


@pytest.mark.parametrize(
    ("now", "threshold", "look"),
    [
        (utc(3, 12, 10), None, utc(3, 12, 10, 1)),  # once a minute while people are at work
        (utc(3, 12, 10), SOON, SOON),
        (utc(3, 12, 18), None, utc(3, 13)),  # the next day
        (utc(3, 13, 6), None, utc(3, 13, 9)),  # the next opening
        (utc(3, 14, 6), None, utc(3, 15)),  # a Saturday
        (utc(2, 20), None, utc(3, 1)),  # when it begins
        (utc(4, 2), utc(4, 3), utc(4, 3)),  # over, but a clock still runs
        (utc(4, 2), None, None),
    ],
)  # fmt: skip
async def test_a_status_is_looked_at_again_when_it_may_have_changed(
    now: datetime, threshold: datetime | None, look: datetime | None
):
    sla = a_signed_sla()
    touch = response(sla)
    counts = [on_day(touch, march(3), opened=1, open=1, next_at=threshold)]

    assert (await standing(sla, [touch], counts, now)).next_at == look


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"ceased_at": utc(3, 12, 22)}, SlaStatus.ACTIVE),
        ({"effective_at": utc(3, 12, 22)}, SlaStatus.SIGNED),
    ],
)
async def test_a_version_that_takes_over_at_night_is_told_at_that_instant(
    changes: dict[str, Any], status: SlaStatus
):
    sla = a_signed_sla(**changes)

    found = await standing(sla, [response(sla)], [], utc(3, 12, 21, 59) + timedelta(seconds=50))

    assert (found.status, found.next_at) == (status, utc(3, 12, 22))


async def test_days_are_those_of_the_agreements_own_zone():
    """At 02:00 UTC on the 12th it is still the 11th in New York."""
    sla = a_signed_sla(time_zone="America/New_York")
    promised = delivery(sla)

    found = await standing(sla, [promised], [], utc(3, 12, 2))

    assert found.working_days_elapsed == 8
    assert found.commitments[0].series[10].attained == D(0)
    assert found.commitments[0].series[11].attained is None


async def test_who_may_not_look_is_refused_and_what_is_not_there_is_not_found():
    sla = a_signed_sla()
    nobody = Actor(tenant_id=new_id(), user_id=None, permissions=frozenset())
    reader = replace(nobody, permissions=frozenset({Permission.VIEW}))
    work = FakeWork(utc(3, 12), sla)

    with pytest.raises(PermissionDenied):
        await sla_standing(work, nobody, sla.id)
    with pytest.raises(NotFound):
        await sla_standing(work, reader, new_id())
