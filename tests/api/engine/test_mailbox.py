import asyncio

import pytest

from api.engine.mailbox import Mailbox


async def test_a_newer_value_takes_the_place_of_an_unread_one():
    mailbox = Mailbox[int]()
    for number in range(1000):
        mailbox.put(number)

    assert await anext(mailbox) == 999


async def test_a_reader_waits_for_news():
    mailbox = Mailbox[int]()
    reading = asyncio.create_task(anext(mailbox))
    await asyncio.sleep(0)
    assert not reading.done()

    mailbox.put(1)

    assert await reading == 1


async def test_what_is_left_is_read_before_the_end():
    mailbox = Mailbox[int]()
    mailbox.put(1)
    mailbox.close()
    mailbox.put(2)

    assert [value async for value in mailbox] == [1]


async def test_an_end_by_failure_is_raised_once_all_is_read():
    mailbox = Mailbox[int]()
    mailbox.put(1)
    mailbox.close(KeyError("why"))
    mailbox.close()

    assert await anext(mailbox) == 1
    with pytest.raises(KeyError, match="why"):
        await anext(mailbox)


async def test_nothing_is_a_value_too():
    mailbox = Mailbox[None]()
    mailbox.put(None)

    assert await anext(mailbox) is None
