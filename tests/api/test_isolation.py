"""The API as an attacker sees it: what belongs to another tenant does not exist."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.engine import OperationFailed
from domain.ids import PREFIXES, new_id, public
from infra.database import Database
from infra.passwords import Passwords
from tests.api.meanings import ANYTHING, MEANT
from tests.api.scene import Scene, make_scene
from tests.api.walking import CALLS, Call, Slot, masked
from tests.following import following
from tests.passwords import QUICK
from tests.world import NOON, World

# Whatever takes an id: the field, and the places in its arguments that do.
TAKERS = {call: [s for s in call.slots() if s.type == "ID"] for call in CALLS}
TAKERS = {call: slots for call, slots in TAKERS.items() if slots}
# What is reached in another way than by its id.
NO_NODES = {"EvidenceRow", "Figures", "Leak", "Photo", "Upload"}
# A feed tells what happens from now on, so at first any id is answered by silence; what a filter
# by id lets through is followed in test_feed.py.
FEEDS = {"clockTransitions"}


def is_stored(slot: Slot) -> bool:
    """Say whether an id goes into a criterion that is kept.

    It may speak of what is not there, or not any more: such a criterion just never matches.
    """
    return slot.root == "mutation" and slot.is_in_filter


@pytest.fixture(scope="module")
async def scenes(session_database: Database) -> AsyncIterator[tuple[Scene, Scene]]:
    """Two tenants with one of everything each; nothing that is refused changes them."""
    passwords, clock = Passwords(QUICK), {"now": NOON}
    database = Database(session_database.app, session_database.platform, clock=lambda: clock["now"])
    yield await make_scene(database, clock, passwords), await make_scene(database, clock, passwords)
    passwords.close()


async def told(scene: Scene, call: Call, variables: dict[str, Any], *, rehearsed: bool) -> str:
    """Return the whole answer, or the first event, with its ids numbered."""
    document = call.document(variables)
    if rehearsed:
        return masked(json.dumps((await scene.rehearse(document, variables))[0]))
    if call.root != "subscription":
        return masked(json.dumps(await scene.ask(document, variables)))
    async with following(scene.world, document, variables) as stream:
        answer = asyncio.ensure_future(stream.next())
        try:
            await asyncio.wait_for(_answered_or_waiting(scene.world, answer), 60)
            return masked(json.dumps(answer.result())) if answer.done() else "silence"
        except OperationFailed as failure:
            return masked(json.dumps(failure.errors))
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)


async def _answered_or_waiting(world: World, answer: asyncio.Future[Any]) -> None:
    """Return when a stream has told something, or waits for news, having found nothing to tell."""
    watches = world.services.hub._watches
    while not answer.done():
        waiting = [watch._event._waiters for watch in watches.get(world.tenant.id, ())]
        # What it had found before it waits is on its way, and arrives within some turns.
        for _ in range(20 if any(waiting) else 0):
            await asyncio.sleep(0)
        if any(waiting):
            return
        await asyncio.sleep(0.001)


def kinds_of(slot: Slot) -> list[str]:
    return [slot.kind] if slot.kind else sorted(PREFIXES)


@pytest.mark.parametrize("call", TAKERS, ids=str)
async def test_anothers_id_is_answered_like_one_that_never_was(
    scenes: tuple[Scene, Scene], call: Call
) -> None:
    ours, theirs = scenes
    before = await ours.fingerprint(), await theirs.fingerprint()
    leaks = []
    for slot in TAKERS[call]:
        for kind in kinds_of(slot):
            foreign, unknown = [
                await told(
                    ours,
                    call,
                    call.variables(ours, {slot.path: id}),
                    rehearsed=is_stored(slot),
                )
                for id in (theirs.of(kind, call.name, slot.name, MEANT), public(kind, new_id()))
            ]
            if foreign != unknown or "INTERNAL_SERVER_ERROR" in foreign:
                leaks.append((str(slot), kind, foreign, unknown))

    assert leaks == []
    assert (await ours.fingerprint(), await theirs.fingerprint()) == before


@pytest.mark.parametrize("call", TAKERS, ids=str)
async def test_ones_own_id_is_answered_otherwise(scenes: tuple[Scene, Scene], call: Call) -> None:
    """Else the id would be refused, or passed over, before anybody looks for the thing."""
    ours, _ = scenes
    overlooked = []
    for slot in TAKERS[call]:
        for kind in () if is_stored(slot) else kinds_of(slot):
            own, unknown = [
                await told(
                    ours,
                    call,
                    call.variables(ours, {slot.path: id}),
                    rehearsed=call.root == "mutation",
                )
                for id in (ours.of(kind, call.name, slot.name, MEANT), public(kind, new_id()))
            ]
            if own == unknown and kind not in NO_NODES and call.name not in FEEDS:
                overlooked.append((str(slot), kind, own))

    assert overlooked == []


@pytest.mark.parametrize("call", TAKERS, ids=str)
async def test_an_id_of_another_kind_is_refused_by_name(
    scenes: tuple[Scene, Scene], call: Call
) -> None:
    ours, _ = scenes
    taken = []
    for slot in TAKERS[call]:
        if slot.kind is None or slot.name in ANYTHING:
            continue
        variables = call.variables(ours, {slot.path: ours.names["Photo"]})
        answer = await told(ours, call, variables, rehearsed=call.root == "mutation")
        named = f"xpected a {PREFIXES[slot.kind]} id, got a photo id"
        # A persona's criterion knows fewer fields.
        if named not in answer and "criterion has no field" not in answer:
            taken.append((str(slot), answer))

    assert taken == []
