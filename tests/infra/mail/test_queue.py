"""The queue over PostgreSQL: sealed, in the transaction of its cause, one taker at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.errors import Invalid
from infra.mail.letters import Letter
from infra.mail.queue import LEASE, MOST_TRIES, MailQueue, ResetWanted, wait_after
from tests.world import NOON

LETTER = Letter(to="ivy@acme.example", subject="Join", text="smi_secret", html="<p>smi_secret</p>")
HOUR = timedelta(hours=1)


async def put(queue, database, errand=LETTER, **more):
    async with database.platform.acquire() as connection:
        now = await database.now()
        await queue.put(connection, errand, **{"at": now, "expires_at": now + HOUR, **more})


async def stored(database):
    return [tuple(row) for row in await database.platform.fetch("SELECT * FROM mails")]


@pytest.mark.parametrize("errand", [LETTER, ResetWanted(email="ivy@acme.example")])
async def test_what_is_put_in_is_taken_out(queue, database, errand):
    await put(queue, database, errand)

    (taken,) = await queue.take(10)

    assert taken.errand == errand
    assert (taken.tries, taken.created_at, taken.expires_at) == (1, NOON, NOON + HOUR)


async def test_nothing_of_a_letter_can_be_read_in_the_database(queue, database):
    await put(queue, database, once_for="ivy@acme.example")

    assert "ivy" not in repr(await stored(database))
    assert "smi_secret" not in repr(await stored(database))


async def test_a_letter_leaves_only_if_its_cause_is_committed(queue, database, world):
    async def write(*, fault):
        async with world.work() as work:
            await queue.put(work.connection, LETTER, at=NOON, expires_at=NOON + HOUR)
            await work.connection.execute(f"SELECT 1 / {int(not fault)}")

    with pytest.raises(Invalid):
        await write(fault=True)
    assert await stored(database) == []

    await write(fault=False)
    assert len(await queue.take(10)) == 1


async def test_two_takers_never_have_the_same_letter(queue, database):
    for _ in range(6):
        await put(queue, database)

    taken = await asyncio.gather(*(queue.take(2) for _ in range(4)))

    ids = [each.id for batch in taken for each in batch]
    assert len(ids) == len(set(ids)) == 6


async def test_who_waits_longest_is_taken_first(queue, database):
    minutes = [7, 2, 9, 4, 0, 8, 3, 6, 1, 5]
    for each in minutes:
        errand = ResetWanted(email=f"{each}@acme.example")
        await put(queue, database, errand, at=NOON - timedelta(minutes=each))

    taken = [*await queue.take(4), *await queue.take(10)]

    assert [each.errand.email for each in taken] == [
        f"{each}@acme.example" for each in sorted(minutes, reverse=True)
    ]


async def test_what_a_process_left_behind_is_taken_up_after_the_lease(queue, database, clock):
    await put(queue, database)
    (first,) = await queue.take(1)
    assert await queue.take(1) == []

    clock["now"] += LEASE
    (second,) = await queue.take(1)

    assert (second.id, second.tries) == (first.id, 2)


async def test_who_wakes_up_after_the_lease_changes_nothing(queue, database, clock):
    await put(queue, database)
    (late,) = await queue.take(1)
    clock["now"] += LEASE
    await queue.take(1)
    before = await stored(database)

    await queue.done(late)
    await queue.again(late)

    assert await stored(database) == before


async def test_what_is_done_is_erased(queue, database):
    await put(queue, database)
    (taken,) = await queue.take(1)

    await queue.done(taken)

    assert await stored(database) == []


async def test_what_is_put_back_waits(queue, database, clock):
    await put(queue, database)
    (taken,) = await queue.take(1)

    again_at = await queue.again(taken)

    assert NOON + timedelta(seconds=7.5) <= again_at <= NOON + timedelta(seconds=15)
    clock["now"] = again_at - timedelta(microseconds=1)
    assert await queue.take(1) == []
    clock["now"] = again_at
    assert [each.tries for each in await queue.take(1)] == [2]


async def test_what_was_tried_too_often_is_erased(queue, database, clock):
    await put(queue, database, expires_at=NOON + timedelta(days=9))
    for tries in range(1, MOST_TRIES + 1):
        (taken,) = await queue.take(1)
        assert taken.tries == tries
        again_at = await queue.again(taken)
        clock["now"] += HOUR

    assert again_at is None
    assert await stored(database) == []


async def test_what_would_come_too_late_is_erased(queue, database):
    await put(queue, database, expires_at=NOON + timedelta(seconds=7))
    (taken,) = await queue.take(1)

    assert await queue.again(taken) is None
    assert await stored(database) == []


async def test_about_one_thing_only_one_letter_waits(queue, database):
    for email in ("ivy@acme.example", "ivy@acme.example", "bo@acme.example"):
        await put(queue, database, ResetWanted(email=email), once_for=email)

    found = {each.errand.email for each in await queue.take(10)}

    assert found == {"ivy@acme.example", "bo@acme.example"}
    assert len(await stored(database)) == 2


async def test_another_secret_opens_nothing(queue, database):
    await put(queue, database)

    (taken,) = await MailQueue(database, b"another secret, just as long as it").take(1)

    assert taken.errand is None


async def test_a_sealed_letter_cannot_take_anothers_place(queue, database):
    await put(queue, database)
    await put(queue, database, ResetWanted(email="bo@acme.example"))
    await database.platform.execute("""
        UPDATE mails SET sealed = other.sealed FROM mails other WHERE other.id <> mails.id
    """)

    assert [each.errand for each in await queue.take(2)] == [None, None]


@pytest.mark.parametrize(
    ("tries", "chance", "seconds"),
    [(1, 0, 7.5), (1, 1, 15), (2, 1, 30), (5, 0, 120), (9, 1, 3600), (9, 0, 1800), (500, 1, 3600)],
)
def test_each_wait_is_twice_the_last_up_to_an_hour(tries, chance, seconds):
    assert wait_after(tries, chance) == timedelta(seconds=seconds)
