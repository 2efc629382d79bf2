"""Whoever tries passwords has to wait."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Overloaded
from domain.identity import BadCredentials, TooManyAttempts, WrongPassword
from infra.passwords import Passwords
from tests.infra.account_sessions.signing_in import actor_in, sessions, sign_in
from tests.passwords import ANOTHER, PASSWORD, QUICK


async def fail(accounts, email, times):
    for _ in range(times):
        with pytest.raises(BadCredentials):
            await accounts.sign_in(email=email, password="wrong password")


@pytest.mark.parametrize("known", [True, False])
async def test_too_many_wrong_passwords_make_the_right_one_wait(known, accounts, tenant, clock):
    """Whether there is such an account or not: the answers are the same."""
    email = f"{'olive' if known else 'nobody'}@{tenant.slug}.example"
    await fail(accounts, email, 10)

    answers = []
    for password in (PASSWORD, "wrong password"):
        with pytest.raises(TooManyAttempts) as refused:
            await accounts.sign_in(email=email, password=password)
        answers.append((refused.value.message, refused.value.retry_after))

    assert answers == [("Too many attempts; try again in a second.", 1)] * 2
    assert await sessions(accounts, tenant) == []


async def test_after_the_wait_the_right_password_is_right(accounts, tenant, clock):
    email = f"olive@{tenant.slug}.example"
    await fail(accounts, email, 10)
    clock["now"] += timedelta(seconds=1)

    assert (await sign_in(accounts, tenant)).user.email == email
    await fail(accounts, email, 9)


async def test_wrong_passwords_at_their_change_are_counted_too(accounts, tenant, signed_in):
    for _ in range(10):
        with pytest.raises(WrongPassword):
            await accounts.change_password(
                actor_in(signed_in), current="wrong password", new=ANOTHER
            )

    with pytest.raises(TooManyAttempts):
        await accounts.change_password(actor_in(signed_in), current=PASSWORD, new=ANOTHER)


async def test_who_finds_the_desk_crowded_has_not_failed(accounts, tenant):
    crowded = Passwords(QUICK, threads=1, most_waiting=0)
    email = f"olive@{tenant.slug}.example"
    desk, hashing = replace(accounts, passwords=crowded), threading.Event()
    crowded._threads.submit(hashing.wait)
    waiting = asyncio.create_task(desk.check(email=email, password=PASSWORD))
    async with asyncio.timeout(60):
        while crowded._places._value:  # noqa: ASYNC110  # nobody tells when a place is taken
            await asyncio.sleep(0)

    for _ in range(20):
        with pytest.raises(Overloaded):
            await desk.check(email=email, password=PASSWORD)
    hashing.set()

    assert (await waiting).email == email
    crowded.close()
    await fail(accounts, email, 10)
