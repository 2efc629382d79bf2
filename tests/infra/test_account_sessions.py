"""Sessions of real accounts against real PostgreSQL: refreshed, copied, raced for, and ended."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import Cause
from domain.errors import Overloaded, StaleWrite
from domain.identity import (
    BadCredentials,
    BadRefreshToken,
    RefreshTokenReused,
    Role,
    Session,
    SessionEnd,
    SessionLives,
    SessionOver,
    TooManyAttempts,
    WrongPassword,
    actor_of,
    end_session,
    update_user,
)
from domain.identity.sessions import GRACE
from domain.ids import new_id
from infra.accounts import Accounts, create_tenant, end_all_sessions
from infra.passwords import Passwords, WeakPassword
from infra.refresh_tokens import read
from infra.signing_keys import SigningKeys
from infra.tokens import MAX_LIFE, AccessTokens
from tests.passwords import ANOTHER, PASSWORD, QUICK
from tests.world import NOON

LIVES = SessionLives(idle=timedelta(days=30), longest=timedelta(days=90))
TOKENS = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
HOME = Cause(ip_address="192.0.2.7", user_agent="Firefox")
LATER = GRACE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
async def _nobody_has_failed(database):
    """The tallies are the installation's: what other tests left would count here."""
    await database.platform.execute("DELETE FROM sign_in_failures")


@pytest.fixture
def accounts(database, passwords):
    return Accounts(
        database, passwords, TOKENS, "https://us.example", secret=b"s" * 32, lives=LIVES, cause=HOME
    )


@pytest.fixture
async def tenant(database, passwords):
    return (await found(database, passwords))[0]


@pytest.fixture
async def signed_in(accounts, tenant):
    return await sign_in(accounts, tenant)


async def found(database, passwords, slug=None, owner=None):
    slug = slug or f"t{new_id().hex[-16:]}"
    return await create_tenant(
        database,
        passwords,
        slug=slug,
        name="Acme",
        owner_email=owner or f"olive@{slug}.example",
        owner_name="Olive",
        password=PASSWORD,
        time_zone="UTC",
        currency="EUR",
    )


async def sign_in(accounts, tenant, password=PASSWORD, email=None):
    email = email or f"olive@{tenant.slug}.example"
    return await accounts.sign_in(email=email, password=password, tenant=tenant.slug)


async def sessions(accounts, tenant):
    async with accounts.database.work(tenant.id, read_only=True) as work:
        return await work.find(Session)


async def ends(accounts, tenant):
    return [session.ended_because for session in await sessions(accounts, tenant)]


def session_of(signed_in, now):
    return TOKENS.verify(signed_in.access_token, now=now).session_id


def actor_in(signed_in, now=NOON):
    actor = actor_of(signed_in.user, signed_in.tenant.id)
    return replace(actor, session_id=session_of(signed_in, now))


# Signing in and going on


async def test_a_session_says_when_and_from_where_it_was_begun(accounts, tenant, signed_in):
    token = read(signed_in.refresh_token)
    claims = TOKENS.verify(signed_in.access_token, now=NOON)

    assert await sessions(accounts, tenant) == [
        Session(
            id=token.session_id,
            user_id=signed_in.user.id,
            digest=token.digest,
            generation=0,
            epoch=0,
            created_at=NOON,
            last_used_at=NOON,
            expires_at=NOON + timedelta(days=30),
            ip_address="192.0.2.7",
            user_agent="Firefox",
        )
    ]
    assert (token.tenant_id, token.session_id) == (tenant.id, claims.session_id)
    assert (signed_in.expires_at, signed_in.refresh_expires_at) == (
        NOON + MAX_LIFE,
        NOON + timedelta(days=30),
    )


