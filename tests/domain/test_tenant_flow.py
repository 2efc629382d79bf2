"""What a tenant's move to another time zone means for what is planned by its clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.digests import DigestFrequency, DigestSubscription
from domain.errors import PermissionDenied
from domain.identity import Tenant
from domain.ids import new_id
from domain.prediction import PredictionSchedule
from domain.tenant_flow import update_tenant
from tests.domain.identity.building_people import ADMIN, NOON, TENANT, YESTERDAY
from tests.fakes import FakeWork


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def a_move(time_zone: str, next_at: datetime, trained_at: datetime) -> FakeWork:
    subscription = DigestSubscription(
        id=new_id(),
        user_id=new_id(),
        frequency=DigestFrequency.WEEKLY,
        subscribed_at=YESTERDAY,
        since=YESTERDAY,
        next_at=next_at,
    )
    tenant = Tenant(
        id=TENANT,
        slug="acme",
        name="Acme",
        time_zone=time_zone,
        currency="EUR",
        created_at=YESTERDAY,
    )
    schedule = PredictionSchedule(id=TENANT, next_at=trained_at)
    work = FakeWork(NOON, tenant, subscription, schedule)
    work.tenant_id = TENANT
    return work


async def planned(work: FakeWork) -> tuple[datetime, datetime]:
    (subscription,) = await work.find(DigestSubscription)
    (schedule,) = await work.find(PredictionSchedule)
    return subscription.next_at, schedule.next_at


NEW_YORK = ("America/New_York", at(3, 16, 12), at(4, 1, 4))
KATHMANDU = ("Asia/Kathmandu", at(3, 16, 2, 15), at(3, 31, 18, 15))


@pytest.mark.parametrize(("old", "new"), [(NEW_YORK, KATHMANDU), (KATHMANDU, NEW_YORK)])
async def test_what_is_planned_comes_on_the_same_day_by_the_new_clocks(
    old: tuple[str, datetime, datetime], new: tuple[str, datetime, datetime]
) -> None:
    work = a_move(*old)

    tenant = await update_tenant(work, ADMIN, time_zone=new[0])

    assert tenant.time_zone == new[0]
    assert await planned(work) == new[1:]


async def test_what_is_planned_stays_where_the_tenant_does() -> None:
    work = a_move(*NEW_YORK)
    before = {*await work.find(DigestSubscription), *await work.find(PredictionSchedule)}

    await update_tenant(work, ADMIN, name="Initech", time_zone="America/New_York")

    assert {*await work.find(DigestSubscription), *await work.find(PredictionSchedule)} == before


async def test_who_may_not_move_a_tenant_moves_nothing() -> None:
    work = a_move(*NEW_YORK)

    with pytest.raises(PermissionDenied):
        await update_tenant(work, replace(ADMIN, permissions=frozenset()), time_zone=KATHMANDU[0])

    assert await planned(work) == NEW_YORK[1:]
