"""Random lives once more, with all that closes the loop: campaigns, scores, deals, money, words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from domain.campaigns import CampaignKind, create_campaign
from domain.campaigns.planning import CampaignPlan
from domain.customers import Customer, CustomerStatus, RevenueKind, record_revenue, set_status
from domain.duplicates import DuplicateCandidate, dismiss_candidate
from domain.duplicates.scanning import claim_scan, scan_batch, start_scan
from domain.identity import system
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import upsert_leads
from domain.leads import ExternalId
from domain.lifecycle.agreeing import propose_definition, sign_definition
from domain.next_steps import NextStep, finish_next_step, set_next_step
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    OpportunityStatus,
    lose_opportunity,
    open_opportunity,
    win_opportunity,
)
from domain.personas import PersonaDetails, create_persona
from domain.ratings import rate_lead
from domain.scoring import PRESET, activate_model, propose_model, rescore
from domain.stages import Side, Stage
from domain.threads import Asked, Called, Subject, Thread, reply, start_thread
from domain.touch_intake import TouchDetails, Utm, identify_visitor, record_touch
from domain.touches import TouchKind
from domain.values import Money
from tests.api.merging.story import Story

_CODES = ("fair-26", "guide")
_TITLES = ("CEO", "Head of Sales", "student")


class LoopStory(Story):
    """What marketing, sales and buyers do in the closed loop, by the ordinary use cases."""

    async def begin(self) -> None:
        """Agree on scores, personas and campaigns, and on what a lead is called by its grade."""
        world = self.world
        async with world.work() as work:
            actor = world.actor()
            model = await propose_model(work, actor, name="Ours", terms=PRESET)
            await activate_model(work, actor, model.id)
            for code in _CODES:
                plan = CampaignPlan(name=code, kind=CampaignKind.EVENT)
                await create_campaign(work, actor, code=code, plan=plan)
            await create_persona(
                work,
                actor,
                PersonaDetails(name="Carla CEO", criterion={"jobTitle": {"eq": "CEO"}}),
            )
            proposed = await propose_definition(
                work,
                world.actor(world.marketer),
                stage=Stage.LEAD,
                words="By what it does.",
                owner_side=Side.MARKETING,
                criterion={"engagement": {"gte": 20}},
            )
            await sign_definition(work, world.actor(world.rep), proposed.id)

    def steps(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """As ever, and whatever else closes the loop."""
        more = (self.visit, self.visit, self.identify, self.sell, self.sell, self.earn, self.stand)
        talk = (self.say, self.say, self.rate, self.plan, self.plan, self.row)
        return (*super().steps(), *more, *talk, *more, *talk, self.compare)

    async def visit(self) -> None:
        """Somebody's browser, or nobody's yet, is on a page, by a link of a campaign or not."""
        details = TouchDetails(
            kind=self.chance.choice((TouchKind.PAGE_VIEW, TouchKind.FORM, TouchKind.CALL)),
            visitor=self._token(),
            lead=self.chance.choice((None, self._anybody())),
            utm=Utm(campaign=self.chance.choice((*_CODES, None))),
        )
        async with self.world.work() as work:
            await record_touch(work, self.world.actor(), details)

    async def identify(self) -> None:
        async with self.world.work() as work:
            await identify_visitor(work, self.world.actor(), self._token(), self._anybody())

    async def sell(self) -> None:
        """A deal begins, or ends."""
        actor = self.world.actor(self.world.rep)
        async with self.world.work() as work:
            deals = await work.find(Opportunity, status=OpportunityStatus.OPEN)
            if not deals or self.chance.random() < 0.5:
                said = OpportunityDetails(name="Deal", amount=Decimal(1200), currency="EUR")
                await open_opportunity(work, actor, self._anybody(), said)
                return
            deal = self.chance.choice(deals)
            if self.chance.random() < 0.7:
                await win_opportunity(work, actor, deal.id, amount=Money(99_900, "EUR"))
            else:
                await lose_opportunity(work, actor, deal.id, reason="no money")

    async def earn(self) -> None:
        async with self.world.work() as work:
            customers = await work.find(Customer)
            await record_revenue(
                work,
                self.world.actor(),
                customer_id=self.chance.choice(customers).id if customers else None,
                lead=None if customers else self._anybody(),
                kind=self.chance.choice((RevenueKind.EXPANSION, RevenueKind.CHURN)),
                amount=Money(self.chance.choice((5_000, 99_900)), "EUR"),
            )

    async def stand(self) -> None:
        async with self.world.work() as work:
            if customers := await work.find(Customer):
                customer = self.chance.choice(customers)
                status = self.chance.choice(list(CustomerStatus))
                await set_status(work, self.world.actor(), customer.id, status)

    async def say(self) -> None:
        """Start a thread about a lead, or answer one."""
        user = self.chance.choice((self.world.rep, self.world.marketer))
        asks = self.chance.choice((None, Asked(side=Side.SALES), Asked(side=Side.MARKETING)))
        async with self.world.work() as work:
            threads, actor = await work.find(Thread), self.world.actor(user)
            if threads and self.chance.random() < 0.5:
                await reply(work, actor, self.chance.choice(threads).id, text="Yes.", asks=asks)
                return
            subject = Subject(lead_id=self._anybody())
            mentions = Called(users=[self.world.rep.id])
            await start_thread(work, actor, subject, text="?", asks=asks, mentions=mentions)

    async def rate(self) -> None:
        async with self.world.work() as work:
            actor, stars = self.world.actor(self.world.rep), self.chance.choice((1, 3, 5))
            await rate_lead(work, actor, self._anybody(), stars=stars)

    async def plan(self) -> None:
        async with self.world.work() as work:
            actor = self.world.actor(self.world.rep)
            if (steps := await work.find(NextStep, done_at=None)) and self.chance.random() < 0.4:
                await finish_next_step(work, actor, self.chance.choice(steps).id)
                return
            due_at = self.world.now + timedelta(days=self.chance.choice((1, 30, 400)))
            await set_next_step(work, actor, self._anybody(), text="Call.", due_at=due_at)

    async def row(self) -> None:
        """An import brings somebody, known or not."""
        number = self.chance.randrange(6)
        details = LeadDetails(
            external_ids=(ExternalId("crm", str(number)),),
            first_name="Ann",
            last_name=self.chance.choice(("Lee", "Leigh")),
            job_title=self.chance.choice(_TITLES),
            company=NamedCompany(name="Acme", domain="acme.example"),
            origin_campaign=self.chance.choice((*_CODES, None)),
        )
        async with self.world.work() as work:
            [row] = await upsert_leads(work, self.world.actor(), [details])
        if row.lead is not None and row.lead.id not in self.leads:
            self.leads.append(row.lead.id)

    async def compare(self) -> None:
        """Look for duplicates; somebody turns one of the pairs down."""
        actor = system(self.world.tenant.id)
        async with self.world.work() as work:
            await start_scan(work, self.world.actor())
            scan = await claim_scan(work, actor)
        while scan is not None and not scan.status.is_over:
            async with self.world.work() as work:
                scan = await scan_batch(work, actor, scan)
        async with self.world.work() as work:
            pairs = await work.find(DuplicateCandidate)
            if pairs and self.chance.random() < 0.5:
                await dismiss_candidate(work, self.world.actor(), self.chance.choice(pairs).id)

    async def settle(self) -> None:
        """Let everything that follows from something else be as it is from then on."""
        await self.sweep()
        async with self.world.work() as work:
            await rescore(work, self.leads)

    def _token(self) -> str:
        return f"browser-{self.chance.randrange(5)}-{'x' * 16}"