async def test_a_refresh_gives_later_tokens_of_the_same_session(accounts, tenant, signed_in, clock):
    clock["now"] += timedelta(days=29)

    refreshed = await accounts.refresh(signed_in.refresh_token)

    claims = TOKENS.verify(refreshed.access_token, now=clock["now"])
    assert (claims.session_id, claims.user_id, claims.tenant_id, claims.account_id) == (
        session_of(signed_in, NOON),
        signed_in.user.id,
        tenant.id,
        signed_in.user.account_id,
    )
    assert refreshed.expires_at == clock["now"] + MAX_LIFE
    assert refreshed.refresh_expires_at == NOON + timedelta(days=59)
    assert refreshed.refresh_token != signed_in.refresh_token
    assert (refreshed.user, refreshed.tenant) == (signed_in.user, tenant)


async def test_a_session_goes_on_for_as_long_as_it_may_and_no_longer(accounts, signed_in, clock):
    refreshed = signed_in
    for _ in range(4):
        clock["now"] += timedelta(days=20)
        refreshed = await accounts.refresh(refreshed.refresh_token)
    clock["now"] = NOON + timedelta(days=90, seconds=-7)
    refreshed = await accounts.refresh(refreshed.refresh_token)

    # The last access token does not outlive the session.
    assert refreshed.expires_at == refreshed.refresh_expires_at == NOON + timedelta(days=90)

    clock["now"] = NOON + timedelta(days=90)
    with pytest.raises(SessionOver):
        await accounts.refresh(refreshed.refresh_token)


async def test_an_unused_session_expires(accounts, signed_in, clock):
    clock["now"] += timedelta(days=30)

    with pytest.raises(SessionOver):
        await accounts.refresh(signed_in.refresh_token)


# The token twice


async def test_a_lost_answer_is_given_again(accounts, tenant, signed_in, clock):
    first = await accounts.refresh(signed_in.refresh_token)
    clock["now"] += GRACE

    second = await accounts.refresh(signed_in.refresh_token)

    assert second.refresh_token == first.refresh_token
    assert second.access_token != first.access_token
    assert [session.generation for session in await sessions(accounts, tenant)] == [1]
    clock["now"] += LATER
    await accounts.refresh(first.refresh_token)


async def test_twenty_tabs_at_once_get_the_same_token(accounts, tenant, signed_in):
    answers = await asyncio.gather(*(accounts.refresh(signed_in.refresh_token) for _ in range(20)))

    assert len({answer.refresh_token for answer in answers}) == 1
    assert len({answer.access_token for answer in answers}) == 20
    assert [session.generation for session in await sessions(accounts, tenant)] == [1]


async def test_a_second_process_answers_the_same(accounts, signed_in):
    other = replace(accounts)
    stranger = replace(accounts, secret=b"x" * 32)

    first = await accounts.refresh(signed_in.refresh_token)

    assert (await other.refresh(signed_in.refresh_token)).refresh_token == first.refresh_token
    with pytest.raises(BadRefreshToken):
        await stranger.refresh(signed_in.refresh_token)


@pytest.mark.parametrize(
    ("refreshes", "pause"),
    [(1, LATER), (2, timedelta(0)), (2, LATER), (9, timedelta(0))],
    ids=["too late", "its successor was used", "both", "long ago"],
)
async def test_a_spent_token_ends_the_session_for_thief_and_owner(
    refreshes, pause, accounts, tenant, signed_in, clock
):
    current = signed_in
    for _ in range(refreshes):
        current = await accounts.refresh(current.refresh_token)
    clock["now"] += pause

    with pytest.raises(RefreshTokenReused) as refused:
        await accounts.refresh(signed_in.refresh_token)

    assert refused.value.path == ("refreshToken",)
    assert await ends(accounts, tenant) == [SessionEnd.TOKEN_REUSED]
    for token in (current.refresh_token, signed_in.refresh_token):
        with pytest.raises(SessionOver):
            await accounts.refresh(token)


async def test_reuse_ends_that_session_and_no_other(accounts, tenant, signed_in, clock):
    other = await sign_in(accounts, tenant)
    await accounts.refresh(signed_in.refresh_token)
    clock["now"] += LATER
    with pytest.raises(RefreshTokenReused):
        await accounts.refresh(signed_in.refresh_token)

    await accounts.refresh(other.refresh_token)


