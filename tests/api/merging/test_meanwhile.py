"""What waits for a merge, and goes on when it is made, finds the winner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.ids import public
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead
from domain.leads import ExternalId, Lead
from domain.lifecycle import advance_lead
from domain.merging import merge_leads
from domain.stages import Stage
from domain.touches import Touch, Visitor
from tests.world import World

TOKEN = "a-browser-of-somebody"
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
UPSERT = """mutation($row: LeadRowInput!) { leadsUpsert(input: {rows: [$row]}) {
  rows { outcome lead { email jobTitle } userErrors { code } } } }"""
UPDATE = """mutation($ref: LeadRef!) { leadUpdate(input: {lead: $ref, jobTitle: "CTO"}) {
  lead { email jobTitle } userErrors { code } } }"""
TOUCH = """mutation($ref: RowLeadRef, $visitor: String) {
  touchRecord(input: {lead: $ref, visitor: $visitor, kind: FORM}) {
  touch { lead { email } } userErrors { code } } }"""
IDENTIFY = """mutation($ref: LeadRef!, $visitor: String!) {
  visitorIdentify(input: {lead: $ref, visitor: $visitor}) {
  visitor { lead { email } } userErrors { code } } }"""
ADVANCE = """mutation($ref: LeadRef!) { leadAdvance(input: {lead: $ref, to: LEAD}) {
  lead { email stage } userErrors { code } } }"""

HAND_OFF = """mutation($ref: LeadRef!) { leadHandOff(input: {lead: $ref}) {
  handoff { lead { email } } userErrors { code } } }"""

UPDATED = {"outcome": "UPDATED", "userErrors": []}
ANN = {"email": "ann@acme.example"}


async def during_the_merge(
    world: World, winner: Lead, loser: Lead, doing: Callable[[], Awaitable[Any]]
) -> Any:
    """Do something while a merge has been made and not been committed; return its answer."""
    async with world.work() as work:
        await merge_leads(work, world.actor(), winner.id, [loser.id])
        task = asyncio.ensure_future(doing())
        while not task.done() and not await somebody_waits(world):
            pass
    return await task


async def somebody_waits(world: World) -> bool:
    async with world.database.work(world.tenant.id, read_only=True) as work:
        return bool(await work.connection.fetchval(_WAITING))


@pytest.mark.parametrize(
    ("document", "variables", "answer"),
    [
        (
            UPSERT,
            {"row": {"email": "bob@acme.example", "jobTitle": "CTO"}},
            {"leadsUpsert": {"rows": [{**UPDATED, "lead": {**ANN, "jobTitle": "CTO"}}]}},
        ),
        (
            UPSERT,
            {
                "row": {
                    "externalIds": [{"source": "crm", "value": "7"}],
                    "email": "bob@acme.example",
                    "jobTitle": "CTO",
                }
            },
            {"leadsUpsert": {"rows": [{**UPDATED, "lead": {**ANN, "jobTitle": "CTO"}}]}},
        ),
        (
            UPDATE,
            {"ref": {"email": "bob@acme.example"}},
            {"leadUpdate": {"lead": {**ANN, "jobTitle": "CTO"}, "userErrors": []}},
        ),
        (
            TOUCH,
            {"ref": {"email": "bob@acme.example"}, "visitor": None},
            {"touchRecord": {"touch": {"lead": ANN}, "userErrors": []}},
        ),
        (
            TOUCH,
            {"ref": {"externalId": {"source": "crm", "value": "7"}}, "visitor": "x" * 16},
            {"touchRecord": {"touch": {"lead": ANN}, "userErrors": []}},
        ),
        (
            TOUCH,
            {"ref": None, "visitor": TOKEN},
            {"touchRecord": {"touch": {"lead": ANN}, "userErrors": []}},
        ),
        (
            IDENTIFY,
            {"ref": {"email": "bob@acme.example"}, "visitor": "y" * 16},
            {"visitorIdentify": {"visitor": {"lead": ANN}, "userErrors": []}},
        ),
        (
            ADVANCE,
            {"ref": {"email": "bob@acme.example"}},
            # It is an MQL, as the loser is not.
            {"leadAdvance": {"lead": None, "userErrors": [{"code": "STAGE_NOT_AHEAD"}]}},
        ),
        (
            HAND_OFF,
            {"ref": {"externalId": {"source": "crm", "value": "7"}}},
            {"leadHandOff": {"handoff": {"lead": ANN}, "userErrors": []}},
        ),
    ],
    ids=[
        *("row-by-address", "row-by-external-id", "update", "touch-by-address"),
        *("touch-by-external-id", "touch-of-browser", "stitch", "advance", "hand-off"),
    ],
)
async def test_what_waits_for_a_merge_finds_the_winner(
    world: World, document: str, variables: dict[str, Any], answer: dict[str, Any]
) -> None:
    async with world.work() as work:
        actor = world.actor()
        winner = await create_lead(work, actor, LeadDetails(email="ann@acme.example"))
        said = LeadDetails(email="bob@acme.example", external_ids=(ExternalId("crm", "7"),))
        loser = await create_lead(work, actor, said)
        await advance_lead(work, actor, winner.id, to=Stage.MQL)
    known = {"ref": {"id": public("Lead", loser.id)}, "visitor": TOKEN}
    await world.data(IDENTIFY, known)

    found = await during_the_merge(world, winner, loser, lambda: world.data(document, variables))

    assert found == answer
    async with world.work() as work:
        assert [lead.id for lead in await work.find(Lead)] == [winner.id]
        told = [*await work.find(Touch), *await work.find(Visitor)]
    assert {each.lead_id for each in told} == {winner.id}
