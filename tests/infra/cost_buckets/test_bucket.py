"""The rule by which a bucket is lent out, without any table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cost_buckets import Bucket, Lease, Quota
from infra.cost_buckets.bucket import LEASE, MICRO
from tests.world import NOON

A_HUNDRED = Quota(cost=100)


def after(seconds: float):
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("level", "seconds", "found"),
    [
        (0, 0, 0),
        (0, 6, 10),  # a tenth of the window
        (0, 60, 100),
        (95, 60, 100),  # full is full
        (40, -5, 40),  # another machine's clock is behind
    ],
)
def test_a_bucket_fills_steadily_until_it_is_full(level, seconds, found):
    bucket = Bucket(level=level * MICRO, at=NOON)
    assert bucket.filled(A_HUNDRED, after(seconds)).level == found * MICRO


def test_what_is_lent_leaves_no_room_until_it_has_run_out():
    bucket, lease = Bucket.full(A_HUNDRED, NOON).lent("a", at_least=1, at_most=30)

    assert lease == Lease(owner="a", cost=30, until=NOON + LEASE)
    assert bucket.filled(A_HUNDRED, after(9)).level == 70 * MICRO
    # The lease runs out after ten seconds; from then on there is room again.
    assert bucket.filled(A_HUNDRED, after(16)) == Bucket(level=80 * MICRO, at=after(16))


def test_what_comes_back_in_time_is_there_at_once_and_later_not_at_all():
    bucket, _ = Bucket.full(A_HUNDRED, NOON).lent("a", at_least=1, at_most=30)

    in_time = bucket.filled(A_HUNDRED, after(1)).with_back("a", 20)
    late = bucket.filled(A_HUNDRED, after(10)).with_back("a", 20)

    assert (in_time.level, in_time.leases) == (90 * MICRO, ())
    assert (late.level, late.leases) == (70 * MICRO, ())


def test_there_is_room_again_for_what_was_spent_as_soon_as_that_is_told():
    bucket, _ = Bucket.full(A_HUNDRED, NOON).lent("a", at_least=1, at_most=30)

    told = bucket.told("a", 10, spent_by=after(1)).filled(A_HUNDRED, after(7))

    # Twenty were spent within a second; the ten that are left are still out.
    assert (told.level, told.with_back("a", 10).level) == (80 * MICRO, 90 * MICRO)


def test_nobody_gives_back_more_than_was_lent():
    bucket, _ = Bucket.full(A_HUNDRED, NOON).lent("a", at_least=1, at_most=30)

    assert bucket.with_back("a", 500).level == 100 * MICRO
    assert bucket.with_back("b", 500) == bucket


def test_too_little_is_not_lent_at_all():
    bucket = Bucket(level=9 * MICRO, at=NOON)

    assert bucket.lent("a", at_least=10, at_most=30) == (bucket, None)
    assert bucket.lent("a", at_least=9, at_most=30)[0].level == 0


def test_a_smaller_quota_counts_at_once():
    bucket = Bucket.full(A_HUNDRED, NOON)
    assert bucket.filled(Quota(cost=10), after(0)).level == 10 * MICRO


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lend", "spend", "return", "crash"]),
        st.sampled_from("abc"),
        st.integers(min_value=1, max_value=40),
        st.floats(min_value=0, max_value=20),
    ),
    max_size=60,
)


@given(STEPS)
def test_in_no_span_of_time_more_is_spent_than_the_quota_and_what_flowed_in(steps):
    bucket, now = Bucket.full(A_HUNDRED, NOON), NOON
    held: dict[str, Lease] = {}
    spent, spent_by = [], dict.fromkeys("abc", NOON)
    for step, owner, cost, pause in steps:
        now += timedelta(seconds=pause)
        lease = held.get(owner)
        usable = lease.cost if lease and now < lease.until else 0
        match step:
            case "lend":
                bucket = bucket.told(owner, usable, spent_by=spent_by[owner])
                bucket = bucket.filled(A_HUNDRED, now).with_back(owner, usable)
                bucket, lent = bucket.lent(owner, at_least=1, at_most=cost)
                held[owner] = lent or Lease(owner=owner, cost=0, until=now)
            case "spend" if usable:
                paid = min(cost, usable)
                held[owner] = Lease(owner=owner, cost=usable - paid, until=lease.until)
                spent.append((now, paid))
                spent_by[owner] = now
            case "return":
                bucket = bucket.told(owner, usable, spent_by=spent_by[owner])
                bucket = bucket.filled(A_HUNDRED, now).with_back(owner, usable)
                held.pop(owner, None)
            case "crash":
                held.pop(owner, None)
    assert_within(A_HUNDRED, spent)


def assert_within(quota: Quota, spent) -> None:
    for position, (begin, _) in enumerate(spent):
        total = 0
        for end, paid in spent[position:]:
            total += paid
            assert total * MICRO <= quota.cost * MICRO + quota.inflow(end - begin)
