"""The demo: weeks of a made-up company, lived through by the ordinary use cases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import Parameters
from argon2.low_level import Type

from domain.content import ContentAsset
from domain.customers import Customer, RevenueEvent
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.stages import Stage
from domain.touches import Touch, TouchKind, Visitor
from infra.accounts import Accounts
from infra.database import Database
from infra.demo import seeding
from infra.passwords import Passwords
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens

QUICK = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=64, parallelism=1
)


@pytest.fixture
def accounts(database: Database) -> Any:
    passwords = Passwords(QUICK)
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    yield Accounts(database, passwords, tokens, "http://demo.test")
    passwords.close()


async def test_a_few_people_a_day_become_a_company_with_a_closed_loop(
    accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "A_DAY", 1.5)
    monkeypatch.setattr(seeding, "_SWEEP_EVERY", timedelta(hours=6))
    told: list[str] = []
    demo = await seeding.prepare(accounts, tmp_path / "demo.json", told.append)
    again = await seeding.prepare(accounts, tmp_path / "demo.json", told.append)

    assert again == demo
    assert len(told) == 1
    async with accounts.database.work(demo.company.tenant.id, read_only=True) as work:
        leads = {lead.id: lead for lead in await work.find(Lead)}
        touches, visitors = await work.find(Touch), await work.find(Visitor)
        deals = await work.find(Opportunity)
        customers, revenue = await work.find(Customer), await work.find(RevenueEvent)
        assets = {asset.id for asset in await work.find(ContentAsset)}
    # Everybody came through the form, and brought along what the browser did before.
    forms = Counter(touch.lead_id for touch in touches if touch.kind is TouchKind.FORM)
    assert forms == dict.fromkeys(leads, 1)
    assert {visitor.lead_id for visitor in visitors} == set(leads)
    assert all(touch.lead_id is not None for touch in touches)
    assert {touch.asset_id for touch in touches} - {None} <= assets
    # What was won is what came in.
    won = [deal for deal in deals if deal.status is OpportunityStatus.WON]
    assert won
    assert sorted(each.amount_minor for each in revenue) == sorted(
        deal.amount_minor or 0 for deal in won
    )
    assert {customer.lead_id for customer in customers} == {deal.lead_id for deal in won}
    assert {leads[customer.lead_id].stage for customer in customers} == {Stage.CUSTOMER}
    assert all(deal.handoff_id is not None for deal in deals)
