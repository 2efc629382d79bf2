"""What the teams say to each other, and who owes an answer."""

from __future__ import annotations

from typing import Any

import pytest

from domain.content import AssetKind, ContentAsset
from domain.identity import TeamMember
from domain.ids import new_id, public
from tests.agreements import add_mql
from tests.api.threads.talking import NOBODY, RETRACT, START, about, listed, reply, start, stored
from tests.following import following
from tests.telling import hand_over
from tests.world import World

CHANGED = """subscription($id: ID!) { thread(id: $id) {
  overdue messages { nodes { text } } } }"""


async def test_a_question_waits_in_the_other_sides_working_time_until_it_is_answered(
    world: World,
) -> None:
    handoff = await hand_over(world)
    subject = {"handoff": public("Handoff", handoff.id)}
    ask = {"side": "SALES", "within": "PT6H"}
    thread = await start(world, world.marketer, subject, asks=ask)
    waiting = await listed(world, awaiting="SALES")
    world.wait(hours=20)
    in_time = await listed(world, awaiting="SALES", overdue=True)
    world.wait(hours=4)

    late = await listed(world, awaiting="SALES", overdue=True)
    own = await reply(world, world.marketer, thread, text="Anybody?")
    answer = await reply(world, world.rep, thread)

    # Asked on Tuesday at noon: five hours until closing, one on Wednesday.
    assert (thread["awaiting"], thread["dueAt"]) == ("SALES", "2026-03-11T10:00:00Z")
    assert (thread["about"]["id"], thread["overdue"]) == (subject["handoff"], False)
    assert (waiting, in_time, late) == ([thread["id"]], [], [thread["id"]])
    assert (own["thread"]["awaiting"], own["thread"]["overdue"]) == ("SALES", True)
    told = answer["thread"]
    assert (told["awaiting"], told["dueAt"], told["ask"]) == (None, None, None)
    assert [(m["text"], m["answer"]) for m in told["messages"]["nodes"]] == [
        ("Whom did you talk to?", {"text": "The founder."}),
        ("Anybody?", None),
        ("The founder.", None),
    ]
    assert await listed(world, overdue=True) == []
    assert await listed(world, overdue=False) == [thread["id"]]


async def test_an_answer_may_ask_back(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(world, world.marketer, about(lead), asks={"side": "SALES"})

    answer = await reply(world, world.rep, thread, asks={"side": "MARKETING"})
    pending = await reply(world, world.rep, thread, asks={"side": "SALES"})
    again = await reply(world, world.rep, thread, asks={"side": "MARKETING", "within": "PT1H"})

    assert (answer["thread"]["awaiting"], answer["thread"]["dueAt"]) == (
        "MARKETING",
        "2026-03-11T12:00:00Z",
    )
    assert pending == {
        "thread": None,
        "userErrors": [{"code": "ANSWER_PENDING", "path": ["asks"]}],
    }
    # Both wait, and the thread is late as soon as the first of them is.
    assert again["thread"]["dueAt"] == "2026-03-10T13:00:00Z"


async def test_who_answers_for_both_sides_does_not_answer_himself(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        member = TeamMember(
            id=new_id(), team_id=world.sales.id, user_id=world.owner.id, created_at=world.now
        )
        await work.add(member)
    thread = await start(world, world.owner, about(lead), asks={"side": "SALES"})

    mine = await reply(world, world.owner, thread)
    other = {"text": "And when?", "asks": {"side": "SALES"}}
    asked = (await reply(world, world.marketer, thread, **other))["thread"]["messages"]["nodes"]
    answer = await reply(world, world.owner, thread, text="On Monday.")
    taken_back = {"input": {"message": asked[2]["id"]}}
    await world.data(RETRACT, taken_back, as_=world.marketer)
    still = await reply(world, world.owner, thread, text="Anybody?")
    theirs = await reply(world, world.rep, thread)

    assert [each["thread"]["awaiting"] for each in (mine, answer, still)] == ["SALES"] * 3
    assert [each["answer"] for each in still["thread"]["messages"]["nodes"]] == [
        None,
        None,
        {"text": "On Monday."},
        None,
        None,
    ]
    assert theirs["thread"]["awaiting"] is None


async def test_campaigns_and_assets_are_talked_about_too(world: World) -> None:
    asset = ContentAsset(id=new_id(), title="Guide", kind=AssetKind.ARTICLE, created_at=world.now)
    async with world.work() as work:
        await work.add(asset)
    id = public("ContentAsset", asset.id)

    thread = await start(world, world.rep, {"asset": id}, asks={"side": "MARKETING"})

    assert thread["dueAt"] == "2026-03-11T12:00:00Z"
    assert await listed(world, filter={"assetId": {"eq": id}}) == [thread["id"]]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"text": "  "}, "INVALID", ["text"]),
        ({"text": "x" * 10_001}, "INVALID", ["text"]),
        ({"asks": {"side": "SALES", "within": "PT0M"}}, "INVALID", ["asks", "within"]),
        ({"asks": {"side": "SALES", "within": "P367D"}}, "INVALID", ["asks", "within"]),
        ({"mentions": [{"email": "nobody@acme.example"}]}, "NOT_FOUND", ["mentions", "0"]),
        ({"mentions": [{"id": public("User", NOBODY)}]}, "NOT_FOUND", ["mentions", "0"]),
        ({"mentions": [{"email": "a@b.example"}] * 21}, "INVALID", ["mentions"]),
        ({"mentionTeams": [{"name": "Nowhere"}]}, "NOT_FOUND", ["mentionTeams", "0"]),
        ({"mentionTeams": [{"id": public("Team", NOBODY)}]}, "NOT_FOUND", ["mentionTeams", "0"]),
        ({"mentionTeams": [{"name": "Sales"}] * 6}, "INVALID", ["mentionTeams"]),
        (
            {"about": {"campaign": {"id": public("Campaign", NOBODY)}}},
            "NOT_FOUND",
            ["about", "campaign"],
        ),
        ({"about": {"asset": public("ContentAsset", NOBODY)}}, "NOT_FOUND", ["about", "asset"]),
        ({"about": {"handoff": public("Handoff", NOBODY)}}, "NOT_FOUND", ["about", "handoff"]),
        ({"about": {"lead": {"id": public("Lead", NOBODY)}}}, "NOT_FOUND", ["about", "lead"]),
    ],
    ids=str,
)
async def test_a_thread_that_cannot_be_is_refused_and_nothing_is_stored(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    input = {"about": about(await add_mql(world)), "text": "Well.", **change}

    answer = await world.data(START, {"input": input}, as_=world.marketer)

    assert answer["threadStart"] == {"thread": None, "userErrors": [{"code": code, "path": path}]}
    assert await stored(world) == (0, 0, 0)


async def test_a_thread_is_followed_live_and_says_when_the_answer_is_late(world: World) -> None:
    lead = await add_mql(world)
    ask = {"side": "SALES", "within": "PT1H"}
    thread = await start(world, world.marketer, about(lead), asks=ask)
    async with following(world, CHANGED, {"id": thread["id"]}) as stream:
        first = (await stream.next())["data"]["thread"]
        world.wait(hours=1, microseconds=1)
        late = (await stream.after_news())["data"]["thread"]
        await reply(world, world.rep, thread)
        answered = (await stream.after_news())["data"]["thread"]

    asked = [{"text": "Whom did you talk to?"}]
    assert first == {"overdue": False, "messages": {"nodes": asked}}
    assert late == {"overdue": True, "messages": {"nodes": asked}}
    assert answered == {
        "overdue": False,
        "messages": {"nodes": [*asked, {"text": "The founder."}]},
    }
