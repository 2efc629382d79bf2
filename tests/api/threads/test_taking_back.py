"""What was said is changed, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agreements import add_mql
from tests.api.threads.talking import EDIT, RETRACT, THREAD_NOW, about, reply, start
from tests.world import World


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


async def test_what_was_answered_with_a_question_waits_when_that_is_taken_back(
    world: World,
) -> None:
    lead = await add_mql(world)
    thread = await start(
        world, world.marketer, about(lead), asks={"side": "SALES", "within": "PT5H"}
    )
    back = {"text": "Which one?", "asks": {"side": "MARKETING"}}
    said = (await reply(world, world.rep, thread, **back))["thread"]["messages"]["nodes"][1]["id"]

    await world.data(RETRACT, {"input": {"message": said}}, as_=world.rep)

    assert (await world.data(THREAD_NOW, {"id": thread["id"]}))["thread"] == {
        "awaiting": "SALES",
        "dueAt": "2026-03-10T17:00:00Z",
        "ask": {"text": "Whom did you talk to?"},
        "messages": {
            "nodes": [
                {"text": "Whom did you talk to?", "answer": None},
                {"text": "", "answer": None},
            ]
        },
    }


@pytest.mark.parametrize(
    ("meanwhile", "waits_for"),
    [
        # The same side owes two answers: the one that is due first makes it late.
        ({"side": "SALES", "within": "PT5H"}, ("SALES", "2026-03-10T13:00:00Z")),
        # One side at a time: the other one's turn comes when this one has answered.
        ({"side": "MARKETING", "within": "PT5H"}, ("MARKETING", "2026-03-10T17:00:00Z")),
    ],
    ids=["the same side", "the other side"],
)
async def test_what_waits_again_is_not_forgotten_for_what_was_asked_meanwhile(
    world: World, meanwhile: dict[str, str], waits_for: tuple[str, str]
) -> None:
    lead = await add_mql(world)
    first = {"side": "SALES", "within": "PT1H"}
    thread = await start(world, world.marketer, about(lead), asks=first)
    said = (await reply(world, world.rep, thread))["thread"]["messages"]["nodes"][1]["id"]
    await reply(world, world.owner, thread, text="And why?", asks=meanwhile)

    await world.data(RETRACT, {"input": {"message": said}}, as_=world.rep)

    now = (await world.data(THREAD_NOW, {"id": thread["id"]}))["thread"]
    assert (now["awaiting"], now["dueAt"]) == waits_for
    assert [each["answer"] for each in now["messages"]["nodes"]] == [None, None, None]
    later = await reply(world, world.marketer, thread, text="Because.")
    assert (later["thread"]["awaiting"], later["thread"]["dueAt"]) == (
        "SALES",
        "2026-03-10T13:00:00Z",
    )
    last = (await reply(world, world.other_rep, thread, text="The buyer."))["thread"]
    assert last["awaiting"] is None
    assert last["messages"]["nodes"][0]["answer"] == {"text": "The buyer."}
