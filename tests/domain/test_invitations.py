"""Invitations without a database: who may send them, how they stand, and whom they let in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import AlreadyExists, Invalid, NotFound, PermissionDenied
from domain.events import InvitationChanged, TeamChanged, UserChanged
from domain.identity import (
    ROLE_PERMISSIONS,
    Actor,
    Invitation,
    InvitationState,
    OwnersOnly,
    Permission,
    Role,
    Team,
    TeamMember,
    User,
    accept_invitation,
    invite,
    resend_invitation,
    revoke_invitation,
)
from domain.identity.invitations import (
    InvitationClosed,
    InvitationExpired,
    InvitationNotValid,
    SentJustNow,
)
from domain.ids import new_id
from domain.stages import Side
from tests.fakes import FakeWork
from tests.world import NOON

WEEK = timedelta(days=7)
SALES = Team(id=new_id(), name="Sales", side=Side.SALES, created_at=NOON)


def a_user(role=Role.OWNER, **more):
    return User(
        **{
            "id": new_id(),
            "account_id": new_id(),
            "email": "olive@acme.example",
            "name": "Olive",
            "role": role,
            "created_at": NOON,
            **more,
        }
    )


def acting(role, user_id=None):
    return Actor(tenant_id=new_id(), user_id=user_id, permissions=ROLE_PERMISSIONS[role], role=role)


OLIVE = a_user()
OWNER, ADMIN, MANAGER = acting(Role.OWNER, OLIVE.id), acting(Role.ADMIN), acting(Role.MANAGER)
DAN = acting(Role.ADMIN, new_id())


def an_invitation(**more):
    return Invitation(
        **{
            "id": new_id(),
            "email": "ivy@acme.example",
            "name": "Ivy",
            "role": Role.MEMBER,
            "team_ids": (SALES.id,),
            "digest": "old",
            "invited_by": OLIVE.id,
            "created_at": NOON - timedelta(days=1),
            "sent_at": NOON - timedelta(days=1),
            "expires_at": NOON + timedelta(days=6),
            **more,
        }
    )


def asked(**more):
    usual = {
        "email": "ivy@acme.example",
        "name": " Ivy ",
        "role": Role.MEMBER,
        "team_ids": [SALES.id],
        "digest": "new",
        "life": WEEK,
    }
    return {**usual, **more}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, InvitationState.PENDING),
        ({"expires_at": NOON}, InvitationState.EXPIRED),
        ({"expires_at": NOON + timedelta(microseconds=1)}, InvitationState.PENDING),
        ({"revoked_at": NOON, "expires_at": NOON}, InvitationState.REVOKED),
        ({"accepted_at": NOON, "expires_at": NOON}, InvitationState.ACCEPTED),
    ],
)
def test_how_an_invitation_stands_is_a_question_of_time(change, state):
    assert an_invitation(**change).state(NOON) is state


async def test_an_invitation_is_kept_by_the_digest_of_its_link():
    work = FakeWork(NOON, SALES)

    invitation = await invite(work, OWNER, **asked())

    assert invitation == Invitation(
        id=invitation.id,
        email="ivy@acme.example",
        name="Ivy",
        role=Role.MEMBER,
        team_ids=(SALES.id,),
        digest="new",
        invited_by=OLIVE.id,
        created_at=NOON,
        sent_at=NOON,
        expires_at=NOON + WEEK,
    )
    assert await work.find(Invitation) == [invitation]
    assert work.events == [InvitationChanged(invitation_id=invitation.id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "change", "refusal"),
    [
        (MANAGER, {}, PermissionDenied),
        (ADMIN, {"role": Role.OWNER}, OwnersOnly),
        (ADMIN, {"name": " "}, Invalid),
        (ADMIN, {"name": "n\x00"}, Invalid),
        (ADMIN, {"email": OLIVE.email}, AlreadyExists),
        (ADMIN, {"team_ids": [new_id()]}, NotFound),
        (ADMIN, {"team_ids": [new_id() for _ in range(21)]}, Invalid),
        (replace(ADMIN, permissions=frozenset({Permission.MANAGE_USERS})), {}, PermissionDenied),
    ],
    ids=[
        "by a manager",
        "an owner by an admin",
        "a blank name",
        "a name that cannot be stored",
        "somebody who is in",
        "to a team that is not",
        "to too many teams",
        "to a team by who manages none",
    ],
)
async def test_a_refused_invitation_keeps_nothing(actor, change, refusal):
    work = FakeWork(NOON, SALES, OLIVE)

    with pytest.raises(refusal):
        await invite(work, actor, **asked(**change))

    assert (await work.find(Invitation), work.events) == ([], [])


async def test_an_address_has_one_good_invitation_at_a_time():
    first = an_invitation()
    work = FakeWork(NOON, SALES, first)

    with pytest.raises(AlreadyExists):
        await invite(work, OWNER, **asked())

    assert await work.find(Invitation) == [first]


async def test_taken_back_and_sent_by_turns_no_address_is_buried_in_mail():
    just_now = NOON - timedelta(seconds=59)
    first = an_invitation(sent_at=just_now, revoked_at=NOON)
    work = FakeWork(NOON, SALES, first)

    with pytest.raises(SentJustNow):
        await invite(work, OWNER, **asked())

    assert await work.find(Invitation) == [first]


async def test_what_was_taken_back_makes_room_for_another():
    first = an_invitation(sent_at=NOON - timedelta(seconds=60), revoked_at=NOON)
    work = FakeWork(NOON, SALES, first)

    second = await invite(work, OWNER, **asked())

    assert await work.find(Invitation) == [first, second]


async def test_an_expired_invitation_makes_room_for_another():
    first = an_invitation(expires_at=NOON)
    work = FakeWork(NOON, SALES, first)

    second = await invite(work, OWNER, **asked())

    assert await work.find(Invitation) == [replace(first, revoked_at=NOON, version=2), second]


@pytest.mark.parametrize("more", [{}, {"expires_at": NOON - WEEK}], ids=["pending", "expired"])
async def test_sent_again_an_invitation_has_a_new_link_and_a_new_time(more):
    invitation = an_invitation(**more)
    work = FakeWork(NOON, invitation)

    sent = await resend_invitation(work, DAN, invitation.id, digest="new", life=WEEK)

    assert sent == replace(
        invitation,
        digest="new",
        invited_by=DAN.user_id,
        sent_at=NOON,
        expires_at=NOON + WEEK,
        version=2,
    )
    assert work.events == [InvitationChanged(invitation_id=invitation.id, at=NOON)]


@pytest.mark.parametrize(
    ("change", "actor", "refusal"),
    [
        ({"accepted_at": NOON}, OWNER, InvitationClosed),
        ({"revoked_at": NOON}, OWNER, InvitationClosed),
        ({"sent_at": NOON - timedelta(seconds=59)}, OWNER, SentJustNow),
        ({"role": Role.OWNER}, ADMIN, OwnersOnly),
        ({}, MANAGER, PermissionDenied),
    ],
    ids=["accepted", "revoked", "sent just now", "an owner's by an admin", "by a manager"],
)
async def test_what_cannot_be_sent_again_stays_as_it_is(change, actor, refusal):
    invitation = an_invitation(**change)
    work = FakeWork(NOON, invitation)

    with pytest.raises(refusal):
        await resend_invitation(work, actor, invitation.id, digest="new", life=WEEK)

    assert await work.find(Invitation) == [invitation]


async def test_what_is_taken_back_stays_so():
    invitation = an_invitation()
    work = FakeWork(NOON, invitation)

    revoked = await revoke_invitation(work, ADMIN, invitation.id)
    again = await revoke_invitation(work, ADMIN, invitation.id)

    assert revoked == again == replace(invitation, revoked_at=NOON, version=2)
    assert work.events == [InvitationChanged(invitation_id=invitation.id, at=NOON)]


async def test_what_was_accepted_cannot_be_taken_back():
    invitation = an_invitation(accepted_at=NOON)
    work = FakeWork(NOON, invitation)

    with pytest.raises(InvitationClosed):
        await revoke_invitation(work, OWNER, invitation.id)

    assert await work.find(Invitation) == [invitation]


def accepting(invitation, **more):
    usual = {"digest": invitation.digest, "account_id": new_id(), "user_id": new_id(), "name": ""}
    return {**usual, **more}


async def test_who_accepts_is_in_and_in_the_teams():
    invitation = an_invitation()
    work, given = FakeWork(NOON, SALES, OLIVE, invitation), accepting(invitation, name=" Ivy B ")

    user = await accept_invitation(work, invitation.id, **given)

    assert user == User(
        id=given["user_id"],
        account_id=given["account_id"],
        email="ivy@acme.example",
        name="Ivy B",
        role=Role.MEMBER,
        created_at=NOON,
    )
    (member,) = await work.find(TeamMember)
    assert member == TeamMember(id=member.id, team_id=SALES.id, user_id=user.id, created_at=NOON)
    assert await work.find(Invitation) == [
        replace(invitation, accepted_at=NOON, user_id=user.id, version=2)
    ]
    assert work.events == [
        TeamChanged(team_id=SALES.id, at=NOON, by=user.id),
        UserChanged(user_id=user.id, at=NOON, by=user.id),
        InvitationChanged(invitation_id=invitation.id, at=NOON, by=user.id),
    ]


async def test_who_says_no_name_is_called_as_in_the_invitation():
    invitation = an_invitation()

    user = await accept_invitation(
        FakeWork(NOON, SALES, OLIVE, invitation), invitation.id, **accepting(invitation)
    )

    assert user.name == "Ivy"


@pytest.mark.parametrize(
    ("change", "given", "refusal"),
    [
        ({"expires_at": NOON}, {}, InvitationExpired),
        ({"revoked_at": NOON}, {}, InvitationNotValid),
        ({"accepted_at": NOON}, {}, InvitationNotValid),
        ({}, {"digest": "older"}, InvitationNotValid),
        ({"name": None}, {}, Invalid),
        ({"role": Role.OWNER, "invited_by": new_id()}, {}, InvitationNotValid),
        ({"role": Role.OWNER, "invited_by": None}, {}, InvitationNotValid),
    ],
    ids=[
        "expired",
        "revoked",
        "accepted",
        "a link that was replaced",
        "no name at all",
        "an owner's, by who is gone",
        "an owner's, by nobody",
    ],
)
async def test_what_is_not_good_lets_nobody_in(change, given, refusal):
    invitation = an_invitation(**change)
    work = FakeWork(NOON, SALES, OLIVE, invitation)

    with pytest.raises(refusal):
        await accept_invitation(work, invitation.id, **accepting(invitation, **given))

    assert await work.find(User) == [OLIVE]
    assert await work.find(Invitation) == [invitation]
    assert work.events == []


@pytest.mark.parametrize(
    ("role", "change"),
    [
        (Role.OWNER, {"role": Role.ADMIN}),
        (Role.OWNER, {"active": False}),
        (Role.ADMIN, {"role": Role.MANAGER}),
        (Role.ADMIN, {"active": False}),
        (Role.MEMBER, {"active": False}),
    ],
    ids=["owner by admin", "owner by gone", "admin by manager", "admin by gone", "member by gone"],
)
async def test_who_is_demoted_or_gone_has_left_no_door_open(role, change):
    invitation = an_invitation(role=role)
    work = FakeWork(NOON, SALES, replace(OLIVE, **change), invitation)

    with pytest.raises(InvitationNotValid):
        await accept_invitation(work, invitation.id, **accepting(invitation))

    assert await work.find(Invitation) == [invitation]


async def test_sent_again_an_invitation_has_the_word_of_who_sent_it():
    invitation = an_invitation(role=Role.ADMIN)
    dan = a_user(Role.ADMIN, id=DAN.user_id, email="dan@acme.example")
    work = FakeWork(NOON, SALES, replace(OLIVE, active=False), dan, invitation)

    sent = await resend_invitation(work, DAN, invitation.id, digest="new", life=WEEK)
    user = await accept_invitation(work, invitation.id, **accepting(sent))

    assert user.role is Role.ADMIN


async def test_a_key_invites_too():
    invitation = an_invitation(invited_by=None)

    user = await accept_invitation(
        FakeWork(NOON, SALES, invitation), invitation.id, **accepting(invitation)
    )

    assert user.role is Role.MEMBER


async def test_an_owner_invites_owners():
    invitation = an_invitation(role=Role.OWNER)
    work = FakeWork(NOON, SALES, OLIVE, invitation)

    user = await accept_invitation(work, invitation.id, **accepting(invitation))

    assert user.role is Role.OWNER
