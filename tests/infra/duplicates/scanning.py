"""Leads that are alike, and what a scan of them finds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.duplicates import DuplicateCandidate
from domain.duplicates.scanning import DuplicateScan, start_scan
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import create_lead, update_lead
from domain.leads import Lead
from infra.duplicates import DuplicateFinder
from infra.outbox import publish_all
from tests.world import World

ACME = NamedCompany(name="Acme", domain="acme.example")


async def a_lead(world: World, email: str, **said: Any) -> Lead:
    async with world.work() as work:
        lead: Lead = await create_lead(work, world.actor(), LeadDetails(email=email, **said))
    return lead


async def change(world: World, lead: Lead, **said: Any) -> None:
    async with world.work() as work:
        await update_lead(work, world.actor(), lead.id, LeadDetails(**said))


async def begin(world: World) -> DuplicateScan:
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        scan: DuplicateScan = await start_scan(work, world.actor())
    return scan


async def find(world: World) -> None:
    """Let the worker do all there is."""
    await publish_all(world.database, world.tenant.id)
    await DuplicateFinder(world.database).find_all()


async def pairs(world: World) -> dict[frozenset[UUID], DuplicateCandidate]:
    async with world.work() as work:
        found = await work.find(DuplicateCandidate)
    return {frozenset((each.lead_id, each.other_id)): each for each in found}


async def leads(world: World) -> set[UUID]:
    async with world.work() as work:
        return {lead.id for lead in await work.find(Lead)}


async def two_alike(world: World) -> tuple[Lead, Lead]:
    """Two leads of one name at one company: likely one person, and not certainly."""
    said: dict[str, Any] = {"first_name": "Ann", "last_name": "Lee", "company": ACME}
    return await a_lead(world, "ann@acme.example", **said), await a_lead(
        world, "lee@acme.example", **said
    )
