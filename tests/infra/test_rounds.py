"""What waits in several tenants is done in rounds, and one tenant's trouble is no other's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Unavailable
from infra.attribution import AttributionKeeper
from infra.database import Database
from infra.duplicates import DuplicateFinder
from infra.personas import PersonaAssigner
from infra.rounds import in_rounds
from tests.world import World

NOBODY = "SELECT tenant_id FROM duplicate_scans WHERE false"
ANN, BOB, CID = (UUID(int=number) for number in (1, 2, 3))


async def test_a_round_is_a_step_for_each_until_none_has_more_to_do() -> None:
    left, steps = {ANN: 3, BOB: 1, CID: 2}, []

    async def step(tenant_id: UUID) -> bool:
        steps.append(tenant_id)
        left[tenant_id] -= 1
        return left[tenant_id] > 0

    await in_rounds(left, step, work="score leads")

    assert steps == [ANN, BOB, CID, ANN, CID, ANN]


async def test_what_fails_for_one_is_left_for_later_and_done_for_the_others() -> None:
    steps = []

    async def step(tenant_id: UUID) -> bool:
        steps.append(tenant_id)
        if tenant_id == ANN:
            raise RuntimeError("a bad tenant")
        return len(steps) < 4

    await in_rounds([ANN, BOB, CID], step, work="score leads")

    assert steps == [ANN, BOB, CID, BOB, CID]


async def test_without_a_database_there_is_no_round() -> None:
    steps = []

    async def step(tenant_id: UUID) -> bool:
        steps.append(tenant_id)
        raise Unavailable

    with pytest.raises(Unavailable):
        await in_rounds([ANN, BOB], step, work="score leads")

    assert steps == [ANN]


def assigning(database: Database) -> Callable[[], Any]:
    return PersonaAssigner(database).assign_all


def attributing(database: Database) -> Callable[[], Any]:
    return AttributionKeeper(database).catch_up


def comparing(database: Database) -> Callable[[], Any]:
    return DuplicateFinder(database).find_all


@pytest.mark.parametrize(
    ("looking", "waiting", "rule"),
    [
        (assigning, "personas._TENANTS", "personas.assign_leads"),
        (attributing, "attribution._WAITING", "attribution._BATCHES"),
        (comparing, "duplicates._CHANGED", "duplicates.compare_changed"),
    ],
    ids=["assigning", "attributing", "comparing"],
)
async def test_a_bad_tenant_keeps_nobody_waiting(
    world: World, other_world: World, monkeypatch: pytest.MonkeyPatch, looking, waiting, rule
) -> None:
    looked: list[UUID] = []

    async def look(work: Any, actor: Any) -> bool:
        looked.append(work.tenant_id)
        if work.tenant_id == world.tenant.id:
            raise RuntimeError("a bad tenant")
        return False

    both = f"VALUES ('{world.tenant.id}'::uuid), ('{other_world.tenant.id}'::uuid)"
    by_action = looking is attributing
    monkeypatch.setattr(f"infra.{waiting}", {"look": both} if by_action else both)
    monkeypatch.setattr(f"infra.{rule}", {"look": look} if by_action else look)
    # What others have left to scan or to merge is theirs.
    monkeypatch.setattr("infra.duplicates._SCANS", f"{NOBODY} AND $1::timestamptz IS NULL")
    monkeypatch.setattr("infra.duplicates._CERTAIN", NOBODY)
    await looking(world.database)()

    assert looked == [world.tenant.id, other_world.tenant.id]
