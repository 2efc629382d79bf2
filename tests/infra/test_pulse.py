"""The line on which it is felt whether the database answers."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from infra.pulse import Pulse


async def test_a_pulse_that_is_stopped_as_its_line_opens_hangs_it_up(
    database_urls: Any, monkeypatch: Any
) -> None:
    opened: list[asyncpg.Connection] = []
    pulse = Pulse(database_urls.app, ())
    connect = asyncpg.connect

    async def connect_and_be_stopped(*where: Any, **how: Any) -> asyncpg.Connection:
        opened.append(await connect(*where, **how))
        assert pulse._task is not None
        pulse._task.cancel()
        return opened[-1]

    monkeypatch.setattr(asyncpg, "connect", connect_and_be_stopped)
    pulse.start()
    assert pulse._task is not None
    await asyncio.wait({pulse._task})
    await pulse.stop()

    assert [line.is_closed() for line in opened] == [True]
