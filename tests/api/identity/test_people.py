"""Letting people in and changing who they are, and the tenant itself."""

import asyncio
from dataclasses import replace

import pytest

from domain.identity import Role, Tenant, User
from domain.ids import new_id
from tests.api.identity.asking import (
    UPDATE,
    UPDATE_TENANT,
    everything,
    refused,
    stored,
    user_id,
)

# Users


async def test_a_users_name_and_role_change(world):
    answer = await world.data(
        UPDATE, {"input": {"user": user_id(world.other_rep), "name": "Rita R", "role": "ADMIN"}}
    )

    assert answer["userUpdate"] == {
        "user": {
            "id": user_id(world.other_rep),
            "name": "Rita R",
            "role": "ADMIN",
            "active": True,
            "version": 2,
        },
        "userErrors": [],
    }


async def test_an_admin_makes_no_owner(company):
    async with company.work() as work:
        admin = User(
            id=new_id(),
            account_id=new_id(),
            email="admin@acme.example",
            name="Adam",
            role=Role.ADMIN,
            created_at=company.now,
        )
        await work.add(admin)
    before = await everything(company)

    made = await company.data(
        UPDATE, {"input": {"user": user_id(admin), "role": "OWNER"}}, as_=admin
    )
    unmade = await company.data(
        UPDATE, {"input": {"user": user_id(company.owner), "active": False}}, as_=admin
    )

    for answer in (made, unmade):
        assert answer["userUpdate"] == {"user": None, "userErrors": refused("OWNERS_ONLY", "role")}
    assert await everything(company) == before


async def test_the_last_owner_stays(world):
    before = await everything(world)

    answer = await world.data(UPDATE, {"input": {"user": user_id(world.owner), "role": "MEMBER"}})

    assert answer["userUpdate"] == {"user": None, "userErrors": refused("LAST_OWNER", "user")}
    assert await everything(world) == before


async def test_of_two_owners_who_leave_at_once_one_stays(world):
    await world.data(UPDATE, {"input": {"user": user_id(world.rep), "role": "OWNER"}})

    second = replace(world.rep, role=Role.OWNER)

    answers = await asyncio.gather(
        *(
            world.data(UPDATE, {"input": {"user": user_id(user), "active": False}}, as_=user)
            for user in (world.owner, second)
        )
    )

    codes = [[e["code"] for e in answer["userUpdate"]["userErrors"]] for answer in answers]
    assert sorted(codes) == [[], ["LAST_OWNER"]]
    assert len(await stored(world, User, role=Role.OWNER, active=True)) == 1


# The tenant

SUBSCRIBE = """mutation { digestSubscriptionStart(input: {frequency: DAILY}) {
  userErrors { code } } }"""


async def test_the_tenant_changes_what_is_named(company):
    await company.data(SUBSCRIBE)
    answer = await company.data(
        UPDATE_TENANT, {"input": {"name": "Acme & Daughters", "timeZone": "Asia/Tokyo"}}
    )

    assert answer["tenantUpdate"] == {
        "tenant": {"name": "Acme & Daughters", "timeZone": "Asia/Tokyo", "currency": "EUR"},
        "userErrors": [],
    }
    # Its people are written to by its new clocks.
    digest = await company.data("{ digestSubscription { nextAt } }")
    assert digest == {"digestSubscription": {"nextAt": "2026-03-10T23:00:00Z"}}


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"name": ""}, refused("INVALID", "name")),
        ({"name": "n" * 201}, refused("INVALID", "name")),
        ({"name": "n\x00"}, refused("INVALID", "name")),
        ({"currency": "ZZZ"}, refused("UNKNOWN_CURRENCY", "currency")),
    ],
)
async def test_a_tenant_that_cannot_be_stays_as_it_was(company, change, errors):
    answer = await company.data(UPDATE_TENANT, {"input": change})

    assert answer["tenantUpdate"] == {"tenant": None, "userErrors": errors}
    assert await stored(company, Tenant) == [company.tenant]


@pytest.mark.parametrize("zone", ["Mars/Base", "europe/dublin", "", "../etc/passwd", "a\x00"])
async def test_a_time_zone_that_does_not_exist_is_refused(company, zone):
    answer = await company.ask(UPDATE_TENANT, {"input": {"timeZone": zone}})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert await stored(company, Tenant) == [company.tenant]
