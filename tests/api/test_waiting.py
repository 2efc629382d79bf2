"""What waits for somebody in the teams' threads."""

from __future__ import annotations

from domain.ids import public
from domain.threads import Mention
from tests.agreements import add_mql
from tests.api.threads.talking import about, reply, start
from tests.following import following
from tests.world import World

WAITING = """subscription { waitingForYou { mentionCount mentions { message { text } }
  questionCount overdueCount questions { ask { text } overdue } nextAt } }"""


async def test_what_waits_for_somebody_is_told_live(world: World) -> None:
    lead = await add_mql(world)
    me = {"id": public("User", world.rep.id)}
    async with following(world, WAITING, as_=world.rep) as stream:
        told = [(await stream.next())["data"]["waitingForYou"]]
        ask = {"side": "SALES", "within": "PT1H"}
        thread = await start(world, world.marketer, about(lead), asks=ask, mentions=[me])
        told.append((await stream.after_news())["data"]["waitingForYou"])
        world.wait(hours=1, microseconds=1)
        told.append((await stream.after_news())["data"]["waitingForYou"])
        await reply(world, world.other_rep, thread, asks={"side": "MARKETING"})
        told.append((await stream.after_news())["data"]["waitingForYou"])

    nothing = {"mentionCount": 0, "mentions": [], "questionCount": 0, "overdueCount": 0}
    asked, text = {"mentionCount": 1, "questionCount": 1}, {"text": "Whom did you talk to?"}
    called, late_at = [{"message": text}], "2026-03-10T13:00:00.000001Z"
    assert told == [
        {**nothing, "questions": [], "nextAt": None},
        {
            **asked,
            "mentions": called,
            "overdueCount": 0,
            "nextAt": late_at,
            "questions": [{"ask": text, "overdue": False}],
        },
        {
            **asked,
            "mentions": called,
            "overdueCount": 1,
            "nextAt": None,
            "questions": [{"ask": text, "overdue": True}],
        },
        {**nothing, "mentionCount": 1, "mentions": called, "questions": [], "nextAt": None},
    ]


async def test_everybody_is_told_what_waits_for_themselves(world: World) -> None:
    """Both may do the same, and ask the same at the same time."""
    lead = await add_mql(world)
    me = {"id": public("User", world.rep.id)}
    await start(world, world.marketer, about(lead), asks={"side": "SALES"}, mentions=[me])
    async with (
        following(world, WAITING, as_=world.rep) as called,
        following(world, WAITING, as_=world.marketer) as calling,
    ):
        told = [(await each.next())["data"]["waitingForYou"] for each in (called, calling)]

    assert [(each["mentionCount"], each["questionCount"]) for each in told] == [(1, 1), (0, 0)]


async def test_who_answers_has_read_where_he_was_called(world: World) -> None:
    lead, other = await add_mql(world), await add_mql(world)
    me = {"id": public("User", world.rep.id)}
    thread = await start(world, world.marketer, about(lead), mentions=[me])
    await start(world, world.marketer, about(other), mentions=[me])

    await reply(world, world.rep, thread)

    async with following(world, WAITING, as_=world.rep) as stream:
        waiting = (await stream.next())["data"]["waitingForYou"]
    assert waiting["mentionCount"] == 1
    async with world.work() as work:
        calls = await work.find(Mention, user_id=world.rep.id)
    # The one that is read gets no letter either.
    assert [call.read_at for call in calls] == [world.now, None]
    assert [call.letter_at is None for call in calls] == [True, False]
