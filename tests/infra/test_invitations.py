"""Invitations over real PostgreSQL: from the letter to the session, and everything in between."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from domain.errors import AlreadyExists, Invalid
from domain.identity import (
    BadCredentials,
    Invitation,
    InvitationPreview,
    InvitationState,
    Role,
    TeamMember,
    User,
)
from domain.identity.invitations import InvitationExpired, InvitationNotValid
from domain.ids import new_id
from infra.accounts import Accounts
from infra.passwords import WeakPassword
from infra.secrets import INVITATION, new_secret
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.admission import APP_URL, WEEK, admission_of
from tests.passwords import ANOTHER, PASSWORD
from tests.world import NOON, enter_directory

LINKS = {
    "nothing": "",
    "too short": "smi_x",
    "too long": "x" * 10_000,
    "never made": new_secret(INVITATION).text,
}


@pytest.fixture
async def company(world, passwords):
    """A tenant in the directory, an empty queue, and what lets people in."""
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    accounts = Accounts(world.database, passwords, tokens, "https://smarketing.example")
    for name, service in admission_of(accounts).items():
        setattr(world.services, name, service)
    world.services.accounts = accounts
    await world.database.platform.execute("DELETE FROM mails")
    await enter_directory(world)
    return world


async def invited(company, **more):
    """Invite Ivy; return the invitation and the token in her letter."""
    usual = {
        "email": f"ivy@{company.tenant.slug}.example",
        "name": "Ivy",
        "role": Role.MEMBER,
        "team_ids": [company.sales.id],
    }
    async with company.work() as work:
        invitation = await company.services.invitations.invite(
            work, company.actor(), **{**usual, **more}
        )
    return invitation, await token_mailed(company)


async def token_mailed(company):
    (taken,) = await company.services.invitations.queue.take(10)
    await company.services.invitations.queue.done(taken)
    assert taken.expires_at == company.now + WEEK
    return re.search(r"#token=(\w+)", taken.errand.text)[1]


async def stored(company, kind, **equals):
    async with company.work() as work:
        return await work.find(kind, **equals)


async def accounts_of(company, email):
    return await company.database.platform.fetchval(
        "SELECT count(*) FROM accounts WHERE email = $1", email
    )


async def test_who_is_invited_comes_in_by_the_link_and_is_signed_in(company):
    invitation, token = await invited(company)

    signed_in = await company.services.invitations.accept(token, name=None, password=PASSWORD)

    assert signed_in.tenant == company.tenant
    assert (signed_in.user.name, signed_in.user.email) == ("Ivy", invitation.email)
    assert await stored(company, User, id=signed_in.user.id) == [signed_in.user]
    assert [m.team_id for m in await stored(company, TeamMember, user_id=signed_in.user.id)] == [
        company.sales.id
    ]
    again = await company.services.accounts.sign_in(email=invitation.email, password=PASSWORD)
    assert again.user == signed_in.user


async def test_the_link_is_in_the_letter_and_nowhere_else(company):
    async with company.work() as work:
        await company.services.invitations.invite(
            work, company.actor(), email="ivy@acme.example", name=None, role=Role.MEMBER
        )
    (taken,) = await company.services.invitations.queue.take(1)
    token = re.search(rf"{APP_URL}/invitation#token=(\w+)", taken.errand.text)[1]

    assert taken.errand.to == "ivy@acme.example"
    (invitation,) = await stored(company, Invitation)
    assert token not in repr(invitation)
    raw = await company.database.platform.fetch("SELECT sealed FROM mails")
    assert token.encode() not in raw[0][0]


async def test_a_refused_invitation_sends_nothing(company):
    async def invite_owner():
        async with company.work() as work:
            await company.services.invitations.invite(
                work, company.actor(), email=company.owner.email, name=None, role=Role.MEMBER
            )

    with pytest.raises(AlreadyExists):
        await invite_owner()

    assert await company.services.invitations.queue.take(10) == []


async def test_the_holder_of_a_link_is_shown_what_it_is_about(company):
    invitation, token = await invited(company)

    shown = await company.services.invitations.preview(token)

    assert shown == InvitationPreview(
        tenant_name="Acme",
        inviter_name="Olive",
        email=invitation.email,
        name="Ivy",
        role=Role.MEMBER,
        expires_at=NOON + WEEK,
        state=InvitationState.PENDING,
        has_account=False,
    )


@pytest.mark.parametrize(
    "token", ["", "smi_x", "x" * 10_000, new_secret(INVITATION).text], ids=LINKS
)
async def test_a_link_that_is_none_shows_nothing_and_lets_nobody_in(company, token):
    assert await company.services.invitations.preview(token) is None
    with pytest.raises(InvitationNotValid):
        await company.services.invitations.accept(token, name="Eve", password=PASSWORD)


async def test_a_link_works_once(company):
    _, token = await invited(company)
    await company.services.invitations.accept(token, name=None, password=PASSWORD)

    with pytest.raises(InvitationNotValid):
        await company.services.invitations.accept(token, name=None, password=PASSWORD)

    assert (await company.services.invitations.preview(token)).state is InvitationState.ACCEPTED
    assert len(await stored(company, User, name="Ivy")) == 1


async def test_a_link_works_until_it_expires(company):
    invitation, token = await invited(company)
    company.wait(days=7)

    with pytest.raises(InvitationExpired):
        await company.services.invitations.accept(token, name=None, password=PASSWORD)

    assert await stored(company, User, name="Ivy") == []
    assert await accounts_of(company, invitation.email) == 0


async def test_sent_again_only_the_newest_link_works(company):
    invitation, old = await invited(company)
    company.wait(minutes=1)
    async with company.work() as work:
        await company.services.invitations.resend(work, company.actor(), invitation.id)
    new = await token_mailed(company)

    assert await company.services.invitations.preview(old) is None
    with pytest.raises(InvitationNotValid):
        await company.services.invitations.accept(old, name=None, password=PASSWORD)
    signed_in = await company.services.invitations.accept(new, name=None, password=PASSWORD)
    assert signed_in.user.name == "Ivy"


async def test_of_two_who_accept_at_once_one_wins(company):
    _, token = await invited(company)

    ends = await asyncio.gather(
        *(
            company.services.invitations.accept(token, name=name, password=PASSWORD)
            for name in ("Ivy", "Eve")
        ),
        return_exceptions=True,
    )

    assert sorted(type(end).__name__ for end in ends) == ["InvitationNotValid", "SignedIn"]
    (invitation,) = await stored(company, Invitation)
    assert len(await stored(company, User, email=invitation.email)) == 1


async def test_of_two_passwords_at_once_only_the_accounts_own_lets_in(company):
    invitation, token = await invited(company)

    ends = await asyncio.gather(
        *(
            company.services.invitations.accept(token, name=None, password=password)
            for password in (PASSWORD, ANOTHER)
        ),
        return_exceptions=True,
    )

    (winner,) = [end for end in ends if not isinstance(end, Exception)]
    password = (PASSWORD, ANOTHER)[ends.index(winner)]
    again = await company.services.accounts.sign_in(email=invitation.email, password=password)
    assert again.user == winner.user


async def test_an_account_that_is_there_is_proven_by_its_password(company, other_world):
    await enter_directory(other_world)
    email = f"ivy@{company.tenant.slug}.example"
    elsewhere = await company.services.accounts.add_user(
        other_world.actor(), email=email, name="Ivy", role=Role.MEMBER, password=ANOTHER
    )
    _, token = await invited(company, email=email)

    assert (await company.services.invitations.preview(token)).has_account
    with pytest.raises(BadCredentials):
        await company.services.invitations.accept(token, name=None, password=PASSWORD)
    assert await stored(company, User, email=email) == []
    signed_in = await company.services.invitations.accept(token, name=None, password=ANOTHER)

    assert signed_in.tenant == company.tenant
    assert signed_in.user.account_id == elsewhere.account_id
    assert signed_in.user.id != elsewhere.id


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"password": "password1234"}, WeakPassword),
        ({"name": "n" * 201}, Invalid),
        ({"name": "n\x00"}, Invalid),
    ],
)
async def test_what_is_refused_makes_no_account_and_spends_no_link(company, given, refusal):
    invitation, token = await invited(company)

    with pytest.raises(refusal):
        await company.services.invitations.accept(
            token, **{"name": None, "password": PASSWORD, **given}
        )

    assert await accounts_of(company, invitation.email) == 0
    assert (await company.services.invitations.preview(token)).state is InvitationState.PENDING


async def test_an_acceptance_that_broke_off_can_be_repeated(company):
    """The account and the membership are there, the user is not."""
    invitation, token = await invited(company)
    await company.database.platform.execute(
        "INSERT INTO accounts (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)",
        new_id(),
        invitation.email,
        await company.services.accounts.passwords.hash(PASSWORD),
        NOON,
    )

    signed_in = await company.services.invitations.accept(token, name=None, password=PASSWORD)

    assert signed_in.user.email == invitation.email


async def test_another_tenants_invitation_is_out_of_reach(company, other_world):
    invitation, _ = await invited(company)

    async with other_world.work() as work:
        assert await work.find(Invitation) == []
        assert await work.find(Invitation, id=invitation.id) == []


async def test_an_invitation_expires_with_its_letter(company):
    await invited(company)
    (invitation,) = await stored(company, Invitation)

    assert invitation.expires_at - invitation.sent_at == timedelta(days=7)
