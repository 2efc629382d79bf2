"""What the demo's marketing plans and spends, and by what it and sales judge a lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from domain.campaigns import (
    Campaign,
    CampaignKind,
    CampaignPlan,
    CostDetails,
    create_campaign,
    set_campaign_assets,
    upsert_costs,
)
from domain.content import ContentAsset
from domain.identity import Actor
from domain.leads import ExternalId
from domain.ports import Work
from domain.scoring import PRESET, PRESET_NAME, activate_model, propose_model
from domain.values import Money
from infra.demo.reading import SITE

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Effort:
    """A campaign: its budget in whole euros, what it costs a week, and what it gives to read.

    One that costs nothing by the week costs all at once, in its third week.
    """

    code: str
    name: str
    kind: CampaignKind
    budget: int
    weekly: int
    paths: tuple[str, ...]


EFFORTS = (
    Effort(
        *("autumn-offer", "The autumn offer", CampaignKind.ADVERTISING, 9_000, 840),
        ("/calculator", "/guide/suppliers", "/blog/late-deliveries"),
    ),
    Effort(
        *("founders-series", "Founders, one by one", CampaignKind.SOCIAL, 3_500, 320),
        ("/blog/growing", "/stories/bakery"),
    ),
    Effort(
        *("monthly-digest", "The monthly letter", CampaignKind.EMAIL, 1_200, 90),
        ("/guide/api", "/stories/bakery", "/security"),
    ),
    Effort("expo", "The autumn fair", CampaignKind.EVENT, 5_000, 0, ("/calculator", "/start")),
)
_THE_FAIR = 4_650


async def plan_campaigns(work: Work, actor: Actor) -> None:
    """Make the campaigns that the demo's people come from, with what belongs to them."""
    assets = {asset.url: asset.id for asset in await work.find(ContentAsset)}
    for effort in EFFORTS:
        plan = CampaignPlan(
            name=effort.name,
            kind=effort.kind,
            starts_on=work.now.date(),
            budget=Money(effort.budget * 100, "EUR"),
        )
        campaign = await create_campaign(work, actor, code=effort.code, plan=plan)
        wanted = [assets[SITE + path] for path in effort.paths]
        await set_campaign_assets(work, actor, campaign.id, wanted)


async def score_by_preset(work: Work, actor: Actor) -> None:
    """Have everybody scored by the rules that every tenant is offered."""
    model = await propose_model(work, actor, name=PRESET_NAME, terms=PRESET)
    await activate_model(work, actor, model.id)


async def spend(work: Work, actor: Actor, *, began: date) -> None:
    """Record what the last week cost, as the bills tell it."""
    on = work.now.date()
    week = (on - began) // _WEEK
    rows = [_cost(effort, on, week) for effort in EFFORTS]
    await upsert_costs(work, actor, [row for row in rows if row.amount])


def _cost(effort: Effort, on: date, week: int) -> CostDetails:
    # Dearer in one week than in another, and the same in every demo.
    amount = Decimal(effort.weekly) * (90 + 7 * (week % 4)) / 100
    if not effort.weekly and week == 3:
        amount = Decimal(_THE_FAIR)
    return CostDetails(
        campaign=effort.code,
        on=on,
        amount=amount.quantize(Decimal("0.01")),
        currency="EUR",
        note=f"Week {week}" if effort.weekly else "Stand, travel and print",
        external_id=ExternalId("bills", f"{effort.code}/{on}"),
    )


async def the_campaign(work: Work, code: str) -> Campaign:
    """Return one of the demo's campaigns."""
    found: Sequence[Campaign] = await work.find(Campaign, code=code)
    return found[0]
