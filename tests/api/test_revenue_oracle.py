"""Revenue, told through the API around awkward instants, against a plain recount of what was told.

Deals are won, put right, moved and reopened, and revenue comes and goes, at the ends of months and
where summer time begins, in tenants whose money has no decimals, two or three.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.identity import Tenant
from tests.api.dealing import accepted_lead
from tests.api.test_exchange import set_rate
from tests.api.test_opportunities import CREATE, LOSE, REOPEN, UPDATE, WIN, ref
from tests.api.test_revenue_figures import DELETE, FIGURES, RECORD
from tests.world import World

VALUES = """{ customers(first: 100) { nodes { lead { id } value {
  total { amount } current { amount } churn { amount } } } } }"""
SALES = """{ salesFigures(sinceOn: "2026-01-01") { wonCount wonAmount { amount } lostCount } }"""
FORECAST = """query($input: PipelineForecastInput!) { pipelineForecast(input: $input) {
  total { wonCount wonAmount { amount } lostCount lostAmount { amount } } } }"""
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3, "USD": 2}
# What one unit buys of the tenant's, from a day on.
RATES = {
    "EUR": {"JPY": "0.00613", "KWD": "3.0077", "USD": "0.9137"},
    "JPY": {"EUR": "163.17", "KWD": "490.8", "USD": "149.055"},
    "KWD": {"EUR": "0.33251", "JPY": "0.002037", "USD": "0.30705"},
}
RATE_DAYS = {date(2026, 1, 1): Decimal(1), date(2026, 3, 1): Decimal("1.07"),
             date(2026, 3, 29): Decimal("0.93"), date(2026, 4, 1): Decimal("1.013")}  # fmt: skip
MONTHS = (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1))


@dataclass
class Told:
    """What was told and not refused: deals by id, and revenue by id."""

    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    revenue: dict[str, dict[str, Any]] = field(default_factory=dict)

    def moves(self) -> list[dict[str, Any]]:
        """Return what came and went, each with its lead, kind, units, currency and instant."""
        won = [each for each in self.deals.values() if each["status"] == "WON"]
        return [*({**each, "kind": "DEAL"} for each in won), *self.revenue.values()]


class Teller:
    """Somebody who tells through the API what chance brings."""

    def __init__(self, world: World, zone: str, currency: str, seed: int) -> None:
        self.world, self.zone, self.currency = world, ZoneInfo(zone), currency
        self.chance = random.Random(seed)  # a story, not a secret
        self.told = Told()

    async def begin(self) -> None:
        self.world.at(self._local(date(2026, 1, 5)))
        async with self.world.work() as work:
            tenant = await work.get(Tenant, self.world.tenant.id)
            await work.save(replace(tenant, time_zone=self.zone.key, currency=self.currency))
        self.leads = [await accepted_lead(self.world) for _ in range(4)]
        for currency, rate in RATES[self.currency].items():
            for starts_on, more in RATE_DAYS.items():
                told = f"{Decimal(rate) * more:f}"
                await set_rate(self.world, currency, told, starts_on.isoformat())

    def _local(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def instants(self) -> list[datetime]:
        """Return instants on either side of midnights at which days, months and rates begin."""
        days = (*MONTHS, date(2026, 3, 8), date(2026, 3, 29), date(2026, 3, 31), date(2026, 5, 1))
        sides = (timedelta(seconds=-1), timedelta(0), timedelta(hours=2, minutes=31))
        return sorted(self._local(day).astimezone(UTC) + side for day in days for side in sides)

    async def go_on(self) -> None:
        for at in self.instants():
            self.world.at(at)
            for _ in range(2):
                acts = (self.win, self.win, self.amend, self.move, self.reopen, self.lose,
                        self.earn, self.earn, self.earn, self.forget)  # fmt: skip
                await self.chance.choice(acts)()

    async def _ask(self, document: str, **input: Any) -> Any:
        """Return the thing that was told, None if it was refused."""
        data = await self.world.data(document, {"input": input}, as_=self.world.rep)
        (answer,) = data.values()
        thing = next(value for name, value in answer.items() if name != "userErrors")
        assert (thing is None) == bool(answer["userErrors"])
        return thing

    def _amount(self) -> dict[str, str]:
        currency = self.chance.choice(list(DIGITS))
        minor = self.chance.choice((1, 999, self.chance.randrange(1, 10**7)))
        return {"amount": str(Decimal(minor).scaleb(-DIGITS[currency])), "currency": currency}

    def _deal(self, *statuses: str) -> str | None:
        ids = [id for id, each in self.told.deals.items() if each["status"] in statuses]
        return self.chance.choice(ids) if ids else None

    async def win(self) -> None:
        lead, amount = self.chance.choice(self.leads), self._amount()
        id = self._deal("OPEN")
        if id is None:
            made = await self._ask(CREATE, lead=ref(lead), name="Deal", amount=amount)
            id = made["id"]
            self.told.deals[id] = {"lead": ref(lead)["id"], "status": "OPEN", **amount}
        if await self._ask(WIN, opportunity={"id": id}, amount=amount):
            self.told.deals[id] |= {"status": "WON", "at": self.world.now, **amount}

    async def lose(self) -> None:
        id = self._deal("OPEN")
        if id and await self._ask(LOSE, opportunity={"id": id}, reason="Dear."):
            self.told.deals[id] |= {"status": "LOST", "at": self.world.now}

    async def amend(self) -> None:
        id, amount = self._deal("WON"), self._amount()
        if id and await self._ask(UPDATE, opportunity={"id": id}, amount=amount):
            self.told.deals[id] |= amount

    async def move(self) -> None:
        id = self._deal("WON", "LOST")
        at = self.chance.choice([each for each in self.instants() if each <= self.world.now])
        told = at.isoformat().replace("+00:00", "Z")
        if id and await self._ask(UPDATE, opportunity={"id": id}, closedAt=told):
            self.told.deals[id] |= {"at": at}

    async def reopen(self) -> None:
        id = self._deal("WON", "LOST")
        if id and await self._ask(REOPEN, opportunity={"id": id}, reason="A mistake."):
            self.told.deals[id] |= {"status": "OPEN"}

    async def earn(self) -> None:
        lead, amount = ref(self.chance.choice(self.leads)), self._amount()
        kind = self.chance.choice(("NEW", "EXPANSION", "RENEWAL", "CHURN", "CHURN"))
        made = await self._ask(RECORD, customer={"lead": lead}, kind=kind, amount=amount)
        if made:
            revenue = {"lead": lead["id"], "kind": kind, "at": self.world.now, **amount}
            self.told.revenue[made["id"]] = revenue

    async def forget(self) -> None:
        if self.told.revenue:
            id = self.chance.choice(list(self.told.revenue))
            data = await self.world.data(DELETE, {"id": id}, as_=self.world.rep)
            if not data["revenueDelete"]["userErrors"]:
                del self.told.revenue[id]


class Recount:
    """The same once more in fractions, from what was told."""

    def __init__(self, teller: Teller) -> None:
        self.teller, self.moves = teller, teller.told.moves()

    def day(self, each: Mapping[str, Any]) -> date:
        return each["at"].astimezone(self.teller.zone).date()

    def minor(self, each: Mapping[str, Any]) -> int:
        """Return what something is worth by the rate of its day, half away from nought."""
        units, own = Fraction(each["amount"]), self.teller.currency
        if each["currency"] != own:
            more = next(m for d, m in reversed(RATE_DAYS.items()) if d <= self.day(each))
            units *= Fraction(RATES[own][each["currency"]]) * Fraction(more)
        return (units * 10 ** DIGITS[own] + Fraction(1, 2)).__floor__()

    def total(self, *kinds: str, fits: Callable[[Any], bool]) -> int:
        return sum(self.minor(e) for e in self.moves if e["kind"] in kinds and fits(e))

    def standing(self, fits: Callable[[Any], bool]) -> int:
        came = self.total("DEAL", "NEW", "EXPANSION", fits=fits)
        return came - self.total("CHURN", fits=fits)

    def has_left(self, lead: str, fits: Callable[[Any], bool]) -> bool:
        """Say whether nothing is left of all that somebody brought in one currency."""
        moves = [each for each in self.moves if each["lead"] == lead and fits(each)]
        signs = {"CHURN": -1, "RENEWAL": 0}
        own = sum(Decimal(each["amount"]) * signs.get(each["kind"], 1) for each in moves)
        return len({each["currency"] for each in moves}) == 1 and own <= 0

    def figures(self, first: date, end: date) -> dict[str, Any]:
        def before(each: Any) -> bool:
            return self.day(each) < first

        def within(each: Any) -> bool:
            return first <= self.day(each) < end

        had = kept = more = 0
        for lead in {each["lead"] for each in self.moves}:
            stood = self.standing(lambda e, lead=lead: before(e) and e["lead"] == lead)
            if stood > 0 and not self.has_left(lead, before):
                gone = self.total(
                    "CHURN", fits=lambda e, lead=lead: within(e) and e["lead"] == lead
                )
                came = self.standing(lambda e, lead=lead: within(e) and e["lead"] == lead)
                had += stood
                kept += max(stood - gone, 0)
                more += max(stood + came, 0)
        opening = self.standing(before)
        return {
            "opening": opening,
            "bought": self.total("DEAL", "NEW", "EXPANSION", fits=within),
            "renewal": self.total("RENEWAL", fits=within),
            "churn": self.total("CHURN", fits=within),
            "closing": opening + self.standing(within),
            "grossRetentionRate": share(kept, had),
            "netRetentionRate": share(more, had),
        }


def share(part: int, whole: int) -> str | None:
    if whole <= 0:
        return None
    return str(Decimal((Fraction(part, whole) * 10_000 + Fraction(1, 2)).__floor__()).scaleb(-4))


def minor(amount: Mapping[str, str], currency: str) -> int:
    return int(Decimal(amount["amount"]).scaleb(DIGITS[currency]))


async def shown(world: World, first: date, currency: str) -> dict[str, Any]:
    period = {"kind": "MONTH", "startsOn": first.isoformat()}
    found = (await world.data(FIGURES, {"period": period}))["revenueFigures"]
    units = {name: minor(each, currency) for name, each in found.items() if isinstance(each, dict)}
    return {
        "opening": units["opening"],
        "bought": units["new"] + units["expansion"],
        "renewal": units["renewal"],
        "churn": units["churn"],
        "closing": units["closing"],
        "grossRetentionRate": found["grossRetentionRate"],
        "netRetentionRate": found["netRetentionRate"],
    }


@pytest.mark.parametrize(
    ("zone", "currency", "seed"),
    [("America/St_Johns", "JPY", 11), ("Pacific/Apia", "KWD", 10)],
)
async def test_what_was_told_adds_up(world: World, zone: str, currency: str, seed: int) -> None:
    teller = Teller(world, zone, currency, seed)
    await teller.begin()
    await teller.go_on()
    recount = Recount(teller)

    for first in MONTHS:
        end = (first + timedelta(days=31)).replace(day=1)
        assert await shown(world, first, currency) == recount.figures(first, end), first
        forecast = await world.data(
            FORECAST, {"input": {"period": {"kind": "MONTH", "startsOn": first.isoformat()}}}
        )
        total = forecast["pipelineForecast"]["total"]
        deals = teller.told.deals.values()
        closed = [d for d in deals if d["status"] != "OPEN" and first <= recount.day(d) < end]
        for status, name in (("WON", "won"), ("LOST", "lost")):
            ended = [deal for deal in closed if deal["status"] == status]
            assert (total[f"{name}Count"], minor(total[f"{name}Amount"], currency)) == (
                len(ended),
                sum(map(recount.minor, ended)),
            ), first
    won = [deal for deal in teller.told.deals.values() if deal["status"] == "WON"]
    sales = (await world.data(SALES))["salesFigures"]
    assert (sales["wonCount"], minor(sales["wonAmount"], currency)) == (
        len(won),
        sum(map(recount.minor, won)),
    )
    customers = (await world.data(VALUES))["customers"]["nodes"]
    assert {
        each["lead"]["id"]: minor(each["value"]["current"], currency) for each in customers
    } == {
        lead: recount.standing(lambda e, lead=lead: e["lead"] == lead)
        for lead in {each["lead"] for each in recount.moves}
    }
