"""What the teams say to each other, whom they call, and who owes an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.content import AssetKind, ContentAsset
from domain.events import ThreadChanged, UserMentioned
from domain.identity import TeamMember, create_team, update_user
from domain.ids import new_id, public
from domain.stages import Side
from domain.threads import Mention, Thread, ThreadMessage, mentioning
from infra.outbox import publish_all
from tests.agreements import add_mql
from tests.following import following
from tests.telling import hand_over
from tests.world import World

# The id of nothing; the same in every process, because names of tests are made from it.
NOBODY = UUID("01890000-0000-7000-8000-000000000000")

THREAD = """thread { id awaiting dueAt overdue about { id } ask { text }
  messages { nodes { id text asks dueAt editedAt retractedAt author { name }
    answer { text } mentions { nodes { user { name } readAt } } } } }
  userErrors { code path }"""
START = f"mutation($input: ThreadStartInput!) {{ threadStart(input: $input) {{ {THREAD} }} }}"
REPLY = f"mutation($input: ThreadReplyInput!) {{ threadReply(input: $input) {{ {THREAD} }} }}"
EDIT = """mutation($input: ThreadMessageEditInput!) { threadMessageEdit(input: $input) {
  threadMessage { text editedAt } userErrors { code path } } }"""
RETRACT = """mutation($input: ThreadMessageRetractInput!) { threadMessageRetract(input: $input) {
  threadMessage { text retractedAt thread { awaiting } } userErrors { code path } } }"""
LIST = """query($awaiting: Side, $overdue: Boolean, $filter: ThreadFilter) {
  threads(awaiting: $awaiting, overdue: $overdue, filter: $filter) { nodes { id } } }"""
CALLS = "{ mentions { nodes { team { name } } } }"
MENTIONS = """query($unread: Boolean) { mentions(unread: $unread) { totalCount nodes {
  id readAt message { text } thread { id } } } }"""
READ = """mutation($input: MentionReadInput!) { mentionRead(input: $input) {
  mention { readAt } userErrors { code path } } }"""
CHANGED = """subscription($thread: ID!) { threadChanged(thread: $thread) {
  overdue messages { nodes { text } } } }"""


def about(lead: Any) -> dict[str, Any]:
    return {"lead": {"id": public("Lead", lead.id)}}


async def start(world: World, user: Any, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Begin a thread, which must not be refused."""
    input = {"about": subject, "text": "Whom did you talk to?", **more}
    answer = await world.data(START, {"input": input}, as_=user)
    assert answer["threadStart"]["userErrors"] == []
    thread: dict[str, Any] = answer["threadStart"]["thread"]
    return thread


async def reply(world: World, user: Any, thread: Any, **more: Any) -> dict[str, Any]:
    input = {"thread": thread["id"], "text": "The founder.", **more}
    payload: dict[str, Any] = (await world.data(REPLY, {"input": input}, as_=user))["threadReply"]
    return payload


async def listed(world: World, **variables: Any) -> list[str]:
    nodes = (await world.data(LIST, variables))["threads"]["nodes"]
    return [node["id"] for node in nodes]


async def stored(world: World) -> tuple[int, int, int]:
    async with world.work() as work:
        kinds = (Thread, ThreadMessage, Mention)
        return tuple([len(await work.find(kind)) for kind in kinds])  # type: ignore[return-value]  # three


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
    # The first question is due first, whatever is asked meanwhile.
    assert again["thread"]["dueAt"] == "2026-03-11T12:00:00Z"


