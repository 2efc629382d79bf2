"""Failed sign-ins are counted, by all processes together."""

import asyncio
from datetime import timedelta

import pytest

from domain.identity import AttemptLimit, TooManyAttempts
from domain.ids import new_id
from infra.attempts import TRUST, Attempts, Scope, network_of

SECRET = b"s" * 32
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LIMITS = {
    Scope.PAIR: AttemptLimit(free=3, longest=MINUTE, forgiven_each=HOUR),
    Scope.ACCOUNT: AttemptLimit(free=6, longest=MINUTE, forgiven_each=HOUR),
    Scope.ADDRESS: AttemptLimit(free=9, longest=MINUTE, forgiven_each=HOUR),
}


@pytest.fixture(autouse=True)
async def _nobody_has_failed(database):
    """The tallies are the installation's: what other tests left would count here."""
    await database.platform.execute("DELETE FROM sign_in_failures")


@pytest.fixture
def attempts(database):
    return Attempts(database, SECRET, LIMITS)


@pytest.fixture
def email():
    return f"ann@{new_id().hex}.example"


async def refused(attempts, email, address):
    with pytest.raises(TooManyAttempts) as refusal:
        await attempts.begin(email, address)
    return refusal.value.retry_after


async def fail(attempts, times, email, address=HERE):
    for _ in range(times):
        await attempts.begin(email, address)


async def kept(database):
    return await database.platform.fetch("SELECT * FROM sign_in_failures ORDER BY key")


async def test_after_a_few_failures_one_waits_ever_longer(attempts, email, clock):
    await fail(attempts, 3, email)

    waits = []
    for _ in range(8):
        waits.append(await refused(attempts, email, HERE))
        clock["now"] += timedelta(seconds=waits[-1])
        await attempts.begin(email, HERE)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_an_attempt_that_was_refused_does_not_count(attempts, email, clock, database):
    await fail(attempts, 3, email)
    before = await kept(database)

    for _ in range(50):
        assert await refused(attempts, email, HERE) == 1

    assert await kept(database) == before


async def test_whoever_succeeds_begins_anew(attempts, email):
    await fail(attempts, 2, email)
    await attempts.succeeded(await attempts.begin(email, HERE))

    await fail(attempts, 3, email)
    assert await refused(attempts, email, HERE) == 1


async def test_successes_never_add_up(attempts, email):
    for _ in range(50):
        await attempts.succeeded(await attempts.begin(email, HERE))

    await fail(attempts, 3, email)


async def test_capitals_make_no_other_account(attempts, email):
    await fail(attempts, 2, email)
    await fail(attempts, 1, email.upper())

    assert await refused(attempts, email, HERE) == 1


async def test_strangers_at_an_account_are_slowed_wherever_they_come_from(attempts, email):
    for number in range(6):
        await attempts.begin(email, f"203.0.113.{number}")

    assert await refused(attempts, email, ELSEWHERE) == 1
    await attempts.begin(f"ben@{email}", ELSEWHERE)


async def test_strangers_cannot_keep_a_person_out_of_where_he_signs_in(attempts, email, clock):
    await attempts.succeeded(await attempts.begin(email, HERE))
    for number in range(6):
        await attempts.begin(email, f"203.0.113.{number}")
    assert await refused(attempts, email, ELSEWHERE) == 1

    await attempts.succeeded(await attempts.begin(email, HERE))

    clock["now"] += TRUST
    for number in range(6):
        await attempts.begin(email, f"203.0.113.{100 + number}")
    assert await refused(attempts, email, HERE) == 1


async def test_an_address_that_tries_many_accounts_is_slowed(attempts, email):
    for number in range(9):
        await attempts.begin(f"{number}{email}", HERE)

    assert await refused(attempts, email, HERE) == 1
    await attempts.begin(email, ELSEWHERE)


async def test_without_an_address_the_account_alone_is_counted(attempts, email):
    await fail(attempts, 6, email, None)

    assert await refused(attempts, email, None) == 1
    await attempts.begin(f"ben@{email}", None)


async def test_a_thousand_at_once_are_not_all_the_first(database, email):
    processes = [Attempts(database, SECRET, LIMITS) for _ in range(4)]

    outcomes = await asyncio.gather(
        *(processes[n % 4].begin(email, HERE) for n in range(100)), return_exceptions=True
    )

    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 97


async def test_an_attempt_that_was_not_judged_does_not_count(attempts, email):
    for _ in range(20):
        await attempts.withdrawn(await attempts.begin(email, HERE))

    await fail(attempts, 3, email)
    assert await refused(attempts, email, HERE) == 1


async def test_what_is_stored_names_nobody(attempts, email, database):
    await fail(attempts, 1, email)

    rows = await kept(database)

    assert len(rows) == 3
    stored = repr(rows)
    assert email not in stored
    assert HERE not in stored
    assert {len(row["key"]) for row in rows} == {64}


async def test_what_is_forgiven_is_cleared_away(attempts, email, clock, database):
    for number in range(9):
        await attempts.begin(f"{number}{email}", f"203.0.113.{number}")
    await attempts.succeeded(await attempts.begin(email, HERE))
    clock["now"] += 2 * HOUR

    await fail(attempts, 1, f"new{email}", ELSEWHERE)
    await fail(attempts, 1, f"new{email}", ELSEWHERE)

    rows = await kept(database)
    assert len(rows) == 4
    assert sum(row["trusted_until"] is not None for row in rows) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_stands_for_whoever_has_it(address, network):
    assert network_of(address) == network
