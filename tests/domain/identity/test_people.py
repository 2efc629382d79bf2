"""Who is added, raised, lowered and let go, and by whom."""

from dataclasses import replace

import pytest

from domain.errors import AlreadyExists, Invalid, PermissionDenied
from domain.events import UserChanged
from domain.identity import LastOwner, OwnersOnly, Role, User, add_user, update_user
from domain.ids import new_id
from tests.domain.identity.building_people import ADMIN, KEY, MANAGER, NOON, OWNER, a_user
from tests.fakes import FakeWork


async def test_an_added_user_is_active_from_the_start():
    work, user_id, account_id = FakeWork(NOON), new_id(), new_id()

    user = await add_user(
        work,
        ADMIN,
        user_id=user_id,
        account_id=account_id,
        email="bo@acme.example",
        name=" Bo ",
        role=Role.MEMBER,
    )

    assert user == User(
        id=user_id,
        account_id=account_id,
        email="bo@acme.example",
        name="Bo",
        role=Role.MEMBER,
        created_at=NOON,
    )
    assert await work.find(User) == [user]
    assert work.events == [UserChanged(user_id=user_id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "more", "refusal"),
    [
        (MANAGER, {}, PermissionDenied),
        (ADMIN, {"role": Role.OWNER}, OwnersOnly),
        (KEY, {"role": Role.OWNER}, OwnersOnly),
        (ADMIN, {"email": "ann@acme.example"}, AlreadyExists),
        (ADMIN, {"name": " "}, Invalid),
        (ADMIN, {"name": "n" * 201}, Invalid),
        (ADMIN, {"name": "n\x00"}, Invalid),
    ],
)
async def test_a_refused_addition_adds_nobody(actor, more, refusal):
    work = FakeWork(NOON, ann := a_user())
    wanted = {"email": "bo@acme.example", "name": "Bo", "role": Role.MEMBER, **more}

    with pytest.raises(refusal):
        await add_user(work, actor, user_id=new_id(), account_id=new_id(), **wanted)

    assert await work.find(User) == [ann]
    assert work.events == []


async def test_an_owner_makes_owners():
    ann = a_user()
    work = FakeWork(NOON, ann)

    saved = await update_user(work, OWNER, ann.id, role=Role.OWNER)

    assert saved == replace(ann, role=Role.OWNER, version=2)
    assert work.events == [UserChanged(user_id=ann.id, at=NOON)]


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"role": Role.MEMBER}, {"role": Role.OWNER}),
        ({"role": Role.OWNER}, {"role": Role.ADMIN}),
        ({"role": Role.OWNER}, {"active": False}),
        ({"role": Role.OWNER, "active": False}, {"active": True}),
    ],
)
@pytest.mark.parametrize("actor", [ADMIN, KEY])
async def test_nobody_but_an_owner_makes_or_unmakes_owners(actor, before, change):
    ann, other = a_user(**before), a_user("Olive", Role.OWNER)
    work = FakeWork(NOON, ann, other)

    with pytest.raises(OwnersOnly):
        await update_user(work, actor, ann.id, **change)

    assert await work.find(User) == [ann, other]
    assert work.events == []


async def test_an_admin_may_correct_an_owners_name():
    ann = a_user(role=Role.OWNER)

    saved = await update_user(FakeWork(NOON, ann), ADMIN, ann.id, name="Anne")

    assert saved == replace(ann, name="Anne", version=2)


@pytest.mark.parametrize("change", [{"role": Role.ADMIN}, {"active": False}])
async def test_the_last_active_owner_stays(change):
    ann = a_user(role=Role.OWNER)
    gone = a_user("Olive", Role.OWNER, active=False)
    work = FakeWork(NOON, ann, gone)

    with pytest.raises(LastOwner):
        await update_user(work, OWNER, ann.id, **change)

    assert await work.find(User) == [ann, gone]
    assert work.events == []


async def test_an_owner_may_go_when_another_stays():
    ann, olive = a_user(role=Role.OWNER), a_user("Olive", Role.OWNER)

    saved = await update_user(FakeWork(NOON, ann, olive), OWNER, ann.id, active=False)

    assert saved == replace(ann, active=False, left_at=NOON, version=2)


async def test_changing_nothing_tells_nobody():
    ann = a_user()
    work = FakeWork(NOON, ann)

    assert await update_user(work, ADMIN, ann.id, role=ann.role) == ann
    assert work.events == []
