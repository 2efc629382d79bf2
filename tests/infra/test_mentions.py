"""Letters to those who are called in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain import threads
from domain.identity import Tenant, User, update_user
from domain.ids import public
from domain.letters import LetterKind
from domain.threads import Mention, Subject, Thread
from infra.mail.queue import MailQueue
from tests.agreements import add_mql
from tests.posting import Post, post
from tests.telling import hand_over
from tests.world import World

__all__ = ["post"]

WANT = """mutation($wanted: Boolean!) { mentionLettersSet(input: {wanted: $wanted}) {
  user { mentionLetters } userErrors { code } } }"""


async def call(world: World, *people: User, by: User | None = None, text: str = "Well?") -> Thread:
    """Call people in a new thread about a lead."""
    lead = await add_mql(world, first_name="Ann", last_name="Li")
    async with world.work() as work:
        return await threads.start_thread(
            work,
            world.actor(by or world.marketer),
            Subject(lead_id=lead.id),
            text=text,
            mentions=threads.Called(users=[person.id for person in people]),
        )


async def test_who_is_called_and_does_not_read_it_gets_one_letter(world: World, post: Post) -> None:
    talk = await call(world, world.rep, text="Did they <b>buy</b>\nthe plant?")
    world.wait(minutes=2)
    async with world.work() as work:
        await threads.reply(
            work,
            world.actor(world.owner),
            talk.id,
            text="Yes, did they?",
            mentions=threads.Called(users=[world.rep.id]),
        )
    world.wait(minutes=2)
    await post.mentions().queue_due()
    early = await post.letters(world.rep)
    world.wait(minutes=1)

    await post.mentions().queue_due()
    (letter,) = await post.letters(world.rep)
    world.wait(days=1)
    await post.mentions().queue_due()

    assert early == []
    assert letter.subject == "Mia and Olive asked for you"
    assert letter.text.startswith(
        "About Ann Li:\n\n"
        "- Mia, 10 March, 12:00: Did they <b>buy</b> the plant?\n"
        "- Olive, 10 March, 12:02: Yes, did they?\n\n"
        f"Read and answer:\nhttps://app.example/threads/{public('Thread', talk.id)}\n\n"
    )
    # Also true of whoever is called as one of a team.
    assert "because you were called, by name or with your team, and have not" in letter.text
    assert "Did they &lt;b&gt;buy&lt;/b&gt; the plant?" in letter.html
    assert letter.stop_url in letter.text
    assert await post.letters(world.rep) == []


async def test_nobody_is_written_to_about_what_needs_no_letter(world: World, post: Post) -> None:
    # Who has read it, calls themselves, wants none, has left, or was called by mistake.
    await call(world, world.rep)
    async with world.work() as work:
        (mention,) = await work.find(Mention, user_id=world.rep.id)
        await threads.read_mention(work, world.actor(world.rep), mention.id)
    await call(world, world.marketer)
    quiet = await world.data(WANT, {"wanted": False}, as_=world.analyst)
    await call(world, world.analyst, world.other_rep)
    async with world.work() as work:
        await update_user(work, world.actor(), world.other_rep.id, active=False)
    talk = await call(world, world.owner)
    async with world.work() as work:
        (message,) = await work.find(threads.ThreadMessage, thread_id=talk.id)
        await threads.retract_message(work, world.actor(world.marketer), message.id)
    world.wait(days=1)

    await post.mentions().queue_due()

    everybody = (world.rep, world.marketer, world.analyst, world.other_rep, world.owner)
    assert quiet["mentionLettersSet"] == {"user": {"mentionLetters": False}, "userErrors": []}
    assert await post.letters(*everybody) == []
    async with world.work() as work:
        assert {mention.letter_at for mention in await work.find(Mention)} == {None}


async def test_however_many_workers_there_are_everybody_gets_one_letter(
    world: World, post: Post
) -> None:
    people = (world.rep, world.other_rep, world.analyst, world.owner)
    for _ in range(2):
        await call(world, *people)
    world.wait(minutes=5)

    await asyncio.gather(*(post.mentions().queue_due() for _ in range(4)))

    written = [letter.to for letter in await post.letters(*people)]
    assert sorted(written) == sorted(person.email for person in people)


async def test_a_letter_is_queued_with_what_keeps_that_it_was_or_not_at_all(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call(world, world.rep, world.owner)
    world.wait(minutes=5)
    put = MailQueue.put

    async def dying(self: MailQueue, connection: Any, letter: Any, **more: Any) -> None:
        await put(self, connection, letter, **more)
        if letter.to == world.rep.email:
            raise RuntimeError

    monkeypatch.setattr(MailQueue, "put", dying)
    await post.mentions().queue_due()
    monkeypatch.undo()
    first = await post.letters(world.rep, world.owner)
    await post.mentions().queue_due()

    assert [letter.to for letter in first] == [world.owner.email]
    assert [letter.to for letter in await post.letters(world.rep)] == [world.rep.email]


async def test_a_letter_says_what_the_talk_is_about(world: World, post: Post) -> None:
    handoff = await hand_over(world, first_name="Bo")
    async with world.work() as work:
        tenant = await work.get(Tenant, world.tenant.id)
        await work.save(replace(tenant, time_zone="Europe/Berlin"))
        actor = world.actor(world.marketer)
        about = Subject(handoff_id=handoff.id)
        await threads.start_thread(
            work, actor, about, text="Well?", mentions=threads.Called(users=[world.rep.id])
        )
    world.wait(minutes=5)

    await post.mentions().queue_due()

    (letter,) = await post.letters(world.rep)
    assert letter.text.startswith("About Bo:\n\n- Mia, 10 March, 13:00: Well?\n")


async def test_letters_stop_by_their_link(world: World, post: Post) -> None:
    url = post.stops.address(world.tenant.id, world.rep.id, LetterKind.MENTION, now=world.now)

    await post.stops.stop(url.rpartition("/")[2])
    await call(world, world.rep)
    world.wait(minutes=5)
    await post.mentions().queue_due()

    assert await post.letters(world.rep) == []
