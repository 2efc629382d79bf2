"""The deals that eight thousand real leads became, against a plain count of the files."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from decimal import Decimal
from statistics import median

from domain.forecast import sales_figures
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.stages import Stage
from domain.uploads import JobStatus
from tests.infra.importing.sample_files import (
    NEEDS_SAMPLE_DATA,
    counts,
    first_contacts,
    imported,
    rows_of,
    wins,
)
from tests.world import World

pytestmark = NEEDS_SAMPLE_DATA

# The share of leads that bought, by where they came from, as a plain count of the files gives it.
WON_SHARES = {
    "paid_search": Decimal("6.4"),
    "organic_search": Decimal("4.9"),
    "referral": Decimal("3.2"),
    "social": Decimal("2.3"),
    "email": Decimal("1.2"),
}


async def test_won_deals_by_origin_are_what_the_files_count(world: World) -> None:
    done = JobStatus.DONE
    assert counts(await imported(world, "mqls")) == (done, 8000, 8000, 0, 0, 0)
    deals = await imported(world, "closed_deals", by="won_deals")
    assert counts(deals) == (done, 380, 380, 0, 0, 0)
    again = await imported(world, "closed_deals", by="won_deals")
    assert counts(again) == (done, 380, 0, 0, 380, 0)

    async with world.work() as work:
        leads = {lead.id: lead for lead in await work.find(Lead)}
        opportunities = await work.find(Opportunity)
    won = Counter(leads[each.lead_id].origin_source for each in opportunities)
    assert {each.status for each in opportunities} == {OpportunityStatus.WON}
    assert won == _plain_count({row["mql_id"] for row in rows_of("closed_deals")})
    came = Counter(lead.origin_source for lead in leads.values())
    assert {
        origin: round(Decimal(100 * won[origin]) / came[origin], 1) for origin in WON_SHARES
    } == WON_SHARES
    stages = Counter(lead.stage for lead in leads.values())
    assert stages == {Stage.MQL: 7620, Stage.CUSTOMER: 380}
    await _check_cycle(world, opportunities)


async def _check_cycle(world: World, opportunities: list[Opportunity]) -> None:
    """Half of the deals took 10.5 days or less from the first contact."""
    contacts, won = first_contacts(), wins()
    # One deal was won before its first contact: it began when it was won.
    expected = {
        name: (min(contacts[name], at).astimezone(UTC), at.astimezone(UTC))
        for name, at in won.items()
    }
    assert {e.external_value: (e.opened_at, e.closed_at) for e in opportunities} == expected
    async with world.work() as work:
        figures = await sales_figures(work, world.actor(), since_on=date(2017, 1, 1))
    spread = figures.cycle.elapsed
    assert spread is not None
    assert (figures.won_count, figures.cycle.deals) == (380, 380)
    assert spread.p50 == median(closed - opened for opened, closed in expected.values())
    assert round(spread.p50 / timedelta(days=1), 1) == 10.5


def _plain_count(won: set[str]) -> Counter[str | None]:
    origins = {row["mql_id"]: row["origin"] or None for row in rows_of("mqls")}
    return Counter(origins[name] for name in won)
