"""Sessions: how they go on, and why they end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import NotFound, PermissionDenied
from domain.events import SessionEnded, SessionStarted, UserChanged
from domain.identity import (
    ROLE_PERMISSIONS,
    Actor,
    Presented,
    Role,
    Session,
    SessionEnd,
    SessionLives,
    User,
    actor_of,
    begin_session,
    close_sessions,
    end_session,
    end_sessions_of,
    judged,
    rotated,
    update_user,
)
from domain.identity.sessions import GRACE, MOST_OPEN, REMEMBERED
from domain.ids import new_id
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LIVES = SessionLives(idle=timedelta(days=30), longest=timedelta(days=90))
TENANT = new_id()


def a_user(role=Role.MEMBER, **more):
    made = {"email": "ann@acme.example", "name": "Ann", "created_at": NOON, **more}
    return User(id=new_id(), account_id=new_id(), role=role, **made)


def a_session(user, **more):
    return Session(
        **{
            "id": new_id(),
            "user_id": user.id,
            "digest": "d1",
            "generation": 0,
            "epoch": 0,
            "created_at": NOON,
            "last_used_at": NOON,
            "expires_at": NOON + timedelta(days=30),
            **more,
        }
    )


def ended(session, because, at=NOON):
    return replace(session, ended_at=at, ended_because=because, version=session.version + 1)


ANN, BEN = a_user(), a_user(name="Ben")
ADMIN = Actor(
    tenant_id=TENANT,
    user_id=new_id(),
    permissions=ROLE_PERMISSIONS[Role.ADMIN],
    role=Role.ADMIN,
)


# How long they last


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (0, 30),  # a month unused, and it is over
        (59, 30),
        (60, 30),
        (75, 15),  # however much it is used, after 90 days one signs in again
        (90, 0),
    ],
)
def test_a_session_ends_unused_after_a_while_and_used_after_a_long_while(days, left):
    used_at = NOON + timedelta(days=days)

    assert LIVES.end(created_at=NOON, used_at=used_at) == used_at + timedelta(days=left)


def test_the_instant_it_expires_a_session_is_over():
    session = a_session(ANN)
    just_before = session.expires_at - timedelta(microseconds=1)

    assert [session.is_open(at) for at in (just_before, session.expires_at)] == [True, False]
    assert not ended(session, SessionEnd.SIGNED_OUT).is_open(NOON)


def test_a_refresh_makes_it_wait_for_the_next_token():
    later = NOON + timedelta(days=80)

    assert rotated(a_session(ANN, id=ANN.id), digest="d2", at=later, lives=LIVES) == a_session(
        ANN,
        id=ANN.id,
        digest="d2",
        generation=1,
        last_used_at=later,
        expires_at=NOON + timedelta(days=90),
    )


@pytest.mark.parametrize(
    ("steps", "after", "verdict"),
    [
        (0, timedelta(0), Presented.CURRENT),
        (0, timedelta(days=29), Presented.CURRENT),
        (1, timedelta(0), Presented.AGAIN),  # two tabs, or an answer that was lost
        (1, -timedelta(milliseconds=1), Presented.AGAIN),  # who waited for the lock began earlier
        (1, GRACE, Presented.AGAIN),
        (1, GRACE + timedelta(microseconds=1), Presented.SPENT),
        (2, timedelta(0), Presented.SPENT),  # its successor was used, so somebody has it
        (500, timedelta(days=3), Presented.SPENT),
    ],
)
def test_a_spent_token_is_honoured_again_only_at_once_and_unless_its_successor_was_used(
    steps, after, verdict
):
    assert judged(a_session(ANN), steps=steps, at=NOON + after) is verdict


# Beginning


async def begin(work, user=ANN, **more):
    session_id = new_id()
    return await begin_session(
        work,
        **{
            "id": session_id,
            "user_id": user.id,
            "digest": "d1",
            "epoch": 3,
            "lives": LIVES,
            "ip_address": "192.0.2.7",
            "user_agent": "Firefox",
            **more,
        },
    )


async def test_a_session_begins_with_where_it_was_begun():
    work = FakeWork(NOON)

    session = await begin(work)

    assert session == a_session(
        ANN, id=session.id, epoch=3, ip_address="192.0.2.7", user_agent="Firefox"
    )
    assert await work.find(Session) == [session]
    assert work.events == [SessionStarted(session_id=session.id, user_id=ANN.id, at=NOON)]


async def test_what_is_long_over_is_cleared_away_and_nothing_else():
    past = NOON - REMEMBERED
    long_over = [
        a_session(ANN, expires_at=past - timedelta(seconds=1)),
        ended(a_session(ANN), SessionEnd.SIGNED_OUT, at=past - timedelta(seconds=1)),
    ]
    kept = [
        a_session(ANN, expires_at=past),
        ended(a_session(ANN), SessionEnd.SIGNED_OUT, at=past),
        a_session(ANN),
        a_session(BEN, expires_at=past - timedelta(days=9)),
    ]
    work = FakeWork(NOON, *long_over, *kept)

    session = await begin(work)

    assert set(await work.find(Session)) == {*kept, session}


async def test_the_session_unused_for_longest_makes_room():
    fresh = [a_session(ANN, last_used_at=NOON - timedelta(minutes=n)) for n in range(MOST_OPEN - 1)]
    oldest = a_session(ANN, last_used_at=NOON - timedelta(hours=2))
    work = FakeWork(NOON, oldest, *fresh, a_session(BEN, last_used_at=NOON - timedelta(days=9)))

    await begin(work)

    closed = [session for session in await work.find(Session) if session.ended_at]
    assert closed == [ended(oldest, SessionEnd.TOO_MANY)]


# Ending


async def test_one_ends_ones_own_session_and_twice_changes_nothing_more():
    session = a_session(ANN)
    work = FakeWork(NOON, session)

    for _ in range(2):
        closed = await end_session(work, actor_of(ANN, TENANT), session.id)

    assert closed == ended(session, SessionEnd.SIGNED_OUT)
    assert work.events == [SessionEnded(session_id=session.id, user_id=ANN.id, at=NOON)]


async def test_nobody_elses_session_is_there_to_be_ended():
    session = a_session(BEN)
    work = FakeWork(NOON, session)

    for actor in (actor_of(ANN, TENANT), ADMIN):
        with pytest.raises(NotFound) as refused:
            await end_session(work, actor, session.id)
        assert refused.value.path == ("session",)

    assert await work.find(Session) == [session]
    assert work.events == []


async def test_a_key_has_no_sessions():
    work = FakeWork(NOON)

    with pytest.raises(PermissionDenied):
        await end_session(work, replace(ADMIN, user_id=None), new_id())


async def test_an_admin_signs_a_user_out_everywhere_and_nobody_else():
    anns, bens = [a_session(ANN), a_session(ANN)], a_session(BEN)
    work = FakeWork(NOON, ANN, BEN, *anns, bens)

    assert await end_sessions_of(work, ADMIN, ANN.id) == ANN

    by_admin = SessionEnd.ENDED_BY_ADMIN
    assert await work.find(Session) == [*(ended(each, by_admin) for each in anns), bens]
    assert work.events == [
        SessionEnded(session_id=each.id, user_id=ANN.id, at=NOON) for each in anns
    ]


async def test_a_member_signs_nobody_else_out():
    session = a_session(BEN)
    work = FakeWork(NOON, ANN, BEN, session)

    with pytest.raises(PermissionDenied):
        await end_sessions_of(work, actor_of(ANN, TENANT), BEN.id)

    assert await work.find(Session) == [session]


async def test_another_password_ends_what_was_begun_before_and_spares_where_it_was_changed():
    here, there = a_session(ANN, epoch=1), a_session(ANN, epoch=1)
    since = a_session(ANN, epoch=2)
    work = FakeWork(NOON, here, there, since)
    because = SessionEnd.PASSWORD_CHANGED

    await close_sessions(work, user_id=ANN.id, because=because, besides=here.id, epoch=2)

    assert await work.find(Session) == [
        replace(here, epoch=2, version=2),
        ended(there, because),
        since,
    ]


@pytest.mark.parametrize("change", [{"role": Role.ANALYST}, {"name": "Anna"}, {"active": True}])
async def test_only_the_end_of_a_membership_ends_its_sessions(change):
    session = a_session(ANN)
    work = FakeWork(NOON, ANN, session)

    await update_user(work, ADMIN, ANN.id, **change)

    assert await work.find(Session) == [session]


async def test_with_a_membership_its_sessions_end_and_do_not_come_back():
    session = a_session(ANN)
    work = FakeWork(NOON, ANN, session, a_session(BEN))

    await update_user(work, ADMIN, ANN.id, active=False)
    await update_user(work, ADMIN, ANN.id, active=True)

    assert await work.get(Session, session.id) == ended(session, SessionEnd.MEMBERSHIP_ENDED)
    assert work.events == [
        UserChanged(user_id=ANN.id, at=NOON),
        SessionEnded(session_id=session.id, user_id=ANN.id, at=NOON),
        UserChanged(user_id=ANN.id, at=NOON),
    ]
