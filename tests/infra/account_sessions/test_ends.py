"""Sessions end: by their owner, by others, with the password and with the membership."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import StaleWrite
from domain.identity import (
    BadCredentials,
    Role,
    SessionEnd,
    SessionOver,
    WrongPassword,
    actor_of,
    end_session,
    update_user,
)
from domain.ids import new_id
from infra.accounts import end_all_sessions
from infra.passwords import WeakPassword
from tests.infra.account_sessions.signing_in import actor_in, ends, found, sign_in
from tests.passwords import ANOTHER, PASSWORD


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
