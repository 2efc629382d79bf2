"""Teams and who is in them."""

from dataclasses import replace

import pytest

from domain.errors import Invalid, NotFound, PermissionDenied
from domain.events import TeamChanged
from domain.identity import (
    InactiveUser,
    Team,
    TeamMember,
    add_team_member,
    create_team,
    remove_team_member,
    update_team,
    update_team_member,
)
from domain.ids import new_id
from domain.sla.calendars import Calendar
from domain.stages import Side
from tests.domain.identity.building_people import ADMIN, MANAGER, NOON, a_team, a_user
from tests.fakes import FakeWork


async def test_a_team_is_set_up_on_a_calendar():
    calendar = Calendar(id=new_id(), name="Office", current_id=new_id(), created_at=NOON)
    work = FakeWork(NOON, calendar)

    team = await create_team(
        work, ADMIN, name=" Inbound ", side=Side.MARKETING, calendar_id=calendar.id
    )

    assert team == Team(
        id=team.id,
        name="Inbound",
        side=Side.MARKETING,
        created_at=NOON,
        calendar_id=calendar.id,
    )
    assert work.events == [TeamChanged(team_id=team.id, at=NOON)]


@pytest.mark.parametrize(
    ("actor", "more", "refusal", "path"),
    [
        (MANAGER, {}, PermissionDenied, ()),
        (ADMIN, {"name": ""}, Invalid, ("name",)),
        (ADMIN, {"calendar_id": new_id()}, NotFound, ("calendar",)),
    ],
)
async def test_a_refused_team_is_not_set_up(actor, more, refusal, path):
    work = FakeWork(NOON)

    with pytest.raises(refusal) as refused:
        await create_team(work, actor, **{"name": "A", "side": Side.SALES, **more})

    assert refused.value.path == path
    assert await work.find(Team) == []
    assert work.events == []


async def test_a_team_without_a_calendar_works_around_the_clock():
    team = a_team(calendar_id=new_id())

    renamed = await update_team(FakeWork(NOON, team), ADMIN, team.id, name="Closers")
    freed = await update_team(FakeWork(NOON, team), ADMIN, team.id, calendar_id=None)

    assert renamed == replace(team, name="Closers", version=2)
    assert freed == replace(team, calendar_id=None, version=2)


async def test_a_user_joins_and_leaves_a_team():
    team, ann = a_team(), a_user()
    work = FakeWork(NOON, team, ann)

    member = await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id, capacity=3)
    saved = await update_team_member(work, ADMIN, member.id, available=False)
    gone = await remove_team_member(work, ADMIN, member.id)

    assert member == TeamMember(
        id=member.id, team_id=team.id, user_id=ann.id, created_at=NOON, capacity=3
    )
    assert saved == gone == replace(member, available=False, version=2)
    assert await work.find(TeamMember) == []
    assert work.events == [TeamChanged(team_id=team.id, at=NOON)] * 3


@pytest.mark.parametrize("capacity", [-1, 10_001, 2**31])
async def test_nobody_holds_less_than_nothing_or_more_than_can_be(capacity):
    team, ann = a_team(), a_user()
    member = TeamMember(id=new_id(), team_id=team.id, user_id=ann.id, created_at=NOON)
    work = FakeWork(NOON, team, ann, member)

    with pytest.raises(Invalid):
        await update_team_member(work, ADMIN, member.id, capacity=capacity)
    with pytest.raises(Invalid):
        await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id, capacity=capacity)

    assert await work.find(TeamMember) == [member]


async def test_somebody_who_has_left_joins_no_team():
    team, ann = a_team(), a_user(active=False)
    work = FakeWork(NOON, team, ann)

    with pytest.raises(InactiveUser):
        await add_team_member(work, ADMIN, team_id=team.id, user_id=ann.id)

    assert await work.find(TeamMember) == []
