"""How long somebody waits who has tried too often."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import AttemptLimit, Failures, TooManyAttempts

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LIMIT = AttemptLimit(free=3, longest=MINUTE, forgiven_each=HOUR)
NONE_YET = Failures(NOON, NOON)


def failed(times, at=NOON):
    failures = NONE_YET
    for _ in range(times):
        failures = failures.one_more(LIMIT, at=at)
    return failures


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (0, 0 * SECOND),
        (2, 0 * SECOND),
        (3, SECOND),
        (4, 2 * SECOND),
        (5, 4 * SECOND),
        (8, 32 * SECOND),
        (9, MINUTE),
        (10**9, MINUTE),
    ],
)
def test_the_first_are_free_and_then_each_doubles_the_wait_up_to_the_longest(failures, wait):
    assert LIMIT.wait(failures) == wait


def test_the_wait_is_from_the_last_attempt():
    failures = failed(5)

    waits = [failures.wait(LIMIT, at=NOON + n * SECOND) for n in (0, 1, 4, 9)]

    assert waits == [4 * SECOND, 3 * SECOND, 0 * SECOND, 0 * SECOND]


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (timedelta(0), 5),
        (HOUR - SECOND, 5),
        (HOUR, 4),
        (4 * HOUR, 1),
        (5 * HOUR - SECOND, 1),
        (5 * HOUR, 0),
        (999 * HOUR, 0),
    ],
)
def test_each_hour_forgives_one_failure(after, count):
    assert failed(5).count(LIMIT, at=NOON + after) == count


def test_a_failure_after_all_are_forgiven_is_the_first():
    again = failed(5).one_more(LIMIT, at=NOON + 50 * HOUR)

    assert again == Failures(NOON + 50 * HOUR, NOON + 51 * HOUR)


@given(st.lists(st.integers(0, 7200), max_size=60))
def test_nobody_is_kept_out_for_longer_than_the_longest_wait(pauses):
    failures, now = NONE_YET, NOON
    for seconds in pauses:
        now += seconds * SECOND
        assert timedelta(0) <= failures.wait(LIMIT, at=now) <= LIMIT.longest
        if not failures.wait(LIMIT, at=now):
            failures = failures.one_more(LIMIT, at=now)
    assert not failures.wait(LIMIT, at=now + LIMIT.longest)


@given(st.lists(st.floats(0, 300), max_size=200))
def test_however_it_is_tried_there_are_few_guesses_an_hour(pauses):
    failures, now, guesses = NONE_YET, NOON, 0
    for seconds in pauses:
        now += seconds * SECOND
        if now >= NOON + HOUR:
            break
        if not failures.wait(LIMIT, at=now):
            failures, guesses = failures.one_more(LIMIT, at=now), guesses + 1
    # Three are free, six waits double up to a minute, one is forgiven.
    assert guesses <= 3 + 6 + 60 + 1


@pytest.mark.parametrize(
    ("wait", "seconds", "words"),
    [
        (timedelta(milliseconds=1), 1, "a second"),
        (timedelta(seconds=4.2), 5, "5 seconds"),
        (timedelta(minutes=2), 120, "2 minutes"),
        (timedelta(minutes=14, seconds=1), 841, "15 minutes"),
    ],
)
def test_whoever_must_wait_is_told_how_long(wait, seconds, words):
    refusal = TooManyAttempts(wait)

    assert (refusal.code, refusal.retry_after) == ("TOO_MANY_ATTEMPTS", seconds)
    assert refusal.message == f"Too many attempts; try again in {words}."
