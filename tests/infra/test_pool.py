from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import asyncpg
import pytest

from domain.errors import OutcomeUnknown, Unavailable
from infra.pool import Pool, TooSlow, open_pool


@pytest.fixture
async def pool(database_urls: Any) -> AsyncIterator[Pool]:
    """One connection."""
    pool = await open_pool(database_urls.app, size=1)
    yield pool
    await pool.close()


@pytest.fixture
async def hasty(database_urls: Any) -> AsyncIterator[Pool]:
    """One connection, and no patience with statements."""
    pool = await open_pool(database_urls.app, size=1, statement_seconds=0.5)
    yield pool
    await pool.close()


async def pid_of(line: Any) -> int:
    found: int = await line.fetchval("SELECT pg_backend_pid()")
    return found


async def test_who_finds_no_connection_soon_is_told(pool: Pool) -> None:
    async with pool.acquire():
        at = monotonic()
        with pytest.raises(Unavailable):
            await take(pool, within=0.1)
    assert monotonic() - at < 30
    assert await pool.fetchval("SELECT 1") == 1


async def take(pool: Pool, *, within: float) -> None:
    async with pool.acquire(timeout=within):
        pass


async def test_while_the_database_is_away_nobody_even_tries(pool: Pool) -> None:
    pool.away = True
    with pytest.raises(Unavailable):
        await pool.fetchval("SELECT 1")
    assert pool.get_size() == 0


async def test_a_slow_statement_is_too_slow_and_its_connection_is_well_again(hasty: Pool) -> None:
    async with hasty.acquire() as line:
        before = line.get_server_pid()
    with pytest.raises(TooSlow):
        await hasty.execute("SELECT pg_sleep(60)")
    async with hasty.acquire() as line:
        assert line.get_server_pid() == before


async def test_what_is_wrong_with_a_statement_is_said_as_it_is(pool: Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await pool.fetch("SELECT * FROM nowhere")


async def test_a_driver_that_is_misused_is_a_bug_and_no_outage(pool: Pool) -> None:
    async def two_at_once() -> None:
        async with pool.acquire() as line:
            await asyncio.gather(line.fetchval("SELECT 1"), line.fetchval("SELECT 2"))

    with pytest.raises(asyncpg.InterfaceError, match="another operation"):
        await two_at_once()


async def test_what_a_block_leaves_open_is_rolled_back(pool: Pool) -> None:
    async def leave() -> None:
        async with pool.acquire() as line:
            await line.execute("BEGIN")
            raise KeyError

    with pytest.raises(KeyError):
        await leave()
    async with pool.acquire() as line:
        assert not line.is_in_transaction()


async def test_a_renewed_pool_has_other_connections(pool: Pool) -> None:
    async with pool.acquire() as line:
        before = await pid_of(line)
    pool.renew()
    async with pool.acquire() as line:
        assert await pid_of(line) != before


async def test_the_server_ends_who_holds_locks_and_says_nothing(pool: Pool) -> None:
    names = ("idle_in_transaction_session_timeout", "client_connection_check_interval")
    assert [await pool.fetchval(f"SHOW {name}") for name in names] == ["10s", "1s"]


def test_an_error_says_what_became_of_the_request() -> None:
    assert (Unavailable().outcome, OutcomeUnknown().outcome) == ("FAILED", "UNKNOWN")
