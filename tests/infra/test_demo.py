"""The demo: weeks of a made-up company, lived through by the ordinary use cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.campaigns import Campaign, CampaignAsset, CampaignCost
from domain.content import ContentAsset
from domain.customers import Customer, RevenueEvent
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.ports import Work
from domain.ratings import Rating
from domain.scoring import ScoringModel, ScoringModelStatus
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.stages import Side, Stage
from domain.threads import Thread, ThreadMessage
from domain.touches import Touch, TouchKind, Visitor
from infra.accounts import Accounts
from infra.database import Database
from infra.demo import seeding
from infra.demo.actor import pause
from infra.demo.company import Company
from infra.passwords import Passwords
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.passwords import QUICK


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
        await check_campaigns(work)
        await check_words_of_sales(work)
        [model] = await work.find(ScoringModel)
        slas = await work.find(Sla)
        feedback = await work.find(Commitment, kind=CommitmentKind.FEEDBACK)
        assets = {asset.id for asset in await work.find(ContentAsset)}
    assert model.status is ScoringModelStatus.ACTIVE
    assert all(lead.grade is not None for lead in leads.values())
    assert {each.sla_id for each in feedback} == {sla.id for sla in slas}
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
    await check_that_deals_go_on(accounts.database, demo.company, deals)


async def check_that_deals_go_on(
    database: Database, company: Company, deals: Sequence[Opportunity]
) -> None:
    """Whoever looks at the demo sees that revenue comes in: each open deal takes a step."""
    life = await seeding.resumed(database, company, seeding.SEED)
    for _, _, what in list(life.planned):
        await what()

    before = {deal.id: deal.version for deal in deals if deal.status is OpportunityStatus.OPEN}
    assert before
    async with database.work(company.tenant.id, read_only=True) as work:
        after = {deal.id: deal.version for deal in await work.find(Opportunity)}
    assert [deal for deal, version in before.items() if after[deal] == version] == []


def test_a_demo_that_is_left_alone_slows_down() -> None:
    chance = Random(1)
    steps, gone = 0, 0.0
    while gone < timedelta(hours=12).total_seconds():
        gone += pause(steps, chance)
        steps += 1
    assert max(pause(0, chance) for _ in range(100)) < 12
    assert 600 < steps < 800


async def check_campaigns(work: Work) -> None:
    """Every campaign has contents and costs, and the people who named it are its own."""
    campaigns = {campaign.id: campaign for campaign in await work.find(Campaign)}
    codes = {campaign.code for campaign in campaigns.values()}
    assert codes == {"autumn-offer", "founders-series", "monthly-digest", "expo"}
    assert {each.campaign_id for each in await work.find(CampaignAsset)} == campaigns.keys()
    costs = await work.find(CampaignCost)
    assert {cost.campaign_id for cost in costs} == campaigns.keys()
    assert [cost.amount_minor for cost in costs if campaigns[cost.campaign_id].code == "expo"] == [
        465_000
    ]
    for lead in await work.find(Lead):
        if lead.origin_campaign is not None:
            assert lead.campaign_id is not None
            assert campaigns[lead.campaign_id].code == lead.origin_campaign


async def check_words_of_sales(work: Work) -> None:
    """Sales has rated every campaign, and its question was answered in time."""
    rated = [rating.campaign_id for rating in await work.find(Rating) if rating.campaign_id]
    assert set(rated) == {campaign.id for campaign in await work.find(Campaign)}
    [thread] = await work.find(Thread)
    asked, answered = sorted(await work.find(ThreadMessage), key=lambda each: each.sent_at)
    assert (asked.asks, asked.answered_by_id, thread.awaiting) == (
        Side.MARKETING,
        answered.id,
        None,
    )
    assert asked.due_at is not None
    assert answered.sent_at <= asked.due_at
