"""Deals that are told in another order than they happened in."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from domain.customers import Customer, CustomerStatus, CustomerStep
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.opportunities import reopen_opportunity, win_opportunity
from domain.stages import Stage
from tests.domain.building_deals import a_deal, a_pipeline, an_accepted_lead
from tests.domain.building_leads import MEMBER, NOON, stored
from tests.domain.opportunities.refusing import DAY
from tests.fakes import FakeWork

# When deals were opened and won, in days before noon.
FIRST_OPENED, FIRST_WON, LAST = (9, 2), (7, 5), (6, 1)
ACCEPTED = 10


async def told(*deals: tuple[int, int], accepted: int = ACCEPTED) -> tuple[FakeWork, list[Any]]:
    """Tell of deals of one lead, one after the other; return what came of them."""
    lead = an_accepted_lead(NOON - accepted * DAY)
    work = await a_pipeline(lead)
    opened = []
    for days, won in deals:
        deal = await a_deal(work, await work.get(Lead, lead.id), opened_at=NOON - days * DAY)
        opened.append(deal)
        await win_opportunity(work, MEMBER, deal.id, at=NOON - won * DAY)
    return work, opened


def history(work: FakeWork) -> list[tuple[Stage, int]]:
    entries = sorted(stored(work, StageEntry), key=lambda entry: entry.entered_at)
    return [(entry.stage, (NOON - entry.entered_at).days) for entry in entries]


def counted(work: FakeWork) -> dict[tuple[str, int], int]:
    """Return what goals count, by metric and days ago."""
    return {
        (str(dict(key)["metric"]), (NOON.date() - on).days): by["amount"]
        for (_, on, key), by in work.counts.items()
        if by["amount"]
    }


@pytest.mark.parametrize("deals", list(permutations((FIRST_OPENED, FIRST_WON, LAST))))
async def test_a_lead_came_so_far_by_the_first_deal_whichever_was_told_first(
    deals: tuple[tuple[int, int], ...],
) -> None:
    work, _ = await told(*deals)

    assert history(work) == [(Stage.OPPORTUNITY, 9), (Stage.CUSTOMER, 5)]
    assert counted(work) == {
        **{(metric, 9): 1 for metric in ("MQLS", "SQLS", "OPPORTUNITIES")},
        ("CUSTOMERS", 5): 1,
    }
    [lead], [customer], [step] = (stored(work, kind) for kind in (Lead, Customer, CustomerStep))
    assert lead.stage_entered_at == customer.bought_at == NOON - 5 * DAY
    assert customer.status_entered_at == step.at == NOON - 5 * DAY
    assert step.status is CustomerStatus.ACTIVE


async def test_what_was_told_first_counts_again_when_the_first_deal_is_reopened() -> None:
    work, [_, first] = await told(FIRST_OPENED, FIRST_WON)

    await reopen_opportunity(work, MEMBER, first.id, reason="It was another deal.")

    assert history(work) == [(Stage.OPPORTUNITY, 9), (Stage.CUSTOMER, 2)]
    assert counted(work)["CUSTOMERS", 2] == 1


async def test_no_deal_makes_an_opportunity_of_a_lead_before_its_last_step() -> None:
    work, _ = await told(LAST, FIRST_OPENED, accepted=8)

    assert history(work) == [(Stage.OPPORTUNITY, 8), (Stage.CUSTOMER, 2)]
