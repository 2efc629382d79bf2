"""A refusal that left everything as it was."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.errors import DomainError
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.opportunities import Opportunity, OpportunityStep
from tests.domain.building_leads import NOON, stored

# The id of nothing; the same in every process, because names of tests are made from it.
NOBODY = UUID("01890000-0000-7000-8000-000000000000")
DAY = timedelta(days=1)
BEFORE = NOON - 10 * DAY


def snapshot(work):
    kinds = (Lead, Opportunity, OpportunityStep, Customer, CustomerStep, RevenueEvent, StageEntry)
    return [stored(work, kind) for kind in kinds], list(work.events), dict(work.counts)


async def refused(work, attempt):
    """Return the code and path of a refusal that left everything as it was."""
    before = snapshot(work)
    with pytest.raises(DomainError) as refusal:
        await attempt
    assert snapshot(work) == before
    return refusal.value.code, refusal.value.path