async def test_who_answers_for_both_sides_does_not_answer_himself(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        member = TeamMember(
            id=new_id(), team_id=world.sales.id, user_id=world.owner.id, created_at=world.now
        )
        await work.add(member)
    thread = await start(world, world.owner, about(lead), asks={"side": "SALES"})

    mine = await reply(world, world.owner, thread)
    theirs = await reply(world, world.rep, thread)

    assert mine["thread"]["awaiting"] == "SALES"
    assert theirs["thread"]["awaiting"] is None


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


async def test_what_one_said_can_be_changed_and_taken_back_by_oneself(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(world, world.marketer, about(lead), asks={"side": "SALES"})
    message = thread["messages"]["nodes"][0]["id"]
    world.wait(minutes=5)
    edit = {"input": {"message": message, "text": "Whom did you reach?"}}

    foreign = await world.data(EDIT, edit, as_=world.rep)
    edited = await world.data(EDIT, edit, as_=world.marketer)
    gone = await world.data(RETRACT, {"input": {"message": message}}, as_=world.marketer)
    again = await world.data(EDIT, edit, as_=world.marketer)

    def refused(code: str) -> dict[str, Any]:
        return {"threadMessage": None, "userErrors": [{"code": code, "path": ["message"]}]}

    assert foreign["threadMessageEdit"] == refused("NOT_YOUR_MESSAGE")
    assert edited["threadMessageEdit"]["threadMessage"] == {
        "text": "Whom did you reach?",
        "editedAt": "2026-03-10T12:05:00Z",
    }
    # A question that was taken back needs no answer.
    assert gone["threadMessageRetract"]["threadMessage"] == {
        "text": "",
        "retractedAt": "2026-03-10T12:05:00Z",
        "thread": {"awaiting": None},
    }
    assert again["threadMessageEdit"] == refused("MESSAGE_RETRACTED")


async def test_the_next_question_waits_when_the_first_is_taken_back(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(
        world, world.marketer, about(lead), asks={"side": "SALES", "within": "PT1H"}
    )
    more = {"text": "And what with?", "asks": {"side": "SALES", "within": "PT3H"}}
    await reply(world, world.marketer, thread, **more)
    message = thread["messages"]["nodes"][0]["id"]

    await world.data(RETRACT, {"input": {"message": message}}, as_=world.marketer)

    answer = await world.data(
        "query($id: ID!) { thread(id: $id) { awaiting dueAt ask { text } } }", {"id": thread["id"]}
    )
    assert answer["thread"] == {
        "awaiting": "SALES",
        "dueAt": "2026-03-10T15:00:00Z",
        "ask": {"text": "And what with?"},
    }


THREAD_NOW = """query($id: ID!) { thread(id: $id) { awaiting dueAt ask { text }
  messages { nodes { text answer { text } } } } }"""


async def test_what_was_answered_waits_again_when_the_answer_is_taken_back(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(
        world, world.marketer, about(lead), asks={"side": "SALES", "within": "PT1H"}
    )
    world.wait(minutes=5)
    said = (await reply(world, world.rep, thread))["thread"]["messages"]["nodes"][1]["id"]
    world.wait(minutes=5)

    await world.data(RETRACT, {"input": {"message": said}}, as_=world.rep)

    waiting = (await world.data(THREAD_NOW, {"id": thread["id"]}))["thread"]
    assert (waiting["awaiting"], waiting["dueAt"]) == ("SALES", "2026-03-10T13:00:00Z")
    assert waiting["ask"] == {"text": "Whom did you talk to?"}
    assert [each["answer"] for each in waiting["messages"]["nodes"]] == [None, None]
    answered = await reply(world, world.other_rep, thread, text="The buyer.")
    assert answered["thread"]["awaiting"] is None


async def test_who_else_answered_stands_in_for_an_answer_that_is_taken_back(world: World) -> None:
    lead = await add_mql(world)
    thread = await start(world, world.marketer, about(lead), asks={"side": "SALES"})
    said = (await reply(world, world.rep, thread))["thread"]["messages"]["nodes"][1]["id"]
    world.wait(minutes=1)
    await reply(world, world.marketer, thread, text="Thanks.")
    await reply(world, world.other_rep, thread, text="The buyer.")

    await world.data(RETRACT, {"input": {"message": said}}, as_=world.rep)

    now = (await world.data(THREAD_NOW, {"id": thread["id"]}))["thread"]
    assert now["awaiting"] is None
    assert now["messages"]["nodes"][0]["answer"] == {"text": "The buyer."}


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
            {"about": {"campaign": public("Campaign", NOBODY)}},
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
    async with following(world, CHANGED, {"thread": thread["id"]}) as stream:
        first = (await stream.next())["data"]["threadChanged"]
        world.wait(hours=1, microseconds=1)
        late = (await stream.after_news())["data"]["threadChanged"]
        await reply(world, world.rep, thread)
        answered = (await stream.after_news())["data"]["threadChanged"]

    asked = [{"text": "Whom did you talk to?"}]
    assert first == {"overdue": False, "messages": {"nodes": asked}}
    assert late == {"overdue": True, "messages": {"nodes": asked}}
    assert answered == {
        "overdue": False,
        "messages": {"nodes": [*asked, {"text": "The founder."}]},
    }
