"""Whom a message calls: people and teams."""

from __future__ import annotations

import pytest

from domain.events import ThreadChanged, UserMentioned
from domain.identity import TeamMember, create_team, update_user
from domain.ids import new_id, public
from domain.stages import Side
from domain.threads import mentioning
from infra.outbox import publish_all
from tests.agreements import add_mql
from tests.api.threads.talking import (
    CALLS,
    MENTIONS,
    READ,
    REPLY,
    RETRACT,
    START,
    about,
    start,
    stored,
)
from tests.world import World


async def test_whom_a_message_calls_finds_it_until_it_is_read(world: World) -> None:
    lead = await add_mql(world)
    mentions = [{"email": world.rep.email}, {"id": public("User", world.rep.id)}]
    thread = await start(world, world.marketer, about(lead), mentions=mentions)
    await publish_all(world.database, world.tenant.id)
    before = (await world.data(MENTIONS, {"unread": True}, as_=world.rep))["mentions"]
    mention = before["nodes"][0]["id"]

    foreign = await world.data(READ, {"input": {"mention": mention}}, as_=world.marketer)
    read = await world.data(READ, {"input": {"mention": mention}}, as_=world.rep)

    assert before == {
        "totalCount": 1,
        "nodes": [
            {
                "id": mention,
                "readAt": None,
                "message": {"text": "Whom did you talk to?"},
                "thread": {"id": thread["id"]},
            }
        ],
    }
    assert foreign["mentionRead"] == {
        "mention": None,
        "userErrors": [{"code": "NOT_FOUND", "path": ["mention"]}],
    }
    assert read["mentionRead"]["mention"] == {"readAt": "2026-03-10T12:00:00Z"}
    after = [
        await world.data(MENTIONS, {"unread": unread}, as_=world.rep) for unread in (True, False)
    ]
    assert [each["mentions"]["totalCount"] for each in after] == [0, 1]
    assert (await world.data(MENTIONS, {}, as_=world.marketer))["mentions"]["totalCount"] == 0
    async with world.work() as work:
        log = await work.connection.fetch(
            "SELECT kind, payload::text AS payload FROM event_log WHERE tenant_id = $1",
            world.tenant.id,
        )
    called = [row["payload"] for row in log if row["kind"] == UserMentioned.__name__]
    assert len(called) == 1
    assert world.rep.id.hex in called[0].replace("-", "")
    # Events say that something was said, and not what.
    assert not any("Whom did you" in row["payload"] for row in log)
    assert ThreadChanged.__name__ in {row["kind"] for row in log}


async def test_nobody_is_called_by_what_was_taken_back(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(
        world, world.marketer, about(lead), mentions=[{"id": public("User", world.rep.id)}]
    )
    before = await world.data(MENTIONS, {"unread": True}, as_=world.rep)
    message = {"message": thread["messages"]["nodes"][0]["id"]}

    await world.data(RETRACT, {"input": message}, as_=world.marketer)

    after = await world.data(MENTIONS, {"unread": True}, as_=world.rep)
    assert [each["mentions"]["totalCount"] for each in (before, after)] == [1, 0]


async def test_who_has_left_is_not_called(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        await update_user(work, world.actor(), world.rep.id, active=False)
    people = [{"id": public("User", user.id)} for user in (world.owner, world.rep)]
    input = {"about": about(lead), "text": "Well?", "mentions": people}

    answer = await world.data(START, {"input": input}, as_=world.marketer)

    assert answer["threadStart"] == {
        "thread": None,
        "userErrors": [{"code": "INACTIVE_USER", "path": ["mentions", "1"]}],
    }
    assert await stored(world) == (0, 0, 0)


async def test_a_team_that_is_called_is_everybody_who_is_active_in_it(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        await update_user(work, world.actor(), world.other_rep.id, active=False)
        member = TeamMember(
            id=new_id(), team_id=world.sales.id, user_id=world.marketer.id, created_at=world.now
        )
        await work.add(member)
    teams = [{"name": world.sales.name}, {"id": public("Team", world.sales.id)}]
    named = [{"email": world.owner.email}]

    await start(world, world.marketer, about(lead), mentions=named, mentionTeams=teams)

    called = {
        user.email: (await world.data(CALLS, as_=user))["mentions"]["nodes"]
        for user in (world.owner, world.rep, world.other_rep, world.marketer)
    }
    assert called == {
        world.owner.email: [{"team": None}],
        world.rep.email: [{"team": {"name": world.sales.name}}],
        world.other_rep.email: [],
        # Nobody calls himself.
        world.marketer.email: [],
    }


async def test_a_call_that_nobody_would_hear_is_refused(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        team = await create_team(work, world.actor(), name="Field", side=Side.SALES)
    thread = await start(world, world.marketer, about(lead))
    teams = [{"name": world.sales.name}, {"id": public("Team", team.id)}]
    input = {"thread": thread["id"], "text": "Well?", "mentionTeams": teams}

    answer = await world.data(REPLY, {"input": input}, as_=world.marketer)

    assert answer["threadReply"] == {
        "thread": None,
        "userErrors": [{"code": "NOBODY_TO_CALL", "path": ["mentionTeams", "1"]}],
    }
    assert await stored(world) == (1, 1, 0)


async def test_a_team_larger_than_a_call_reaches_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentioning, "MOST_CALLED", 1)
    input = {
        "about": about(await add_mql(world)),
        "text": "Well?",
        "mentionTeams": [{"name": world.sales.name}],
    }

    answer = await world.data(START, {"input": input}, as_=world.marketer)

    assert answer["threadStart"] == {
        "thread": None,
        "userErrors": [{"code": "INVALID", "path": ["mentionTeams"]}],
    }
    assert await stored(world) == (0, 0, 0)
