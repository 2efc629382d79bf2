"""Tenants made by chance: buyers who meet us, buy, turn out to be one person, all by use cases."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.attribution import AnchorShare, CreditSpread, TouchAnchor, create_model
from domain.campaigns import (
    CampaignPlan,
    CostDetails,
    archive_campaign,
    campaign_of,
    create_campaign,
    upsert_costs,
)
from domain.content import AssetKind, ContentAsset
from domain.errors import DomainError
from domain.exchange import set_rate
from domain.ids import new_id
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead, update_lead
from domain.leads import Agency, Lead
from domain.lifecycle import StageEntry
from domain.merging import LeadMerge, merge_leads, unmerge_leads
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    OpportunityStatus,
    lose_opportunity,
    open_opportunity,
    reopen_opportunity,
    update_opportunity,
    win_opportunity,
)
from domain.personas import Persona
from domain.stages import Stage
from domain.touch_intake import TouchDetails, Utm, record_touches
from domain.touches import Channel, TouchKind
from domain.values import minor_digits
from tests.deals import a_pipeline
from tests.world import World

# A tenant of New York, whose days begin at four or five in the morning.
ZONE = "America/New_York"
CURRENCIES = {"EUR": None, "USD": "0.9137", "JPY": "0.00611", "KWD": "3.0071"}
SOURCES = ("fair", "organic", None)
COUNTRIES = ("IE", "DE", None)
_CODES = ("spring", "autumn", "late", "unknown")
_HALF = Decimal("0.5")


class Life:
    """What happens in a tenant, one thing after the other, as chance has it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)  # a story, not a secret
        self.done: Counter[str] = Counter()
        self.assets: list[UUID] = []

    async def begin(self) -> None:
        """Give the tenant its zone, rates, contents, personas and the first campaigns."""
        await a_pipeline(self.world)
        now = self.world.now
        assets = [
            ContentAsset(id=new_id(), title=title, kind=AssetKind.ARTICLE, created_at=now)
            for title in ("Guide", "Film")
        ]
        personas = [
            Persona(
                id=new_id(), name=country, job_title="", goals=(), challenges=(),
                buying_questions=(), criterion={"country": {"eq": country}}, rank=rank, number=1,
                created_at=now,
            )
            for rank, country in enumerate(COUNTRIES[:2], start=1)
        ]  # fmt: skip
        async with self.world.work() as work:
            await work.save(replace(self.world.tenant, time_zone=ZONE))
            await work.add_all([*assets, *personas])
            for currency, rate in CURRENCIES.items():
                if rate is not None:
                    for days, more in ((400, "0"), (20, "0.001")):
                        await set_rate(
                            work,
                            self.world.actor(),
                            currency=currency,
                            rate=Decimal(rate) + Decimal(more),
                            starts_on=(now - timedelta(days=days)).date(),
                        )
        self.assets = [asset.id for asset in assets]
        for code in _CODES[:2]:
            await self._campaign(code)

    async def go_on(self, number: int) -> None:
        """Let so many things happen."""
        names = [
            *("come", "meet", "meet", "meet", "open", "win", "lose", "reopen", "amend"),
            *("advance", "spend", "merge", "unmerge", "become", "answer", "rename"),
        ]
        for place in range(number):
            if place == number // 2:
                await self._later()
            name = names[place] if place < len(names) else self.chance.choice(names)
            self.done[name] += bool(await getattr(self, name)())

    async def _later(self) -> None:
        """A campaign that was spoken of before, a model of one's own, and one put away."""
        await self._campaign("late")
        anchors = (
            AnchorShare(TouchAnchor.CLOSE, _HALF),
            AnchorShare(TouchAnchor.LEAD_CREATION, Decimal("0.2")),
        )
        async with self.world.work() as work:
            await create_model(
                work,
                self.world.actor(),
                name="Ours",
                anchors=anchors,
                rest_share=Decimal("0.3"),
                spread=CreditSpread.DECAY,
                half_life_days=3,
                skips_direct=True,
            )
            spring = await campaign_of(work, "spring")
            await archive_campaign(work, self.world.actor(), spring.id)

    async def _campaign(self, code: str) -> None:
        async with self.world.work() as work:
            await create_campaign(
                work, self.world.actor(), code=code, plan=CampaignPlan(name=code.capitalize())
            )

    def _ago(self, most: int = 70) -> datetime:
        return self.world.now - timedelta(minutes=self.chance.randrange(1, most * 24 * 60))

    async def _any(self, kind: type, **equals: Any) -> Any:
        async with self.world.work() as work:
            found = await work.find(kind, **equals)
        return self.chance.choice(found) if found else None

    async def _try(self, act: Any) -> bool:
        """Do something that may be refused; then nothing has happened."""
        try:
            async with self.world.work() as work:
                await act(work)
        except DomainError:
            return False
        return True

    async def come(self) -> bool:
        """Two leads come, who may say from where."""
        async with self.world.work() as work:
            for _ in range(2):
                details = LeadDetails(
                    email=f"{new_id().hex[-12:]}@example.com",
                    origin_source=self.chance.choice(SOURCES),
                    origin_campaign=self.chance.choice((*_CODES, None, None)),
                    country=self.chance.choice(COUNTRIES),
                    created_at=self._ago(),
                )
                await create_lead(work, self.world.actor(), details)
        return True

    async def meet(self) -> bool:
        """Leads and visitors meet us, now or long ago, and some of them say who they are."""
        async with self.world.work() as work:
            leads = await work.find(Lead)
            rows = [self._touch(leads) for _ in range(self.chance.randrange(1, 7))]
            outcomes = await record_touches(work, self.world.actor(), rows)
        return all(outcome.touch is not None for outcome in outcomes)

    def _touch(self, leads: Any) -> TouchDetails:
        lead = self.chance.choice(leads).id
        token = f"visitor-of-chance-{self.chance.randrange(3)}"
        whose = self.chance.choice(
            [*[{"lead": lead}] * 6, {"visitor": token}, {"lead": lead, "visitor": token}]
        )
        kind = TouchKind.FORM if "visitor" in whose else self.chance.choice(list(TouchKind))
        return TouchDetails(
            kind=kind,
            agency=self.chance.choice([Agency.HUMAN, Agency.HUMAN, Agency.AUTOMATIC]),
            channel=self.chance.choice([Channel.DIRECT, Channel.DIRECT, Channel.EMAIL, None]),
            occurred_at=self.chance.choice([self._ago(), self._ago().replace(second=0, minute=0)]),
            utm=Utm(campaign=self.chance.choice((*_CODES, None))),
            asset=self.chance.choice((*self.assets, None)),
            **whose,
        )

    async def open(self) -> bool:
        """Deals are opened, most of them with an amount."""
        opened = [await self._open() for _ in range(3)]
        return any(opened)

    async def _open(self) -> bool:
        lead = await self._any(Lead)
        amount = self.chance.choice([None, 0, 1, 7, 1000, 99_999, 12_345_678])
        details = OpportunityDetails(
            name="Deal",
            opened_at=self._ago(40),
            **_amount(amount, self.chance.choice(list(CURRENCIES))),
        )
        return await self._try(
            lambda work: open_opportunity(
                work, self.world.actor(), lead.id, details, as_history=True
            )
        )

    async def win(self) -> bool:
        deal = await self._any(Opportunity, status=OpportunityStatus.OPEN)
        return deal is not None and await self._try(
            lambda work: win_opportunity(
                work, self.world.actor(), deal.id, at=self._after(deal.opened_at)
            )
        )

    async def lose(self) -> bool:
        deal = await self._any(Opportunity, status=OpportunityStatus.OPEN)
        if deal is None or self.chance.random() < 0.5:
            return False
        return await self._try(
            lambda work: lose_opportunity(work, self.world.actor(), deal.id, reason="Dear")
        )

    async def reopen(self) -> bool:
        deal = await self._any(Opportunity, status=OpportunityStatus.LOST)
        return deal is not None and await self._try(
            lambda work: reopen_opportunity(work, self.world.actor(), deal.id)
        )

    async def amend(self) -> bool:
        """A deal turns out to be worth something else, perhaps in another currency."""
        deal = await self._any(Opportunity)
        details = OpportunityDetails(
            **_amount(self.chance.randrange(10**6), self.chance.choice(list(CURRENCIES)))
        )
        return deal is not None and await self._try(
            lambda work: update_opportunity(work, self.world.actor(), deal.id, details)
        )

    async def advance(self) -> bool:
        """A lead enters a stage, ahead or behind, as an import would tell it.

        Or it stands in one, and nobody says how it came there.
        """
        lead = await self._any(Lead)
        stage = self.chance.choice(list(Stage))
        at = self._after(lead.created_at)
        async with self.world.work() as work:
            if self.chance.random() < 0.4:
                await work.save(replace(lead, stage=stage, stage_entered_at=at))
                return True
            await work.add(
                StageEntry(
                    id=new_id(), lead_id=lead.id, stage=stage, previous=lead.stage,
                    entered_at=at, recorded_at=self.world.now,
                )
            )  # fmt: skip
        return True

    async def spend(self) -> bool:
        """Campaigns cost something, in whatever money."""
        currency = self.chance.choice(list(CURRENCIES))
        rows = [
            CostDetails(
                campaign=self.chance.choice(_CODES[:2]),
                on=self._ago().date(),
                amount=_units(self.chance.randrange(100_000), currency),
                currency=currency,
            )
            for _ in range(2)
        ]
        async with self.world.work() as work:
            await upsert_costs(work, self.world.actor(), rows)
        return True

    async def merge(self) -> bool:
        one, other = await self._any(Lead), await self._any(Lead)
        return one.id != other.id and await self._try(
            lambda work: merge_leads(work, self.world.actor(), one.id, [other.id])
        )

    async def unmerge(self) -> bool:
        merge = await self._any(LeadMerge, undone_at=None)
        return (
            merge is not None
            and self.chance.random() < 0.6
            and await self._try(lambda work: unmerge_leads(work, self.world.actor(), merge.id))
        )

    async def become(self) -> bool:
        """Somebody turns out to be from elsewhere, and so another persona."""
        lead = await self._any(Lead)
        details = LeadDetails(country=self.chance.choice(COUNTRIES))
        return await self._try(lambda work: update_lead(work, self.world.actor(), lead.id, details))

    async def answer(self) -> bool:
        """Somebody says of a lead from where it came after all."""
        lead = await self._any(Lead)
        details = LeadDetails(
            origin_campaign=self.chance.choice((*_CODES, None)),
            origin_source=self.chance.choice(SOURCES),
        )
        return await self._try(lambda work: update_lead(work, self.world.actor(), lead.id, details))

    async def rename(self) -> bool:
        """Something about a lead changes that has nothing to do with any of this."""
        lead = await self._any(Lead)
        return await self._try(
            lambda work: update_lead(
                work, self.world.actor(), lead.id, LeadDetails(first_name="Ann")
            )
        )

    def _after(self, at: datetime) -> datetime:
        """Return an instant since another, often that one itself."""
        since = int((self.world.now - at).total_seconds())
        return at + timedelta(seconds=self.chance.choice([0, self.chance.randrange(since + 1)]))


def _units(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


def _amount(minor: int | None, currency: str) -> dict[str, Any]:
    return {} if minor is None else {"amount": _units(minor, currency), "currency": currency}
