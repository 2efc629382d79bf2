"""Documents and inputs for agreements."""

from __future__ import annotations

from typing import Any

from domain.ids import public
from tests.world import World

PROPOSE = """mutation($input: SlaProposeInput!) { slaPropose(input: $input) {
  sla { id status number } userErrors { code message path } } }"""
COUNTERSIGN = """mutation($input: SlaCountersignInput!) { slaCountersign(input: $input) {
  sla { id status signedAt effectiveAt signatures { side signedAt user { name } } }
  userErrors { code path } } }"""
WITHDRAW = """mutation($input: SlaWithdrawInput!) { slaWithdraw(input: $input) {
  sla { status withdrawnAt } userErrors { code path } } }"""
SUPERSEDE = """mutation($input: SlaSupersedeInput!) { slaSupersede(input: $input) {
  sla { id name number status effectiveAt supersedes { id } } userErrors { code path } } }"""

DELIVERY: dict[str, Any] = {"name": "MQLs", "target": {"leads": 100}}
RESPONSE: dict[str, Any] = {"name": "First call", "within": "PT4H"}
COVERAGE: dict[str, Any] = {"name": "All worked", "targetShare": "0.9", "linkedTo": "MQLs"}
TERMS: list[dict[str, Any]] = [{"delivery": DELIVERY}, {"response": RESPONSE}]


def proposal(world: World, **more: Any) -> dict[str, Any]:
    """Return the input for the agreement of March."""
    asked: dict[str, Any] = {
        "name": "March",
        "period": {"kind": "MONTH", "startsOn": "2026-03-01"},
        "marketingTeam": public("Team", world.marketing.id),
        "salesTeam": public("Team", world.sales.id),
        "commitments": TERMS,
    }
    return asked | more


async def propose(world: World, **more: Any) -> str:
    """Propose as marketing and return the proposal's id."""
    answer = await world.data(PROPOSE, {"input": proposal(world, **more)}, as_=world.marketer)
    assert answer["slaPropose"]["userErrors"] == []
    id: str = answer["slaPropose"]["sla"]["id"]
    return id


async def countersign(world: World, sla: str) -> dict[str, Any]:
    """Sign for sales and return the payload."""
    answer = await world.data(COUNTERSIGN, {"input": {"sla": sla}}, as_=world.rep)
    payload: dict[str, Any] = answer["slaCountersign"]
    return payload


async def agree(world: World, **more: Any) -> str:
    """Propose and sign, and return the agreement's id."""
    sla = await propose(world, **more)
    assert (await countersign(world, sla))["userErrors"] == []
    return sla
