from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.ids import new_id
from infra.database import Database
from infra.idempotency import (
    BATCH,
    LIFE,
    AnswerCleaner,
    AnswerWithheld,
    Asked,
    KeptAnswers,
    KeyInUse,
    KeyReused,
)
from tests.world import NOON, World

SECRET = b"s" * 32
ANSWER = b'{"data":{"apiKeyCreate":{"secret":"smk_shown_once"}}}'
KEEPER = KeptAnswers(SECRET)


def asked(
    world: World,
    *,
    may: str = "read write",
    key: str = "key-1",
    request: bytes = b"request",
    keeper: KeptAnswers = KEEPER,
) -> Asked:
    return keeper.asked(
        tenant_id=world.tenant.id,
        client_id=world.owner.id,
        may=may.split(),
        key=key,
        request=request,
    )


async def claim(world: World, what: Asked, keeper: KeptAnswers = KEEPER) -> bytes | None:
    async with world.work() as work:
        return await keeper.claim(work, what)


async def keep(world: World, what: Asked, answer: bytes = ANSWER) -> None:
    async with world.work() as work:
        assert await KEEPER.claim(work, what) is None
        await KEEPER.keep(work, what, answer)


async def rows(world: World) -> list[Any]:
    async with world.work() as work:
        return list(await work.connection.fetch("SELECT * FROM idempotency_keys"))


async def test_an_answer_is_kept_for_a_day_to_the_second(world: World) -> None:
    await keep(world, asked(world))

    world.at(NOON + LIFE - timedelta(seconds=1))
    kept = await claim(world, asked(world))
    world.at(NOON + LIFE)
    forgotten = await claim(world, asked(world))

    assert (kept, forgotten) == (ANSWER, None)


async def test_an_answer_that_is_too_old_gives_way_to_the_next(world: World) -> None:
    await keep(world, asked(world))
    world.at(NOON + LIFE)

    await keep(world, asked(world, request=b"another"), b"later")

    assert await claim(world, asked(world, request=b"another")) == b"later"
    assert len(await rows(world)) == 1


async def test_a_key_is_good_for_one_request(world: World) -> None:
    await keep(world, asked(world))

    with pytest.raises(KeyReused):
        await claim(world, asked(world, request=b"another"))

    assert await claim(world, asked(world, key="key-2", request=b"another")) is None


async def test_what_one_client_chose_is_no_concern_of_another(
    world: World, other_world: World
) -> None:
    await keep(world, asked(world))

    assert await claim(world, replace(asked(world), client_id=world.rep.id)) is None
    assert await claim(other_world, asked(other_world)) is None


@pytest.mark.parametrize("may", ["", "read", "read invite"])
async def test_who_may_do_less_by_now_is_not_shown_the_answer(world: World, may: str) -> None:
    await keep(world, asked(world))

    with pytest.raises(AnswerWithheld):
        await claim(world, asked(world, may=may))

    assert await claim(world, asked(world, may="read write invite")) == ANSWER


async def test_only_one_at_a_time_has_the_claim(world: World) -> None:
    async with world.work() as work:
        assert await KEEPER.claim(work, asked(world)) is None
        with pytest.raises(KeyInUse):
            await claim(world, asked(world))
        assert await claim(world, asked(world, key="key-2")) is None

    assert await claim(world, asked(world)) is None


async def test_a_claim_ends_with_its_transaction(world: World) -> None:
    """A process that is killed leaves nothing behind that somebody would have to clean up."""

    async def fail() -> None:
        async with world.work() as work:
            await KEEPER.claim(work, asked(world))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await claim(world, asked(world)) is None


async def test_of_two_that_were_both_let_through_one_is_kept(world: World) -> None:
    """As on two nodes of Citus, whose locks do not know each other."""

    async def unclaimed(answer: bytes) -> None:
        async with world.work() as work:
            await KEEPER.keep(work, asked(world), answer)

    results = await asyncio.gather(unclaimed(b"one"), unclaimed(b"two"), return_exceptions=True)

    assert sorted(type(result) for result in results if result) == [KeyInUse]
    assert await claim(world, asked(world)) in (b"one", b"two")
    assert len(await rows(world)) == 1


async def test_what_is_stored_tells_nothing(world: World) -> None:
    await keep(world, asked(world, key="ann@acme.example", request=b"password"))

    (row,) = await rows(world)
    content = repr(tuple(row))

    for secret in ("smk_shown_once", "apiKeyCreate", "ann@acme.example", "password"):
        assert secret not in content
    assert row["client_id"] == world.owner.id


async def test_an_answer_cannot_be_passed_off_as_that_of_another_key(world: World) -> None:
    await keep(world, asked(world))
    await keep(world, asked(world, key="key-2"))
    async with world.work() as work:
        await work.connection.execute(
            "UPDATE idempotency_keys SET answer = (SELECT answer FROM idempotency_keys"
            " WHERE digest = $1)",
            asked(world).digest,
        )

    assert await claim(world, asked(world)) == ANSWER
    with pytest.raises(KeyReused):
        await claim(world, asked(world, key="key-2"))


async def test_under_another_secret_a_used_key_stays_used(world: World) -> None:
    """Run again, the request would have its effect twice."""
    await keep(world, asked(world))
    other = KeptAnswers(b"t" * 32)

    with pytest.raises(KeyReused):
        await claim(world, asked(world, keeper=other), other)


async def test_what_is_too_old_is_removed_of_every_tenant_however_much_it_is(
    session_database: Database, world: World, other_world: World, clock: dict[str, Any]
) -> None:
    async with world.work() as work:
        await work.connection.execute(
            "INSERT INTO idempotency_keys"
            " SELECT $1, $2, i::text, 'f', 'a', $3 FROM generate_series(1, $4) i",
            world.tenant.id,
            new_id(),
            NOON,
            BATCH * 2 + 1,
        )
    await keep(other_world, asked(other_world))
    world.wait(seconds=1)
    await keep(other_world, asked(other_world, key="key-2"))
    world.at(NOON + LIFE)

    removed = await AnswerCleaner(world.database).clean()

    assert removed >= BATCH * 2 + 2
    assert await rows(world) == []
    assert [row["digest"] for row in await rows(other_world)] == [
        asked(other_world, key="key-2").digest
    ]
