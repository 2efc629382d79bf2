"""Sessions begin, and go on by tokens that are good once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identity import BadRefreshToken, RefreshTokenReused, Session, SessionEnd, SessionOver
from domain.identity.sessions import GRACE
from domain.ids import new_id
from infra.refresh_tokens import read
from infra.tokens import MAX_LIFE
from tests.infra.account_sessions.signing_in import (
    LATER,
    TOKENS,
    ends,
    found,
    session_of,
    sessions,
    sign_in,
)
from tests.world import NOON

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
