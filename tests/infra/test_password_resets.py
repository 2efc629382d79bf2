"""Password resets over real PostgreSQL: one answer for everybody, one use of each link."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from domain.identity import BadCredentials, Role, Session, SessionEnd, SessionOver, TooManyAttempts
from infra.accounts import Accounts
from infra.mail.queue import LEASE, ResetWanted
from infra.password_resets import LIFE, MOST_PER_HOUR, ResetNotValid
from infra.passwords import WeakPassword
from infra.secrets import PASSWORD_RESET, new_secret
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.admission import APP_URL, admission_of
from tests.passwords import ANOTHER, PASSWORD
from tests.world import NOON, enter_directory

LINKS = {
    "nothing": "",
    "too short": "smp_x",
    "too long": "x" * 10_000,
    "never made": new_secret(PASSWORD_RESET).text,
}


@pytest.fixture
async def bo(world, passwords):
    """Somebody with an account, in a company whose queue is empty."""
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    accounts = Accounts(world.database, passwords, tokens, "https://smarketing.example")
    world.services.accounts = accounts
    world.services.password_resets = admission_of(accounts)["password_resets"]
    await world.database.platform.execute("DELETE FROM mails")
    await world.database.platform.execute("DELETE FROM sign_in_failures")
    await enter_directory(world)
    return await accounts.add_user(
        world.actor(),
        email=f"bo@{world.tenant.slug}.example",
        name="Bo",
        role=Role.MEMBER,
        password=PASSWORD,
    )


@pytest.fixture
def resets(world, bo):
    return world.services.password_resets


async def answered(resets):
    """Do what the worker does with the next request; return the letter."""
    (taken,) = await resets.queue.take(10)
    letter = await resets.answer(taken, taken.errand)
    await resets.queue.done(taken)
    return letter


async def mailed(resets, email):
    """Ask for a link; return its token."""
    await resets.request(email)
    return token_in(await answered(resets))


def token_in(letter):
    return re.search(rf"{APP_URL}/password-reset#token=(\w+)", letter.text)[1]


async def sign_in(world, bo, password):
    return await world.services.accounts.sign_in(email=bo.email, password=password)


async def test_a_link_gives_a_new_password(world, bo, resets):
    token = await mailed(resets, bo.email)

    await resets.reset(token, password=ANOTHER)

    assert (await sign_in(world, bo, ANOTHER)).user == bo
    with pytest.raises(BadCredentials):
        await sign_in(world, bo, PASSWORD)


async def test_a_new_password_ends_every_session(world, bo, resets):
    signed_in = await sign_in(world, bo, PASSWORD)
    token = await mailed(resets, bo.email)

    await resets.reset(token, password=ANOTHER)

    with pytest.raises(SessionOver):
        await world.services.accounts.refresh(signed_in.refresh_token)
    async with world.work() as work:
        (session,) = await work.find(Session, user_id=bo.id)
    assert (session.ended_at, session.ended_because) == (NOON, SessionEnd.PASSWORD_CHANGED)


async def test_a_link_does_not_undo_a_password_that_was_changed_since(world, bo, resets):
    token = await mailed(resets, bo.email)
    accounts = world.services.accounts

    await accounts.change_password(world.actor(bo), current=PASSWORD, new="crocuses 4 the owner")

    with pytest.raises(ResetNotValid):
        await resets.reset(token, password=ANOTHER)
    assert (await sign_in(world, bo, "crocuses 4 the owner")).user == bo


async def test_one_place_asks_for_so_many_links_and_then_more_slowly(world, bo, resets):
    here, elsewhere = "192.0.2.1", "198.51.100.1"
    for number in range(30):
        await resets.request(f"{number}@{world.tenant.slug}.example", address=here)

    await resets.request(bo.email, address=elsewhere)
    with pytest.raises(TooManyAttempts):
        await resets.request(f"30@{world.tenant.slug}.example", address=here)


async def test_nobody_is_kept_from_a_link_by_strangers_who_ask_for_it(world, bo, resets):
    for number in range(40):
        await resets.request(bo.email, address=f"203.0.113.{number}")

    await resets.request(bo.email, address="198.51.100.2")


async def test_the_change_is_told_by_mail(world, bo, resets):
    token = await mailed(resets, bo.email)

    await resets.reset(token, password=ANOTHER)

    (taken,) = await resets.queue.take(10)
    assert (taken.errand.to, taken.errand.subject) == (bo.email, "Your password was changed")
    assert "token" not in taken.errand.text


async def test_an_address_without_an_account_is_asked_about_alike_and_gets_nothing(
    world, bo, resets
):
    await resets.request(f"nobody@{world.tenant.slug}.example")
    await resets.request(bo.email)

    stranger, known = await resets.queue.take(10)
    assert isinstance(stranger.errand, ResetWanted)
    assert isinstance(known.errand, ResetWanted)
    assert await resets.answer(stranger, stranger.errand) is None
    assert (await resets.answer(known, known.errand)).to == bo.email


async def test_a_link_works_once(bo, resets):
    token = await mailed(resets, bo.email)
    await resets.reset(token, password=ANOTHER)

    with pytest.raises(ResetNotValid):
        await resets.reset(token, password="daisies 4 anybody")


async def test_of_two_who_use_a_link_at_once_one_wins(world, bo, resets):
    token = await mailed(resets, bo.email)

    ends = await asyncio.gather(
        resets.reset(token, password=ANOTHER),
        resets.reset(token, password="daisies 4 anybody"),
        return_exceptions=True,
    )

    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "ResetNotValid"]
    winner = (ANOTHER, "daisies 4 anybody")[ends.index(None)]
    assert (await sign_in(world, bo, winner)).user == bo


async def test_a_link_works_for_an_hour(world, bo, resets):
    token = await mailed(resets, bo.email)
    world.wait(hours=1)

    with pytest.raises(ResetNotValid):
        await resets.reset(token, password=ANOTHER)

    assert (await sign_in(world, bo, PASSWORD)).user == bo


async def test_only_the_newest_link_works(world, bo, resets):
    first, second = await mailed(resets, bo.email), await mailed(resets, bo.email)

    with pytest.raises(ResetNotValid):
        await resets.reset(first, password=ANOTHER)

    await resets.reset(second, password=ANOTHER)
    assert (await sign_in(world, bo, ANOTHER)).user == bo


async def test_a_newer_link_that_was_used_does_not_bring_an_older_one_back(bo, resets):
    first, second = await mailed(resets, bo.email), await mailed(resets, bo.email)
    await resets.reset(second, password=ANOTHER)

    with pytest.raises(ResetNotValid):
        await resets.reset(first, password=PASSWORD)


@pytest.mark.parametrize(
    "token", ["", "smp_x", "x" * 10_000, new_secret(PASSWORD_RESET).text], ids=LINKS
)
async def test_what_is_no_link_changes_nothing(world, bo, resets, token):
    with pytest.raises(ResetNotValid):
        await resets.reset(token, password=ANOTHER)

    assert (await sign_in(world, bo, PASSWORD)).user == bo


async def test_a_weak_password_spends_no_link(world, bo, resets):
    token = await mailed(resets, bo.email)

    with pytest.raises(WeakPassword) as refusal:
        await resets.reset(token, password="password1234")

    assert refusal.value.path == ("newPassword",)
    await resets.reset(token, password=ANOTHER)


async def test_an_account_gets_so_many_links_an_hour_and_no_more(world, bo, resets):
    letters = []
    for _ in range(MOST_PER_HOUR + 1):
        await resets.request(bo.email)
        letters.append(await answered(resets))
    world.wait(minutes=60)
    await resets.request(bo.email)

    assert [letter is not None for letter in letters] == [True, True, True, False]
    assert await answered(resets) is not None


async def test_while_a_request_waits_another_adds_nothing(bo, resets):
    for _ in range(5):
        await resets.request(bo.email)

    assert len(await resets.queue.take(10)) == 1


async def test_sent_again_a_letter_has_the_same_link(world, bo, resets):
    await resets.request(bo.email)
    (taken,) = await resets.queue.take(1)
    first = await resets.answer(taken, taken.errand)
    world.clock["now"] += LEASE
    (again,) = await resets.queue.take(1)

    second = await resets.answer(again, again.errand)

    assert second == first
    await resets.reset(token_in(second), password=ANOTHER)


async def test_a_letter_that_was_overtaken_is_not_sent_again(world, bo, resets):
    await resets.request(bo.email)
    (taken,) = await resets.queue.take(1)
    await resets.answer(taken, taken.errand)
    await resets.queue.done(taken)
    newest = await mailed(resets, bo.email)

    assert await resets.answer(taken, taken.errand) is None
    await resets.reset(newest, password=ANOTHER)


async def test_no_link_is_kept_and_old_ones_are_forgotten(world, bo, resets):
    token = await mailed(resets, bo.email)
    rows = await world.database.platform.fetch(
        "SELECT * FROM password_resets WHERE account_id = $1", bo.account_id
    )
    assert token not in repr([tuple(row) for row in rows])
    assert [(row["requested_at"], row["expires_at"]) for row in rows] == [(NOON, NOON + LIFE)]

    world.wait(hours=1)
    await mailed(resets, bo.email)

    kept = await world.database.platform.fetchval(
        "SELECT count(*) FROM password_resets WHERE account_id = $1", bo.account_id
    )
    assert kept == 1


async def test_a_request_takes_no_hash_and_no_look_at_accounts(world, bo, resets):
    """So its time tells nothing: the same statements for everybody."""
    hashless = replace(resets, passwords=None)

    known = await statements_of(world, hashless.request(bo.email))
    unknown = await statements_of(world, hashless.request(f"nobody.{bo.email}"))

    assert known == unknown
    assert [said for said in known if "INSERT INTO mails" in said]
    assert [said for said in known if "accounts" in said] == []


async def statements_of(world, doing):
    """Return what is said to the database meanwhile."""
    said, pools = [], (world.database.app, world.database.platform)
    for pool in pools:
        async with pool.acquire():  # so that there is a line to listen to, and none is opened
            pass

    def note(logged):
        said.append(logged.query)

    lines = [line for pool in pools for line in pool._lines if not line.is_closed()]
    for line in lines:
        line.add_query_logger(note)
    await doing
    await asyncio.sleep(0)  # the logger is called in the loop's next turn
    for line in lines:
        line.remove_query_logger(note)
    return said