async def test_a_thief_in_the_grace_is_found_out_by_the_next_refresh(accounts, signed_in, clock):
    owners = await accounts.refresh(signed_in.refresh_token)
    thiefs = await accounts.refresh(signed_in.refresh_token)
    clock["now"] += timedelta(minutes=14)

    await accounts.refresh(thiefs.refresh_token)
    clock["now"] += LATER

    with pytest.raises(RefreshTokenReused):
        await accounts.refresh(owners.refresh_token)


async def test_a_guess_ends_nothing(accounts, tenant, signed_in):
    token = read(signed_in.refresh_token)
    await accounts.refresh(signed_in.refresh_token)
    guesses = [
        replace(token, secret=b"x" * 32),
        replace(token, secret=b"x" * 32, generation=1),
        replace(token, secret=b"x" * 32, generation=2**32 - 1),
        replace(token, session_id=new_id()),
        replace(token, tenant_id=new_id()),
    ]

    for guess in [guess.text for guess in guesses] + ["", "smr_", signed_in.access_token]:
        with pytest.raises(BadRefreshToken) as refused:
            await accounts.refresh(guess)
        assert refused.value.message == "This is not a refresh token of ours; sign in."

    assert await ends(accounts, tenant) == [None]


async def test_another_tenants_token_does_not_move_its_session_over(
    accounts, database, passwords, signed_in
):
    elsewhere, _ = await found(database, passwords)
    token = read(signed_in.refresh_token)

    with pytest.raises(BadRefreshToken):
        await accounts.refresh(replace(token, tenant_id=elsewhere.id).text)


# Ends


async def test_whoever_signed_out_does_not_come_back(accounts, tenant, signed_in):
    actor = actor_in(signed_in)
    async with accounts.database.work(tenant.id) as work:
        await end_session(work, actor, actor.session_id)

    with pytest.raises(SessionOver):
        await accounts.refresh(signed_in.refresh_token)


async def test_whoever_is_no_member_any_more_does_not_come_back(accounts, tenant, signed_in):
    admin = replace(actor_of(signed_in.user, tenant.id), user_id=new_id())
    bo = await accounts.add_user(
        admin, email=f"bo@{tenant.slug}.example", name="Bo", role=Role.MEMBER, password=ANOTHER
    )
    bos = await sign_in(accounts, tenant, ANOTHER, bo.email)
    async with accounts.database.work(tenant.id) as work:
        await update_user(work, admin, bo.id, active=False)
    with pytest.raises(SessionOver):
        await accounts.refresh(bos.refresh_token)
    async with accounts.database.work(tenant.id) as work:
        await update_user(work, admin, bo.id, active=True)

    with pytest.raises(SessionOver):
        await accounts.refresh(bos.refresh_token)


@pytest.fixture
async def in_two_tenants(accounts, database, passwords, tenant):
    """Return three sessions of one person: two in one tenant, one in another."""
    email = f"olive@{tenant.slug}.example"
    second, _ = await found(database, passwords, f"{tenant.slug}-2", email)
    return [
        await sign_in(accounts, tenant),
        await sign_in(accounts, tenant),
        await sign_in(accounts, second, email=email),
    ]


async def still_open(accounts, signed_ins):
    found = []
    for each in signed_ins:
        try:
            await accounts.refresh(each.refresh_token)
            found.append(True)
        except SessionOver:
            found.append(False)
    return found


async def test_sign_out_everywhere_is_in_every_tenant_and_of_nobody_else(
    accounts, tenant, in_two_tenants
):
    admin = actor_of(in_two_tenants[0].user, tenant.id)
    bo = await accounts.add_user(
        admin, email=f"bo@{tenant.slug}.example", name="Bo", role=Role.MEMBER, password=ANOTHER
    )
    bos = await sign_in(accounts, tenant, ANOTHER, bo.email)

    user = await accounts.sign_out_everywhere(actor_in(in_two_tenants[0]))

    assert user == in_two_tenants[0].user
    assert await still_open(accounts, [*in_two_tenants, bos]) == [False, False, False, True]
    again = await sign_in(accounts, tenant)
    assert await still_open(accounts, [again]) == [True]


