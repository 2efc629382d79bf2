"""Living through the weeks before now, so that the demo has a history that the product made."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from domain.duplicates.scanning import start_scan
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Role, Team, Tenant, User
from domain.opportunities import Opportunity, OpportunityStatus, in_use, pipeline
from domain.ports import first
from domain.sla.agreement import Sla, start_of_day
from domain.sla.calendar import WorkingHours, always_open
from domain.sla.calendars import Calendar
from domain.stages import Side
from domain.values import Period
from infra.accounts import Accounts
from infra.database import Database
from infra.demo.company import (
    OPENING,
    PACES,
    PEOPLE,
    SLUG,
    Company,
    dumped,
    found,
    new_password,
    sign_month,
    zone_at_work,
)
from infra.demo.life import Clock, Life, arrivals
from infra.demo.marketing import spend
from infra.demo.talking import answer_about_founders, ask_about_founders, rate_what_came
from infra.outbox import publish_all

SEED = 2007
A_DAY = 5.0
MONTHLY_LEADS = 80
_SWEEP_EVERY = timedelta(hours=2)
_WEEK, _MORNING = timedelta(days=7), timedelta(hours=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The demo as it stands: its company, and what a visitor needs to come in."""

    company: Company
    password: str
    api_key: str
    board_url: str


async def prepare(accounts: Accounts, memory: Path, tell: Callable[[str], None]) -> Demo:
    """Return the demo, made anew if this database has none.

    `memory` is a file that keeps what is shown once: the password, the key and the board's link.
    """
    row = await accounts.database.platform.fetchrow(
        "SELECT tenant_id FROM directory WHERE slug = $1", SLUG
    )
    kept = _remembered(memory)
    if row is None or not kept:
        tell("Living through the last weeks of a made-up company …")
        company, kept = await _live_through(accounts, kept)
        _remember(memory, kept)
    else:
        company = await _company(accounts.database, row["tenant_id"])
    await _sign_this_month(accounts.database, company)
    return Demo(
        company=company,
        password=kept["password"],
        api_key=kept["apiKey"],
        board_url=f"{accounts.public_url}/board/{kept['board'].rpartition('/')[2]}",
    )


async def _live_through(
    accounts: Accounts, kept: Mapping[str, Any]
) -> tuple[Company, dict[str, Any]]:
    now = await accounts.database.now()
    zone = zone_at_work(now)
    today = always_open(zone).local_day(now)
    this_month = Period.month(today.year, today.month)
    last_day = this_month.first - timedelta(days=1)
    last_month = Period.month(last_day.year, last_day.month)
    start = start_of_day(last_month.first, zone)
    clock = Clock(start)
    past = Database(accounts.database.app, accounts.database.platform, clock=clock)
    in_past = replace(accounts, database=past)
    password = str(kept.get("password") or new_password())
    company = await found(in_past, password=password, time_zone=zone)
    life = _life(past, company)
    for period in (last_month, this_month):
        first_day = start_of_day(period.first, zone)
        life.plan(first_day, partial(_sign, past, company, period.first))
    hours = life.hours
    for at in arrivals(hours, since=start, until=now, a_day=A_DAY, chance=life.chance):
        life.plan(at, life.arrive)
    _plan_the_loop(life, company, start, now)
    sweep = start
    while sweep < now:
        life.plan(sweep, life.sweep)
        sweep += _SWEEP_EVERY
    await life.live_until(now, clock)
    boss = company.actor("olivia")
    async with accounts.database.work(company.tenant.id, by=boss.user_id) as work:
        await start_scan(work, boss)
    await publish_all(accounts.database, company.tenant.id)
    key = await accounts.issue_api_key(boss, name="The first steps", role=Role.MANAGER)
    board = await accounts.issue_board(boss, name="The wall by the door")
    return company, {"password": password, "apiKey": key.secret, "board": board.url}


def _plan_the_loop(life: Life, company: Company, start: datetime, end: datetime) -> None:
    """Have marketing pay its bills each week, and sales say what it thinks of what came."""
    mia = company.actor("mia")
    sales = {name: company.actor(name) for name in PACES}
    for day in range(1, (end - start).days + 1):
        life.plan(start + timedelta(days=day), life.grade)
    life.plan(end, life.grade)
    began = start.date()
    for week in range(1, (end - start) // _WEEK + 1):
        bills = partial(spend, actor=mia, began=began)
        life.plan(start + week * _WEEK + _MORNING, partial(life.have, bills))
    half = start + (end - start) / 2
    life.plan(half, partial(life.have, partial(ask_about_founders, actor=sales["rosa"])))
    answered_at = life.hours.add(half, timedelta(hours=3))
    life.plan(answered_at, partial(life.have, partial(answer_about_founders, actor=mia)))
    life.plan(end - _WEEK / 2, partial(life.have, partial(rate_what_came, sales=sales)))


async def _sign(database: Database, company: Company, day: date) -> None:
    await sign_month(database, company, day, leads=MONTHLY_LEADS)


async def _sign_this_month(database: Database, company: Company) -> None:
    """See to it that there is an agreement for today, also when a month has gone by since."""
    now = await database.now()
    today = always_open(company.tenant.time_zone).local_day(now)
    async with database.work(company.tenant.id, read_only=True) as work:
        slas = await work.find(Sla, sales_team_id=company.sales_id)
    if not any(today in sla.period and sla.signed_at for sla in slas):
        await _sign(database, company, today)


async def _company(database: Database, tenant_id: Any) -> Company:
    async with database.work(tenant_id, read_only=True) as work:
        tenant = await work.get(Tenant, tenant_id)
        users = {user.name: user for user in await work.find(User)}
        marketing = await first(work, Team, side=Side.MARKETING)
        sales = await first(work, Team, side=Side.SALES)
        calendar = await first(work, Calendar)
    if marketing is None or sales is None or calendar is None:
        raise LookupError("the demo's company is incomplete: begin afresh with RESET=1")
    return Company(
        tenant=tenant,
        people={name: users[full] for name, (full, _, _) in PEOPLE.items()},
        marketing_id=marketing.id,
        sales_id=sales.id,
        calendar_id=calendar.id,
    )


def _life(database: Database, company: Company, seed: int = SEED) -> Life:
    hours = WorkingHours(company.tenant.time_zone, OPENING)
    return Life(database, company.crew(), hours, random.Random(seed))  # noqa: S311  # a story, not a secret


async def resumed(database: Database, company: Company, seed: int) -> Life:
    """Return a life that goes on with the hand-offs and the deals that are open."""
    life = _life(database, company, seed)
    now = await database.now()
    async with database.work(company.tenant.id, read_only=True) as work:
        open_handoffs = await work.find(Handoff, status=HandoffStatus.OPEN)
        open_deals = await work.find(Opportunity, status=OpportunityStatus.OPEN)
        stages = in_use(await pipeline(work)) if open_deals else []
    for handoff in open_handoffs:
        life.take_up(handoff.lead_id, now)
    places = {stage.id: place for place, stage in enumerate(stages)}
    for deal in open_deals:
        life.take_up_deal(deal, places.get(deal.stage_id, 0) + 1, now)
    return life


def _remembered(memory: Path) -> dict[str, Any]:
    try:
        kept = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _remember(memory: Path, kept: Mapping[str, Any]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.touch(mode=0o600)
    memory.write_text(dumped(kept))
