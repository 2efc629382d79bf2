"""Several processes that share buckets over the real table, under one injected clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.cost_buckets import Account, CostBuckets, Quota
from infra.cost_buckets.bucket import MICRO
from infra.database import Database
from infra.edge_limits import EdgeLimits
from tests.infra.cost_buckets.test_bucket import assert_within
from tests.world import NOON, World

LIMITS = EdgeLimits(tenant_cost=1_000, bearer_cost=600, address_cost=100)


@dataclass
class Processes:
    """Some processes of the service, and a clock that all of them and the database go by."""

    database: Database
    clock: dict[str, datetime]
    world: World
    limits: EdgeLimits = LIMITS
    running: dict[str, CostBuckets] = field(default_factory=dict)

    def buckets(self, name: str = "a") -> CostBuckets:
        if name not in self.running:
            self.running[name] = CostBuckets(self.database, self.limits, monotonic=self.monotonic)
        return self.running[name]

    def monotonic(self) -> float:
        return (self.clock["now"] - NOON).total_seconds()

    def wait(self, seconds: float) -> None:
        self.clock["now"] += timedelta(seconds=seconds)

    def account(self, name: str = "a", *, bearer: Any = None) -> Account:
        bearer = bearer or self.world.rep
        return self.buckets(name).of_bearer(self.world.tenant.id, bearer.id, kind="user")


@pytest.fixture
def processes(database: Database, clock: dict[str, datetime], world: World) -> Processes:
    return Processes(database, clock, world)


def told(account: Account) -> list[tuple[str, int, int, int]]:
    return [(each.name, each.quota, each.remaining, each.wait) for each in account.allowances]


async def test_bearer_and_tenant_pay_and_are_told_what_is_left(processes: Processes) -> None:
    account = processes.account()

    assert await account.pay(100) is None
    assert told(account) == [("tenant", 1_000, 900, 1), ("user", 600, 500, 1)]

    processes.wait(30)
    assert told(account) == [("tenant", 1_000, 1_000, 0), ("user", 600, 600, 0)]


async def test_an_empty_bucket_says_when_it_can_be_paid_and_then_it_can(
    processes: Processes,
) -> None:
    account = processes.account()
    assert await account.pay(600) is None

    assert await account.pay(50) == 5
    assert told(account) == [("tenant", 1_000, 400, 1), ("user", 600, 0, 5)]
    assert account.wait() == 5

    processes.wait(5)
    assert account.wait() is None
    assert await account.pay(50) is None


async def test_who_cannot_pay_one_bucket_pays_none(processes: Processes) -> None:
    await processes.account(bearer=processes.world.owner).pay(600)
    await processes.account(bearer=processes.world.marketer).pay(390)
    account = processes.account()

    assert await account.pay(50) == 3
    assert told(account)[1] == ("user", 600, 600, 0)


async def test_a_document_above_the_quota_takes_a_full_bucket(processes: Processes) -> None:
    account = processes.account()
    assert await account.pay(5_000) is None
    assert await account.pay(1) is not None


async def test_what_one_process_spends_is_missing_in_the_others(processes: Processes) -> None:
    for name in "abc":
        assert await processes.account(name).pay(200) is None

    assert [await processes.account(name).pay(200) for name in "abcd"] == [20] * 4


async def test_what_one_process_holds_idly_comes_back_when_the_bucket_is_low(
    processes: Processes,
) -> None:
    await processes.account("a").pay(500)
    await processes.account("b").pay(1)  # and holds 29 more, for ten seconds
    assert await processes.account("a").pay(90) is not None

    processes.wait(2.5)
    await processes.buckets("b").tidy()

    assert await processes.account("a").pay(90) is None


async def test_whoever_stops_gives_back_what_others_lack(processes: Processes) -> None:
    await processes.account("a").pay(560)
    await processes.account("b").pay(10)
    assert await processes.account("a").pay(25) is not None

    await processes.buckets("b").aclose()
    processes.wait(1)

    assert await processes.account("a").pay(25) is None


async def test_purses_that_nobody_uses_are_forgotten(processes: Processes) -> None:
    await processes.account().pay(1)
    assert len(processes.buckets()) == 2

    processes.wait(61)
    await processes.buckets().tidy()

    assert len(processes.buckets()) == 0


async def test_a_tenants_own_quota_takes_the_place_of_the_usual_one(processes: Processes) -> None:
    await set_quota(processes, 50)
    account = processes.account()

    assert await account.pay(40) is None
    assert told(account)[0] == ("tenant", 50, 10, 1)
    assert await account.pay(40) == 36


async def set_quota(processes: Processes, quota: int) -> None:
    tenant = processes.world.tenant
    await processes.database.platform.execute(
        "INSERT INTO directory (slug, tenant_id, name, placement, cost_quota)"
        " VALUES ($1, $2, 'x', 'local', $3)"
        " ON CONFLICT (slug) DO UPDATE SET cost_quota = $3",
        tenant.slug,
        tenant.id,
        quota,
    )


async def test_nothing_is_bounded_where_the_setting_is_zero(processes: Processes) -> None:
    processes.limits = replace(LIMITS, tenant_cost=0, bearer_cost=0, address_cost=0)

    assert processes.account().purses == []
    assert not processes.buckets().of_address("192.0.2.1").purses


async def test_an_address_pays_out_of_a_bucket_of_its_process(processes: Processes) -> None:
    here, there = processes.buckets("a"), processes.buckets("b")

    assert await here.of_address("192.0.2.1").pay(100) is None
    assert await here.of_address("192.0.2.1").pay(10) == 6
    assert await here.of_address("192.0.2.2").pay(10) is None
    assert await there.of_address("192.0.2.1").pay(10) is None


class Away:
    """A pool whose server is away."""

    def acquire(self, **_: Any) -> Any:
        raise ConnectionRefusedError


async def test_while_the_ledger_is_away_each_process_goes_by_a_bucket_of_its_own(
    processes: Processes, database: Database
) -> None:
    account, there = processes.account(), database.platform
    await account.pay(100)
    database.platform = Away()  # type: ignore[assignment]  # as far as it is asked
    try:
        assert await account.pay(500) is None
        assert await account.pay(500) is not None
    finally:
        database.platform = there
    processes.wait(60)
    assert await account.pay(500) is None


@pytest.mark.parametrize("seed", range(6))
async def test_however_many_processes_spend_they_spend_no_more_than_there_was(
    processes: Processes, seed: int
) -> None:
    """Some of them crash, some tidy up, and the clock goes on at its own pace."""
    chance = random.Random(seed)
    pace = chance.choice([0.05, 1, 4])
    spent: dict[str, list[tuple[datetime, int]]] = {"user": [], "tenant": []}
    for _ in range(250):
        processes.wait(chance.random() * pace)
        name = chance.choice("abcd")
        match chance.random():
            case luck if luck < 0.02:
                processes.running.pop(name, None)
            case luck if luck < 0.06:
                await processes.buckets(name).tidy()
            case _:
                cost = chance.choice([1, 5, 20, 60])
                bearer = chance.choice([processes.world.rep, processes.world.owner])
                if await processes.account(name, bearer=bearer).pay(cost) is None:
                    spent["tenant"].append((processes.clock["now"], cost))
                    if bearer is processes.world.rep:
                        spent["user"].append((processes.clock["now"], cost))

    assert_within(Quota(cost=LIMITS.tenant_cost), spent["tenant"])
    assert_within(Quota(cost=LIMITS.bearer_cost), spent["user"])


async def test_leases_lose_little_of_what_there_is(processes: Processes) -> None:
    """Four processes want twice what flows in, for two minutes: they get nearly all of it."""
    begun, spent = processes.clock["now"], 0
    while processes.clock["now"] - begun < timedelta(minutes=2):
        for name in "abcd":
            if await processes.account(name).pay(5) is None:
                spent += 5
        processes.wait(1)

    quota = Quota(cost=LIMITS.bearer_cost)
    there_was = quota.cost + quota.inflow(processes.clock["now"] - begun) // MICRO
    assert 0.93 * there_was <= spent <= there_was