async def test_another_password_ends_all_sessions_but_the_one_it_was_changed_in(
    accounts, tenant, in_two_tenants, clock
):
    await accounts.change_password(actor_in(in_two_tenants[0]), current=PASSWORD, new=ANOTHER)

    assert await still_open(accounts, in_two_tenants) == [True, False, False]
    with pytest.raises(BadCredentials):
        await sign_in(accounts, tenant, PASSWORD)
    assert await still_open(accounts, [await sign_in(accounts, tenant, ANOTHER)]) == [True]


@pytest.mark.parametrize(
    ("given", "refusal", "path"),
    [
        ((ANOTHER, "third time lucky"), WrongPassword, ("currentPassword",)),
        (("", "third time lucky"), WrongPassword, ("currentPassword",)),
        ((PASSWORD, "short"), WeakPassword, ("newPassword",)),
        ((PASSWORD, "password1234"), WeakPassword, ("newPassword",)),
    ],
)
async def test_a_refused_change_of_password_changes_nothing(
    given, refusal, path, accounts, tenant, in_two_tenants
):
    current, new = given
    with pytest.raises(refusal) as refused:
        await accounts.change_password(actor_in(in_two_tenants[0]), current=current, new=new)

    assert refused.value.path == path
    assert await still_open(accounts, in_two_tenants) == [True, True, True]
    await sign_in(accounts, tenant, PASSWORD)


async def test_of_two_changes_at_once_one_gives_way(accounts, tenant, in_two_tenants):
    changes = [
        accounts.change_password(actor_in(signed_in), current=PASSWORD, new=new)
        for signed_in, new in zip(in_two_tenants, (ANOTHER, "third time lucky"), strict=False)
    ]

    outcomes = await asyncio.gather(*changes, return_exceptions=True)

    lost = [o for o in outcomes if isinstance(o, StaleWrite | WrongPassword)]
    assert len(lost) == 1
    winning = (ANOTHER, "third time lucky")[outcomes.index(lost[0]) == 0]
    await sign_in(accounts, tenant, winning)


async def test_a_sign_in_with_the_old_password_during_its_change_does_not_last(
    accounts, tenant, signed_in
):
    """The password was right when it was looked at, and is not any more when the session is."""
    email = signed_in.user.email
    checked = await accounts.check(email=email, password=PASSWORD)
    await accounts.set_password(checked, ANOTHER)

    with pytest.raises(BadCredentials):
        await accounts.enter(checked, tenant=tenant.slug)

    assert await ends(accounts, tenant) == [SessionEnd.PASSWORD_CHANGED] * 2


async def test_a_process_that_died_before_it_ended_the_sessions_has_ended_them(
    accounts, tenant, signed_in
):
    await accounts.database.platform.execute(
        "UPDATE accounts SET epoch = epoch + 1 WHERE id = $1", signed_in.user.account_id
    )

    with pytest.raises(SessionOver):
        await accounts.refresh(signed_in.refresh_token)

    assert await ends(accounts, tenant) == [SessionEnd.PASSWORD_CHANGED]


async def test_a_lost_password_ends_every_session(accounts, tenant, in_two_tenants):
    await end_all_sessions(
        accounts.database,
        in_two_tenants[0].user.account_id,
        because=SessionEnd.PASSWORD_CHANGED,
    )

    assert await still_open(accounts, in_two_tenants) == [False, False, False]


# Trying passwords


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
    async with asyncio.timeout(5):
        while crowded._places._value:  # noqa: ASYNC110  # nobody tells when a place is taken
            await asyncio.sleep(0)

    for _ in range(20):
        with pytest.raises(Overloaded):
            await desk.check(email=email, password=PASSWORD)
    hashing.set()

    assert (await waiting).email == email
    crowded.close()
    await fail(accounts, email, 10)
