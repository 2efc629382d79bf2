"""Leads to merge, and merging them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain import handoff_flow
from domain.ids import public
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead
from domain.leads import Lead
from domain.lifecycle import advance_lead
from domain.merging import merge_leads, unmerge_leads
from domain.stages import Stage
from tests.world import World

MERGE = """mutation($input: LeadMergeInput!) { leadMerge(input: $input) {
  leadMerge { id automatic winner { id email firstName stage createdAt }
    losers { id email firstName } mergedBy { name } undoneAt }
  userErrors { code path ... on AlreadyMergedError { into { email } } }
} }"""
UNMERGE = """mutation($merge: ID!) { leadUnmerge(input: {merge: $merge}) {
  leadMerge { undoneAt undoneBy { name } } userErrors { code path }
} }"""


async def a_lead(world: World, name: str, **said: Any) -> Lead:
    details = LeadDetails(email=f"{name}@acme.example", **said)
    async with world.work() as work:
        lead: Lead = await create_lead(work, world.actor(), details)
    return lead


async def qualified(world: World, name: str) -> Lead:
    lead = await a_lead(world, name)
    async with world.work() as work:
        advanced: Lead = await advance_lead(work, world.actor(), lead.id, to=Stage.MQL)
    return advanced


async def accepted(world: World, name: str) -> Lead:
    """A lead that sales has accepted."""
    lead = await qualified(world, name)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
        await handoff_flow.accept_lead(work, world.actor(world.rep), lead.id)
    return lead


async def merged(world: World, winner: Lead, *losers: Lead) -> Any:
    async with world.work() as work:
        ids = [loser.id for loser in losers]
        return await merge_leads(work, world.actor(), winner.id, ids)


async def unmerged(world: World, merge_id: UUID) -> None:
    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge_id)


def ref(lead: Lead) -> dict[str, str]:
    return {"id": public("Lead", lead.id)}
